"""Publishing on the server's own machine: the same as over HTTP, without the way there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from itertools import islice

from vestibule.base.context import Context
from vestibule.base.errors import Fault, Refused
from vestibule.cli import terminal
from vestibule.client.errors import ClientFault, NotPossible
from vestibule.client.publishing import Outcome, Progress
from vestibule.client.publishing_calls import Paper, read_digest
from vestibule.statements import service
from vestibule.statements.rules import WHOLE_MOST, Published, Publisher, Wanted

_CHECK_MOST = 500
_READ = 2**20
_NAME = "command-line"


async def own_publisher(ctx: Context) -> Publisher:
    """The publisher under whose name this machine publishes; its token is known to nobody."""
    try:
        return (await service.add_publisher(ctx, _NAME))[0]
    except Refused:
        return next(one for one in await service.list_publishers(ctx) if one.name == _NAME)


class Here:
    """Publishes files by the service itself, several at a time."""

    def __init__(
        self, ctx: Context, publisher: Publisher, *, parallel: int, progress: Progress
    ) -> None:
        self._ctx = ctx
        self._publisher = publisher
        self._parallel = parallel
        self._progress = progress

    async def check(self, papers: Sequence[Paper]) -> list[str]:
        """For each paper, which was read, `absent`, `same`, `differs` or `account_unknown`."""
        states: list[str] = []
        for start in range(0, len(papers), _CHECK_MOST):
            asked = [
                (one.account, one.kind, one.name, bytes.fromhex(one.digest))
                for one in papers[start : start + _CHECK_MOST]
            ]
            states += [state.value for state in await service.check(self._ctx, asked)]
        return states

    async def publish(self, papers: Sequence[Paper]) -> AsyncIterator[Outcome]:
        """Publish all, in any order, and tell of each once."""
        waiting = iter(papers)
        running = {
            asyncio.create_task(self._one(paper)) for paper in islice(waiting, self._parallel)
        }
        try:
            while running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if (paper := next(waiting, None)) is not None:
                        running.add(asyncio.create_task(self._one(paper)))
                    yield task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _one(self, paper: Paper) -> Outcome:
        try:
            paper = await asyncio.to_thread(read_digest, paper)
            if await self.check([paper]) == ["same"]:
                return Outcome(paper, "same")
            wanted = Wanted(
                account=paper.account,
                kind=paper.kind,
                name=paper.name,
                period=paper.period,
                media=paper.media,
                size=paper.size,
                sha256=bytes.fromhex(paper.digest),
                replace=paper.replace,
            )
            published = await self._publish(paper, wanted)
        except OSError as error:
            reason = NotPossible(f"it cannot be read ({error.strerror or error})")
            return Outcome(paper, "refused", reason)
        except Fault as fault:
            if fault.code.status >= 500:
                raise
            return Outcome(paper, "refused", _in_words(fault))
        return Outcome(paper, published.state.value)

    async def _publish(self, paper: Paper, wanted: Wanted) -> Published:
        """A small file whole; a large one as an upload, which goes on where the last run ended."""
        if wanted.size <= WHOLE_MOST:
            chunks = self._chunks(paper, 0)
            return await service.publish(self._ctx, self._publisher, wanted, chunks=chunks)
        opened = await service.begin_upload(self._ctx, self._publisher, wanted)
        if isinstance(opened, Published):
            return opened
        chunks = self._chunks(paper, opened.offset)
        upload = await service.append(self._ctx, opened, chunks=chunks)
        return await service.finish(self._ctx, upload)

    async def _chunks(self, paper: Paper, offset: int) -> AsyncIterator[bytes]:
        sent = offset
        with paper.path.open("rb") as file:
            file.seek(offset)
            while chunk := await asyncio.to_thread(partial(file.read, _READ)):
                yield chunk
                sent += len(chunk)
                self._progress(paper, sent)


def _in_words(fault: Fault) -> ClientFault:
    stopped = terminal.explain(fault)
    return NotPossible(stopped.message if stopped else str(fault))
