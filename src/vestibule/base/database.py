"""The one door to the database: the same face for SQLite and PostgreSQL.

    async def body(tx: Tx) -> int:
        row = await tx.one(FIND, id=id)
        return await tx.run(MOVE, id=id, version=row["version"])

    await database.write(body)

A body may run more than once (``Lost``, a deadlock), so it reads again what it decides upon and
awaits nothing but ``tx``. What must happen outside happens after ``write`` has returned.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import MetaData
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import Executable

from vestibule.base.compiled import Observer, Row, Tx, Value
from vestibule.base.errors import Lost, Unavailable
from vestibule.base.postgres import PostgresEngine
from vestibule.base.sqlite import SqliteEngine

__all__ = ["Database", "Observer", "Row", "Tx", "Value", "insert", "metadata", "sqlite_path"]

T = TypeVar("T")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table, each defined in the store of its capability.

``insert`` above is PostgreSQL's, for its ``on_conflict_do_nothing`` and ``on_conflict_do_update``:
both compile to the same words for SQLite.
"""

_TRIES = 40
_LONGEST_PAUSE = 0.1


class Database:
    """One database by URL: ``sqlite:////path/file.db`` or ``postgresql://...``.

    It is a ``Tx`` itself: ``one``, ``all`` and ``run`` on it are transactions of one statement,
    on PostgreSQL without the two round trips of BEGIN and COMMIT.
    """

    def __init__(self, engine: SqliteEngine | PostgresEngine) -> None:
        self._engine = engine
        self._committed: Callable[[], None] | None = None

    @classmethod
    async def open(cls, url: str) -> "Database":
        """Open the database for the running event loop. Raises Unavailable, ValueError."""
        if url.startswith("sqlite:"):
            return cls(SqliteEngine(sqlite_path(url)))
        if url.startswith(("postgresql:", "postgres:")):
            database = cls(PostgresEngine(url))
            await database.read(_nothing)
            return database
        raise ValueError("the database URL must begin with sqlite:/// or postgresql://")

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect

    def observe(self, observer: Observer | None) -> None:
        """Have every statement, begin, commit and rollback reported; None stops it."""
        self._engine.observe(observer)

    def after_commit(self, committed: Callable[[], None]) -> None:
        """Have every commit of this process told, on the loop, to one who does not tarry."""
        self._committed = committed

    async def read(self, body: Callable[[Tx], Awaitable[T]]) -> T:
        """Run a body that only reads. Each of its statements sees what is committed by then."""
        try:
            return await self._engine.read(body)
        except Exception as error:
            fault = self._engine.fault(error)
            if fault is None:
                raise
            raise fault from error

    async def write(self, body: Callable[[Tx], Awaitable[T]], *, alone: bool = False) -> T:
        """One transaction: durable when this returns, undone when the body raises.

        A body that raises ``Lost`` runs again after a short random pause; after some forty
        times the database counts as busy (Unavailable). ``alone`` promises a single statement.
        """
        for attempt in range(_TRIES):
            try:
                result = await self._engine.write(body, alone=alone)
            except Exception as error:
                fault = self._engine.fault(error) or error
                if isinstance(fault, Lost):
                    pause = min(_LONGEST_PAUSE, 0.001 * 2**attempt)
                    await asyncio.sleep(random.uniform(0, pause))  # noqa: S311  -- spreads retries
                elif fault is error:
                    raise
                else:
                    raise fault from error
            else:
                if self._committed is not None:
                    self._committed()
                return result
        raise Unavailable("busy", reason="lost every race for a record")

    async def one(self, statement: Executable, **params: Value) -> Row | None:
        """``Tx.one`` as a transaction of its own."""
        return await self._alone(statement, lambda tx: tx.one(statement, **params))

    async def all(self, statement: Executable, **params: Value) -> list[Row]:
        """``Tx.all`` as a transaction of its own."""
        return await self._alone(statement, lambda tx: tx.all(statement, **params))

    async def run(self, statement: Executable, **params: Value) -> int:
        """``Tx.run`` as a transaction of its own."""
        return await self._alone(statement, lambda tx: tx.run(statement, **params))

    async def close(self) -> None:
        """Finish what is queued and close every connection."""
        await self._engine.close()

    async def _alone(self, statement: Executable, body: Callable[[Tx], Awaitable[T]]) -> T:
        if statement.is_select:
            return await self.read(body)
        return await self.write(body, alone=True)


async def _nothing(_tx: Tx) -> None:
    """A body that only proves that a connection can be had."""


def sqlite_path(url: str) -> Path:
    """The file of an ``sqlite:///relative`` or ``sqlite:////absolute`` URL. Raises ValueError."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url == prefix or url.startswith("sqlite:///:"):
        raise ValueError("an SQLite URL names a file: sqlite:////absolute/path.db")
    return Path(url.removeprefix(prefix))
