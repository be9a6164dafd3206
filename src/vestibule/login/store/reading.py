"""What a step reads: one statement each; the sign-in's joins the tables of the rooms below.

Reads only (docs/decisions/0003).
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    and_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from vestibule.accounts.store import account
from vestibule.base.limits import limit_state
from vestibule.contacts.store import contact
from vestibule.devices.store import enrollment
from vestibule.factors.store import factor
from vestibule.login.store.table import ATTEMPT, MY, login_attempt
from vestibule.sessions.rules import MAKES_KNOWN
from vestibule.sessions.store import portal_session

_Columns = ReadOnlyColumnCollection[str, Column[Any]]

_a = login_attempt.c

_other = login_attempt.alias("other")

_limits_name = limit_state.alias("limits_name")

_limits_source = limit_state.alias("limits_source")

_limits_account = limit_state.alias("limits_account")

_limits_known = limit_state.alias("limits_known")

_limits_phone = limit_state.alias("limits_phone")

_ACCOUNT_SUBJECT: Final = literal("account:") + account.c.id


def _live(of: _Columns, *, account_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Attempts of the account that a phone could still answer."""
    return and_(
        of.account_id == account_id,
        of.state == "waiting",
        of.request_expires_at > bindparam("now"),
    )


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

# Three rows at least, so that an unknown name costs the same statements as a known one. In the
# first stand the phones, in the second the other factors, in the third the numbers: side by side
# and not multiplied with each other.
_kinds: Final = union_all(*(select(literal_column(n).label("kind")) for n in "123")).subquery(
    "kinds"
)

_WAYS: Final = (
    enrollment.c.id.label("phone_id"),
    enrollment.c.label,
    enrollment.c.platform,
    enrollment.c.subscription,
    enrollment.c.ntfy_topic,
    enrollment.c.rests_until,
    enrollment.c.retires_at,
    enrollment.c.created_at.label("linked_at"),
    _USED_AT,
    factor.c.id.label("other_id"),
    factor.c.kind.label("other_kind"),
    factor.c.label.label("other_label"),
    factor.c.used_at.label("other_used_at"),
    factor.c.created_at.label("other_added_at"),
    contact.c.id.label("contact_id"),
    contact.c.address.label("contact_address"),
)


def _with_ways(people: FromClause) -> FromClause:
    """Beside the account: everything that could answer for it."""
    return (
        people.outerjoin(
            enrollment,
            and_(
                _kinds.c.kind == 1,
                enrollment.c.account_id == account.c.id,
                enrollment.c.revoked_at.is_(None),
            ),
        )
        .outerjoin(
            factor,
            and_(
                _kinds.c.kind == 2,
                factor.c.account_id == account.c.id,
                factor.c.revoked_at.is_(None),
                factor.c.confirmed_at.is_not(None),
                or_(factor.c.expires_at.is_(None), factor.c.expires_at > bindparam("now")),
            ),
        )
        .outerjoin(
            contact,
            and_(
                _kinds.c.kind == 3,
                contact.c.account_id == account.c.id,
                contact.c.kind == "number",
                contact.c.state == "verified",
            ),
        )
    )


SIGN_IN: Final = select(
    account.c.id.label("account_id"),
    *(column for column in account.c if column.name not in ("username_key", "password_hash")),
    account.c.password_hash,
    *_WAYS,
    _limits_name.c.version.label("name_version"),
    _limits_name.c.state.label("name_state"),
    _limits_source.c.version.label("source_version"),
    _limits_source.c.state.label("source_state"),
    _limits_account.c.version.label("account_version"),
    _limits_account.c.state.label("account_state"),
    _limits_known.c.version.label("known_version"),
    _limits_known.c.state.label("known_state"),
    exists()
    .where(
        portal_session.c.account_id == account.c.id,
        portal_session.c.browser_digest == bindparam("known_digest"),
        portal_session.c.proof.in_(MAKES_KNOWN),
        portal_session.c.opened_at > bindparam("known_since"),
    )
    .label("known"),
    select(func.count())
    .select_from(login_attempt)
    .where(_live(_a, account_id=account.c.id), _a.id != bindparam("not_id"))
    .scalar_subquery()
    .label("others"),
).select_from(
    _with_ways(_kinds.outerjoin(account, account.c.username_key == bindparam("username_key")))
    .outerjoin(_limits_name, _limits_name.c.subject == bindparam("name_subject"))
    .outerjoin(_limits_source, _limits_source.c.subject == bindparam("source_subject"))
    .outerjoin(_limits_account, _limits_account.c.subject == _ACCOUNT_SUBJECT)
    .outerjoin(_limits_known, _limits_known.c.subject == literal("known:") + account.c.id)
)

OTHERS: Final = select(*ATTEMPT).where(
    _live(_a, account_id=bindparam("account_id")),
    _a.number.is_(False),
    _a.id != bindparam("not_id"),
)

MINE: Final = select(*ATTEMPT).where(MY)

FOR_ROUND: Final = (
    select(
        *ATTEMPT,
        account.c.username,
        account.c.seamless,
        account.c.language,
        account.c.timezone,
        account.c.quiet_from,
        account.c.quiet_until,
        account.c.pushes_stopped_until,
        *_WAYS,
        _limits_account.c.version.label("account_version"),
        _limits_account.c.state.label("account_state"),
        _limits_known.c.version.label("known_version"),
        _limits_known.c.state.label("known_state"),
        select(func.count())
        .select_from(_other)
        .where(_live(_other.c, account_id=account.c.id), _other.c.id != _a.id)
        .scalar_subquery()
        .label("others"),
    )
    .select_from(
        _with_ways(
            # Outer: nobody has claimed it yet, and its page is drawn all the same.
            login_attempt.outerjoin(account, account.c.id == _a.account_id).join(
                _kinds, literal_column("1") == literal_column("1")
            )
        )
        .outerjoin(_limits_account, _limits_account.c.subject == _ACCOUNT_SUBJECT)
        .outerjoin(_limits_known, _limits_known.c.subject == literal("known:") + account.c.id)
    )
    .where(MY)
)

# Before a claim: the phone's own row, and beside it the attempt whose code it scanned.
TO_CLAIM: Final = (
    select(
        *ATTEMPT,
        enrollment.c.id.label("phone_id"),
        enrollment.c.account_id.label("phone_account_id"),
        enrollment.c.revoked_at,
        enrollment.c.rests_until,
        enrollment.c.retires_at,
        account.c.username,
        account.c.disabled_at,
        account.c.networks,
        exists()
        .where(
            portal_session.c.account_id == account.c.id,
            portal_session.c.browser_digest == _a.known_digest,
            portal_session.c.proof.in_(MAKES_KNOWN),
            portal_session.c.opened_at > bindparam("known_since"),
        )
        .label("known_here"),
        select(func.count())
        .select_from(_other)
        .where(_live(_other.c, account_id=account.c.id), _other.c.id != bindparam("id_"))
        .scalar_subquery()
        .label("others"),
    )
    .select_from(
        enrollment.join(account, account.c.id == enrollment.c.account_id).outerjoin(
            login_attempt, _a.id == bindparam("id_")
        )
    )
    .where(enrollment.c.id == bindparam("enrollment_id"))
)

# Within a session: by which ways its owner can prove again that it is them.
WAYS_OF: Final = (
    select(account.c.id.label("account_id"), account.c.language, *_WAYS)
    .select_from(_with_ways(_kinds.join(account, literal_column("1") == literal_column("1"))))
    .where(account.c.id == bindparam("account_id"))
)

# After a passkey that was a sign-in of its own: may its account sign in from here?
BY_ACCOUNT: Final = select(
    account.c.disabled_at,
    account.c.networks,
    account.c.timezone,
    account.c.renew_at,
    exists()
    .where(
        portal_session.c.account_id == account.c.id,
        portal_session.c.browser_digest == bindparam("known_digest"),
        portal_session.c.proof.in_(MAKES_KNOWN),
        portal_session.c.opened_at > bindparam("known_since"),
    )
    .label("known"),
).where(account.c.id == bindparam("account_id"))

# What waits for a phone: the enrollment's own row always, its requests beside it.
WAITING_FOR: Final = (
    select(
        enrollment.c.id.label("enrollment_id"),
        enrollment.c.public_key,
        enrollment.c.label,
        enrollment.c.revoked_at,
        enrollment.c.push_health,
        enrollment.c.rests_until,
        enrollment.c.retires_at,
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
        *ATTEMPT,
        enrollment.c.id.label("phone_id"),
        enrollment.c.account_id.label("phone_account_id"),
        enrollment.c.public_key,
        enrollment.c.knowledge_key,
        enrollment.c.credential,
        enrollment.c.revoked_at,
        enrollment.c.push_health,
        enrollment.c.device_id,
        enrollment.c.rests_until,
        enrollment.c.retires_at,
        _limits_phone.c.version.label("phone_version"),
        _limits_phone.c.state.label("phone_state"),
    )
    .select_from(
        enrollment.outerjoin(login_attempt, _a.id == bindparam("id_")).outerjoin(
            _limits_phone,
            _limits_phone.c.subject == (literal("device:") + enrollment.c.device_id),
        )
    )
    .where(enrollment.c.id == bindparam("enrollment_id"))
)

TO_RESPOND: Final = (
    select(
        *ATTEMPT,
        _a.known_digest,
        account.c.timezone,
        account.c.renew_at,
        enrollment.c.id.label("phone_id"),
        enrollment.c.response_key,
        enrollment.c.counter,
        enrollment.c.revoked_at,
        enrollment.c.device_id,
        enrollment.c.rests_until,
        enrollment.c.retires_at,
        _limits_account.c.version.label("account_version"),
        _limits_account.c.state.label("account_state"),
        _limits_phone.c.version.label("phone_version"),
        _limits_phone.c.state.label("phone_state"),
    )
    .select_from(
        login_attempt.join(account, account.c.id == _a.account_id)
        .join(enrollment, enrollment.c.id == _a.enrollment_id)
        .outerjoin(_limits_account, _limits_account.c.subject == _ACCOUNT_SUBJECT)
        .outerjoin(
            _limits_phone,
            _limits_phone.c.subject == (literal("device:") + enrollment.c.device_id),
        )
    )
    .where(MY)
)

# Before an answer of another factor: what is judged is read by its own room.
TO_PROVE: Final = (
    select(
        *ATTEMPT,
        _a.known_digest,
        account.c.timezone,
        account.c.renew_at,
        factor.c.kind.label("other_kind"),
        _limits_account.c.version.label("account_version"),
        _limits_account.c.state.label("account_state"),
    )
    .select_from(
        login_attempt.join(account, account.c.id == _a.account_id)
        .outerjoin(factor, factor.c.id == _a.factor_id)
        .outerjoin(_limits_account, _limits_account.c.subject == _ACCOUNT_SUBJECT)
    )
    .where(MY, account.c.disabled_at.is_(None))
)
