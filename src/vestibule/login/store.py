"""The login_attempt table and its statements: one statement a step on the hot path.

Writes say "from this to that" and report whether they won (compare-and-set); nothing here
decides. The sign-in read joins the tables of the rooms below, reads only (docs/decisions/0003).
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from vestibule.accounts.store import PERSON, account
from vestibule.base.audit import JOURNAL
from vestibule.base.database import Value, metadata
from vestibule.base.limits import limit_state
from vestibule.devices.store import enrollment
from vestibule.login.rules import Attempt
from vestibule.sessions.store import portal_session

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
    Column("opened_at", BigInteger, nullable=False),
    *JOURNAL(),
    Index("login_attempt_account", "account_id", "opened_at"),
    Index("login_attempt_enrollment", "enrollment_id", "opened_at"),
)

_Columns = ReadOnlyColumnCollection[str, Column[Any]]
_a = login_attempt.c
_JOURNAL_NAMES: Final = ("event", "event_at", "actor", "source", "result", "audit_detail")
_ROUND: Final = (
    *("enrollment_id", "push", "number", "challenge", "request"),
    *("request_expires_at", "challenge_expires_at"),
)
_RESPONDED: Final = ("challenge", "challenge_expires_at", "resync_counter", "proof")
_ATTEMPT: Final = tuple(column for column in _a if column.name not in _JOURNAL_NAMES)
# The browser's secret is part of the key: another browser's id finds nothing.
_MINE: Final = and_(_a.id == bindparam("id_"), _a.browser_digest == bindparam("browser_digest_"))
_other = login_attempt.alias("other")
_limits_name = limit_state.alias("limits_name")
_limits_source = limit_state.alias("limits_source")
_limits_account = limit_state.alias("limits_account")
_limits_phone = limit_state.alias("limits_phone")
_ACCOUNT_SUBJECT: Final = literal("account:") + account.c.id


def _journal() -> dict[str, BindParameter[object]]:
    return {name: bindparam(name) for name in _JOURNAL_NAMES}


def _live(of: _Columns, *, account_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Attempts of the account that a phone could still answer."""
    return and_(
        of.account_id == account_id,
        of.state == "waiting",
        of.request_expires_at > bindparam("now"),
    )


def _active(enrollment_id: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(enrollment.c.id == enrollment_id, enrollment.c.revoked_at.is_(None))


# When a phone last signed somebody in: the sessions know, so approving need not write it.
_USED_AT: Final = (
    select(func.max(portal_session.c.opened_at))
    .where(
        portal_session.c.account_id == account.c.id,
        portal_session.c.enrollment_id == enrollment.c.id,
    )
    .scalar_subquery()
    .label("used_at")
)

# Always at least one row, so that an unknown name costs the same statements as a known one.
_one = select(literal_column("1").label("one")).subquery("one")

SIGN_IN: Final = (
    select(
        account.c.id.label("account_id"),
        *PERSON,
        account.c.password_hash,
        enrollment.c.id.label("enrollment_id"),
        enrollment.c.label,
        enrollment.c.platform,
        enrollment.c.subscription,
        _USED_AT,
        _limits_name.c.version.label("name_version"),
        _limits_name.c.state.label("name_state"),
        _limits_source.c.version.label("source_version"),
        _limits_source.c.state.label("source_state"),
        _limits_account.c.version.label("account_version"),
        _limits_account.c.state.label("account_state"),
        exists()
        .where(
            portal_session.c.account_id == account.c.id,
            portal_session.c.browser_digest == bindparam("known_digest"),
            portal_session.c.proof != "password",
            portal_session.c.opened_at > bindparam("known_since"),
        )
        .label("known"),
        select(func.count())
        .select_from(login_attempt)
        .where(_live(_a, account_id=account.c.id), _a.id != bindparam("not_id"))
        .scalar_subquery()
        .label("others"),
    )
    .select_from(
        _one.outerjoin(account, account.c.username_key == bindparam("username_key"))
        .outerjoin(
            enrollment,
            and_(enrollment.c.account_id == account.c.id, enrollment.c.revoked_at.is_(None)),
        )
        .outerjoin(_limits_name, _limits_name.c.subject == bindparam("name_subject"))
        .outerjoin(_limits_source, _limits_source.c.subject == bindparam("source_subject"))
        .outerjoin(_limits_account, _limits_account.c.subject == _ACCOUNT_SUBJECT)
    )
    .order_by(enrollment.c.created_at.desc())
)

# The condition: nobody has failed under this name since its limits were read. So a right guess
# sent among many wrong ones counts only if it comes before the limit is reached.
OPEN: Final = insert(login_attempt).from_select(
    [column.name for column in login_attempt.c],
    select(*(bindparam(column.name, type_=column.type) for column in login_attempt.c)).where(
        ~exists().where(
            limit_state.c.subject == bindparam("name_subject"),
            limit_state.c.version != bindparam("name_version"),
        )
    ),
)

# Without that condition: for attempts that no password has begun.
INSERT: Final = insert(login_attempt).values({c.name: bindparam(c.name) for c in _a})

OTHERS: Final = select(*_ATTEMPT).where(
    _live(_a, account_id=bindparam("account_id")),
    _a.number.is_(False),
    _a.id != bindparam("not_id"),
)

FORCE_NUMBER: Final = (
    update(login_attempt)
    .where(_a.id == bindparam("id_"), _a.state == "waiting", _a.number.is_(False))
    .values(number=True, request=bindparam("request"), **_journal())
)

MINE: Final = select(*_ATTEMPT).where(_MINE)

FOR_ROUND: Final = (
    select(
        *_ATTEMPT,
        account.c.username,
        account.c.seamless,
        account.c.pushes_stopped_until,
        enrollment.c.id.label("phone_id"),
        enrollment.c.label,
        enrollment.c.platform,
        enrollment.c.subscription,
        _USED_AT,
        _limits_account.c.version.label("account_version"),
        _limits_account.c.state.label("account_state"),
        select(func.count())
        .select_from(_other)
        .where(_live(_other.c, account_id=account.c.id), _other.c.id != _a.id)
        .scalar_subquery()
        .label("others"),
    )
    .select_from(
        login_attempt.join(account, account.c.id == _a.account_id)
        .outerjoin(
            enrollment,
            and_(enrollment.c.account_id == account.c.id, enrollment.c.revoked_at.is_(None)),
        )
        .outerjoin(_limits_account, _limits_account.c.subject == _ACCOUNT_SUBJECT)
    )
    .where(_MINE)
    .order_by(enrollment.c.created_at.desc())
)

NEXT_ROUND: Final = (
    update(login_attempt)
    .where(
        _a.id == bindparam("id_"),
        _a.round == bindparam("from_round"),
        _a.state == bindparam("from_state"),
    )
    .values(
        state="waiting",
        round=_a.round + 1,
        tries=0,
        **{name: bindparam(name) for name in _ROUND},
        **_journal(),
    )
)

NUDGED: Final = (
    update(login_attempt)
    .where(_a.id == bindparam("id_"), _a.state == "waiting")
    .values(push=bindparam("push"), **_journal())
)

CANCEL: Final = (
    update(login_attempt)
    .where(
        _MINE,
        or_(_a.state == "choosing", _a.state == "waiting", _a.state == "approved"),
    )
    .values(state="cancelled", **_journal())
    .returning(_a.enrollment_id)
)

# What waits for a phone: the enrollment's own row always, its requests beside it.
WAITING_FOR: Final = (
    select(
        enrollment.c.id.label("enrollment_id"),
        enrollment.c.public_key,
        enrollment.c.label,
        enrollment.c.revoked_at,
        enrollment.c.push_health,
        account.c.id.label("account_id"),
        account.c.username,
        account.c.seamless,
        _a.id.label("attempt_id"),
        _a.request,
    )
    .select_from(
        enrollment.join(account, account.c.id == enrollment.c.account_id).outerjoin(
            login_attempt,
            and_(
                _a.enrollment_id == enrollment.c.id,
                _a.state == "waiting",
                _a.request_expires_at > bindparam("now"),
            ),
        )
    )
    .where(enrollment.c.id == bindparam("enrollment_id"))
    .order_by(_a.opened_at)
    .limit(20)
)

TO_ANSWER: Final = (
    select(
        *_ATTEMPT,
        enrollment.c.id.label("phone_id"),
        enrollment.c.account_id.label("phone_account_id"),
        enrollment.c.public_key,
        enrollment.c.knowledge_key,
        enrollment.c.credential,
        enrollment.c.revoked_at,
        enrollment.c.push_health,
        _limits_phone.c.version.label("phone_version"),
        _limits_phone.c.state.label("phone_state"),
    )
    .select_from(
        enrollment.outerjoin(login_attempt, _a.id == bindparam("id_")).outerjoin(
            _limits_phone,
            _limits_phone.c.subject == (literal("phone:") + enrollment.c.id),
        )
    )
    .where(enrollment.c.id == bindparam("enrollment_id"))
)

# `proofs` and the phone's limits are part of the condition, so that wrong proofs sent at
# the same moment are counted one after the other and none is evaluated for nothing; and the
# phone itself, so that nothing counts that it signed before it was removed.
ANSWER: Final = (
    update(login_attempt)
    .where(
        _a.id == bindparam("id_"),
        _a.enrollment_id == bindparam("enrollment_id_"),
        _a.state == bindparam("from_state"),
        _a.round == bindparam("from_round"),
        _a.proofs == bindparam("from_proofs"),
        ~exists().where(
            limit_state.c.subject == bindparam("phone_subject"),
            limit_state.c.version != bindparam("phone_version"),
        ),
        _active(bindparam("enrollment_id_")),
    )
    .values(
        state=bindparam("to_state"),
        proof=bindparam("proof"),
        proofs=bindparam("to_proofs"),
        **_journal(),
    )
)

TO_RESPOND: Final = (
    select(
        *_ATTEMPT,
        _a.known_digest,
        account.c.username,
        enrollment.c.id.label("phone_id"),
        enrollment.c.response_key,
        enrollment.c.counter,
        enrollment.c.revoked_at,
        _limits_account.c.version.label("account_version"),
        _limits_account.c.state.label("account_state"),
    )
    .select_from(
        login_attempt.join(account, account.c.id == _a.account_id)
        .join(enrollment, enrollment.c.id == _a.enrollment_id)
        .outerjoin(_limits_account, _limits_account.c.subject == _ACCOUNT_SUBJECT)
    )
    .where(_MINE)
)

RESPOND: Final = (
    update(login_attempt)
    .where(
        _a.id == bindparam("id_"),
        _a.state == "waiting",
        _a.round == bindparam("from_round"),
        _a.tries == bindparam("from_tries"),
    )
    .values(
        state=bindparam("to_state"),
        tries=bindparam("to_tries"),
        **{name: bindparam(name) for name in _RESPONDED},
        **_journal(),
    )
)

COLLECT: Final = (
    update(login_attempt)
    .where(
        _MINE,
        # What was approved for one thing is never collected as another.
        _a.kind == bindparam("kind_"),
        _a.state == "approved",
        _a.expires_at > bindparam("now"),
        _active(_a.enrollment_id),
    )
    .values(state="collected", **_journal())
    .returning(_a.account_id, _a.enrollment_id, _a.session_id, _a.proof, _a.known_digest)
)

# A step-up belongs to its session: only that may collect it.
TAKE: Final = (
    update(login_attempt)
    .where(
        _MINE,
        _a.kind.in_(("migration", "terminal")),
        _a.state == "approved",
        _a.expires_at > bindparam("now"),
        _active(_a.enrollment_id),
    )
    .values(state="collected", **_journal())
    .returning(_a.account_id, _a.enrollment_id, _a.proof)
)

SWEEP: Final = delete(login_attempt).where(_a.expires_at < bindparam("before"))


def values_of(attempt: Attempt) -> dict[str, Value]:
    """The columns that an attempt's value fills."""
    values = {name: getattr(attempt, name) for name in Attempt.__dataclass_fields__}
    return values | {"account_id": attempt.account_id or None}


def round_of(before: Attempt, after: Attempt) -> dict[str, Value]:
    """The parameters of NEXT_ROUND: from the round that was read to the renewed one."""
    return {
        "id_": before.id,
        "from_round": before.round,
        "from_state": before.state.value,
        **{name: getattr(after, name) for name in _ROUND},
    }
