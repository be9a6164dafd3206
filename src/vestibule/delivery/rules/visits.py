"""What becomes of a program at the door, and how it is told to the owner. Pure."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vestibule.delivery.rules.home import Door
from vestibule.delivery.rules.networks import allowed

AGAIN_MS: Final = 600_000
"""The same once more within this long is counted with the time before."""
TOGETHER_MS: Final = 86_400_000
"""A line of the log holds no more than this: a program that tries for ever fills a line a day."""
VISITS_MOST: Final = 1_000
"""Of accepted ones, and as many of refused ones: refusals push no visit out of the log."""
OWNERS_MOST: Final = 20
"""So many homes at most are told of one program: of a shared key, or a shared address."""
OFFERED_MOST: Final = 10

_USERNAME_MOST: Final = 64
_PROGRAM_MOST: Final = 80
_DETAIL_MOST: Final = 200
_COMBINING_MOST: Final = 2


class Outcome(StrEnum):
    """What became of a program that connected."""

    ACCEPTED = "accepted"
    USERNAME_UNKNOWN = "username_unknown"
    OFF = "off"
    """The owner has delivery switched off, or the account is disabled."""
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    KEY_NOT_REGISTERED = "key_not_registered"
    NO_KEY_OFFERED = "no_key_offered"
    ALGORITHM_TOO_OLD = "algorithm_too_old"
    SIGNATURE_WRONG = "signature_wrong"
    TOO_MANY = "too_many"
    TIMED_OUT = "timed_out"
    LOST = "lost"


def judge(door: Door | None, *, fingerprint: str | None, address: str) -> Outcome:
    """What becomes of a program at this door with this key, from this address.

    ``fingerprint`` is that of a key whose signature was right (or will be asked for); None where
    none was offered. In the order of what its owner has to put right first.
    """
    if door is None:
        return Outcome.USERNAME_UNKNOWN
    if not door.enabled:
        return Outcome.OFF
    if not allowed(door.networks, address):
        return Outcome.ADDRESS_NOT_ALLOWED
    if fingerprint is None:
        return Outcome.NO_KEY_OFFERED
    if fingerprint not in door.keys:
        return Outcome.KEY_NOT_REGISTERED
    return Outcome.ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One line of the log that the owner reads. Times are milliseconds."""

    id: str
    account_id: str
    at: int
    last_at: int
    times: int
    """How often the same happened between the two."""
    username: str
    """As the program gave it, cleaned."""
    address: str
    program: str
    """How the program calls itself, cleaned."""
    outcome: Outcome
    fingerprint: str | None
    """Of the key that let it in, or that it offered first."""
    key_id: str | None
    detail: Mapping[str, str | int | list[str]]
    """``offered``: all fingerprints, where there were several; else what the server said of it."""
    files: int
    bytes: int
    ended_at: int | None
    ended_as: Outcome | None
    """Why an accepted one ended; None: it goes on, or its program said goodbye."""

    @property
    def cursor(self) -> str:
        """Names the place after this line, for `service.list_visits`."""
        return f"{self.last_at}.{self.id}"


def cursor_from(typed: str | None) -> tuple[int, str]:
    """The place that a cursor names; the beginning for None and for what is none."""
    at, dot, id_ = (typed or "").partition(".")
    if not dot or not at.isascii() or not at.isdigit() or len(at) > 15:
        return 2**62, ""
    return int(at), id_[:64]


# --- words from the wire -----------------------------------------------------------------------


def clean_username(sent: str) -> str:
    """A username as a program sent it, fit to be shown: at most 64 characters."""
    return _cleaned(sent, _USERNAME_MOST)


def clean_program(sent: str) -> str:
    """A program's banner (RFC 4253, section 4.2), fit to be shown: at most 80 characters."""
    return _cleaned(sent.removeprefix("SSH-2.0-"), _PROGRAM_MOST)


def clean_fingerprint(sent: str) -> str:
    """A fingerprint as it is kept: at most 60 characters."""
    return _cleaned(sent, 60)


def clean_detail(
    given: Mapping[str, str | int], offered: tuple[str, ...] = ()
) -> dict[str, str | int | list[str]]:
    """What else is said of a visit: at most ten facts and ten fingerprints, each cut."""
    facts: dict[str, str | int | list[str]] = {
        _cleaned(name, 40): value if isinstance(value, int) else _cleaned(value, _DETAIL_MOST)
        for name, value in list(given.items())[:10]
    }
    if len(offered) > 1:
        facts["offered"] = [clean_fingerprint(one) for one in offered[:OFFERED_MOST]]
    return facts


def _cleaned(sent: str, most: int) -> str:
    """Only what is seen, on one line: no control, no bidirectional override, no lone surrogate.

    The log is read by people and by programs: a name must neither turn the line around nor begin
    a new one, and marks must not pile up over it.
    """
    kept: list[str] = []
    combining = 0
    for letter in unicodedata.normalize("NFC", sent[: 4 * most]):
        category = unicodedata.category(letter)
        combining = combining + 1 if category.startswith("M") else 0
        if combining > _COMBINING_MOST:
            continue
        if category.startswith("Z") or letter in "\t\r\n":
            kept.append(" ")
        elif not category.startswith("C"):
            kept.append(letter)
    return " ".join("".join(kept).split())[:most]
