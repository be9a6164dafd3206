"""A wire between a browser and the server that remembers every byte which the browser sent."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_PIECE = 65536


@dataclass
class Wire:
    """Where it is to be reached, and what went through towards the server."""

    port: int
    streams: list[bytearray] = field(default_factory=list)

    @property
    def sent(self) -> bytes:
        """All of it, connection after connection."""
        return b"\n".join(bytes(stream) for stream in self.streams)

    def mapping(self, origin: str) -> str:
        """The switch that has Chromium reach the origin through the wire."""
        return f"--host-resolver-rules=MAP {urlsplit(origin).hostname} 127.0.0.1:{self.port}"


@contextmanager
def wire_to(origin: str) -> Iterator[Wire]:
    """A wire to the server of an origin."""
    target = ("127.0.0.1", urlsplit(origin).port)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        wire = Wire(listening.getsockname()[1])
        thread = threading.Thread(target=_accept, args=(listening, target, wire), daemon=True)
        thread.start()
        yield wire
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def _accept(listening: socket.socket, target: tuple[str, int | None], wire: Wire) -> None:
    while True:
        try:
            near, _ = listening.accept()
        except OSError:
            return
        far = socket.create_connection(target)
        wire.streams.append(stream := bytearray())
        for source, sink, kept in ((near, far, stream), (far, near, None)):
            threading.Thread(target=_pass, args=(source, sink, kept), daemon=True).start()


def _pass(source: socket.socket, sink: socket.socket, kept: bytearray | None) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            if kept is not None:
                kept += piece
            sink.sendall(piece)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
