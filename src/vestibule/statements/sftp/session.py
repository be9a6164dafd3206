"""One SFTP session: requests in, answers out, in the order in which they come.

An answer from the disk is made at once. One that has to be waited for (a listing, a store over
the network) goes on beside the next requests, which carry numbers for that (§3), a few at a time.
While a client does not read what it has asked for, no further request of it is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

import structlog
from asyncssh.session import SSHServerSession

from vestibule.base.errors import Fault
from vestibule.statements.sftp import wire
from vestibule.statements.sftp.requests import Requests
from vestibule.statements.sftp.wire import Garbled, Status

if TYPE_CHECKING:
    from vestibule.statements.sftp.connection import Connection
    from vestibule.statements.sftp.lane import Lane

_log = structlog.get_logger("vestibule.sftp")
_BESIDE: Final = 16
"""Requests that wait for the store or the database at a time."""
_STDERR: Final = 1
_FILES_ONLY: Final = b"This server hands out files by SFTP only. Use sftp, or scp without -O.\r\n"


class Session(SSHServerSession[bytes]):
    """The far end of one channel."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._lane: Lane | None = None
        self._sftp = False
        self._requests = Requests(self, conn)
        self._buffer = b""
        self._full = False
        self._beside: set[asyncio.Task[None]] = set()
        self._held = False
        self._going = False
        self._resting = False

    # --- the channel ---------------------------------------------------------------------------

    def connection_made(self, chan: Any) -> None:  # noqa: ANN401  -- as the library says it
        """The channel is open."""
        self._lane = chan
        self._conn.sessions.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is gone, and with it what was open in it."""
        del exc
        self._lane = None
        self._buffer = b""
        self._conn.sessions.discard(self)
        for task in self._beside:
            task.cancel()
        self._conn.handles.drop(self)

    def subsystem_requested(self, subsystem: str) -> bool:
        """SFTP, and nothing else."""
        self._sftp = subsystem == "sftp"
        return self._sftp

    def shell_requested(self) -> bool:
        """Nothing is run; that is said in words, for a bare refusal looks like a fault."""
        return True

    def exec_requested(self, command: str) -> bool:
        """As `shell_requested`: the command is not even looked at."""
        del command
        return True

    def session_started(self) -> None:
        """Say so where somebody wanted a shell."""
        if not self._sftp and self._lane is not None:
            self._lane.write(_FILES_ONLY, _STDERR)
            self._lane.exit(1)

    def eof_received(self) -> bool:
        """The client sends nothing more: what it has asked for is answered first."""
        if self._lane is not None and not self._beside:
            self._lane.exit(0)
        return True

    def pause_writing(self) -> None:
        """More is waiting for the client's window than may."""
        self._full = True

    def resume_writing(self) -> None:
        """It has read on."""
        self._full = False
        self.go_on()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Bytes from the client."""
        del datatype
        if self._sftp:
            self._buffer = self._buffer + data if self._buffer else data
            self._conn.touch()
            self.go_on()

    # --- requests ------------------------------------------------------------------------------

    def _stuck(self) -> bool:
        return (
            self._full
            or self._held
            or self._lane is None
            or len(self._beside) >= _BESIDE
            or not self._conn.flowing
        )

    def go_on(self) -> None:
        """Answer what has come whole, until the client has to read first."""
        if self._going:
            return
        buffer, at = self._buffer, 0
        self._going = True
        try:
            while len(buffer) - at >= 5 and not self._stuck():
                size = int.from_bytes(buffer[at : at + 4], "big")
                wire.demand_size(size)
                if len(buffer) - at < 4 + size:
                    break
                request = buffer[at + 4 : at + 4 + size]
                at += 4 + size
                self._requests.answer(request)
        except Garbled:
            # Without a number there is nothing to answer to.
            self._buffer = b""
            if self._lane is not None:
                self._lane.exit(1)
            return
        finally:
            self._going = False
        self._buffer = buffer[at:] if self._lane is not None else b""
        self._breathe()

    def _breathe(self) -> None:
        """Let the client's window close while it does not read, and open again afterwards."""
        if self._lane is None:
            return
        stuck = self._stuck()
        if stuck != self._resting:
            self._resting = stuck
            if stuck:
                self._lane.pause_reading()
            else:
                self._lane.resume_reading()

    @property
    def is_open(self) -> bool:
        """Whether anybody is there to be answered."""
        return self._lane is not None

    def send(self, answer: bytes) -> None:
        """Send an answer; where nobody is there any more, it is dropped."""
        if self._lane is not None:
            self._lane.write(answer)

    def later(self, number: int, work: Coroutine[Any, Any, None]) -> None:
        """Do what has to be waited for, beside the next requests."""

        async def body() -> None:
            try:
                await work
            except (Fault, OSError) as fault:
                self.unavailable(number, fault)

        task = asyncio.create_task(body())
        self._beside.add(task)
        task.add_done_callback(self._done)

    def unavailable(self, number: int, fault: Exception) -> None:
        """Say that the store or the database cannot be reached, and log why."""
        _log.warning("sftp.unavailable", reason=str(fault) or type(fault).__name__)
        self.send(wire.status(number, Status.FAILURE, b"Not available now: try again"))

    def _done(self, task: asyncio.Task[None]) -> None:
        self._beside.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("sftp.failed", exc_info=task.exception())
            self._conn.abort()
        elif self._lane is not None:
            self.go_on()

    def hold(self, seconds: float) -> None:
        """Answer nothing for a while: the account has had its share of this moment."""
        if seconds > 0 and not self._held:
            self._held = True
            self._conn.loop.call_later(seconds, self._let_go)

    def _let_go(self) -> None:
        self._held = False
        self.go_on()
