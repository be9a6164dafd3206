"""What a client looks for in the list of statements, and the part of it that a page shows."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from vestibule.statements.rules.naming import Kind, name_key
from vestibule.statements.rules.records import Listing, Statement

FIND_MOST: Final = 80
_MONTH: Final = re.compile(r"\d{4}-\d{2}", re.ASCII)
_MONTH_LENGTH: Final = 7
_PAGES_MOST: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to show: all of it where nothing is said."""

    kind: Kind | None = None
    month: str = ""
    """``2026-11``; empty: every month."""
    find: str = ""
    """Part of a name, however it is capitalised; empty: every name."""
    page: int = 1

    @property
    def any(self) -> bool:
        """Whether it leaves anything out."""
        return self.kind is not None or bool(self.month or self.find)


def asked_from(*, kind: str, month: str, find: str, page: str) -> Asked:
    """What an address asks for; what cannot be read asks for nothing."""
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 1
    return Asked(
        kind=Kind(kind) if kind in set(Kind) else None,
        month=month if _MONTH.fullmatch(month) else "",
        find=" ".join(find.split())[:FIND_MOST],
        page=min(max(number, 1), _PAGES_MOST),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of the list."""

    rows: tuple[Statement, ...]
    """The latest period first."""
    found: tuple[Statement, ...]
    """All that fit what is asked, of which the rows are a part."""
    months: tuple[str, ...]
    """Every month of which there is a statement, the latest first."""
    waiting: int
    """Statements that are being encrypted and not shown until then."""
    unseen: int
    """Of all statements, not only of these."""
    upto: int
    """When the latest of all was published (ms): what may be marked as seen."""
    older: bool
    newer: bool

    @property
    def total(self) -> int:
        """How many fit."""
        return len(self.found)

    @property
    def bytes(self) -> int:
        """What all that fit weigh."""
        return sum(one.stored_size for one in self.found)

    @property
    def encrypted(self) -> bool:
        """Whether any row needs a private key to be opened."""
        return any(one.encrypted_to for one in self.rows)

    @property
    def by_month(self) -> list[tuple[str, list[Statement]]]:
        """The rows under their months, the latest first; in each by kind and then by day."""
        ordered = sorted(self.rows, key=_month, reverse=True)
        return [(month, _by_kind(rows)) for month, rows in groupby(ordered, key=_month)]


def page_of(listing: Listing, asked: Asked, *, most: int) -> Page:
    """The part of a list that is asked for, at most so many rows of it."""
    everything = listing.statements
    found = tuple(one for one in everything if _fits(one, asked))
    start = (asked.page - 1) * most
    return Page(
        rows=found[start : start + most],
        found=found,
        months=tuple(sorted({_month(one) for one in everything}, reverse=True)),
        waiting=listing.hidden,
        unseen=sum(one.seen_at is None for one in everything),
        upto=max((one.published_at for one in everything), default=0),
        older=len(found) > start + most,
        newer=start > 0,
    )


def _fits(one: Statement, asked: Asked) -> bool:
    return (
        (asked.kind is None or one.kind is asked.kind)
        and (not asked.month or _month(one) == asked.month)
        and (not asked.find or name_key(asked.find) in name_key(one.shown_name))
    )


def _month(one: Statement) -> str:
    return one.period[:_MONTH_LENGTH]


def _by_kind(rows: Iterable[Statement]) -> list[Statement]:
    """The month's own report first, then days and trades, each from the latest on."""
    order = {Kind.MONTHLY: 0, Kind.DAILY: 1, Kind.TRADE: 2}
    latest_first = sorted(rows, key=lambda one: (one.period, one.name), reverse=True)
    return sorted(latest_first, key=lambda one: order[one.kind])
