"""The activation_ticket table and its statements."""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from vestibule.accounts.store import account
from vestibule.base.audit import JOURNAL
from vestibule.base.database import metadata
from vestibule.devices.store import enrollment
from vestibule.sessions.store import portal_session

activation_ticket: Final = Table(
    "activation_ticket",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("session_id", Text),
    Column("locator", Text, nullable=False, unique=True),
    Column("code_digest", LargeBinary, nullable=False),
    Column("link_digest", LargeBinary, nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("enrollment_id", Text),
    Column("authority", Text, nullable=False),
    Column("replaces", Text),
    Column("case_id", Text),
    *JOURNAL(),
    Index("activation_ticket_session", "session_id", "opened_at"),
)

_t = activation_ticket.c
_s = portal_session.c
_JOURNAL: Final[dict[str, Any]] = {
    name: bindparam(f"{name}_")
    for name in ("event", "event_at", "actor", "source", "result", "audit_detail")
}

ISSUE: Final = insert(activation_ticket).values(
    {c.name: bindparam(c.name) for c in activation_ticket.c}
)

# Everything that decides about a ticket: its own state, its session's, its account's name.
_WHOLE: Final = (
    select(
        _t.id,
        _t.account_id,
        _t.session_id,
        _t.code_digest,
        _t.state,
        _t.tries,
        _t.expires_at,
        _t.replaces,
        _t.case_id,
        _s.ended_at.label("session_ended_at"),
        _s.proof,
        account.c.username,
        account.c.seamless,
        account.c.disabled_at,
    )
    .select_from(
        activation_ticket.join(account, account.c.id == _t.account_id).outerjoin(
            portal_session, _s.id == _t.session_id
        )
    )
    # Guesses at one ticket queue up, so that each is evaluated after the one before was counted.
    .with_for_update(of=activation_ticket)
)

BY_LOCATOR: Final = _WHOLE.where(_t.locator == bindparam("locator"))
BY_LINK: Final = _WHOLE.where(_t.link_digest == bindparam("link_digest"))
BY_ID: Final = _WHOLE.where(_t.id == bindparam("id_"))

LATEST: Final = (
    select(_t.id, _t.state, _t.sealed, _t.expires_at, _t.replaces, enrollment.c.label)
    .select_from(activation_ticket.outerjoin(enrollment, enrollment.c.id == _t.enrollment_id))
    .where(_t.session_id == bindparam("session_id"))
    .order_by(_t.opened_at.desc())
    .limit(1)
)

GLANCE: Final = (
    select(_t.state, enrollment.c.label)
    .select_from(activation_ticket.outerjoin(enrollment, enrollment.c.id == _t.enrollment_id))
    .where(_t.id == bindparam("id_"))
)

WRONG_CODE: Final = (
    update(activation_ticket)
    .where(_t.id == bindparam("id_"), _t.state == "open", _t.tries == bindparam("from_tries"))
    .values(state=bindparam("to_state"), tries=_t.tries + 1, **_JOURNAL)
)

WITHDRAW: Final = (
    update(activation_ticket)
    .where(_t.session_id == bindparam("session_id_"), _t.state == "open")
    .values(state="withdrawn", **_JOURNAL)
)

REDEEM: Final = (
    update(activation_ticket)
    .where(
        _t.id == bindparam("id_"),
        _t.state == "open",
        _t.expires_at > bindparam("now"),
        or_(
            _t.session_id.is_(None),
            exists().where(_s.id == _t.session_id, _s.ended_at.is_(None)),
        ),
    )
    .values(state="redeemed", enrollment_id=bindparam("enrollment_id_"), **_JOURNAL)
)

SWEEP: Final = delete(activation_ticket).where(_t.expires_at < bindparam("before"))
