"""A channel of a connection (RFC 4254): what clients may ask of one, and its way out."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from asyncssh.channel import SSHServerChannel
from asyncssh.packet import SSHPacket

if TYPE_CHECKING:
    from vestibule.statements.sftp.connection import Connection

WINDOW_ADJUST = 93
DATA = 94
EXTENDED_DATA = 95
EOF = 96
WINDOW = 65_536
"""Bytes of requests that a client may send ahead; each waits in memory until it is answered."""
PACKET = 32_768
HIGH_WATER = 65_536
"""Answers that wait for the client's window; with more, no further request is looked at."""


class Lane(SSHServerChannel[bytes]):
    """Sends answers without copying them, and refuses everything that is no file transfer."""

    _conn: Connection

    def __init__(self, conn: Connection) -> None:
        self._views: deque[tuple[memoryview, int | None]] = deque()
        super().__init__(
            conn,
            conn.loop,
            allow_pty=False,
            line_editor=False,
            line_echo=False,
            line_history=0,
            max_line_length=0,
            encoding=None,
            errors="strict",
            window=WINDOW,
            max_pktsize=PACKET,
        )
        self.set_write_buffer_limits(high=HIGH_WATER, low=0)

    def write(self, data: bytes, datatype: int | None = None) -> None:
        """Send bytes, as far as the client's window lets them; the rest waits."""
        if self._send_state != "open" or not data or self._conn is None:
            return
        size = len(data)
        if (
            not self._views
            and datatype is None
            and size <= self._send_window
            and size <= self._send_pktsize
            and self._conn.send_data(self._number, data)
        ):
            self._send_window -= size
            return
        self._views.append((memoryview(data), datatype))
        self._send_buf_len += size
        self._flush_send_buf()

    @property
    def _number(self) -> bytes:
        return (self._send_chan or 0).to_bytes(4, "big")

    def _flush_send_buf(self) -> None:
        views = self._views
        while views and self._send_window:
            view, kind = views[0]
            size = min(len(view), self._send_window, self._send_pktsize)
            if size == len(view):
                views.popleft()
                part = view
            else:
                part = view[:size]
                views[0] = (view[size:], kind)
            self._send_buf_len -= size
            self._send_window -= size
            self._send_part(part, kind)
        self._pause_resume_writing()
        if not views:
            if self._send_state == "eof_pending":
                self.send_packet(EOF)
                self._send_state = "eof"
            elif self._send_state == "close_pending":
                self._close_send()

    def _send_part(self, part: memoryview, kind: int | None) -> None:
        if self._send_chan is None or self._conn is None:
            return
        head = self._number
        if kind is not None:
            head += kind.to_bytes(4, "big")
        number = DATA if kind is None else EXTENDED_DATA
        # The connection only joins what it is given: a view does as well as bytes.
        parts: tuple[Any, ...] = (head, len(part).to_bytes(4, "big"), part)
        self._conn.send_packet(number, *parts, handler=self)

    def _close_send(self) -> None:
        self._views.clear()
        super()._close_send()

    def take(self, data: bytes) -> bool:
        """Bytes from the client; False when it may not send them now."""
        size = len(data)
        if self._recv_state != "open" or size > self._recv_window:
            return False
        if self._recv_paused or self._send_state != "open" or size > self._recv_window - WINDOW / 2:
            # It waits, or the client has to be told of more window.
            self._accept_data(data)
        elif size and self._session is not None:
            self._recv_window -= size
            self._session.data_received(data, None)
        return True

    def widen(self, size: int) -> bool:
        """The client takes so many bytes more; False when the channel is not open."""
        if self._recv_state not in {"open", "eof_pending", "eof"}:
            return False
        self._send_window += size
        self._flush_send_buf()
        return True

    def process_packet(self, pkttype: int, pktid: int, packet: SSHPacket) -> bool | Awaitable[None]:
        """As the library, but nothing beside an exchange of keys."""
        if self._conn is not None:
            self._conn.demand_no_kex(pkttype)
        return super().process_packet(pkttype, pktid, packet)

    # What a shell would want. Each is refused without looking at it: kept, an endless row of
    # variables would fill the memory.

    def _process_env_request(self, packet: SSHPacket) -> bool:
        del packet
        return False

    def _process_x11_req_request(self, packet: SSHPacket) -> bool:
        del packet
        return False

    def _process_auth_agent_req_at_openssh_dot_com_request(self, packet: SSHPacket) -> bool:  # type: ignore[override]  # the library answers later, by a task
        del packet
        return False
