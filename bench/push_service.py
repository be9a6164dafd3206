"""A push service that takes everything and hands it on at once, in the client's process."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bench.sign_in import Person

_TAKEN = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


@dataclass
class PushService:
    """Wakes the person whose subscription a push names."""

    address: str = ""
    _people: dict[str, Person] = field(default_factory=dict)

    def expect(self, people: Mapping[str, Person]) -> None:
        """Know these people by the ids of their phones."""
        self._people.update(people)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take what comes on one connection."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                await reader.readexactly(int(length[1]) if length else 0)
                writer.write(_TAKEN)
                path = head.split(b" ", 2)[1].decode()
                self._people[path.removeprefix("/")].nudged.set()
        except asyncio.IncompleteReadError:
            writer.close()


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    """A push service that listens."""
    service = PushService()
    async with await asyncio.start_server(service.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        service.address = f"http://127.0.0.1:{port}"
        yield service
