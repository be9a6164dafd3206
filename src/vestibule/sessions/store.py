"""The portal_session table and its statements.

Ended sessions stay as sign-in history and as the memory of known browsers until they are swept.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
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

from vestibule.accounts.store import account
from vestibule.base.audit import JOURNAL, audit_event
from vestibule.base.database import metadata
from vestibule.base.i18n import DEFAULT, catalogue
from vestibule.sessions.rules import MAKES_KNOWN, Proof

portal_session: Final = Table(
    "portal_session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("attempt_id", Text, unique=True),
    Column("browser_digest", LargeBinary),
    Column("proof", Text, nullable=False),
    Column("proved_at", BigInteger, nullable=False),
    Column("enrollment_id", Text),
    Column("factor_id", Text),
    # Opened by a password alone, while that was all the account had: now it has more.
    Column("outgrown", Boolean, nullable=False),
    Column("browser", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("end_reason", Text),
    *JOURNAL(),
    # Serves the sign-in's "is this browser known" and both lists of the account.
    Index("portal_session_account", "account_id", "opened_at"),
)

_s = portal_session.c
_ENDED: Final = {
    "ended_at": bindparam("now"),
    "end_reason": bindparam("reason"),
    "event": "session.ended",
    "event_at": bindparam("now"),
    "actor": bindparam("actor_"),
    "source": bindparam("source_"),
    "result": "ok",
    "audit_detail": bindparam("detail"),
}
_LIVE: Final = and_(
    _s.ended_at.is_(None),
    _s.expires_at > bindparam("now"),
    # Nobody leaves a terminal's token open on a screen: it does not grow old by resting.
    or_(_s.seen_at > bindparam("idle_since"), _s.kind == "terminal"),
)

OPEN: Final = insert(portal_session).values({c.name: bindparam(c.name) for c in portal_session.c})

BY_ID: Final = (
    select(
        _s.id,
        _s.kind,
        _s.account_id,
        _s.proof,
        _s.proved_at,
        _s.enrollment_id,
        _s.factor_id,
        _s.outgrown,
        _s.opened_at,
        _s.seen_at,
        _s.expires_at,
        _s.ended_at,
        account.c.username,
        account.c.display_name,
        account.c.seamless,
        account.c.password_change_needed,
        account.c.language,
        account.c.timezone,
        account.c.networks,
        account.c.guarded_until,
        account.c.renew_at,
        account.c.unread_notice,
        account.c.unread_message,
        account.c.staff_since,
        account.c.disabled_at,
    )
    .join(account, account.c.id == _s.account_id)
    .where(_s.id == bindparam("id_"))
)

TOUCH: Final = (
    update(portal_session)
    .where(_s.id == bindparam("id_"), _s.ended_at.is_(None), _s.seen_at < bindparam("before"))
    .values(seen_at=bindparam("now"))
)

# Only while the session lives: nothing brings one back.
PROVED: Final = (
    update(portal_session)
    .where(
        _s.id == bindparam("id_"),
        _s.account_id == bindparam("account_id_"),
        _s.ended_at.is_(None),
        _s.expires_at > bindparam("now"),
    )
    .values(
        proof=bindparam("proof_"),
        proved_at=bindparam("now"),
        expires_at=bindparam("expires_at_"),
        enrollment_id=bindparam("enrollment_id_"),
        factor_id=bindparam("factor_id_"),
        event="session.proved",
        event_at=bindparam("now"),
        actor="browser",
        source=bindparam("source_"),
        result="ok",
        audit_detail=bindparam("detail"),
    )
)

LIVE_OF: Final = (
    select(
        _s.id,
        _s.kind,
        _s.proof,
        _s.proved_at,
        _s.enrollment_id,
        _s.browser,
        _s.address,
        _s.place,
        _s.opened_at,
        _s.seen_at,
        _s.expires_at,
    )
    .where(_s.account_id == bindparam("account_id"), _LIVE)
    .order_by(_s.seen_at.desc())
)

END: Final = (
    update(portal_session)
    .where(
        _s.id == bindparam("id_"),
        _s.account_id == bindparam("account_id_"),
        _s.ended_at.is_(None),
    )
    .values(_ENDED)
)

END_OTHERS: Final = (
    update(portal_session)
    .where(
        _s.account_id == bindparam("account_id_"),
        _s.id != bindparam("keep"),
        _s.ended_at.is_(None),
        _s.expires_at > bindparam("now"),
        # An empty filter means every one of them.
        or_(bindparam("only_proof") == "", _s.proof == bindparam("only_proof")),
        or_(bindparam("only_phone") == "", _s.enrollment_id == bindparam("only_phone")),
    )
    .values(_ENDED)
)

OUTGROW: Final = (
    update(portal_session)
    .where(_s.id == bindparam("id_"), _s.proof == Proof.PASSWORD.value)
    .values(outgrown=True)
)

END_OF_ATTEMPT: Final = (
    update(portal_session)
    .where(_s.attempt_id == bindparam("attempt_id_"), _s.ended_at.is_(None))
    .values(_ENDED)
)

HISTORY: Final = (
    select(
        _s.id,
        _s.kind,
        _s.proof,
        _s.proved_at,
        _s.enrollment_id,
        _s.browser,
        _s.address,
        _s.place,
        _s.opened_at,
        _s.seen_at,
        _s.expires_at,
    )
    .where(_s.account_id == bindparam("account_id"))
    .order_by(_s.opened_at.desc())
    .limit(bindparam("most"))
)

# Those that there is a sentence for. Others are for operators, and may be many: each statement
# that is published is one, and a page of them would be an empty page.
_SAID: Final = tuple(
    sorted(
        key.removeprefix("sessions.event.")
        for key in catalogue(DEFAULT)
        if key.startswith("sessions.event.")
    )
)
EVENTS: Final = (
    select(
        audit_event.c.id,
        audit_event.c.at,
        audit_event.c.event,
        audit_event.c.actor,
        audit_event.c.source,
        audit_event.c.result,
        audit_event.c.detail,
    )
    .where(
        audit_event.c.account_id == bindparam("account_id"),
        audit_event.c.id < bindparam("before"),
        audit_event.c.event.in_(_SAID),
    )
    .order_by(audit_event.c.at.desc(), audit_event.c.id.desc())
    .limit(bindparam("most"))
)

KNOWN_BROWSERS: Final = (
    select(_s.browser_digest, _s.browser, _s.place, _s.opened_at)
    .where(
        _s.account_id == bindparam("account_id"),
        _s.browser_digest.is_not(None),
        _s.proof.in_(MAKES_KNOWN),
        _s.opened_at > bindparam("since"),
    )
    .order_by(_s.opened_at.desc())
    .limit(500)
)

FORGET: Final = (
    update(portal_session)
    .where(
        _s.account_id == bindparam("account_id_"),
        _s.browser_digest == bindparam("browser_digest_"),
    )
    .values(browser_digest=None)
)

FORGET_ALL: Final = (
    update(portal_session)
    .where(_s.account_id == bindparam("account_id_"), _s.browser_digest.is_not(None))
    .values(browser_digest=None)
)

SWEEP: Final = delete(portal_session).where(
    _s.opened_at < bindparam("before"), _s.expires_at < bindparam("now")
)
