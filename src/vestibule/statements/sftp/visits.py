"""Visits are written down after the answer: nobody waits at the door for the log.

One task writes them in the order in which they came, and at the end of the process it is waited
for. When the database is slow, so many wait; beyond that they go to the log of the server only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from vestibule.base.errors import Fault
from vestibule.delivery.rules import Outcome
from vestibule.statements.sftp.rooms import Rooms, Visitor

_log = structlog.get_logger("vestibule.sftp")
_WAITING_MOST: Final = 10_000
_LAST_S: Final = 10.0
"""How long the end of the process waits for what is not written yet."""

_Job = Callable[[], Coroutine[Any, Any, None]]


class Visits:
    """The writer; `run` it as a task."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue(_WAITING_MOST)

    def arrived(self, visitor: Visitor) -> asyncio.Future[str | None]:
        """Write a visit down soon; the future is its id, None where it has no owner."""
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

        async def job() -> None:
            id_: str | None = None
            try:
                id_ = await self._rooms.arrived(visitor)
            finally:
                if not done.done():
                    done.set_result(id_)

        if not self._put(job):
            done.set_result(None)
        _log.info(
            "sftp.visit",
            outcome=visitor.outcome.value,
            username=visitor.username,
            address=visitor.address,
            program=visitor.program,
            fingerprints=visitor.fingerprints,
        )
        return done

    def left(
        self,
        visit: asyncio.Future[str | None],
        *,
        files: int,
        bytes_sent: int,
        outcome: Outcome | None,
    ) -> None:
        """Write down how a visit ended; its beginning stands in the queue before it."""

        async def job() -> None:
            id_ = await visit
            if id_ is not None:
                await self._rooms.left(id_, files=files, bytes_sent=bytes_sent, outcome=outcome)

        self._put(job)

    def _put(self, job: _Job) -> bool:
        try:
            self._jobs.put_nowait(job)
        except asyncio.QueueFull:
            _log.error("sftp.visits_full", waiting=_WAITING_MOST)
            return False
        return True

    async def run(self) -> None:
        """Write, for ever."""
        while True:
            job = await self._jobs.get()
            try:
                await job()
            except Fault as fault:
                _log.warning("sftp.visit_unwritten", reason=str(fault))
            except Exception:  # noqa: BLE001  -- one visit less; the next ones are written
                _log.exception("sftp.visit_failed")
            finally:
                self._jobs.task_done()

    async def settle(self) -> None:
        """Wait for what is still to be written, for ten seconds at most."""
        try:
            async with asyncio.timeout(_LAST_S):
                await self._jobs.join()
        except TimeoutError:
            _log.error("sftp.visits_lost", waiting=self._jobs.qsize())
