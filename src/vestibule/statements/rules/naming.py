"""What statements may be called, and which day or month they are for (spec/publishing.md §6).

A name lands in folders of every kind of machine: it must be one there, only one, and look like
what it is. So no separator, no control or format character (a right-to-left override makes
``fdp.exe`` of ``exe.pdf``), no device of Windows, and capitals do not tell two names apart.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Final

from vestibule.base.errors import Refused

NAME_MOST: Final = 120
_BYTES_MOST: Final = 180
"""In UTF-8: file systems take 255, and clients' programs add endings such as ``.filepart``."""
SUFFIX: Final = ".pgp"
"""What an encrypted statement's name ends with; nothing else may, or two could be one."""
MEDIA_UNKNOWN: Final = "application/octet-stream"

_FORBIDDEN: Final = frozenset('/\\:*?"<>|')
_RESERVED: Final = frozenset(
    {
        *("con", "prn", "aux", "nul", "conin$", "conout$", "clock$"),
        # Windows takes the superscripts for digits, and so does NFKC.
        *(f"{port}{number}" for port in ("com", "lpt") for number in range(10)),
    }
)
_PUBLISHER: Final = re.compile(r"[A-Za-z0-9._-]{1,40}")
_MEDIA: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
_DAY: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_MONTH: Final = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_DAY_IN_NAME: Final = re.compile(r"(?<!\d)(\d{4})(-?)(\d{2})\2(\d{2})(?!\d)", re.ASCII)
_MONTH_IN_NAME: Final = re.compile(r"(?<!\d)(\d{4})-?(\d{2})(?!\d)", re.ASCII)
_YEARS: Final = range(1900, 2200)


class Kind(StrEnum):
    """The kinds of statements; each is a folder of the client's."""

    DAILY = "daily"
    MONTHLY = "monthly"
    TRADE = "trade"


def kind_from(typed: str) -> Kind:
    """The kind of that name. Raises Refused ``statement_kind``."""
    try:
        return Kind(typed)
    except ValueError:
        raise Refused("statement_kind") from None


def name_from(typed: str) -> str:
    """A statement's name as kept: NFC. Raises Refused ``statement_name``."""
    # Before NFC: normalising megabytes is work that nobody asked for.
    if len(typed) > 4 * NAME_MOST:
        raise Refused("statement_name")
    name = unicodedata.normalize("NFC", typed)
    if not 1 <= len(name) <= NAME_MOST or not all(map(_lawful, name)):
        raise Refused("statement_name")
    if len(name.encode()) > _BYTES_MOST or unicodedata.category(name[0])[0] not in "LN":
        raise Refused("statement_name")
    key = name_key(name)
    if name[-1] in ". " or key.endswith(SUFFIX) or key.split(".")[0].rstrip() in _RESERVED:
        raise Refused("statement_name")
    return name


def _lawful(character: str) -> bool:
    category = unicodedata.category(character)
    # C: control, format (the bidi ones), surrogate, private, unassigned. Z: separators.
    return (category[0] not in "CZ" or character == " ") and character not in _FORBIDDEN


def name_key(name: str) -> str:
    """The form by which a name is one: on many a machine capitals are no difference."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded)


def period_from(kind: Kind, typed: str, *, name: str) -> str:
    """The period, ``2026-11-22`` or of a monthly one ``2026-11``; where it is empty, by the name.

    Raises Refused ``statement_period``.
    """
    found = _stated(kind, typed) if typed else next(_named(kind, name), None)
    if found is None:
        raise Refused("statement_period")
    return found


def _stated(kind: Kind, typed: str) -> str | None:
    if kind is Kind.MONTHLY:
        month = _MONTH.fullmatch(typed)
        return _period(month[1], month[2]) if month else None
    day = _DAY.fullmatch(typed)
    return _period(*day.groups()) if day else None


def _named(kind: Kind, name: str) -> Iterator[str]:
    """Each date of the calendar that stands in a name, in the order in which they stand."""
    monthly = kind is Kind.MONTHLY
    found = [(match.start(), match[1], match[3], match[4]) for match in _DAY_IN_NAME.finditer(name)]
    if monthly:
        found += [(one.start(), one[1], one[2], "01") for one in _MONTH_IN_NAME.finditer(name)]
    for _, year, month, day in sorted(found):
        period = _period(year, month, day)
        if period is not None:
            yield period[:7] if monthly else period


def _period(year: str, month: str, day: str = "") -> str | None:
    """The period, if the calendar has it."""
    try:
        date(int(year), int(month), int(day or "1"))
    except ValueError:
        return None
    if int(year) not in _YEARS:
        return None
    return f"{year}-{month}-{day}" if day else f"{year}-{month}"


def media_from(typed: str) -> str:
    """A media type (RFC 9110 section 8.3.1) without its parameters; what is none is unknown."""
    plain = typed.partition(";")[0].strip().lower()
    return plain if _MEDIA.fullmatch(plain) else MEDIA_UNKNOWN


def publisher_name(typed: str) -> str:
    """A publisher's name. Raises Refused ``publisher_name_invalid``."""
    name = typed.strip()
    if not _PUBLISHER.fullmatch(name):
        raise Refused("publisher_name_invalid")
    return name
