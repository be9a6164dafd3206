"""The audit journal, written and guarded by the database itself."""

import json
import sqlite3

import asyncpg
import pytest
from sqlalchemy import (
    Column,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    text,
    update,
)

from vestibule.base import audit
from vestibule.base.clock import DAY, SystemClock
from vestibule.base.database import Database, Tx

REFUSALS = (sqlite3.IntegrityError, asyncpg.RaiseError)
EVENTS = select(audit.audit_event).order_by(audit.audit_event.c.id)
thing = Table(
    "thing",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("account_id", Text),
    Column("state", Text),
    Column("label", Text),
    *audit.JOURNAL(),
)
MOVE = update(thing).where(thing.c.id == bindparam("id_"))


@pytest.fixture
async def journalled(database: Database) -> Database:
    """A database with one more journalled table."""
    columns = ", ".join(
        f"{column.name} {'BIGINT' if column.name == 'event_at' else 'TEXT'}" for column in thing.c
    )
    await database.run(text(f"CREATE TABLE thing ({columns})"))
    for statement in audit.triggers("thing", database.dialect):
        await database.run(text(statement))
    return database


def said(event: str, at: int, result: str = "ok") -> dict[str, str | int]:
    """The journal's columns."""
    return audit.journal(event=event, actor="browser", source="192.0.2.1", at=at, result=result)


async def begin(database: Database) -> None:
    """A thing in its first state."""
    values = {"id": "t1", "account_id": "a1", "state": "open", **said("thing.began", 5)}
    await database.run(insert(thing), **values)


async def test_inserting_a_record_leaves_its_event(journalled: Database) -> None:
    """The statement that makes the record makes the event, with all that is known of it."""
    await begin(journalled)
    (row,) = await journalled.all(EVENTS)
    assert dict(row) | {"id": 0} == {
        "id": 0,
        "at": 5,
        "event": "thing.began",
        "account_id": "a1",
        "subject": "t1",
        "actor": "browser",
        "source": "192.0.2.1",
        "result": "ok",
        "detail": "{}",
    }


async def test_each_move_leaves_one_event(journalled: Database) -> None:
    """Also two of the same name in the same millisecond; what says no event leaves none."""
    await begin(journalled)
    detail = {"left": 2}
    await journalled.run(
        MOVE, id_="t1", **audit.journal(event="thing.tried", actor="x", at=6, detail=detail)
    )
    await journalled.run(MOVE, id_="t1", **said("thing.tried", 6, result="number_wrong"))
    await journalled.run(MOVE, id_="t1", label="no event")
    await journalled.run(MOVE, id_="t1", state="closed", **said("thing.closed", 6))
    rows = await journalled.all(EVENTS)
    assert [row["event"] for row in rows] == [
        "thing.began",
        "thing.tried",
        "thing.tried",
        "thing.closed",
    ]
    assert json.loads(rows[1]["detail"]) == {"left": 2}
    assert rows[2]["result"] == "number_wrong"


async def test_a_state_cannot_move_without_an_event(journalled: Database) -> None:
    """A query that forgets to say what happened is refused by the database."""
    await begin(journalled)
    with pytest.raises(REFUSALS, match="moved without an event"):
        await journalled.run(MOVE, id_="t1", state="closed")
    assert await journalled.run(MOVE, id_="t1", state="open") == 1
    assert len(await journalled.all(EVENTS)) == 1


async def test_an_undone_move_leaves_no_event(journalled: Database) -> None:
    """Event and record share one transaction."""

    async def body(tx: Tx) -> None:
        values = {"id": "t1", "state": "open", **said("thing.began", 5)}
        await tx.run(insert(thing), **values)
        raise KeyError

    with pytest.raises(KeyError):
        await journalled.write(body)
    assert await journalled.all(EVENTS) == []


async def test_record_writes_an_event_of_its_own(database: Database) -> None:
    """What moves no record, such as a wrong password, is written beside it."""
    await database.write(
        lambda tx: audit.record(
            tx, event="login.password_refused", account_id=None, actor="browser", at=9
        )
    )
    (row,) = await database.all(EVENTS)
    assert (row["event"], row["account_id"], row["at"]) == ("login.password_refused", None, 9)


async def test_events_are_never_changed(database: Database) -> None:
    """The database itself refuses, whoever asks."""
    await database.write(
        lambda tx: audit.record(tx, event="x", account_id="a", actor="system", at=9)
    )
    with pytest.raises(REFUSALS, match="never changed"):
        await database.run(update(audit.audit_event).values(actor="nobody"))


async def test_only_events_older_than_a_year_are_deleted(database: Database) -> None:
    """The sweep takes what is old; asked for more, the database refuses all of it."""
    now = SystemClock().now()
    for age in (400, 366, 364, 0):

        async def body(tx: Tx, at: int = now - age * DAY) -> None:
            await audit.record(tx, event="x", account_id="a", actor="system", at=at)

        await database.write(body)
    assert await database.write(lambda tx: audit.sweep(tx, before=now - 366 * DAY + 1)) == 2
    with pytest.raises(REFUSALS, match="kept for a year"):
        await database.run(delete(audit.audit_event))
    assert len(await database.all(EVENTS)) == 2


async def test_the_table_cannot_be_emptied_past_the_guard(postgresql_url: str) -> None:
    """TRUNCATE fires no row trigger, so it has a refusal of its own."""
    database = await Database.open(postgresql_url)
    with pytest.raises(asyncpg.RaiseError, match="kept for a year"):
        await database.run(text("TRUNCATE audit_event"))
    await database.close()
