"""SSH and SFTP spoken by hand, to say what no program would."""

import asyncio
from contextlib import suppress
from typing import Any

import asyncssh
from asyncssh.packet import Boolean, NameList, String, UInt32

from tests.patience import PATIENCE_S
from tests.statements.sftp.standing import USERNAME, Standing

HELLO = b"SSH-2.0-Test\r\n"
KEXINIT, IGNORE, ENV = 20, 2, b"env"
STRICT = b"kex-strict-c-v00@openssh.com"


def plain(payload: bytes) -> bytes:
    """A packet before any keys are agreed on (RFC 4253, section 6)."""
    padding = 8 - (5 + len(payload)) % 8
    padding += 8 if padding < 4 else 0
    return UInt32(1 + len(payload) + padding) + bytes([padding]) + payload + bytes(padding)


def kexinit(
    *, methods: tuple[bytes, ...] = (b"mlkem768x25519-sha256",), strict: bool = False
) -> bytes:
    """A client's offer."""
    kex = [*methods, STRICT] if strict else list(methods)
    lists = [kex, [b"ssh-ed25519"]]
    lists += [[b"aes256-gcm@openssh.com"]] * 2 + [[b"hmac-sha2-256-etm@openssh.com"]] * 2
    lists += [[b"none"]] * 2 + [[]] * 2
    return bytes([KEXINIT]) + bytes(16) + b"".join(map(NameList, lists)) + bytes(5)


async def knock(server: Standing, data: bytes, *, end: bool = True) -> bytes:
    """Send bytes, then wait for the end; everything that was said."""
    reader, writer = await server.raw()
    said = b""
    with suppress(ConnectionError):
        writer.write(data)
        if end:
            writer.write_eof()
        said = await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    return said


class Raw(asyncssh.SSHClient):
    """A client that says what the test wants in place of signing in."""

    def __init__(self, packets: list[bytes]) -> None:
        self._packets = packets
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Keep it."""
        self._conn = conn

    def begin_auth(self, username: str) -> None:
        """Everything at once."""
        for packet in self._packets:
            self._conn.send_packet(packet[0], packet[1:])

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if not self.lost.done():
            self.lost.set_result(exc)


def request(
    blob: bytes, *, signature: bytes | None = None, algorithm: bytes = b"ssh-ed25519"
) -> bytes:
    """A USERAUTH_REQUEST by public key (RFC 4252, section 7)."""
    words = [String(USERNAME), String(b"ssh-connection"), String(b"publickey")]
    words += [Boolean(signature is not None), String(algorithm), String(blob)]
    words += [] if signature is None else [String(signature)]
    return bytes([50]) + b"".join(words)


async def speak(server: Standing, packets: list[bytes]) -> None:
    """Agree on keys, say this in place of a sign-in, and go."""
    client = Raw([*packets, bytes([1]) + UInt32(11) + String(b"") + String(b"")])
    with suppress(asyncssh.Error, OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            await server.connect(
                asyncssh.generate_private_key("ssh-ed25519"), client_factory=lambda: client
            )


async def raw_sftp(client: Any) -> tuple[Any, Any]:
    """A channel to the SFTP subsystem, to say anything on."""
    writer, reader, _ = await client.open_session(subsystem="sftp", encoding=None)
    return reader, writer


def asked(kind: int, body: bytes, number: int = 1) -> bytes:
    """An SFTP request."""
    return String(bytes([kind]) + UInt32(number) + body)


INIT = String(bytes([1]) + UInt32(3))


class Trickle:
    """A transport that hands on one byte at a time."""

    def __init__(self, inner: Any, seen: bytearray) -> None:
        self._inner = inner
        self._seen = seen

    def write(self, data: bytes) -> None:
        """Byte by byte."""
        self._seen += data
        for byte in data:
            self._inner.write(bytes([byte]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
