"""The records of statements, and the decisions about them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vestibule.base.errors import Refused
from vestibule.statements.rules.naming import SUFFIX, Kind

WHOLE_MOST: Final = 8 << 20
"""Bytes of a statement that may be sent in one call and is held in memory meanwhile."""
APPEND_MOST: Final = 64 << 20
"""Bytes that one call may add to an upload."""
PART: Final = 4 << 20
"""Bytes of an upload that are sealed, stored and made durable at a time: what a call holds."""
ORPHAN_MS: Final = 24 * 60 * 60 * 1000
"""A file that no record names is left alone so long: whoever wrote it may be about to name it."""


class State(StrEnum):
    """What publishing did."""

    NEW = "new"
    SAME = "same"
    """It was there already, with this content: nothing was changed."""
    REPLACED = "replaced"


class Presence(StrEnum):
    """What a publisher is told that asks before it sends."""

    ABSENT = "absent"
    SAME = "same"
    DIFFERS = "differs"
    ACCOUNT_UNKNOWN = "account_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A statement as its publisher describes it; nothing of it is checked yet."""

    account: str
    """The username at the portal."""
    kind: str
    name: str
    size: int
    sha256: bytes
    """Of the file before any encryption: 32 bytes."""
    period: str = ""
    """Empty: by the name."""
    media: str = ""
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A file that an account may fetch. Times are milliseconds since the epoch."""

    id: str
    account_id: str
    kind: Kind
    period: str
    name: str
    media: str
    size: int
    """Of the file as it was published."""
    stored_size: int
    """Of the file as it is handed out."""
    sha256: bytes
    encrypted_to: str | None
    """The fingerprint of the certificate."""
    object: str
    """Its name in the store; a replaced or encrypted statement has another one."""
    published_at: int
    purge_at: int
    told_at: int | None
    seen_at: int | None

    @property
    def shown_name(self) -> str:
        """The name under which it is handed out."""
        return f"{self.name}{SUFFIX}" if self.encrypted_to else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What an account may fetch now."""

    statements: tuple[Statement, ...]
    """The latest period first."""
    hidden: int
    """How many wait to be encrypted to the account's certificate, and are not shown until then."""

    def newest(self, most: int) -> tuple[Statement, ...]:
        """Those that were published last."""
        return tuple(sorted(self.statements, key=_freshness, reverse=True)[:most])


def _freshness(one: Statement) -> tuple[int, str, str]:
    return one.published_at, one.period, one.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """One of the operator's systems."""

    id: str
    name: str
    created_at: int
    used_at: int | None
    revoked_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A statement on its way, in parts."""

    id: str
    publisher_id: str
    account_id: str
    kind: Kind
    period: str
    name: str
    media: str
    size: int
    sha256: bytes
    replace: bool
    offset: int
    """How much of it is kept."""
    seal: bytes
    """The key of its parts, sealed."""
    opened_at: int
    touched_at: int
    fresh: bool = False
    """Whether it was opened just now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What became of a statement that was published."""

    state: State
    id: str


def demand_size(size: int, *, most_mib: int) -> None:
    """Raises Refused ``statement_too_large``."""
    if size > most_mib << 20:
        raise Refused("statement_too_large", most=most_mib << 20)


def judge(held: tuple[bytes, int] | None, wanted: tuple[bytes, int], *, replace: bool) -> State:
    """What publishing means, by digest and size of what is there under the name and of the new.

    The same again is no event, however often: a publisher whose answer was lost sends once more.
    Raises Refused ``statement_differs``.
    """
    if held is None:
        return State.NEW
    if held == wanted:
        return State.SAME
    if not replace:
        raise Refused("statement_differs")
    return State.REPLACED


def presence(held: bytes | None, wanted: bytes) -> Presence:
    """What a publisher is told that asks by the digest."""
    if held is None:
        return Presence.ABSENT
    return Presence.SAME if held == wanted else Presence.DIFFERS
