"""The enrollment table and its statements."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    Table,
    Text,
    and_,
    bindparam,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)

from vestibule.base.audit import JOURNAL
from vestibule.base.database import metadata
from vestibule.base.limits import limit_state
from vestibule.sessions.store import portal_session

enrollment: Final = Table(
    "enrollment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("response_key", LargeBinary, nullable=False),
    Column("knowledge_key", LargeBinary, nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("credential", Text),
    Column("subscription", LargeBinary),
    Column("push_health", Text, nullable=False),
    Column("ntfy_topic", LargeBinary),
    Column("last_delivered_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("rests_until", BigInteger),
    Column("retires_at", BigInteger),
    Column("revoked_at", BigInteger),
    *JOURNAL(),
    Index("enrollment_account", "account_id", "revoked_at"),
)

_e = enrollment.c
# An account is active on one device once, whatever raced. One that retires makes room.
_STAYS: Final = and_(_e.revoked_at.is_(None), _e.retires_at.is_(None))
Index(
    "enrollment_active_device",
    _e.account_id,
    _e.device_id,
    unique=True,
    sqlite_where=_STAYS,
    postgresql_where=_STAYS,
)

# Whether a phone may approve and respond at ``now``: the same as ``rules.can_approve``.
_CAN_APPROVE: Final = and_(
    _e.revoked_at.is_(None),
    or_(_e.rests_until.is_(None), _e.rests_until <= bindparam("now")),
    or_(_e.retires_at.is_(None), _e.retires_at > bindparam("now")),
)

_JOURNAL: Final = {
    "event": bindparam("event_"),
    "event_at": bindparam("now"),
    "actor": bindparam("actor_"),
    "source": bindparam("source_"),
    "result": "ok",
    "audit_detail": bindparam("detail"),
}
# When a phone last signed somebody in: known from the sessions, so that approving writes nothing.
_USED_AT: Final = (
    select(func.max(portal_session.c.opened_at))
    .where(
        portal_session.c.account_id == _e.account_id,
        portal_session.c.enrollment_id == _e.id,
    )
    .scalar_subquery()
    .label("used_at")
)
SHOWN: Final = (
    _e.id,
    _e.account_id,
    _e.device_id,
    _e.label,
    _e.platform,
    _e.push_health,
    _e.credential,
    _e.created_at,
    _e.rests_until,
    _e.retires_at,
)
_MINE: Final = (
    _e.id == bindparam("id_"),
    _e.account_id == bindparam("account_id_"),
    _e.revoked_at.is_(None),
)

_LATER: Final = ("ntfy_topic", "last_delivered_at")
ENROLL: Final = insert(enrollment).values(
    {c.name: bindparam(c.name) for c in enrollment.c if c.name not in _LATER}
)

ACTIVE_OF: Final = (
    select(*SHOWN, _USED_AT)
    .where(_e.account_id == bindparam("account_id"), _e.revoked_at.is_(None))
    .order_by(_e.created_at)
)

TO_PROVE: Final = select(*SHOWN, _e.public_key, _e.revoked_at, _e.subscription).where(
    _e.id == bindparam("id_")
)

TO_CHECK: Final = (
    select(
        *SHOWN,
        _e.public_key,
        _e.knowledge_key,
        _e.revoked_at,
        limit_state.c.version.label("device_version"),
        limit_state.c.state.label("device_state"),
    )
    .select_from(
        enrollment.outerjoin(
            limit_state, limit_state.c.subject == (literal("device:") + _e.device_id)
        )
    )
    .where(_e.id == bindparam("id_"))
)

RENAME: Final = (
    update(enrollment)
    .where(*_MINE, _e.label != bindparam("label_"))
    .values(label=bindparam("label_"), **_JOURNAL)
)

# The keys go with the enrollment: what is not there cannot be used or stolen.
REVOKE: Final = (
    update(enrollment)
    .where(*_MINE)
    .values(
        revoked_at=bindparam("now"),
        response_key=b"",
        knowledge_key=b"",
        credential=null(),
        subscription=null(),
        ntfy_topic=null(),
        **_JOURNAL,
    )
)

# What another phone takes the place of: it approves until then, and denies for a while longer.
RETIRE: Final = (
    update(enrollment)
    .where(*_MINE, or_(_e.retires_at.is_(None), _e.retires_at > bindparam("retires_at_")))
    .values(retires_at=bindparam("retires_at_"), **_JOURNAL)
)

# Back to what it was, when the phone that was to take its place is stopped.
RESTORE: Final = (
    update(enrollment).where(*_MINE, _e.retires_at.is_not(None)).values(retires_at=None, **_JOURNAL)
)

WAKE_UP: Final = (
    update(enrollment)
    .where(*_MINE, _e.rests_until.is_not(None))
    .values(rests_until=None, **_JOURNAL)
)

LONG_RETIRED: Final = select(_e.id, _e.account_id, _e.label).where(
    _e.retires_at < bindparam("before"), _e.revoked_at.is_(None)
)

SUBSCRIBE: Final = (
    update(enrollment)
    .where(_e.id == bindparam("id_"), _e.revoked_at.is_(None))
    .values(subscription=bindparam("sealed"), push_health=bindparam("health"), **_JOURNAL)
)

# What the phone says of its permission; a phone that has no subscription is not "ok".
PERMIT: Final = (
    update(enrollment)
    .where(
        _e.id == bindparam("id_"),
        _e.revoked_at.is_(None),
        _e.push_health != bindparam("health"),
        or_(bindparam("health") == "denied", _e.subscription.is_not(None)),
    )
    .values(push_health=bindparam("health"), **_JOURNAL)
)

LISTEN: Final = (
    update(enrollment)
    .where(
        _e.id == bindparam("id_"),
        _e.revoked_at.is_(None),
        # The same again changes nothing.
        _e.ntfy_topic.is_(None) == bindparam("on"),
    )
    .values(ntfy_topic=bindparam("topic"), **_JOURNAL)
)

DELIVERED: Final = (
    update(enrollment)
    .where(
        _e.id == bindparam("id_"),
        _e.revoked_at.is_(None),
        or_(_e.last_delivered_at.is_(None), _e.last_delivered_at <= bindparam("before")),
    )
    .values(last_delivered_at=bindparam("now"))
)

# Only the subscription that failed: a new one may have come meanwhile.
UNSUBSCRIBE: Final = (
    update(enrollment)
    .where(_e.id == bindparam("id_"), _e.subscription == bindparam("sealed"))
    .values(subscription=null(), push_health="gone", **_JOURNAL)
)

# Never back, whatever raced.
ADVANCE: Final = (
    update(enrollment)
    .where(
        _e.id == bindparam("id_"),
        _CAN_APPROVE,
        _e.counter < bindparam("counter_"),
    )
    .values(counter=bindparam("counter_"))
)
