"""The login_attempt table."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    bindparam,
)

from vestibule.base.audit import JOURNAL
from vestibule.base.database import Value, metadata
from vestibule.login.rules import Attempt

login_attempt: Final = Table(
    "login_attempt",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    # Null until a phone claims a sign-in that was begun without a username.
    Column("account_id", Text),
    Column("session_id", Text),
    Column("detail", Text, nullable=False),
    Column("enrollment_id", Text),
    Column("factor_id", Text),
    Column("state", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("browser_digest", LargeBinary, nullable=False),
    Column("known_digest", LargeBinary),
    Column("known", Boolean, nullable=False),
    Column("push", Boolean, nullable=False),
    Column("number", Boolean, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("proofs", Integer, nullable=False),
    Column("resync_counter", BigInteger),
    Column("request", Text),
    Column("request_expires_at", BigInteger, nullable=False),
    Column("challenge_expires_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("proof", Text),
    Column("browser", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("claimed", Boolean, nullable=False),
    Column("passwordless", Boolean, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    *JOURNAL(),
    Index("login_attempt_account", "account_id", "opened_at"),
    Index("login_attempt_enrollment", "enrollment_id", "opened_at"),
)

_a = login_attempt.c

_JOURNAL_NAMES: Final = ("event", "event_at", "actor", "source", "result", "audit_detail")

ATTEMPT: Final = tuple(column for column in _a if column.name not in _JOURNAL_NAMES)

# The browser's secret is part of the key: another browser's id finds nothing.
MY: Final = and_(_a.id == bindparam("id_"), _a.browser_digest == bindparam("browser_digest_"))


def journal() -> dict[str, BindParameter[object]]:
    """The journal's columns, for `values`."""
    return {name: bindparam(name) for name in _JOURNAL_NAMES}


def values_of(attempt: Attempt) -> dict[str, Value]:
    """The columns that an attempt's value fills."""
    values = {name: getattr(attempt, name) for name in Attempt.__dataclass_fields__}
    return values | {"account_id": attempt.account_id or None}
