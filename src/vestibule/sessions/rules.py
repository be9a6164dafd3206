"""When a portal session holds. Pure: no I/O, ``now`` is passed in."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from vestibule.base.errors import Refused

# One write a minute at most for "last seen", however many pages are looked at.
TOUCH_MS: Final = 60_000


class Proof(StrEnum):
    """What was shown beside the password when the session was opened, or since."""

    PASSWORD = "password"  # noqa: S105  -- nothing more: the account has no second factor yet
    PUSH = "push"
    NUMBER = "number"
    RESPONSE = "response"
    QR = "qr"
    PASSKEY = "passkey"
    TOTP = "totp"
    CODE_CARD = "code_card"
    RECOVERY_CODE = "recovery_code"
    TEMPORARY_PASS = "temporary_pass"  # noqa: S105  -- the name of a factor
    SMS = "sms"


class Assurance(IntEnum):
    """How sure a proof makes us; pages demand a level, never a particular proof."""

    PASSWORD = 1
    BASIC = 2
    """A second factor that can be copied, or read by others on its way."""
    STANDARD = 3
    """A key that never leaves its device."""
    HIGH = 4
    """Such a key, and a tie between it and this browser that a bare tap lacks."""


_ASSURANCE: Final = {
    Proof.PASSWORD: Assurance.PASSWORD,
    Proof.CODE_CARD: Assurance.BASIC,
    Proof.SMS: Assurance.BASIC,
    Proof.RECOVERY_CODE: Assurance.BASIC,
    Proof.TEMPORARY_PASS: Assurance.BASIC,
    Proof.PUSH: Assurance.STANDARD,
    Proof.RESPONSE: Assurance.STANDARD,
    Proof.TOTP: Assurance.STANDARD,
    Proof.NUMBER: Assurance.HIGH,
    Proof.QR: Assurance.HIGH,
    Proof.PASSKEY: Assurance.HIGH,
}


def assurance_of(proof: Proof) -> Assurance:
    """The level that a proof reaches."""
    return _ASSURANCE[proof]


# Only these make a browser known: what can be copied must not spare its thief the number later.
MAKES_KNOWN: Final = tuple(
    proof.value for proof, level in _ASSURANCE.items() if level >= Assurance.STANDARD
)


class Kind(StrEnum):
    """What holds a session's secret."""

    BROWSER = "browser"
    TERMINAL = "terminal"
    """A program, which sends it as a bearer token."""


class EndReason(StrEnum):
    """Why a session is over before its time."""

    SIGNED_OUT = "signed_out"
    ENDED = "ended"
    """By the person, from the list of sessions."""
    PHONE_LINKED = "phone_linked"
    """A password alone no longer suffices."""
    PHONE_REMOVED = "phone_removed"
    FACTOR_ADDED = "factor_added"
    """As after a phone was linked."""
    REPORTED = "reported"
    EXPOSED = "exposed"
    """Its cookie was in a file that somebody sent."""


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
    """The last one that counted: `risen` says which does."""
    proved_at: int
    """When that was, in milliseconds."""
    enrollment_id: str | None
    """The phone of that proof, if it was one."""
    factor_id: str | None
    """The other factor of that proof, if it was one."""
    outgrown: bool
    """Whether its account has got its first second factor since a password alone opened it."""
    language: str | None
    timezone: str | None
    networks: tuple[str, ...]
    """Where the account may be used from, as address/prefix; empty: from anywhere."""
    guarded_until: int | None
    """Until then (ms) what matters cannot be changed: the account was recovered."""
    renew_at: int | None
    """Minute of the day at which sessions end, if its owner chose one."""
    unread: bool
    """Whether there is a notice that its owner has not seen."""
    unread_message: bool
    """Whether the desk answered something that its owner has not read."""
    staff: bool
    """Whether the portal leads to the pages of staff; those ask for themselves who comes."""
    opened_at: int
    expires_at: int

    @property
    def assurance(self) -> Assurance:
        """How strong the session is."""
        return assurance_of(self.proof)

    @property
    def strong(self) -> bool:
        """Whether a second factor was shown, not only a password."""
        return self.assurance > Assurance.PASSWORD


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """One line of the list of sessions."""

    id: str
    kind: Kind
    proof: Proof
    proved_at: int
    enrollment_id: str | None
    browser: str
    address: str
    place: str
    opened_at: int
    seen_at: int
    expires_at: int

    @property
    def assurance(self) -> Assurance:
        """How strong the session is."""
        return assurance_of(self.proof)


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


def demand(session: Session, *, assurance: Assurance, within_ms: int, now: int) -> None:
    """Refuse a session that is too weak, or whose last proof is too old (``step_up_needed``)."""
    if session.assurance < assurance or now >= session.proved_at + within_ms:
        raise Refused("step_up_needed", level=int(assurance))


def risen(session: Session, proof: Proof, *, fresh_ms: int, now: int) -> bool:
    """Whether a new proof replaces the session's last one.

    A weaker one does so only when the stronger has grown old: proving something more must never
    take away what is open just now.
    """
    stale = now >= session.proved_at + fresh_ms
    return stale or assurance_of(proof) >= session.assurance
