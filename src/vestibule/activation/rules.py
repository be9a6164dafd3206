"""An activation ticket's states and the decisions about it. Pure: no I/O, ``now`` is passed in.

A ticket is used up by a successful enrolment and by nothing that merely looks at it: a reload, or
the way through an app store, must not cost a person their code.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vestibule.base.errors import Refused
from vestibule.devices.rules import Enrollment


class State(StrEnum):
    """Where a stored ticket stands. Running out of time is not stored: `refusal` derives it."""

    OPEN = "open"
    REDEEMED = "redeemed"
    EXHAUSTED = "exhausted"
    WITHDRAWN = "withdrawn"


class Authority(StrEnum):
    """What stood behind a ticket."""

    SESSION = "session"
    """A signed-in browser, to which it was shown."""
    SMS = "sms"
    """Username, password and a text message or call."""
    RECOVERY_CODE = "recovery_code"
    """Username, password and a printed code."""
    PHONE = "phone"
    """Username, password and another phone's approval."""


class Event(StrEnum):
    """What can happen to a ticket."""

    REDEEM = "redeem"
    WRONG_CODE = "wrong_code"
    SPEND = "spend"
    """The last wrong code that it stands."""
    WITHDRAW = "withdraw"


MOVES: Final[dict[tuple[State, Event], State]] = {
    (State.OPEN, Event.REDEEM): State.REDEEMED,
    (State.OPEN, Event.WRONG_CODE): State.OPEN,
    (State.OPEN, Event.SPEND): State.EXHAUSTED,
    (State.OPEN, Event.WITHDRAW): State.WITHDRAWN,
}

_REFUSALS: Final = {
    State.REDEEMED: "ticket_used",
    State.EXHAUSTED: "ticket_exhausted",
    State.WITHDRAWN: "ticket_withdrawn",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket as its owner sees it. Times are milliseconds since the epoch."""

    id: str
    state: State
    code: str
    """``ABCD-EFGH-JKMN``"""
    link: str
    expires_at: int
    label: str | None
    """Name of the phone that redeemed it."""
    replaces: str | None = None
    """The enrollment whose place the new one takes: a new PIN for that phone."""

    def live(self, now: int) -> bool:
        """Whether it may still be redeemed."""
        return self.state is State.OPEN and now < self.expires_at


def move(state: State, event: Event) -> State:
    """The state after ``event``. Raises Refused with the code of what became of the ticket."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise Refused(_REFUSALS[state]) from None


def refusal(*, state: State, expires_at: int, session_ended: bool, now: int) -> str | None:
    """Why a ticket cannot be redeemed, or None.

    The end of the session that it was made in withdraws it: whoever signs out takes it along.
    """
    if state is not State.OPEN:
        return _REFUSALS[state]
    if session_ended:
        return "ticket_withdrawn"
    return "ticket_expired" if now >= expires_at else None


def wrong_code(tries: int, *, most: int) -> tuple[Event, int]:
    """The event of one more wrong code under a ticket's locator, and the tries left after it."""
    left = max(0, most - tries - 1)
    return (Event.WRONG_CODE if left else Event.SPEND), left


def may_add_phone(*, has_phone: bool, strong: bool) -> bool:
    """Whether a session may bring a phone: the first by password, any other by a phone."""
    return strong or not has_phone


def same_device(phone: Enrollment, device_id: str) -> bool:
    """Whether an active enrollment stands in the way of another one on that device."""
    return phone.device_id == device_id and phone.retires_at is None


def masked(name: str) -> str:
    """A name for the confirmation screen of a phone that is not linked yet: ``m…i``."""
    return f"{name[:1]}…{name[-1:]}"
