"""An account's delivery home: its name, its keys, its certificate and what is told of statements.

Pure: no I/O, no clock.
"""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

KEYS_MOST: Final = 20
LABEL_MOST: Final = 60
KINDS: Final = ("daily", "monthly", "trade")
"""The kinds of statements, as their folders are called."""

# No letter or digit that another one is taken for: usernames are read out and typed off.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz"
_SIGNS: Final = _LETTERS + "23456789"
USERNAME_LENGTH: Final = 10
USERNAME_BYTES: Final = 16
"""How much randomness a username is made of."""


def username_from(random: bytes) -> str:
    """An SFTP username out of 16 random bytes: a letter, then letters and digits, 49 bits."""
    number = int.from_bytes(random, "big")
    number, first = divmod(number, len(_LETTERS))
    name = _LETTERS[first]
    while len(name) < USERNAME_LENGTH:
        number, sign = divmod(number, len(_SIGNS))
        name += _SIGNS[sign]
    return name


def username_key(typed: str) -> str:
    """The form under which an SFTP username is looked up; empty for what cannot be one."""
    name = typed.strip().lower()
    good = len(name) == USERNAME_LENGTH and all(sign in _SIGNS for sign in name)
    return name if good else ""


def label_from(typed: str, *, otherwise: str) -> str:
    """What a key is called: printable, on one line, at most 60 characters; never empty."""
    words = " ".join(unicodedata.normalize("NFC", typed).split())
    shown = "".join(letter for letter in words if letter.isprintable())[:LABEL_MOST].strip()
    return shown or otherwise


class Mailed(StrEnum):
    """What a mail about a new statement brings."""

    OFF = "off"
    NOTICE = "notice"
    ATTACHMENT = "attachment"
    """The file as well, where it is encrypted and small enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How one kind of statement is told of."""

    mail: Mailed = Mailed.NOTICE
    push: bool = False
    listed: bool = True
    """Whether it stands in the list of notices; without any way, nothing is told."""

    @property
    def silent(self) -> bool:
        """Whether nothing at all is told."""
        return self.mail is Mailed.OFF and not self.push and not self.listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """How each kind of statement is told of."""

    daily: Choice = field(default_factory=Choice)
    monthly: Choice = field(default_factory=Choice)
    trade: Choice = field(default_factory=Choice)

    def of(self, kind: str) -> Choice:
        """The choice for one of `KINDS`."""
        return {"daily": self.daily, "monthly": self.monthly, "trade": self.trade}[kind]

    @property
    def attaching(self) -> bool:
        """Whether any kind is sent along with its mail."""
        return any(self.of(kind).mail is Mailed.ATTACHMENT for kind in KINDS)

    def written(self) -> str:
        """As kept in the column."""
        return json.dumps(
            {
                kind: {
                    "mail": self.of(kind).mail.value,
                    "push": self.of(kind).push,
                    "list": self.of(kind).listed,
                }
                for kind in KINDS
            },
            separators=(",", ":"),
        )


def notices_of(stored: str) -> Notices:
    """The choices in the home's column."""
    return Notices(**{kind: _choice(given) for kind, given in json.loads(stored).items()})


def _choice(given: Mapping[str, Any]) -> Choice:
    return Choice(mail=Mailed(given["mail"]), push=given["push"], listed=given["list"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The OpenPGP certificate that an account's statements are encrypted to."""

    id: str
    fingerprint: str
    """Upper-case hexadecimal: 40 characters of version 4, 64 of version 6."""
    version: int
    user_id: str
    algorithm: str
    expires_at: int | None
    """Milliseconds; None: it does not expire."""
    added_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where an account's programs fetch its statements. Times are milliseconds."""

    account_id: str
    username: str
    """The SFTP username: made by us, for the portal's own is half of a sign-in."""
    enabled: bool
    networks: tuple[str, ...]
    """Whence programs may come, as address/prefix; empty: from nowhere."""
    notices: Notices
    certificate: Certificate | None
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A registered SSH key. Times are milliseconds."""

    id: str
    account_id: str
    label: str
    algorithm: str
    bits: int
    fingerprint: str
    """``SHA256:…``, as OpenSSH shows it."""
    blob: bytes
    """RFC 4253, section 6.6."""
    added_at: int
    used_at: int | None
    used_from: str | None
    removed_at: int | None

    @property
    def weak_soon(self) -> bool:
        """Whether it is an RSA key that is good today and not for long."""
        return rsa_weak_soon(self.algorithm, self.bits)


def rsa_weak_soon(algorithm: str, bits: int) -> bool:
    """RSA below 3072 bits gives 112 bits of security (NIST SP 800-57, part 1): until 2030."""
    return algorithm == "ssh-rsa" and bits < 3072


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What decides whether a program is let in; read in one statement."""

    account_id: str
    username: str
    enabled: bool
    """By the owner, and the account is not disabled."""
    networks: tuple[str, ...]
    keys: Mapping[str, str]
    """The id of each live key by its fingerprint."""
    certificate: str | None
    """Fingerprint of the OpenPGP certificate; with one, only encrypted files are shown."""
