"""A terminal that asks to be let in (RFC 8628): its states, its codes, its patience. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vestibule.base.errors import Refused

CLIENTS: Final = frozenset({"vestibule-terminal"})
"""Who may ask. They are programs on people's machines and keep no secret (RFC 8628 section 3.1)."""
INTERVAL_S: Final = 5
_SECOND_MS: Final = 1000
SLOWER_S: Final = 5
"""What is added for each call that came too soon (RFC 8628 section 3.5)."""
NAME_MAX: Final = 60

# Consonants alone make no words, and none of these is taken for another (RFC 8628 section 6.1).
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
_CODE_LENGTH: Final = 8
_BETWEEN: Final = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212_."


class Way(StrEnum):
    """How a terminal asks."""

    DEVICE = "device"
    """It shows a code, which its user types on the portal."""
    CHALLENGE = "challenge"
    """It sends username and password, and shows a challenge."""


class State(StrEnum):
    """Where a grant stands. Running out of time is not stored."""

    PENDING = "pending"
    ASKED = "asked"
    """A phone is asked."""
    APPROVED = "approved"
    DENIED = "denied"
    COLLECTED = "collected"
    """The terminal has its token."""


class Event(StrEnum):
    """What can happen to a grant."""

    ASK = "ask"
    APPROVE = "approve"
    DENY = "deny"
    COLLECT = "collect"


# What is not in this table is refused. Asking twice is: another phone, or another try.
MOVES: Final[dict[tuple[State, Event], State]] = {
    (State.PENDING, Event.ASK): State.ASKED,
    (State.PENDING, Event.APPROVE): State.APPROVED,
    (State.PENDING, Event.DENY): State.DENIED,
    (State.ASKED, Event.ASK): State.ASKED,
    (State.ASKED, Event.APPROVE): State.APPROVED,
    (State.ASKED, Event.DENY): State.DENIED,
    (State.APPROVED, Event.COLLECT): State.COLLECTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One terminal's wish to sign in. Times are milliseconds since the epoch."""

    id: str
    way: Way
    account_id: str | None
    """Whose it becomes: None until somebody confirms it."""
    state: State
    name: str
    """What the terminal calls itself; only shown."""
    address: str
    place: str
    attempt_id: str | None
    """The attempt in which a phone is asked."""
    held: bytes | None
    """The sealed secret that follows that attempt."""
    proof: str | None
    enrollment_id: str | None
    interval_s: int
    polled_at: int
    opened_at: int
    expires_at: int


class Turn(StrEnum):
    """What a terminal that asks for its token is told, by the names of RFC 6749 and 8628."""

    TOKEN = "token"  # noqa: S105  -- a name
    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    SPENT = "invalid_grant"


def move(state: State, event: Event) -> State:
    """The state after `event`. Raises Refused `already_answered`."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise Refused("already_answered", state=state.value) from None


def turn_of(grant: Grant, *, now: int) -> Turn:
    """What to answer a terminal that asks at `now`."""
    if grant.state is State.COLLECTED:
        return Turn.SPENT
    if grant.state is State.DENIED:
        return Turn.DENIED
    if now >= grant.expires_at:
        return Turn.EXPIRED
    if now < grant.polled_at + grant.interval_s * _SECOND_MS:
        return Turn.SLOW_DOWN
    return Turn.TOKEN if grant.state is State.APPROVED else Turn.PENDING


def demand_open(grant: Grant, *, now: int) -> None:
    """Refuse a code that is over or was answered (`user_code_over`)."""
    if now >= grant.expires_at or grant.state in (State.DENIED, State.COLLECTED, State.APPROVED):
        raise Refused("user_code_over")


def clean_name(typed: str) -> str:
    """A terminal's name as shown: one line, printable, cut to 60 characters; never empty."""
    shown = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", typed))
    return " ".join(shown.split())[:NAME_MAX].strip() or "vestibule login"


def make_user_code(random: bytes) -> str:
    """Eight letters out of 16 random bytes: 34 bits, each letter as likely as any other."""
    number = int.from_bytes(random, "big")
    letters = []
    for _ in range(_CODE_LENGTH):
        number, at = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[at])
    return "".join(letters)


def shown_user_code(code: str) -> str:
    """The code as people read it: ``BCDF-GHJK``."""
    return f"{code[:4]}-{code[4:]}"


def parse_user_code(typed: str) -> str:
    """A typed code without what people put between. Raises Refused `user_code_unknown`."""
    folded = unicodedata.normalize("NFKC", typed).upper()
    code = "".join(c for c in folded if c not in _BETWEEN and not c.isspace())
    if len(code) != _CODE_LENGTH or any(letter not in _LETTERS for letter in code):
        raise Refused("user_code_unknown")
    return code
