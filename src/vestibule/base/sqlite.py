"""SQLite: one writer thread with group commit, reads inline on the loop's own connection.

While one commit waits for the disk, the next bodies queue up; they then share one transaction,
each behind its own savepoint, and one fsync. A point read costs some 15 µs, less than the hop to
another thread would.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.sql import Executable

from vestibule.base.compiled import Compiler, Observer, Row, Tx, Value
from vestibule.base.errors import Duplicate, Unavailable

T = TypeVar("T")

_LARGEST_GROUP = 256
_STATEMENTS_KEPT = 1_000
_UNIQUE = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
_OUR_SQL = sqlite3.SQLITE_ERROR  # a wrong statement, where other codes tell of the world

# fullfsync matters on macOS only, where fsync leaves the data in the drive's cache.
_PRAGMAS = (
    "PRAGMA busy_timeout=10000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=1",
    "PRAGMA foreign_keys=ON",
)


def connect(path: Path) -> sqlite3.Connection:
    """A connection set up for durability; the file is made readable by its owner only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Never opened where it exists: closing any descriptor of the file drops every lock that this
    # process holds on it, and another process would delete the log that this one writes to.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS_KEPT
    )
    connection.row_factory = sqlite3.Row
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    return connection


class _SqliteTx:
    """Async in face only: nothing here ever suspends."""

    __slots__ = ("_compile", "_connection", "observer")

    def __init__(self, connection: sqlite3.Connection, compiler: Compiler) -> None:
        self._connection = connection
        self._compile = compiler
        self.observer: Observer | None = None

    async def one(self, statement: Executable, **params: Value) -> Row | None:
        row: Row | None = self.execute(statement, params).fetchone()
        return row

    async def all(self, statement: Executable, **params: Value) -> list[Row]:
        return self.execute(statement, params).fetchall()

    async def run(self, statement: Executable, **params: Value) -> int:
        return max(0, self.execute(statement, params).rowcount)

    def execute(self, statement: Executable, params: dict[str, Value]) -> sqlite3.Cursor:
        sql, arguments = self._compile(statement, params)
        if self.observer is not None:
            self.observer("statement", sql)
        return self._connection.execute(sql, arguments)

    def control(self, kind: str, sql: str) -> None:
        """BEGIN, COMMIT, ROLLBACK and savepoints."""
        if self.observer is not None and kind:
            self.observer(kind, sql)
        self._connection.execute(sql)


class _Job:
    """One body waiting for the writer, and then its outcome."""

    __slots__ = ("body", "error", "future", "result")

    def __init__(self, body: Callable[[Tx], Awaitable[Any]], future: "asyncio.Future[Any]") -> None:
        self.body = body
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        if self.future.done():  # the one who waited has gone away; what was committed stays
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class SqliteEngine:
    """One database file. Made and used on one event loop."""

    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        compiler = Compiler(sqlite_dialect(paramstyle="qmark"))
        self._loop = asyncio.get_running_loop()
        self._writer = connect(path)
        self._reader = connect(path)
        self._reader.execute("PRAGMA query_only=ON")
        self._write_tx = _SqliteTx(self._writer, compiler)
        # Two threads compile; each has its own memory, so neither needs a lock.
        self._read_tx = _SqliteTx(self._reader, Compiler(sqlite_dialect(paramstyle="qmark")))
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="sqlite-writer", daemon=True)
        self._thread.start()

    def observe(self, observer: Observer | None) -> None:
        """Report every statement; the writer's are reported from its thread."""
        self._write_tx.observer = self._read_tx.observer = observer

    async def read(self, body: Callable[[Tx], Awaitable[T]]) -> T:
        """Run ``body`` at once, on the loop's own connection."""
        return _drive(body(self._read_tx))

    # `alone` saves PostgreSQL a BEGIN; the writer thread has one open anyway.
    async def write(self, body: Callable[[Tx], Awaitable[T]], *, alone: bool = False) -> T:  # noqa: ARG002
        """Queue ``body`` for the writer; returns once its commit is on disk."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(body, future))
        return await future

    def fault(self, error: Exception) -> Exception | None:
        """What ``error`` of the driver means to those above; None where it means nothing."""
        if not isinstance(error, sqlite3.Error):
            return None
        if error.sqlite_errorcode in _UNIQUE:
            return Duplicate(str(error))
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode != _OUR_SQL:
            return Unavailable("database_unavailable", reason=str(error))
        return None

    async def close(self) -> None:
        """Finish what is queued and let go of the file."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._reader.close()
        self._writer.close()

    def _work(self) -> None:
        while True:
            jobs, last = self._gather()
            if jobs:
                self._commit_together(jobs)
                self._loop.call_soon_threadsafe(_settle, jobs)
            if last:
                return

    def _gather(self) -> tuple[list[_Job], bool]:
        """Wait for one job, then take those that queued up meanwhile; and whether to stop."""
        jobs: list[_Job] = []
        job = self._jobs.get()
        try:
            while job is not None:
                if not job.future.cancelled():
                    jobs.append(job)
                if len(jobs) == _LARGEST_GROUP:
                    return jobs, False
                job = self._jobs.get_nowait()
        except Empty:
            return jobs, False
        return jobs, True

    def _commit_together(self, jobs: list[_Job]) -> None:
        tx = self._write_tx
        try:
            tx.control("begin", "BEGIN IMMEDIATE")
            for job in jobs:
                self._attempt(job, alone=len(jobs) == 1)
            if any(job.error is None for job in jobs):
                tx.control("commit", "COMMIT")
            else:
                tx.control("rollback", "ROLLBACK")
        except BaseException as error:  # noqa: BLE001  -- the writer thread must outlive anything
            self._abandon(jobs, error)

    def _attempt(self, job: _Job, *, alone: bool) -> None:
        """Run one body; behind a savepoint where others share the transaction."""
        tx = self._write_tx
        if not alone:
            tx.control("", "SAVEPOINT body")
        try:
            job.result = _drive(job.body(tx))
        except BaseException as error:  # handed to the one who waits
            job.error = error
            if not self._writer.in_transaction:
                raise  # a full disk or an I/O error undid the whole transaction at once
            if not alone:
                tx.control("", "ROLLBACK TO body")
        if not alone:
            tx.control("", "RELEASE body")

    def _abandon(self, jobs: list[_Job], error: BaseException) -> None:
        """Nothing of this group was committed: everybody is told so."""
        if self._writer.in_transaction:
            try:
                self._writer.execute("ROLLBACK")
            except sqlite3.Error as second:
                error.add_note(f"and the rollback failed: {second}")
        for job in jobs:
            if job.error is None:
                job.error = error


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        job.settle()


def _drive(coroutine: Awaitable[T]) -> T:
    """Run a body to its end in one go."""
    if not isinstance(coroutine, Coroutine):
        raise TypeError("a transaction body is an async function")
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError("a transaction body awaited something other than its tx")
