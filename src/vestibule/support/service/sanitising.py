"""A browser recording made safe while it arrives, before anything of it is written anywhere.

The sanitiser pulls and pushes, in a thread; the body comes and the store takes on the loop. A
bridge stands between: each side waits for the other, so that no more of a recording is in memory
than a few pieces, however large it is and however slow either end.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from threading import Event
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import msgspec

from vestibule import captures
from vestibule.base.errors import Refused, Unavailable
from vestibule.captures.unpacking import unpacked
from vestibule.support.rules.recordings import LISTED_MOST, URL_MOST, Listed, Marks
from vestibule.web import cookies

T = TypeVar("T")

AT_ONCE: Final = 2
"""Recordings under way in one process: each keeps a core busy."""
PATIENCE_S: Final = 20.0
"""How long one waits for its turn before its sender is told to come back."""
_COME_BACK_S: Final = 30
_PIECE: Final = 256 << 10
_WAITING_PIECES: Final = 2

_threads: Final = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="captures")
_turns: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]] = WeakKeyDictionary()


@asynccontextmanager
async def a_turn() -> AsyncIterator[None]:
    """A place among those who work at a time. Raises Unavailable ``busy``."""
    turns = _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await turns.acquire()
    except TimeoutError:
        raise Unavailable("busy", wait=_COME_BACK_S) from None
    try:
        yield
    finally:
        turns.release()


class Sanitising:
    """One recording on its way. What is known of it is known once `pieces` has ended."""

    def __init__(self, chunks: AsyncIterator[bytes], *, limit: int) -> None:
        self._bridge = _Bridge(chunks)
        self._limit = limit
        self.exposed: set[str] = set()
        """Values that may be cookies of our own sessions, as the file was sent."""
        self.size = 0
        """Bytes of what came out."""
        self.entries = 0
        self.report: captures.Report | None = None
        self._marks = Marks()
        self._index: list[bytes] = []
        self._last = 0.0

    @property
    def removed(self) -> dict[str, int]:
        """What was taken out, by reason: here, or in the browser before."""
        return self._marks.counted(captures.REASONS)

    @property
    def index(self) -> bytes:
        """The list of requests, as `listed_in` reads it."""
        return b"\n".join(self._index)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """What is left of the recording, as it is made.

        Raises Refused ``capture_…`` and what its source raises: then there is no end.
        """
        work = asyncio.get_running_loop().run_in_executor(_threads, self._work)
        try:
            while (piece := await self._bridge.taken.get()) is not None:
                self.size += len(piece)
                self._marks.see(piece)
                yield piece
            self.report = await work
        finally:
            self._bridge.stop()
            await asyncio.wait([work])  # the thread ends at its next step
            if not work.cancelled():
                work.exception()

    def _work(self) -> captures.Report:
        watch = _Watch(self.exposed)
        # Here already: our own cookies are looked for in what was packed too.
        read = unpacked(self._bridge.read, limit=self._limit)

        def watched(size: int) -> bytes:
            piece = read(size)
            watch.see(piece)
            return piece

        try:
            report = captures.sanitise(
                watched, self._bridge.write, limit=self._limit, entry=self._list
            )
            self._bridge.flush()
        except captures.CaptureRefused as fault:
            raise Refused(fault.code, at=fault.at) from fault
        finally:
            self._bridge.end()
        return report

    def _list(self, entry: captures.Entry) -> None:
        self.entries += 1
        if self.entries > LISTED_MOST:
            return
        # Where a time cannot be read, that of the request before: the line keeps its place.
        self._last = _moment(entry.started) or self._last
        line = Listed(
            number=entry.number + 1,
            offset=entry.offset,
            length=entry.length,
            started=self._last,
            ms=entry.ms or 0.0,
            method=entry.method[:20],
            url=entry.url[:URL_MOST],
            status=entry.status,
            mime=entry.mime[:100],
            size=entry.size,
            error=entry.error[:100],
            host=entry.host[:100],
        )
        self._index.append(msgspec.json.encode(line))


def _moment(written: str) -> float:
    """Milliseconds since the epoch; 0 where it is no moment."""
    try:
        return datetime.fromisoformat(written).timestamp() * 1000
    except (ValueError, OverflowError, OSError):
        return 0.0


_decode: Final = msgspec.json.Decoder(Listed).decode_lines


def listed_in(index: bytes) -> list[Listed]:
    """The requests in the list of a recording."""
    return _decode(index)


class _StoppedError(Exception):
    """Whoever wanted the recording is gone."""


class _Bridge:
    """Between a thread that reads and writes and a loop on which others bring and take."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._loop = asyncio.get_running_loop()
        self._held = b""
        self._made = bytearray()
        self._over = False
        self._stopped = Event()
        self._awaited: Future[Any] | None = None
        self.taken: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING_PIECES)
        """What was made; None: there is no more."""

    # In the thread.

    def read(self, size: int) -> bytes:
        """At most so many bytes of what was brought; none at its end."""
        if not self._held and not self._over:
            self._held = self._ask(self._next())
            self._over = not self._held
        piece, self._held = self._held[:size], self._held[size:]
        return piece

    def write(self, data: bytes) -> None:
        """Hand on what was made, in pieces worth handing on."""
        self._made += data
        if len(self._made) >= _PIECE:
            self.flush()

    def flush(self) -> None:
        """Hand on what is held back."""
        if self._made:
            self._ask(self.taken.put(bytes(self._made)))
            self._made.clear()

    def end(self) -> None:
        """There is no more, for good or ill."""
        if not self._stopped.is_set():
            self._ask(self.taken.put(None))

    def _ask(self, what: Coroutine[Any, Any, T]) -> T:
        if self._stopped.is_set():
            what.close()
            raise _StoppedError
        future = asyncio.run_coroutine_threadsafe(what, self._loop)
        self._awaited = future
        # Stopped between the two lines above: nobody else would cancel it.
        if self._stopped.is_set():
            future.cancel()
        return future.result()

    # On the loop.

    async def _next(self) -> bytes:
        return await anext(self._chunks, b"")

    def stop(self) -> None:
        """Nobody wants it any more: whatever the thread waits for does not come."""
        self._stopped.set()
        if self._awaited is not None:
            self._awaited.cancel()


class _Watch:
    """Looks for cookies of our own sessions in what was sent."""

    _NAME: Final = cookies.SESSION.encode()
    _NEAR: Final = 300
    """A cookie's name and value stand as close together, in a header or as two members."""
    _MOST: Final = 50
    _VALUE: Final = re.compile(rb"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")

    def __init__(self, found: set[str]) -> None:
        self._found = found
        self._tail = b""

    def see(self, piece: bytes) -> None:
        """The next bytes of the file."""
        text = self._tail + piece
        at = text.find(self._NAME)
        while at >= 0 and len(self._found) < self._MOST:
            around = text[max(0, at - self._NEAR) : at + self._NEAR]
            self._found.update(value.decode() for value in self._VALUE.findall(around))
            at = text.find(self._NAME, at + 1)
        self._tail = text[-2 * self._NEAR :]
