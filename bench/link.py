"""HTTP/1.1 by hand on connections that stay open: a client must cost less than its server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_LOCATION = re.compile(rb"\r\nlocation: ([^\r]*)", re.IGNORECASE)
_COOKIE = re.compile(rb"\r\nset-cookie: ([^=]+)=([^;\r]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    head: bytes
    body: bytes

    @property
    def location(self) -> str:
        """Where it leads, or nothing."""
        found = _LOCATION.search(self.head)
        return found[1].decode() if found else ""

    def cookies(self) -> dict[str, str]:
        """What it sets; an empty value deletes."""
        return {name.decode(): value.decode() for name, value in _COOKIE.findall(self.head)}


class Link:
    """One connection to one origin; its requests follow one another."""

    def __init__(
        self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._host = host
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, origin: str) -> Self:
        """Connect to `http://localhost:port`, which listens on 127.0.0.1."""
        host = origin.partition("://")[2]
        port = int(host.rpartition(":")[2])
        return cls(host, *await asyncio.open_connection("127.0.0.1", port))

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def ask(self, method: str, path: str, headers: str = "", body: bytes = b"") -> Reply:
        """One request and its whole answer; `headers` are lines, each with its end."""
        self._send(method, path, headers, body)
        head = await self._head()
        found = _LENGTH.search(head)
        content = await self._reader.readexactly(int(found[1])) if found else b""
        return Reply(int(head[9:12]), head, content)

    async def listen(self, path: str, headers: str) -> AsyncIterator[bytes]:
        """Open an event stream; its frames as they come, and the first has come on return."""
        self._send("GET", path, headers, b"")
        head = await self._head()
        if int(head[9:12]) != 200:
            raise ConnectionError(f"{path} answered {head[9:12].decode()}")
        return self._chunks()

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self._reader.readline(), 16):
            chunk = await self._reader.readexactly(size + 2)
            yield chunk[:-2]
        await self._reader.readexactly(2)

    def _send(self, method: str, path: str, headers: str, body: bytes) -> None:
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n{headers}{length}\r\n"
        self._writer.write(head.encode("ascii") + body)

    async def _head(self) -> bytes:
        return await self._reader.readuntil(b"\r\n\r\n")
