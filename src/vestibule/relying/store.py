"""The terminal_grant table and its statements: compare-and-set, nothing here decides."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from vestibule.base.audit import JOURNAL
from vestibule.base.database import metadata

terminal_grant: Final = Table(
    "terminal_grant",
    metadata,
    Column("id", Text, primary_key=True),
    Column("way", Text, nullable=False),
    Column("account_id", Text),
    Column("state", Text, nullable=False),
    Column("device_digest", LargeBinary, nullable=False, unique=True),
    Column("user_digest", LargeBinary, unique=True),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("attempt_id", Text),
    Column("held", LargeBinary),
    Column("proof", Text),
    Column("enrollment_id", Text),
    Column("interval_s", Integer, nullable=False),
    Column("polled_at", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    *JOURNAL(),
    Index("terminal_grant_expires", "expires_at"),
)

_g = terminal_grant.c
_JOURNAL_NAMES: Final = ("event", "event_at", "actor", "source", "result", "audit_detail")
_GRANT: Final = tuple(
    column for column in _g if column.name not in (*_JOURNAL_NAMES, "device_digest", "user_digest")
)


def _journal() -> dict[str, BindParameter[object]]:
    return {name: bindparam(name) for name in _JOURNAL_NAMES}


OPEN: Final = insert(terminal_grant).values({c.name: bindparam(c.name) for c in _g})

BY_ID: Final = select(*_GRANT).where(_g.id == bindparam("id_"))
BY_DEVICE_CODE: Final = select(*_GRANT).where(_g.device_digest == bindparam("device_digest_"))
BY_USER_CODE: Final = select(*_GRANT).where(_g.user_digest == bindparam("user_digest_"))

# Only the person who confirmed it first goes on with it.
_OWN: Final = (_g.account_id.is_(None)) | (_g.account_id == bindparam("account_id"))

ASK: Final = (
    update(terminal_grant)
    .where(_g.id == bindparam("id_"), _g.state.in_(("pending", "asked")), _OWN)
    .values(
        state="asked",
        account_id=bindparam("account_id"),
        attempt_id=bindparam("attempt_id"),
        held=bindparam("held"),
        **_journal(),
    )
)

# `attempt_id_` empty: approved by the session alone, before any phone was asked.
APPROVE: Final = (
    update(terminal_grant)
    .where(
        _g.id == bindparam("id_"),
        _g.state == bindparam("from_state"),
        _OWN,
        (_g.attempt_id == bindparam("attempt_id_")) | (bindparam("attempt_id_", type_=Text) == ""),
    )
    .values(
        state="approved",
        account_id=bindparam("account_id"),
        proof=bindparam("proof"),
        enrollment_id=bindparam("enrollment_id"),
        **_journal(),
    )
)

DENY: Final = (
    update(terminal_grant)
    .where(
        _g.id == bindparam("id_"),
        _g.state.in_(("pending", "asked")),
        _OWN,
        (_g.attempt_id == bindparam("attempt_id_")) | (bindparam("attempt_id_", type_=Text) == ""),
    )
    .values(state="denied", account_id=bindparam("account_id"), **_journal())
)

POLLED: Final = (
    update(terminal_grant)
    .where(_g.id == bindparam("id_"), _g.polled_at == bindparam("from_polled_at"))
    .values(polled_at=bindparam("now"), interval_s=bindparam("interval_s"))
)

COLLECT: Final = (
    update(terminal_grant)
    .where(_g.id == bindparam("id_"), _g.state == "approved", _g.expires_at > bindparam("now"))
    .values(state="collected", held=None, **_journal())
    .returning(_g.account_id, _g.attempt_id, _g.proof, _g.enrollment_id)
)

SWEEP: Final = delete(terminal_grant).where(_g.expires_at < bindparam("before"))
