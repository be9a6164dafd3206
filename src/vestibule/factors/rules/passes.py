"""Temporary passes: asked for by one member of staff, given by another."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from vestibule.base.errors import Refused

REASON_MIN: Final = 10
REASON_MAX: Final = 300
_DAY_MS: Final = 86_400_000
REQUEST_MS: Final = _DAY_MS
"""How long a request waits for the second member."""
REMEMBERED_MS: Final = 365 * _DAY_MS
"""A pass older than this no longer stands in the way of another."""


class State(StrEnum):
    """Where a request stands. Running out of time is not stored: `state_of` derives it."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Event(StrEnum):
    """What can happen to a request."""

    CONFIRM = "confirm"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    """By who asked."""


MOVES: Final[Mapping[tuple[State, Event], State]] = MappingProxyType(
    {
        (State.OPEN, Event.CONFIRM): State.CONFIRMED,
        (State.OPEN, Event.REFUSE): State.REFUSED,
        (State.OPEN, Event.WITHDRAW): State.WITHDRAWN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRequest:
    """A request as staff sees it. Times are milliseconds since the epoch."""

    id: str
    account_id: str
    username: str
    display_name: str
    state: State
    asked_by: str
    """Account id of the member who asked."""
    asker: str
    """Username of that member."""
    decider: str | None
    reason: str
    asked_at: int
    decided_at: int | None
    expires_at: int
    pass_used_at: int | None
    pass_expires_at: int | None
    """When the pass runs out, or ran out by being used."""


def state_of(stored: State, *, expires_at: int, now: int) -> State:
    """The state of a request at a moment."""
    return State.EXPIRED if stored is State.OPEN and now >= expires_at else stored


def move(state: State, event: Event) -> State:
    """The state after ``event``. Raises Refused ``pass_decided``: somebody was faster, or time."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise Refused("pass_decided") from None


def clean_reason(reason: str) -> str:
    """A reason on one line. Raises Refused ``pass_reason_invalid``."""
    text = " ".join(unicodedata.normalize("NFC", reason).split())
    if not REASON_MIN <= len(text) <= REASON_MAX or not text.isprintable():
        raise Refused("pass_reason_invalid", least=REASON_MIN, most=REASON_MAX)
    return text


def demand_not_in_a_row(*, last_pass: int | None, lasting_since: bool, now: int) -> None:
    """Refuse a pass after a pass, with no phone, app or passkey between (``pass_in_a_row``).

    A pass carries its owner to something that lasts. Who comes for a second one without that
    makes a habit of it, or is somebody else.
    """
    recent = last_pass is not None and now - last_pass < REMEMBERED_MS
    if recent and not lasting_since:
        raise Refused("pass_in_a_row")
