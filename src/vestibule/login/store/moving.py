"""What a step writes: "from this to that", and whether it won (compare-and-set)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    bindparam,
    case,
    delete,
    exists,
    insert,
    null,
    or_,
    select,
    update,
)

from vestibule.accounts.store import account
from vestibule.base.database import Value
from vestibule.base.limits import limit_state
from vestibule.devices.store import enrollment
from vestibule.login.rules import Attempt
from vestibule.login.store.table import MY, journal, login_attempt

_a = login_attempt.c

_ROUND: Final = (
    *("enrollment_id", "push", "number", "challenge", "request"),
    *("request_expires_at", "challenge_expires_at"),
)

# A first response, which realigns, is one phone's: another phone's next one begins by itself.
_REALIGNING: Final = case(
    (_a.enrollment_id == bindparam("enrollment_id"), _a.resync_counter), else_=None
)

_RESPONDED: Final = ("challenge", "challenge_expires_at", "resync_counter", "proof")


def _active(enrollment_id: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(enrollment.c.id == enrollment_id, enrollment.c.revoked_at.is_(None))


def _limits_unchanged() -> ColumnElement[bool]:
    return ~exists().where(
        limit_state.c.subject == bindparam("account_subject"),
        limit_state.c.version != bindparam("account_version"),
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

FORCE_NUMBER: Final = (
    update(login_attempt)
    .where(_a.id == bindparam("id_"), _a.state == "waiting", _a.number.is_(False))
    .values(number=True, request=bindparam("request"), **journal())
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
        # Whoever is asked now did not scan anything.
        claimed=False,
        factor_id=bindparam("factor_id"),
        resync_counter=_REALIGNING,
        **{name: bindparam(name) for name in _ROUND},
        **journal(),
    )
)

NUDGED: Final = (
    update(login_attempt)
    .where(_a.id == bindparam("id_"), _a.state == "waiting")
    .values(push=bindparam("push"), **journal())
)

# The same as devices.rules.can_approve: nothing counts that a resting or a retired phone signs.
_CAN_APPROVE: Final = and_(
    enrollment.c.revoked_at.is_(None),
    or_(enrollment.c.rests_until.is_(None), enrollment.c.rests_until <= bindparam("now")),
    or_(enrollment.c.retires_at.is_(None), enrollment.c.retires_at > bindparam("now")),
)

# From exactly what was read, so the first claim wins; and only by a phone that may approve.
CLAIM: Final = (
    update(login_attempt)
    .where(
        _a.id == bindparam("id_"),
        _a.round == bindparam("from_round"),
        _a.state == bindparam("from_state"),
        exists().where(enrollment.c.id == bindparam("enrollment_id"), _CAN_APPROVE),
    )
    .values(
        state="waiting",
        round=_a.round + 1,
        tries=0,
        claimed=True,
        factor_id=null(),
        account_id=bindparam("account_id"),
        known=bindparam("known"),
        resync_counter=_REALIGNING,
        **{name: bindparam(name) for name in _ROUND},
        **journal(),
    )
)

CANCEL: Final = (
    update(login_attempt)
    .where(
        MY,
        _a.state.in_(("unclaimed", "choosing", "waiting", "approved")),
    )
    .values(state="cancelled", **journal())
    .returning(_a.enrollment_id)
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
        # A phone that rests or has retired still denies and reports.
        or_(
            bindparam("to_state", type_=Text) != "approved",
            exists().where(enrollment.c.id == bindparam("enrollment_id_"), _CAN_APPROVE),
        ),
    )
    .values(
        state=bindparam("to_state"),
        proof=bindparam("proof"),
        proofs=bindparam("to_proofs"),
        **journal(),
    )
)

RESPOND: Final = (
    update(login_attempt)
    .where(
        _a.id == bindparam("id_"),
        _a.state == "waiting",
        _a.round == bindparam("from_round"),
        _a.tries == bindparam("from_tries"),
        _limits_unchanged(),
    )
    .values(
        state=bindparam("to_state"),
        tries=bindparam("to_tries"),
        **{name: bindparam(name) for name in _RESPONDED},
        **journal(),
    )
)

COLLECT: Final = (
    update(login_attempt)
    .where(
        MY,
        # What was approved for one thing is never collected as another.
        _a.kind == bindparam("kind_"),
        _a.state == "approved",
        _a.expires_at > bindparam("now"),
        _active(_a.enrollment_id),
    )
    .values(state="collected", **journal())
    .returning(
        _a.account_id,
        _a.enrollment_id,
        _a.session_id,
        _a.proof,
        _a.known,
        _a.known_digest,
        *(
            select(column).where(account.c.id == _a.account_id).scalar_subquery().label(column.name)
            for column in (account.c.timezone, account.c.renew_at)
        ),
    )
)

# `proofs` and the account's limits are part of the condition: of answers sent side by side as many
# are judged as of answers sent one after the other.
PROVE: Final = (
    update(login_attempt)
    .where(
        _a.id == bindparam("id_"),
        _a.state == "waiting",
        _a.round == bindparam("from_round"),
        _a.proofs == bindparam("from_proofs"),
        _a.factor_id == bindparam("factor_id_"),
        _limits_unchanged(),
    )
    .values(
        state=bindparam("to_state"),
        proof=bindparam("proof"),
        proofs=bindparam("to_proofs"),
        **journal(),
    )
)

# A step-up belongs to its session: only that may collect it.
TAKE: Final = (
    update(login_attempt)
    .where(
        MY,
        _a.kind.in_(("migration", "terminal")),
        _a.state == "approved",
        _a.expires_at > bindparam("now"),
        _active(_a.enrollment_id),
    )
    .values(state="collected", **journal())
    .returning(_a.account_id, _a.enrollment_id, _a.proof)
)

SWEEP: Final = delete(login_attempt).where(_a.expires_at < bindparam("before"))


def round_of(before: Attempt, after: Attempt) -> dict[str, Value]:
    """The parameters of NEXT_ROUND: from the round that was read to the renewed one."""
    return {
        "id_": before.id,
        "from_round": before.round,
        "from_state": before.state.value,
        **{name: getattr(after, name) for name in _ROUND},
    }
