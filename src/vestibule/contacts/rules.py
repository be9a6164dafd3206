"""What an address or a number may be, and when a code counts. Pure: no I/O, ``now`` is passed in.

A contact lives as the table says:

    new       added, not yet shown to be its owner's: it is sent a code, and nothing else
    verified  told what happens to the account; a number may receive codes
    removed   told for some days more, so that a thief cannot silence its owner
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

from vestibule.base.errors import Refused

MOST: Final = 5
"""Contacts of one kind that an account keeps."""
TRIES: Final = 5
"""Wrong codes that end a code."""
SENDS: Final = 5
"""Times that a code is sent for one subject before it rests until the last one has run out."""
_WAITS_MS: Final = (45_000, 60_000, 120_000, 300_000)
"""After the first, second … message; the last one for all that follow."""

_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN: Final = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_REACHED: Final = frozenset(
    {
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.VOIP,
    }
)

By = Literal["sms", "voice", "mail"]


class Kind(StrEnum):
    """What a contact is."""

    MAIL = "mail"
    NUMBER = "number"


class State(StrEnum):
    """Where a contact stands."""

    NEW = "new"
    VERIFIED = "verified"
    REMOVED = "removed"


class Event(StrEnum):
    """What moves a contact."""

    VERIFIED = "contact.verified"
    REMOVED = "contact.removed"


MOVES: Final = {
    (State.NEW, Event.VERIFIED): State.VERIFIED,
    (State.NEW, Event.REMOVED): State.REMOVED,
    (State.VERIFIED, Event.REMOVED): State.REMOVED,
}


def move(state: State, event: Event) -> State:
    """The next state. Raises Refused ``contact_unknown`` for what the table does not know."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise Refused("contact_unknown") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """An address or a number of an account. Times are milliseconds since the epoch."""

    id: str
    account_id: str
    kind: Kind
    address: str
    """An e-mail address with its domain in lower case, or a number in E.164."""
    state: State
    verified_at: int | None
    added_at: int
    removed_at: int | None
    preferred: bool

    @property
    def masked(self) -> str:
        """As much as its owner needs to recognise it, and a stranger cannot use."""
        return masked(self.kind, self.address)

    @property
    def written(self) -> str:
        """As its owner reads it: numbers in groups."""
        return written(self.kind, self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code under way. Times are milliseconds since the epoch."""

    subject: str
    contact_id: str
    purpose: str
    tries: int
    sends: int
    resend_at: int
    expires_at: int
    by: By
    used_at: int | None


# --- addresses ---------------------------------------------------------------------------------


def mail_address(typed: str) -> str:
    """An e-mail address as kept: the domain in lower case and ASCII (RFC 5321, RFC 5891).

    The part before the @ stays as typed, for its server may tell capitals apart. Raises Refused
    ``contact_invalid``.
    """
    local, at, domain = typed.strip().rpartition("@")
    try:
        plain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise Refused("contact_invalid") from None
    if not at or len(local) > 64 or len(plain) > 253:
        raise Refused("contact_invalid")
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(plain):
        raise Refused("contact_invalid")
    return f"{local}@{plain}"


def number(typed: str, country: str) -> str:
    """A telephone number in E.164. `country` (ISO 3166) reads numbers written without +.

    Numbers that cost more than a call, and those that nobody answers, are refused. Raises Refused
    ``contact_invalid``.
    """
    text = typed.strip()
    if text.startswith("00"):
        text = f"+{text[2:]}"
    try:
        parsed = phonenumbers.parse(text[:40], country or None)
    except NumberParseException:
        raise Refused("contact_invalid") from None
    if not phonenumbers.is_valid_number(parsed) or parsed.extension:
        raise Refused("contact_invalid")
    if phonenumbers.number_type(parsed) not in _REACHED:
        raise Refused("contact_invalid")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def countries() -> dict[str, int]:
    """Every country with numbers (ISO 3166) and its calling code."""
    return {
        country: phonenumbers.country_code_for_region(country)
        for country in sorted(phonenumbers.SUPPORTED_REGIONS)
    }


def can_be_called_only(address: str) -> bool:
    """Whether a number takes calls and no texts, as far as the numbering plan tells."""
    kind = phonenumbers.number_type(phonenumbers.parse(address))
    return bool(kind == PhoneNumberType.FIXED_LINE)


def masked(kind: Kind, address: str) -> str:
    """``+39 ••• 89`` or ``m•••@example.org``: known to its owner, of no use to others."""
    if kind is Kind.MAIL:
        local, _, domain = address.rpartition("@")
        return f"{local[:1]}•••@{domain}"
    parsed = phonenumbers.parse(address)
    return f"+{parsed.country_code} ••• {address[-2:]}"


def written(kind: Kind, address: str) -> str:
    """An address as its owner reads it: numbers in the groups of their country."""
    if kind is Kind.MAIL:
        return address
    parsed = phonenumbers.parse(address)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


# --- codes -------------------------------------------------------------------------------------


def resend_wait(sends: int) -> int:
    """Milliseconds between the n-th message and the next: longer each time."""
    return _WAITS_MS[min(sends, len(_WAITS_MS)) - 1]


def demand_way(contact: Contact, *, purpose: str, by: By) -> None:
    """Refuse to send a code where it must not go.

    Nothing but the verification itself goes to what is not verified yet: else whoever adds an
    address would receive the account's codes. And no code that proves somebody goes by mail (NIST
    SP 800-63B-4, section 3.1.3.1). Raises Refused ``contact_unverified``, ``way_unavailable``.
    """
    if contact.state is State.REMOVED:
        raise Refused("contact_unknown")
    if purpose != "verify" and contact.state is not State.VERIFIED:
        raise Refused("contact_unverified")
    if (contact.kind is Kind.MAIL) != (by == "mail") or (by == "mail" and purpose != "verify"):
        raise Refused("way_unavailable")


def demand_sendable(code: Code | None, *, now: int) -> int:
    """How many messages there will have been with the next one.

    Raises Refused ``code_wait`` with ``wait`` in seconds.
    """
    if code is None or now >= code.expires_at:
        return 1
    # After the last one, only time helps: who has had five messages does not need a sixth.
    wait = code.expires_at - now if code.sends >= SENDS else code.resend_at - now
    if wait > 0:
        raise Refused("code_wait", wait=-(-wait // 1000), sends_left=max(0, SENDS - code.sends))
    return code.sends + 1


def demand_open(code: Code | None, *, now: int) -> Code:
    """The code, if it may be tried. Raises Refused ``sms_code_expired``, ``sms_code_spent``."""
    if code is None:
        raise Refused("sms_code_expired")
    if code.used_at is not None or code.tries >= TRIES:
        raise Refused("sms_code_spent")
    if now >= code.expires_at:
        raise Refused("sms_code_expired")
    return code


def digits(typed: str) -> str:
    """The six digits in what was typed; spaces and hyphens between them do not matter.

    Empty where they are not six digits: then they are not the code.
    """
    plain = "".join(typed.split()).replace("-", "")
    if len(plain) != 6 or not plain.isdecimal():
        return ""
    return "".join(str(int(letter)) for letter in plain)


def may_recover(contact: Contact, *, now: int, trust_ms: int) -> bool:
    """Whether a number has been verified for long enough to prove somebody who lost all else."""
    return (
        contact.kind is Kind.NUMBER
        and contact.state is State.VERIFIED
        and contact.verified_at is not None
        and now - contact.verified_at >= trust_ms
    )
