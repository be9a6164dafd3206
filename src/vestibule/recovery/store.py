"""The recovery_case table and its statements."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from vestibule.base.audit import JOURNAL, audit_event
from vestibule.base.database import metadata

recovery_case: Final = Table(
    "recovery_case",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("former", Text),
    Column("state", Text, nullable=False),
    Column("situation", Text, nullable=False),
    Column("way", Text),
    Column("replaces", Text, nullable=False),
    Column("rests", Boolean, nullable=False),
    # The hold on the old phone's answer, sealed: whoever has it spends the approval.
    Column("asked", LargeBinary),
    Column("tries", Integer, nullable=False),
    Column("ticket_id", Text),
    Column("enrollment_id", Text),
    Column("replaced", Text, nullable=False),
    Column("rests_until", BigInteger),
    Column("opened_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("browser", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("version", Integer, nullable=False),
    *JOURNAL(),
    Index("recovery_case_account", "account_id", "state"),
    Index("recovery_case_enrollment", "enrollment_id"),
)

_c = recovery_case.c
_JOURNAL_NAMES: Final = ("event", "event_at", "actor", "source", "result", "audit_detail")
_JOURNAL: Final[dict[str, Any]] = {name: bindparam(name) for name in _JOURNAL_NAMES}
CHANGING: Final = (
    *("situation", "way", "replaces", "rests", "asked", "tries"),
    *("ticket_id", "enrollment_id", "replaced", "rests_until"),
)
"""What moves may change, beside the state."""

_SHOWN: Final = tuple(column for column in _c if column.name not in _JOURNAL_NAMES)
_WHOLE: Final = select(*_SHOWN, _c.event_at)

OPEN: Final = insert(recovery_case).values({c.name: bindparam(c.name) for c in _c})

BY_ID: Final = _WHOLE.where(_c.id == bindparam("id_"))
BY_ENROLLMENT: Final = _WHOLE.where(
    _c.enrollment_id == bindparam("enrollment_id_"),
    _c.account_id == bindparam("account_id_"),
)

# The ones that an owner wants to see: under way, or waiting for their time.
LIVE_OF: Final = _WHOLE.where(
    _c.account_id == bindparam("account_id_"),
    or_(
        _c.state == "resting",
        and_(
            _c.state.in_(("asked", "granted")),
            _c.expires_at > bindparam("now"),
        ),
    ),
).order_by(_c.opened_at.desc())

# From exactly what was read: whoever moved it in between made another version.
MOVE: Final = (
    update(recovery_case)
    .where(
        _c.id == bindparam("id_"),
        _c.version == bindparam("from_version"),
        _c.state == bindparam("from_state"),
    )
    .values(
        state=bindparam("to_state"),
        version=_c.version + 1,
        **{name: bindparam(name) for name in CHANGING},
        **_JOURNAL,
    )
)

RIPE: Final = _WHOLE.where(_c.state == "resting", _c.rests_until <= bindparam("now")).limit(200)

SWEEP: Final = delete(recovery_case).where(
    _c.opened_at < bindparam("before"), _c.state != "resting"
)

# What a notice is about: notices are events, under the same id.
EVENT: Final = select(audit_event.c.event, audit_event.c.subject, audit_event.c.at).where(
    audit_event.c.id == bindparam("id_"),
    audit_event.c.account_id == bindparam("account_id_"),
    audit_event.c.at > bindparam("after"),
)
