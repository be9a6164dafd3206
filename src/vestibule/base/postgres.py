"""PostgreSQL through asyncpg, without anything in between.

The pool is our own few lines: asyncpg's resets every connection on return (a round trip) and
wraps each call in a proxy, which together cost more than a point read. Bodies leave no state
behind on a connection, so there is nothing to reset.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgres_dialect
from sqlalchemy.sql import Executable

from vestibule.base.compiled import Compiler, Observer, Row, Tx, Value
from vestibule.base.errors import Duplicate, Lost, Unavailable

T = TypeVar("T")

if TYPE_CHECKING:
    Link = asyncpg.Connection[asyncpg.Record]
else:  # asyncpg's own class takes no parameters
    Link = asyncpg.Connection

_CONNECTIONS = 10
_STATEMENTS_KEPT = 1_000
_CONNECT_SECONDS = 5.0
_COMMAND_SECONDS = 20.0
_PATIENCE_SECONDS = 10.0

# Both end what a lost client left behind; a healthy body takes milliseconds.
_SERVER_SETTINGS = {
    "application_name": "vestibule",
    "idle_in_transaction_session_timeout": "15000",
    "statement_timeout": "15000",
}

_RACES = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby: the primary is elsewhere now
    asyncpg.InternalClientError,  # the server's farewell has arrived, the end not yet: unsent
    OSError,
)
_FAILING = (
    *_GONE,
    asyncpg.InsufficientResourcesError,  # disk full, too many connections
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.PostgresIOError,
    TimeoutError,
)


class _PostgresTx:
    __slots__ = ("_compile", "_connection", "_observer")

    def __init__(self, connection: Link, compiler: Compiler, observer: Observer | None) -> None:
        self._connection = connection
        self._compile = compiler
        self._observer = observer

    async def one(self, statement: Executable, **params: Value) -> Row | None:
        sql, arguments = self._compile(statement, params)
        if self._observer is not None:
            self._observer("statement", sql)
        return await self._connection.fetchrow(sql, *arguments)

    async def all(self, statement: Executable, **params: Value) -> list[Row]:
        sql, arguments = self._compile(statement, params)
        if self._observer is not None:
            self._observer("statement", sql)
        rows: list[Any] = await self._connection.fetch(sql, *arguments)
        return rows

    async def run(self, statement: Executable, **params: Value) -> int:
        sql, arguments = self._compile(statement, params)
        if self._observer is not None:
            self._observer("statement", sql)
        status = await self._connection.execute(sql, *arguments)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0


class PostgresEngine:
    """A pool of connections to one database. Made and used on one event loop."""

    dialect = "postgresql"

    def __init__(self, url: str, *, connections: int = _CONNECTIONS) -> None:
        self._url = url
        self._compiler = Compiler(postgres_dialect())  # type: ignore[no-untyped-call]  # theirs
        self._observer: Observer | None = None
        self._places = asyncio.Semaphore(connections)
        self._idle: list[Link] = []

    def observe(self, observer: Observer | None) -> None:
        """Report every statement of the transactions that begin from now on."""
        self._observer = observer

    async def read(self, body: Callable[[Tx], Awaitable[T]]) -> T:
        """Run ``body`` without BEGIN: each statement sees what is committed when it starts."""
        while True:
            connection, used = await self._take()
            try:
                return await body(_PostgresTx(connection, self._compiler, self._observer))
            except _GONE:
                connection.terminate()
                if not used:
                    raise
                # It died while it lay idle. Reading twice harms nobody: try the next one.
            except BaseException as error:
                await _undo(connection, error)
                raise
            finally:
                self._give_back(connection)

    async def write(self, body: Callable[[Tx], Awaitable[T]], *, alone: bool = False) -> T:
        """Run ``body`` in one READ COMMITTED transaction; returns once it is committed.

        ``alone`` promises a body of one statement, which PostgreSQL commits by itself.
        """
        connection = (await self._take())[0] if alone else await self._begin()
        try:
            result = await body(_PostgresTx(connection, self._compiler, self._observer))
            self._note("commit", "COMMIT")
            if not alone:
                await _commit(connection)
        except BaseException as error:
            self._note("rollback", "ROLLBACK")
            await _undo(connection, error)
            raise
        finally:
            self._give_back(connection)
        return result

    def fault(self, error: Exception) -> Exception | None:
        """What ``error`` of the driver means to those above; None where it means nothing."""
        if isinstance(error, asyncpg.UniqueViolationError):
            return Duplicate(str(error))
        if isinstance(error, _RACES):
            return Lost()
        if isinstance(error, _FAILING) or _says_closed(error):
            return Unavailable("database_unavailable", reason=str(error))
        return None

    async def close(self) -> None:
        """Close the idle connections; nobody may be using any."""
        while self._idle:
            await self._idle.pop().close(timeout=_CONNECT_SECONDS)

    async def _begin(self) -> Link:
        """A connection with an open transaction; nothing is lost by trying another one."""
        while True:
            connection, used = await self._take()
            self._note("begin", "BEGIN")
            try:
                await connection.execute("BEGIN")
            except BaseException as error:
                connection.terminate()
                self._give_back(connection)
                if not (used and isinstance(error, _GONE)):
                    raise
            else:
                return connection

    async def _take(self) -> tuple[Link, bool]:
        """A connection and whether it has been used before."""
        if not self._places.locked():  # the usual case, spared the 5 µs of a timeout
            await self._places.acquire()
        else:
            await self._queue()
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection, True
        try:
            return await self._connect(), False
        except BaseException:
            self._places.release()
            raise

    async def _queue(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            raise Unavailable("busy", reason="every database connection is in use") from None

    async def _connect(self) -> Link:
        return await asyncpg.connect(
            self._url,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
            statement_cache_size=_STATEMENTS_KEPT,
            max_cached_statement_lifetime=0,
            server_settings=_SERVER_SETTINGS,
        )

    def _give_back(self, connection: Link) -> None:
        if not connection.is_closed():
            self._idle.append(connection)
        self._places.release()

    def _note(self, kind: str, sql: str) -> None:
        if self._observer is not None:
            self._observer(kind, sql)


def _says_closed(error: Exception) -> bool:
    # asyncpg has one class for this and for our own mistakes; only the words tell.
    return isinstance(error, asyncpg.InterfaceError) and "closed" in str(error)


async def _commit(connection: Link) -> None:
    # PostgreSQL answers ROLLBACK, without an error, where a statement before had failed.
    if await connection.execute("COMMIT") != "COMMIT":
        raise RuntimeError("a transaction body went on after a failed statement")


async def _undo(connection: Link, error: BaseException) -> None:
    """Leave the connection without a transaction, or closed."""
    if not isinstance(error, Exception):  # cancelled: the answer may still be on its way
        connection.terminate()
    if connection.is_closed() or not connection.is_in_transaction():
        return
    try:
        await connection.execute("ROLLBACK")
    except Exception as second:  # noqa: BLE001  -- whatever it is, the connection is of no use
        error.add_note(f"and the rollback failed: {second}")
        connection.terminate()
