"""A login attempt's states and the decisions about it. Pure: no I/O, `now` is passed in.

A LoginAttempt begins when a password was accepted and ends in a session or without one.
Push approval and typed response move the same record through the same table, so whichever
final event comes first wins and no other can follow it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vestibule.base.errors import Refused


class Kind(StrEnum):
    """What an attempt is for."""

    SIGN_IN = "sign-in"
    STEP_UP = "step-up"
    """A session proves again that its owner is there."""
    MIGRATION = "migration"
    """A new phone takes over from the one that is asked."""
    TERMINAL = "terminal"


class State(StrEnum):
    """Where a stored attempt stands. Running out of time is not stored: `next_step` derives it."""

    UNCLAIMED = "unclaimed"
    """Begun without a username: its page shows a rotating QR code, and any phone may claim it."""
    CHOOSING = "choosing"
    WAITING = "waiting"
    APPROVED = "approved"
    COLLECTED = "collected"
    DENIED = "denied"
    REPORTED = "reported"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What can happen to an attempt."""

    CHOOSE = "choose"
    CLAIM = "claim"
    AGAIN = "again"
    APPROVE = "approve"
    DENY = "deny"
    REPORT = "report"
    WRONG_NUMBER = "wrong_number"
    WRONG_PROOF = "wrong_proof"
    PROOFS_SPENT = "proofs_spent"
    RESPOND = "respond"
    WRONG_RESPONSE = "wrong_response"
    RESPOND_AGAIN = "respond_again"
    PROVE = "prove"
    """A right answer of a factor that is no phone."""
    COLLECT = "collect"
    CANCEL = "cancel"


# What is not in this table is refused. Two lines need their reason:
# a report is taken even after an approval, because a person may notice too late, and then
# ends what came of it; a wrong number ends the attempt, because six digits allow one guess.
MOVES: Final[dict[tuple[State, Event], State]] = {
    (State.UNCLAIMED, Event.CLAIM): State.WAITING,
    (State.UNCLAIMED, Event.CANCEL): State.CANCELLED,
    (State.CHOOSING, Event.CHOOSE): State.WAITING,
    (State.CHOOSING, Event.CLAIM): State.WAITING,
    (State.CHOOSING, Event.CANCEL): State.CANCELLED,
    (State.WAITING, Event.CHOOSE): State.WAITING,
    (State.WAITING, Event.CLAIM): State.WAITING,
    (State.WAITING, Event.AGAIN): State.WAITING,
    (State.WAITING, Event.APPROVE): State.APPROVED,
    (State.WAITING, Event.DENY): State.DENIED,
    (State.WAITING, Event.REPORT): State.REPORTED,
    (State.WAITING, Event.WRONG_NUMBER): State.FAILED,
    (State.WAITING, Event.WRONG_PROOF): State.WAITING,
    (State.WAITING, Event.PROOFS_SPENT): State.FAILED,
    (State.WAITING, Event.RESPOND): State.COLLECTED,
    (State.WAITING, Event.PROVE): State.COLLECTED,
    (State.WAITING, Event.WRONG_RESPONSE): State.WAITING,
    (State.WAITING, Event.RESPOND_AGAIN): State.WAITING,
    (State.WAITING, Event.CANCEL): State.CANCELLED,
    (State.APPROVED, Event.COLLECT): State.COLLECTED,
    (State.APPROVED, Event.REPORT): State.REPORTED,
    (State.APPROVED, Event.CANCEL): State.CANCELLED,
    (State.COLLECTED, Event.REPORT): State.REPORTED,
}

PROOF_TRIES: Final = 3
RESPONSE_TRIES: Final = 3
# A request with less life than this is renewed by "send again" instead of being nudged about.
RENEW_BELOW_MS: Final = 30_000


class Step(StrEnum):
    """What the browser is to do next; the one answer that `/login/next` gives."""

    SHOW_CODE = "show_code"
    CHOOSE = "choose"
    WAIT = "wait"
    PROVE = "prove"
    RESUME = "resume"
    COLLECT = "collect"
    DENIED = "denied"
    REPORTED = "reported"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DONE = "done"


class NumberEntry(StrEnum):
    """When the number shown in the browser must be typed on the phone."""

    UNLESS_KNOWN = "unless-known-browser"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A stored attempt. Times are milliseconds since the epoch."""

    id: str
    kind: Kind
    account_id: str
    """Empty until a phone claims a sign-in that was begun without a username."""
    session_id: str | None
    """The session that a step-up proves."""
    detail: str
    """What it is for, as the phone shows it; empty for a sign-in."""
    enrollment_id: str | None
    factor_id: str | None
    """What was chosen in place of a phone."""
    state: State
    round: int
    known: bool
    push: bool
    number: bool
    challenge: str
    tries: int
    proofs: int
    resync_counter: int | None
    request: str | None
    request_expires_at: int
    challenge_expires_at: int
    expires_at: int
    browser: str
    address: str
    place: str
    claimed: bool = False
    """The phone that is asked has scanned this browser's code, in this round."""
    passwordless: bool = False
    """No password was typed: only the phone that claimed it may answer, and only by approving."""


def move(state: State, event: Event) -> State:
    """The state after `event`; `Refused("already_answered")` for what the table does not allow."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise Refused("already_answered", state=state.value) from None


def next_step(attempt: Attempt, *, now: int) -> Step:
    """What the browser that began `attempt` is to do at `now`."""
    if attempt.state is State.COLLECTED:
        return Step.DONE
    if attempt.state in (State.DENIED, State.REPORTED, State.FAILED, State.CANCELLED):
        return Step(attempt.state.value)
    if now >= attempt.expires_at:
        return Step.EXPIRED
    if attempt.state is State.APPROVED:
        return Step.COLLECT
    if attempt.state is State.UNCLAIMED:
        return Step.SHOW_CODE
    if attempt.state is State.CHOOSING:
        return Step.CHOOSE
    if now >= attempt.request_expires_at and now >= attempt.challenge_expires_at:
        return Step.EXPIRED if attempt.passwordless else Step.RESUME
    return Step.PROVE if attempt.factor_id else Step.WAIT


def number_needed(
    policy: NumberEntry, *, known: bool, others: int, kind: Kind = Kind.SIGN_IN
) -> bool:
    """Whether the number must be typed before an approval.

    With several attempts at once it always must be: only the number tells them apart, and
    a second attempt may be somebody else's. What is more than a sign-in asks for it too: there
    a tap out of habit would cost more.
    """
    if others > 0 or policy is NumberEntry.ALWAYS:
        return True
    if kind is not Kind.SIGN_IN and policy is not NumberEntry.NEVER:
        return True
    return policy is NumberEntry.UNLESS_KNOWN and not known


def renewal_needed(attempt: Attempt, *, now: int) -> bool:
    """Whether "send again" must make a new request and challenge, or may repeat the nudge."""
    left = min(attempt.request_expires_at, attempt.challenge_expires_at) - now
    return left < RENEW_BELOW_MS or attempt.tries >= RESPONSE_TRIES


def answerable(attempt: Attempt, event: Event, *, now: int) -> None:
    """Refuse an answer from the phone that comes too late or second."""
    move(attempt.state, event)
    if attempt.state is State.WAITING and now >= attempt.request_expires_at:
        raise Refused("request_expired")


def demand_password(attempt: Attempt) -> None:
    """Refuse what a browser may ask for only after a right password (`password_needed`).

    Else somebody whose code was scanned could go on from there by other ways: have notifications
    sent, choose another phone, or be read eight digits over the telephone.
    """
    if attempt.passwordless:
        raise Refused("password_needed")


def claimable(
    attempt: Attempt, *, account_id: str, enrollment_id: str, token_holds: bool, now: int
) -> bool:
    """Whether a phone's claim has still to be written; False: the same phone repeats itself.

    Raises Refused `claim_over`, `claim_taken` or `claim_other_account`.
    """
    live = attempt.kind is Kind.SIGN_IN and (attempt.state, Event.CLAIM) in MOVES
    if not live or now >= attempt.expires_at:
        raise Refused("claim_over")
    if attempt.claimed:
        if attempt.enrollment_id != enrollment_id:
            raise Refused("claim_taken")
        if now < attempt.request_expires_at:
            return False
    if not token_holds:
        raise Refused("claim_over")
    if attempt.account_id and attempt.account_id != account_id:
        raise Refused("claim_other_account")
    return True


def respondable(attempt: Attempt, *, now: int) -> None:
    """Refuse a typed response that comes too late, second, or once too often."""
    demand_password(attempt)
    move(attempt.state, Event.RESPOND)
    if now >= attempt.challenge_expires_at or now >= attempt.expires_at:
        raise Refused("challenge_expired")
    if attempt.tries >= RESPONSE_TRIES:
        raise Refused("challenge_spent")


def wrong_proof(attempt: Attempt) -> tuple[Event, int]:
    """The event of one more wrong proof, and how many tries are left after it."""
    left = max(0, PROOF_TRIES - attempt.proofs - 1)
    return (Event.WRONG_PROOF if left else Event.PROOFS_SPENT), left


def provable(attempt: Attempt, *, now: int) -> str:
    """The factor that is asked; refuses an answer that comes too late or second."""
    move(attempt.state, Event.PROVE)
    if now >= attempt.expires_at or now >= attempt.challenge_expires_at:
        raise Refused("attempt_expired")
    if attempt.factor_id is None:
        raise Refused("factor_unknown")
    return attempt.factor_id


PHONE: Final = "phone"
SMS: Final = "sms"
PASSKEY: Final = "passkey"
_RESERVES: Final = frozenset({"recovery_codes", "temporary_pass"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to answer, as the chooser lists it. Times are milliseconds since the epoch."""

    id: str
    kind: str
    """``phone``, ``sms``, or the kind of a factor."""
    label: str
    """Its owner's name for it; of a number what its owner recognises."""
    platform: str = ""
    used_at: int | None = None
    added_at: int = 0

    @property
    def reserve(self) -> bool:
        """Whether it is kept for the day when nothing else is at hand."""
        return self.kind in _RESERVES


def in_order(ways: Iterable[Way]) -> tuple[Way, ...]:
    """The last used first, then phones; what is kept in reserve last, whenever it was used."""

    def key(way: Way) -> tuple[bool, int, bool, int]:
        return way.reserve, -(way.used_at or 0), way.kind != PHONE, -way.added_at

    return tuple(sorted(ways, key=key))


def taken_at_once(ways: tuple[Way, ...]) -> Way | None:
    """The way that need not be chosen, of `ways` in their order (docs/decisions/0007).

    The only one. Or the only phone, where it is what its owner used last: a remembered choice,
    and the page has the others at hand. Two phones are a choice each time, and so is a phone beside
    something that was used since.
    """
    daily = [way for way in ways if not way.reserve] or list(ways)
    if len(daily) == 1:
        return daily[0]
    phones = [way for way in daily if way.kind == PHONE]
    first = daily[0] if daily else None
    if len(phones) == 1 and first is not None and (first.used_at or 0) <= (phones[0].used_at or 0):
        return phones[0]
    return None


def twins(ways: tuple[Way, ...]) -> frozenset[str]:
    """The ways whose name and model another one has too: only their dates tell them apart."""
    return frozenset(
        way.id
        for way in ways
        if any(
            other.id != way.id and (other.label, other.platform) == (way.label, way.platform)
            for other in ways
        )
    )
