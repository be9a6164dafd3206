"""Migrations: they make the tables that the stores describe, once, whoever starts first."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, insert, text, update

from tests import services
from vestibule import schema
from vestibule.base import audit
from vestibule.base.database import Database
from vestibule.notifications import store as notifications
from vestibule.schema.tables import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table, of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.db'}"
        return
    databases: services.Databases = request.getfixturevalue("databases")
    url = databases.empty()
    yield url
    databases.drop(url)


async def test_migrations_make_what_the_stores_describe(empty_url: str) -> None:
    """Table by table and index by index: nothing is missing, different or left over."""
    await schema.upgrade(empty_url)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    assert await schema._within(empty_url, differences) == []


async def test_every_journey_is_journalled(database: Database) -> None:
    """Each table with the journal's columns has its triggers, and the journal its guards."""
    tables = {table.name for table in metadata.sorted_tables if "audit_detail" in table.c}
    assert tables == {
        "activation_ticket",
        "contact",
        "delivery_certificate",
        "delivery_home",
        "delivery_key",
        "diagnosis",
        "enrollment",
        "factor",
        "login_attempt",
        "pass_request",
        "portal_session",
        "publisher",
        "statement",
        "terminal_grant",
        "recovery_case",
        "ticket",
        "ticket_attachment",
    }
    made = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal",
    }[database.dialect]
    names = {row["name"] for row in await database.all(text(made))}
    wanted = [*audit.guards(database.dialect), *notifications.triggers(database.dialect)]
    for table in tables:
        wanted += audit.triggers(table, database.dialect)
    expected = {
        statement.split()[2] for statement in wanted if statement.startswith("CREATE TRIGGER")
    }
    assert names == expected


@pytest.mark.parametrize(
    "table, column", [("enrollment", "revoked_at"), ("portal_session", "ended_at")]
)
async def test_an_end_is_never_untold(database: Database, table: str, column: str) -> None:
    """A phone cannot be removed, nor a session ended, by a query that forgets the event."""
    described = metadata.tables[table]
    values = {part.name: _filler(part) for part in described.c if not part.nullable}
    await database.run(insert(described), **values)
    with pytest.raises((sqlite3.IntegrityError, asyncpg.RaiseError), match="without an event"):
        await database.run(update(described).values({column: 1}))
    told = {column: 1, **audit.journal(event="x.ended", actor="system", at=1)}
    assert await database.run(update(described).values(told)) == 1


def _filler(column: Column[Any]) -> int | str | bytes:
    fillers: dict[type, int | str | bytes] = {int: 0, bool: False, bytes: b"", str: "x"}
    return fillers[column.type.python_type]


async def test_workers_that_start_together_migrate_once(empty_url: str) -> None:
    """The first does the work, the others wait for it and find nothing left to do."""
    assert await schema.current(empty_url) is None
    async with asyncio.timeout(30):
        await asyncio.gather(*(schema.upgrade(empty_url) for _ in range(6)))
    assert await schema.current(empty_url) == schema.head()


async def test_upgrading_again_keeps_what_is_stored(database: Database, database_url: str) -> None:
    """A later start of the same version changes nothing."""
    await database.run(text("INSERT INTO limit_state VALUES ('a', 1, '{}', 0)"))
    await schema.upgrade(database_url)
    assert await database.one(text("SELECT 1 FROM limit_state")) is not None


async def test_a_migration_that_fails_leaves_nothing_behind(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables are made in one transaction: a broken one does not leave half of them."""
    monkeypatch.setattr(audit, "guards", lambda _dialect: ["CREATE NONSENSE"])
    with pytest.raises(Exception, match=r"NONSENSE|syntax"):
        await schema.upgrade(empty_url)
    monkeypatch.undo()
    assert await schema.current(empty_url) is None
    await schema.upgrade(empty_url)
    assert await schema.current(empty_url) == schema.head()


async def test_the_advisory_lock_ends_with_the_migration(postgresql_url: str) -> None:
    """A second migration after the first does not wait for anything."""
    connection = await asyncpg.connect(postgresql_url)
    held = await connection.fetchval(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
        "WHERE locktype = 'advisory' AND datname = current_database()"
    )
    await connection.close()
    assert held == 0


async def test_the_file_of_a_migration_is_for_its_owner_only(tmp_path: Path) -> None:
    """Migrating is what makes the file, so it is what must keep others out."""
    path = tmp_path / "new.db"
    await schema.upgrade(f"sqlite:///{path}")
    assert path.stat().st_mode & 0o077 == 0
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
