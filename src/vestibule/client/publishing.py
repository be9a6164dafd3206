"""Publishes statements at a portal over HTTP (spec/publishing.md).

async with Publisher("https://portal.example", token) as publisher:
    async for outcome in publisher.publish(papers):
        print(outcome.paper.name, outcome.state)

Everything may be repeated: what is there already is not sent again, and what broke off goes on
where it broke.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeVar

import aiohttp

from vestibule.client.errors import ClientFault, NotPossible, Refused, Unreachable
from vestibule.client.publishing_calls import Paper, PublishingCalls, Sent, Upload, read_digest

T = TypeVar("T")

_WHOLE_MOST: Final = 8 * 2**20
"""Larger files are sent as an upload, in parts (specification, section 8)."""
_CHECK_MOST: Final = 500
_CHECK_BYTES: Final = 64 * 2**20
"""Files that are asked about in one call; all of them are read before it."""
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0
_TRIES: Final = 6
"""Of one file at a server that answers, but fails."""
_LOST: Final = frozenset({"upload_offset", "upload_unknown"})
# These speak of the publisher or of the server, not of one file: nothing else will go either.
_HOPELESS: Final = frozenset({"publisher_unknown", "unknown_host", "not_found"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: ``new``, ``same``, ``replaced``, or ``refused`` with a reason."""

    paper: Paper
    state: str
    reason: ClientFault | None = None


Progress = Callable[[Paper, int], None]
"""Told how many bytes of a file have left us so far; fewer again where it has to be repeated."""


def _nothing(_paper: Paper, _sent: int) -> None:
    pass


class Publisher:
    """Publishes files at one portal, several at a time. Use it as an asynchronous context manager.

    `patience_s`: for how long a portal that does not answer at all is asked again.
    """

    def __init__(
        self,
        portal: str,
        token: str,
        *,
        parallel: int = 8,
        patience_s: float = 900,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        progress: Progress = _nothing,
    ) -> None:
        self._portal = portal.rstrip("/")
        self._token = token
        self._parallel = parallel
        self._patience_s = patience_s
        self._sleep = sleep
        self._progress = progress
        self._http: aiohttp.ClientSession | None = None
        self._answered_at = 0.0

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=self._parallel + 1),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def check(self, papers: Sequence[Paper]) -> list[str]:
        """For each paper, which was read, `absent`, `same`, `differs` or `account_unknown`."""
        calls, states = self._calls(), list[str]()
        for start in range(0, len(papers), _CHECK_MOST):
            batch = papers[start : start + _CHECK_MOST]
            states += await self._again(partial(calls.check, batch))
        return states

    async def publish(self, papers: Sequence[Paper]) -> AsyncIterator[Outcome]:
        """Publish all, in any order, and tell of each once.

        A file that cannot be published is told as `refused`. Raises `Refused` where the token is
        worth nothing, and `Unreachable` where the portal was silent for too long.
        """
        calls = self._calls()
        wanted: asyncio.Queue[Paper | None] = asyncio.Queue(2 * self._parallel)
        told: asyncio.Queue[Outcome] = asyncio.Queue()
        tasks = [asyncio.create_task(self._look(calls, papers, wanted, told))]
        tasks += [
            asyncio.create_task(self._send_all(calls, wanted, told)) for _ in range(self._parallel)
        ]
        try:
            for _ in papers:
                yield await _next(told, tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _calls(self) -> PublishingCalls:
        if self._http is None:
            raise RuntimeError("the publisher is used outside of its `async with`")
        self._answered_at = _now()
        return PublishingCalls(self._http, self._portal, self._token)

    async def _look(
        self,
        calls: PublishingCalls,
        papers: Sequence[Paper],
        wanted: asyncio.Queue[Paper | None],
        told: asyncio.Queue[Outcome],
    ) -> None:
        """Read the files, ask which of them are there already, and pass the others on."""
        for batch in _batches(papers):
            known: list[Paper] = []
            for paper in batch:
                try:
                    known.append(await asyncio.to_thread(read_digest, paper))
                except OSError as error:
                    told.put_nowait(Outcome(paper, "refused", _unreadable(error)))
            states = await self._again(partial(calls.check, known)) if known else []
            for paper, state in zip(known, states, strict=True):
                if state == "same":
                    told.put_nowait(Outcome(paper, "same"))
                else:
                    # What else the answer says, the sending says better: with its reason.
                    await wanted.put(paper)
        for _ in range(self._parallel):
            await wanted.put(None)

    async def _send_all(
        self,
        calls: PublishingCalls,
        wanted: asyncio.Queue[Paper | None],
        told: asyncio.Queue[Outcome],
    ) -> None:
        while (paper := await wanted.get()) is not None:
            told.put_nowait(await self._send(calls, paper))

    async def _send(self, calls: PublishingCalls, paper: Paper) -> Outcome:
        try:
            try:
                sent = await self._once(calls, paper)
            except Refused as refused:
                if refused.code != "digest_wrong":
                    raise
                # The file was written to since it was read: as it is now, or not at all.
                paper = await asyncio.to_thread(read_digest, paper)
                sent = await self._once(calls, paper)
        except Refused as refused:
            if refused.code in _HOPELESS:
                raise
            return Outcome(paper, "refused", refused)
        except OSError as error:
            return Outcome(paper, "refused", _unreadable(error))
        self._progress(paper, paper.size)
        return Outcome(paper, sent.state)

    async def _once(self, calls: PublishingCalls, paper: Paper) -> Sent:
        moved = partial(self._progress, paper)
        if paper.size <= _WHOLE_MOST:
            return await self._again(partial(calls.put, paper))
        return await self._upload(calls, paper, moved)

    async def _upload(
        self, calls: PublishingCalls, paper: Paper, moved: Callable[[int], None]
    ) -> Sent:
        """Open or find the upload, and send what is missing of it.

        Whatever breaks off, the server is asked for the upload first: that tells how much of it
        is kept, or that it was published after all.
        """
        find = partial(self._again, partial(calls.open, paper))
        upload = await find()
        furthest, advanced_at, pause = -1, _now(), _FIRST_PAUSE_S
        while isinstance(upload, Upload):
            moved(upload.offset)
            if upload.offset > furthest:
                furthest, advanced_at, pause = upload.offset, _now(), _FIRST_PAUSE_S
            try:
                upload = await calls.append(paper, upload, moved)
            except (Refused, Unreachable) as fault:
                if isinstance(fault, Refused) and not _goes_on(fault):
                    raise
                if _now() - advanced_at > self._patience_s or pause > _LONGEST_PAUSE_S:
                    raise
                await self._sleep(pause)
                pause *= 2
                upload = await find()
        return upload

    async def _again(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call until it is answered; refusals that waiting cannot mend are raised."""
        pause, tries = _FIRST_PAUSE_S, 0
        while True:
            try:
                answer = await call()
            except Unreachable:
                if _now() - self._answered_at > self._patience_s:
                    raise
                wait = pause
            except Refused as refused:
                self._answered_at = _now()
                tries += 1
                status = refused.facts.get("status")
                if not _may_mend(status) or (status == 500 and tries >= _TRIES):
                    raise
                told = refused.facts.get("wait")
                wait = max(pause, float(told)) if isinstance(told, int | float) else pause
            else:
                self._answered_at = _now()
                return answer
            # Not all at the same moment, when a server comes back.
            await self._sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311  -- spreads retries
            pause = min(2 * pause, _LONGEST_PAUSE_S)


def _batches(papers: Sequence[Paper]) -> Iterator[list[Paper]]:
    batch: list[Paper] = []
    for paper in papers:
        batch.append(paper)
        if len(batch) == _CHECK_MOST or sum(one.size for one in batch) > _CHECK_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


async def _next(told: asyncio.Queue[Outcome], tasks: list[asyncio.Task[None]]) -> Outcome:
    """The next outcome; raises what ended one of the tasks, for then none may come any more."""
    getting = asyncio.create_task(told.get())
    try:
        while not getting.done():
            running = [task for task in tasks if not task.done()]
            await asyncio.wait([getting, *running], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        return getting.result()
    finally:
        getting.cancel()


def _may_mend(status: object) -> bool:
    return isinstance(status, int) and (status >= 500 or status in {408, 429})


def _goes_on(refused: Refused) -> bool:
    """Whether an upload is to be found again after this."""
    return refused.code in _LOST or _may_mend(refused.facts.get("status"))


def _unreadable(error: OSError) -> ClientFault:
    return NotPossible(f"it cannot be read ({error.strerror or error})")


def _now() -> float:
    return time.monotonic()
