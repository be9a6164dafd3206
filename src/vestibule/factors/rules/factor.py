"""A second factor: its kinds, its states, what it proves."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from vestibule.base.errors import Refused
from vestibule.sessions.rules import Assurance, Proof, assurance_of

LABEL_MAX: Final = 40
"""Characters of a name."""
MOST_OF_A_KIND: Final = 10
"""Apps or passkeys that one account may have, waiting ones included."""


class Kind(StrEnum):
    """What a factor is. A phone with the app is none of these: it is an enrollment."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODES = "recovery_codes"
    CODE_CARD = "code_card"
    TEMPORARY_PASS = "temporary_pass"  # noqa: S105  -- the name of a kind


LASTING: Final = frozenset({Kind.TOTP, Kind.PASSKEY})
"""Kinds that neither run out nor are used up."""

_PROOFS: Final[Mapping[Kind, Proof]] = MappingProxyType(
    {
        Kind.TOTP: Proof.TOTP,
        Kind.PASSKEY: Proof.PASSKEY,
        Kind.RECOVERY_CODES: Proof.RECOVERY_CODE,
        Kind.CODE_CARD: Proof.CODE_CARD,
        Kind.TEMPORARY_PASS: Proof.TEMPORARY_PASS,
    }
)


class State(StrEnum):
    """Where a factor stands: derived from its row's times, never stored."""

    WAITING = "waiting"
    """Made, and not yet proven to work."""
    USABLE = "usable"
    SPENT = "spent"
    """Used up, or past its time."""
    REMOVED = "removed"


class Event(StrEnum):
    """What can happen to a factor."""

    CONFIRM = "confirm"
    USE = "use"
    SPEND = "spend"
    """The use after which nothing is left."""
    RENEW = "renew"
    REMOVE = "remove"


MOVES: Final[Mapping[tuple[State, Event], State]] = MappingProxyType(
    {
        (State.WAITING, Event.CONFIRM): State.USABLE,
        (State.WAITING, Event.REMOVE): State.REMOVED,
        (State.USABLE, Event.USE): State.USABLE,
        (State.USABLE, Event.SPEND): State.SPENT,
        (State.USABLE, Event.RENEW): State.USABLE,
        (State.USABLE, Event.REMOVE): State.REMOVED,
        (State.SPENT, Event.RENEW): State.USABLE,
        (State.SPENT, Event.REMOVE): State.REMOVED,
    }
)

_REFUSALS: Final = {
    State.WAITING: "factor_unconfirmed",
    State.USABLE: "factor_confirmed",
    State.SPENT: "factor_spent",
    State.REMOVED: "factor_unknown",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A factor as its owner sees it. Times are milliseconds since the epoch."""

    id: str
    account_id: str
    kind: Kind
    label: str
    """Its owner's name for it."""
    created_at: int
    confirmed_at: int | None
    used_at: int | None
    expires_at: int | None
    left: int | None = None
    """Recovery codes that are not used yet; None for other kinds."""

    @property
    def proof(self) -> Proof:
        """What using it shows."""
        return proof_of(self.kind)

    @property
    def assurance(self) -> Assurance:
        """How sure using it makes us."""
        return assurance_of(self.proof)

    def state(self, now: int) -> State:
        """Where it stands."""
        if self.confirmed_at is None:
            return State.WAITING
        return State.SPENT if self.expires_at is not None and now >= self.expires_at else _USABLE

    def usable(self, now: int) -> bool:
        """Whether it may answer for its owner."""
        return self.state(now) is State.USABLE


_USABLE: Final = State.USABLE


def proof_of(kind: Kind) -> Proof:
    """What using a factor of this kind shows."""
    return _PROOFS[kind]


def move(state: State, event: Event) -> State:
    """The state after ``event``. Raises Refused with the code of where the factor stands."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise Refused(_REFUSALS[state]) from None


def clean_label(label: str) -> str:
    """A name without control characters and needless space. Raises ``factor_name_invalid``."""
    name = " ".join(unicodedata.normalize("NFC", label).split())
    if not 1 <= len(name) <= LABEL_MAX or not name.isprintable():
        raise Refused("factor_name_invalid", most=LABEL_MAX)
    return name


def sms_allowed(*, on: bool, phones: int) -> bool:
    """Whether a code by text message may stand for a second factor.

    Text messages can be redirected: they carry new clients to their first phone, and end there.
    """
    return on and phones == 0
