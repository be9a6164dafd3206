"""Database migrations: ``await schema.upgrade(url)`` at every start, by whoever comes first."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, delete, event, insert, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from vestibule.base import sqlite
from vestibule.base.database import sqlite_path
from vestibule.notifications.rules import TOLD
from vestibule.notifications.store import told_event

T = TypeVar("T")

_HERE = Path(__file__).resolve().parent
# Any number will do, as long as nobody else in the database locks it: "vestibul" in ASCII.
_LOCK = int.from_bytes(b"vestibul", "big")


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to ``revision``, all of it or nothing.

    Workers that start together wait for each other; the later ones find nothing left to do.
    """

    def run(connection: Connection) -> None:
        command.upgrade(_config(connection), revision)
        if revision == "head":
            _fill_told_events(connection)

    await _within(url, run)


async def current(url: str) -> str | None:
    """The revision that the database is at; None where it is empty."""
    return await _within(url, lambda link: MigrationContext.configure(link).get_current_revision())


def head() -> str:
    """The revision that this version of the program needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise RuntimeError("no migrations are installed")
    return revision


def _fill_told_events(connection: Connection) -> None:
    """Bring the table that the notices' trigger reads to what this version tells people of."""
    wanted = {(event, told.weight.value, told.only, told.unless) for event, told in TOLD.items()}
    if {tuple(row) for row in connection.execute(select(told_event))} == wanted:
        return
    connection.execute(delete(told_event))
    names = told_event.c.keys()
    connection.execute(insert(told_event), [dict(zip(names, row, strict=True)) for row in wanted])


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


async def _within(url: str, work: Callable[[Connection], T]) -> T:
    """Run ``work`` in one transaction that nobody else migrates beside."""
    if url.startswith("sqlite:"):
        return await asyncio.to_thread(_within_sqlite, url, work)
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=NullPool
    )
    try:
        async with engine.begin() as link:
            await link.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            return await link.run_sync(work)
    finally:
        await engine.dispose()


def _within_sqlite(url: str, work: Callable[[Connection], T]) -> T:
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite.connect(sqlite_path(url)), poolclass=NullPool
    )
    event.listen(engine, "connect", _plain_rows)
    event.listen(engine, "begin", _begin_immediate)
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


def _plain_rows(connection: DBAPIConnection, _record: object) -> None:
    connection.row_factory = None


def _begin_immediate(connection: Connection) -> None:
    # sqlite3 would begin before DML only, and leave DDL outside of the transaction.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
