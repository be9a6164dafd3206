"""The audit journal: written by the database itself, in the statement that moves the record.

A journey's table carries the columns of its last event (``JOURNAL``). A trigger copies them into
``audit_event`` whenever a statement writes them, and refuses to move a record without saying
what happened: no code path can move a record and leave no event, or the reverse.

``audit_event`` is append-only. The database refuses updates, and deletions of what is younger
than a year; the sweeper keeps events for ``audit_days``.
"""

import json
from collections.abc import Mapping

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, delete, insert
from sqlalchemy.sql import bindparam

from vestibule.base.clock import DAY
from vestibule.base.database import Tx, metadata

YOUNGEST_DELETED = 365 * DAY

Detail = Mapping[str, str | int | bool | None]

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("account_id", Text),
    Column("subject", Text),
    Column("actor", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
Index("ix_audit_event_account_id_at", audit_event.c.account_id, audit_event.c.at)
Index("ix_audit_event_at", audit_event.c.at)

_RECORD = insert(audit_event).values(
    {name: bindparam(name) for name in audit_event.c.keys() if name != "id"}  # noqa: SIM118  -- not a dict
)
_SWEEP = delete(audit_event).where(audit_event.c.at < bindparam("before"))


def JOURNAL() -> list[Column[str] | Column[int]]:  # noqa: N802  -- columns, spread into a Table
    """The columns that hold a record's last event. The table also has ``id``, ``account_id``."""
    return [
        Column("event", Text),
        Column("event_at", BigInteger),
        Column("actor", Text),
        Column("source", Text),
        Column("result", Text),
        Column("audit_detail", Text),
    ]


def journal(
    *,
    event: str,
    actor: str,
    source: str = "",
    result: str = "ok",
    at: int,
    detail: Detail | None = None,
) -> dict[str, str | int]:
    """The values of the JOURNAL columns for a statement that moves a record.

    ``event`` names what happened (``login.approved``), ``actor`` who did it (``browser``,
    ``phone:<enrollment>``, ``staff:<id>``, ``system``), ``source`` the address it came from,
    ``result`` ``ok`` or the code of the refusal, ``at`` when (ms). ``detail`` never holds a secret.
    """
    return {
        "event": event,
        "event_at": at,
        "actor": actor,
        "source": source,
        "result": result,
        "audit_detail": _text(detail),
    }


async def record(
    tx: Tx,
    *,
    event: str,
    account_id: str | None,
    subject: str | None = None,
    actor: str,
    source: str = "",
    result: str = "ok",
    at: int,
    detail: Detail | None = None,
) -> None:
    """Write an event that moves no record, such as a wrong password."""
    await tx.run(
        _RECORD,
        event=event,
        account_id=account_id,
        subject=subject,
        actor=actor,
        source=source,
        result=result,
        at=at,
        detail=_text(detail),
    )


async def sweep(tx: Tx, *, before: int) -> int:
    """Delete the events older than ``before`` (ms); the database refuses younger than a year."""
    return await tx.run(_SWEEP, before=before)


def _text(detail: Detail | None) -> str:
    return json.dumps(detail or {}, separators=(",", ":"))


# --- what the database does by itself ------------------------------------------------------

_COPIED = (
    "INSERT INTO audit_event (at, event, account_id, subject, actor, source, result, detail) "
    "VALUES (NEW.event_at, NEW.event, NEW.account_id, NEW.id, NEW.actor, NEW.source, NEW.result, "
    "NEW.audit_detail);"
)


def triggers(table_name: str, dialect: str, *, moves: str = "state") -> list[str]:
    """DDL that journals ``table_name``; run after the table, ``audit_event`` and ``guards``.

    ``moves`` is the column whose change must not go untold. ``UPDATE OF event`` fires when a
    statement assigns the column, also the same value: two wrong proofs in one millisecond are
    two events.
    """
    make = {"sqlite": _sqlite_triggers, "postgresql": _postgresql_triggers}[dialect]
    return make(table_name, moves)


def _sqlite_triggers(name: str, moves: str) -> list[str]:
    copies = [
        f"CREATE TRIGGER {name}_journal_{verb} AFTER {when} ON {name} FOR EACH ROW "
        f"WHEN NEW.event IS NOT NULL BEGIN {_COPIED} END"
        for verb, when in (("insert", "INSERT"), ("update", "UPDATE OF event"))
    ]
    guard = (
        f"CREATE TRIGGER {name}_moved BEFORE UPDATE OF {moves} ON {name} FOR EACH ROW "
        f"WHEN {_untold(moves, 'IS NOT', 'IS')} "
        f"BEGIN SELECT RAISE(ABORT, '{name} moved without an event'); END"
    )
    return [*copies, guard]


def _postgresql_triggers(name: str, moves: str) -> list[str]:
    function = (
        f"CREATE FUNCTION {name}_journal() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {_COPIED} RETURN NULL; END $$"
    )
    copy = (
        f"CREATE TRIGGER {name}_journal AFTER INSERT OR UPDATE OF event ON {name} FOR EACH ROW "
        f"WHEN (NEW.event IS NOT NULL) EXECUTE FUNCTION {name}_journal()"
    )
    guard = (
        f"CREATE TRIGGER {name}_moved BEFORE UPDATE OF {moves} ON {name} FOR EACH ROW "
        f"WHEN ({_untold(moves, 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM')}) "
        f"EXECUTE FUNCTION audit_refuse('{name} moved without an event')"
    )
    return [function, copy, guard]


def _untold(moves: str, differs: str, same: str) -> str:
    """The condition that the record moves and the statement does not say by which event."""
    return (
        f"NEW.{moves} {differs} OLD.{moves} AND NEW.event {same} OLD.event "
        f"AND NEW.event_at {same} OLD.event_at"
    )


def guards(dialect: str) -> list[str]:
    """DDL that makes ``audit_event`` append-only; run after it exists, before ``triggers``."""
    if dialect == "sqlite":
        now = "CAST(strftime('%s','now') AS INTEGER) * 1000"
        return [
            (
                "CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event FOR EACH ROW "
                "BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END"
            ),
            (
                "CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event FOR EACH ROW "
                f"WHEN OLD.at > {now} - {YOUNGEST_DELETED} "
                "BEGIN SELECT RAISE(ABORT, 'audit events are kept for a year'); END"
            ),
        ]
    now = "(extract(epoch FROM clock_timestamp()) * 1000)"
    return [
        (
            "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$"
        ),
        (
            "CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event FOR EACH ROW "
            "EXECUTE FUNCTION audit_refuse('audit events are never changed')"
        ),
        (
            "CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event FOR EACH ROW "
            f"WHEN (OLD.at > {now} - {YOUNGEST_DELETED}) "
            "EXECUTE FUNCTION audit_refuse('audit events are kept for a year')"
        ),
        (
            "CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse('audit events are kept for a year')"
        ),
    ]
