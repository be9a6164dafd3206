"""The factor and pass_request tables and their statements.

What a kind of factor remembers stands in two columns: `secret`, sealed for the row, and `state`,
JSON that changes with `version` by compare-and-set. Whether a factor may be used is decided by
columns alone, so that a higher room can ask for it in a statement of its own: confirmed, not
revoked, and not past `expires_at`, which a spent factor gets as well.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from vestibule.accounts.store import account
from vestibule.base.audit import JOURNAL, audit_event
from vestibule.base.database import metadata

factor: Final = Table(
    "factor",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger),
    Column("used_at", BigInteger),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    *JOURNAL(),
    Index("factor_account", "account_id", "revoked_at"),
)

pass_request: Final = Table(
    "pass_request",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", BigInteger),
    Column("expires_at", BigInteger, nullable=False),
    Column("factor_id", Text),
    *JOURNAL(),
    Index("pass_request_asked", "asked_at"),
)

_f = factor.c
_p = pass_request.c
_JOURNAL: Final = {
    "event": bindparam("event_"),
    "event_at": bindparam("now"),
    "actor": bindparam("actor_"),
    "source": bindparam("source_"),
    "result": "ok",
    "audit_detail": bindparam("detail"),
}
_THIS: Final = (
    _f.id == bindparam("id_"),
    _f.account_id == bindparam("account_id_"),
    _f.revoked_at.is_(None),
)

ADD: Final = insert(factor).values({c.name: bindparam(c.name) for c in factor.c})

LISTED: Final = (
    select(factor)
    .where(_f.account_id == bindparam("account_id"), _f.revoked_at.is_(None))
    .order_by(_f.created_at, _f.id)
)

BY_ID: Final = select(factor).where(_f.id == bindparam("id_"), _f.revoked_at.is_(None))

# Answers to one factor queue up, so that each is judged after the one before was counted.
TO_VERIFY: Final = BY_ID.with_for_update()

# From exactly what was read: of answers sent side by side one counts.
CHANGE: Final = (
    update(factor)
    .where(*_THIS, _f.version == bindparam("version_"))
    .values(
        state=bindparam("state_"),
        version=_f.version + 1,
        confirmed_at=bindparam("confirmed_at_"),
        used_at=bindparam("used_at_"),
        expires_at=bindparam("expires_at_"),
        **_JOURNAL,
    )
)

RENAME: Final = (
    update(factor)
    .where(*_THIS, _f.label != bindparam("label_"))
    .values(label=bindparam("label_"), **_JOURNAL)
)

# The secret goes with the factor: what is not there cannot be used or stolen.
REVOKE: Final = (
    update(factor)
    .where(*_THIS)
    .values(revoked_at=bindparam("now"), secret=b"", state="{}", version=_f.version + 1, **_JOURNAL)
)

# Unfinished ones were never worth anything; a pass is remembered longer, for the rule that none
# follows another.
SWEEP: Final = delete(factor).where(
    or_(
        _f.revoked_at < bindparam("revoked_before"),
        and_(_f.confirmed_at.is_(None), _f.created_at < bindparam("unfinished_before")),
        and_(_f.kind == "temporary_pass", _f.created_at < bindparam("passes_before")),
    ),
    or_(_f.kind != "temporary_pass", _f.created_at < bindparam("passes_before")),
)

# --- temporary passes ----------------------------------------------------------------------

LAST_PASS: Final = select(func.max(_f.created_at).label("at")).where(
    _f.account_id == bindparam("account_id"), _f.kind == "temporary_pass"
)

# Something that lasts came since: a phone, told by the journal, for phones are another room's.
LASTING_FACTOR: Final = (
    select(_f.id)
    .where(
        _f.account_id == bindparam("account_id"),
        _f.kind.in_(("totp", "passkey")),
        _f.confirmed_at > bindparam("since"),
    )
    .limit(1)
)
LASTING_PHONE: Final = (
    select(audit_event.c.id)
    .where(
        audit_event.c.account_id == bindparam("account_id"),
        audit_event.c.at > bindparam("since"),
        audit_event.c.event == "enrollment.created",
    )
    .limit(1)
)

ASK: Final = insert(pass_request).values({c.name: bindparam(c.name) for c in pass_request.c})

_asker = account.alias("asker")
_decider = account.alias("decider")
_REQUESTS: Final = select(
    _p.id,
    _p.account_id,
    _p.state,
    _p.asked_by,
    _p.reason,
    _p.asked_at,
    _p.decided_by,
    _p.decided_at,
    _p.expires_at,
    _p.factor_id,
    account.c.username,
    account.c.display_name,
    account.c.language,
    _asker.c.username.label("asker"),
    _decider.c.username.label("decider"),
    _f.used_at,
    _f.expires_at.label("pass_expires_at"),
    _f.revoked_at.label("pass_revoked_at"),
).select_from(
    pass_request.join(account, account.c.id == _p.account_id)
    .join(_asker, _asker.c.id == _p.asked_by)
    .outerjoin(_decider, _decider.c.id == _p.decided_by)
    .outerjoin(factor, _f.id == _p.factor_id)
)

REQUESTS: Final = _REQUESTS.order_by(_p.asked_at.desc(), _p.id).limit(bindparam("most"))
REQUEST: Final = _REQUESTS.where(_p.id == bindparam("id_"))
OPEN_REQUEST: Final = (
    select(_p.id)
    .where(
        _p.account_id == bindparam("account_id"),
        _p.state == "open",
        _p.expires_at > bindparam("now"),
    )
    .limit(1)
)

DECIDE: Final = (
    update(pass_request)
    .where(
        _p.id == bindparam("id_"),
        _p.state == "open",
        _p.expires_at > bindparam("now"),
    )
    .values(
        state=bindparam("state_"),
        decided_by=bindparam("decided_by_"),
        decided_at=bindparam("now"),
        factor_id=bindparam("factor_id_"),
        **_JOURNAL,
    )
)

SWEEP_REQUESTS: Final = delete(pass_request).where(_p.asked_at < bindparam("before"))
