"""What a phone says of itself: what may be sent, how often, and what becomes of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vestibule.base.errors import Malformed, Refused

_SECOND: Final = 1_000
_DAY: Final = 86_400 * _SECOND
TEXT_MOST: Final = 32 << 10
"""Bytes of a diagnosis, as UTF-8."""
BODY_MOST: Final = 4 * TEXT_MOST
"""Bytes of the call that brings it: JSON may write a character of one byte as six."""
SENT_A_DAY: Final = 5
"""Of one account, whatever became of them."""


class State(StrEnum):
    """Where a diagnosis stands."""

    KEPT = "kept"
    """For its owner alone: no member of staff can reach it."""
    ATTACHED = "attached"
    """It is a file of a conversation now, and nothing here any more."""
    DELETED = "deleted"
    GONE = "gone"
    """Nobody attached it in time."""


class Event(StrEnum):
    """What can happen to a diagnosis."""

    ATTACH = "attach"
    DELETE = "delete"
    EXPIRE = "expire"


MOVES: Final[dict[tuple[State, Event], State]] = {
    (State.KEPT, Event.ATTACH): State.ATTACHED,
    (State.KEPT, Event.DELETE): State.DELETED,
    (State.KEPT, Event.EXPIRE): State.GONE,
}
"""What is not in this table is refused: each of these is the end, and takes the text away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """A stored diagnosis, without its text. Times are milliseconds since the epoch."""

    id: str
    account_id: str
    label: str
    """What the phone was called when it sent it."""
    reference: str
    """``4F7K-9QZM``: names it to its owner, and is no secret."""
    state: State
    at: int
    expires_at: int

    @property
    def file_name(self) -> str:
        """What it is called as an attachment."""
        return f"diagnosis-{self.reference}.txt"


def move(state: State, event: Event) -> State:
    """The state after ``event``. Raises Refused ``diagnosis_unknown``."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise Refused("diagnosis_unknown") from None


# What is not seen, and what makes a text show something else than it says (spec section 7).
_UNSEEN: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)


def demand_text(text: str) -> None:
    """Refuse what its reader could not read as it is.

    It is refused and not cleaned: what is kept is what its owner was shown before. Raises
    Malformed ``diagnosis_text`` or ``body_too_large``.
    """
    if not text.strip() or _UNSEEN.search(text):
        raise Malformed("diagnosis_text")
    if len(text.encode()) > TEXT_MOST:
        raise Malformed("body_too_large", most=TEXT_MOST)


def demand_room(sent_at: Sequence[int], now: int) -> None:
    """Refuse one more of an account that has sent at these times within the last day.

    Raises Refused ``diagnoses_many`` with ``wait``, seconds.
    """
    if len(sent_at) >= SENT_A_DAY:
        wait = sorted(sent_at)[-SENT_A_DAY] + _DAY - now
        raise Refused("diagnoses_many", most=SENT_A_DAY, wait=max(1, -(-wait // _SECOND)))
