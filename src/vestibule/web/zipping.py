"""Several files as one, made while it is sent: nothing of it is ever held or written down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

_FLUSHED: Final = 256 * 1024
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file inside."""

    path: str
    at: int
    """Milliseconds since the epoch."""
    chunks: AsyncIterator[bytes]


class _Sink:
    """Takes what the archive writes, until it is taken away; nobody goes back in it."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes, /) -> int:
        self._held += data
        return len(data)

    def flush(self) -> None:
        """Asked for by the library; there is nothing behind."""

    def close(self) -> None:
        """As flush."""

    def __len__(self) -> int:
        return len(self._held)

    def taken(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


async def zipped(entries: AsyncIterator[Entry]) -> AsyncIterator[bytes]:
    """A ZIP archive of the entries, stored as they are: encrypted files do not shrink."""
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_STORED) as archive:
        async for entry in entries:
            at = datetime.fromtimestamp(entry.at / 1000, UTC)
            when = max(_EARLIEST, (at.year, at.month, at.day, at.hour, at.minute, at.second))
            # The size is known only afterwards, so each may grow beyond 4 GiB.
            with archive.open(ZipInfo(entry.path, when), "w", force_zip64=True) as inside:
                async for chunk in entry.chunks:
                    inside.write(chunk)
                    if len(sink) >= _FLUSHED:
                        yield sink.taken()
    yield sink.taken()
