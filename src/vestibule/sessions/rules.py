"""When a portal session holds. Pure: no I/O, ``now`` is passed in."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# One write a minute at most for "last seen", however many pages are looked at.
TOUCH_MS: Final = 60_000


class Proof(StrEnum):
    """What was shown beside the password when the session was opened."""

    PASSWORD = "password"  # noqa: S105  -- nothing more: the account has no phone yet
    PUSH = "push"
    NUMBER = "number"
    RESPONSE = "response"


class EndReason(StrEnum):
    """Why a session is over before its time."""

    SIGNED_OUT = "signed_out"
    ENDED = "ended"
    """By the person, from the list of sessions."""
    PHONE_LINKED = "phone_linked"
    """A password alone no longer suffices."""
    PHONE_REMOVED = "phone_removed"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in browser, as every page needs it."""

    id: str
    account_id: str
    username: str
    display_name: str
    seamless: bool
    password_change_needed: bool
    proof: Proof
    enrollment_id: str | None
    opened_at: int
    expires_at: int

    @property
    def strong(self) -> bool:
        """Whether a phone was shown, not only a password."""
        return self.proof is not Proof.PASSWORD


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """One line of the list of sessions."""

    id: str
    proof: Proof
    enrollment_id: str | None
    browser: str
    address: str
    place: str
    opened_at: int
    seen_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBrowser:
    """A browser that may sign in without typing a number."""

    id: str
    """base64url of the digest of the browser's cookie: opens nothing."""
    browser: str
    place: str
    signed_in_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One audit event of an account, for its owner."""

    id: int
    at: int
    event: str
    source: str
    result: str
    """``ok``, or the code of the refusal."""
    detail: dict[str, str | int]


def alive(
    *, ended_at: int | None, expires_at: int, seen_at: int, disabled: bool, now: int, idle_ms: int
) -> bool:
    """Whether a session still opens pages."""
    return ended_at is None and not disabled and now < expires_at and now < seen_at + idle_ms
