"""What staff sees of a browser recording without downloading it: a list, filters, a waterfall.

The list is made of a short line for each request, written while the recording was made safe; it
is read whole, the recording itself only where one request is looked at. Pure.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

LISTED_MOST: Final = 20_000
"""Requests in a list; a recording may have more, which are in the file all the same."""
URL_MOST: Final = 400
"""Characters of an address in the list."""
ENTRY_MOST: Final = 4 << 20
"""Bytes of one request that a page shows."""


class Listed(msgspec.Struct, frozen=True, array_like=True):
    """One request of a recording. ``offset`` and ``length`` are bytes of the kept file."""

    number: int
    """From 1 on, in the order of the file."""
    offset: int
    length: int
    started: float
    """Milliseconds since the epoch."""
    ms: float
    method: str
    url: str
    status: int
    """0: there was no answer."""
    mime: str
    size: int | None
    """Bytes of the answer's content, where that is known."""
    error: str
    """What the browser says went wrong, or nothing."""
    host: str
    """Who was asked; empty for what has no host."""

    @property
    def failed(self) -> bool:
        """Whether there was no answer, or one that refuses."""
        return self.status >= 400 or self.status == 0 or bool(self.error)

    @property
    def path(self) -> str:
        """The address without the host."""
        start = self.url.partition("://")[2]
        slash = start.find("/")
        return start[slash:] if slash >= 0 else start or self.url

    @property
    def type(self) -> Type:
        """What kind of thing was asked for, by its media type."""
        return type_of(self.mime)

    @property
    def group(self) -> str:
        """``2xx``; ``none`` where there was no answer."""
        return f"{self.status // 100}xx" if 100 <= self.status < 600 else "none"


class Type(StrEnum):
    """Kinds of what is asked for, as people who look for trouble sort them."""

    DOCUMENT = "document"
    DATA = "data"
    SCRIPT = "script"
    STYLE = "style"
    IMAGE = "image"
    FONT = "font"
    MEDIA = "media"
    OTHER = "other"


_BY_FAMILY: Final = {
    "image": Type.IMAGE,
    "font": Type.FONT,
    "audio": Type.MEDIA,
    "video": Type.MEDIA,
}
_BY_WORD: Final = (
    ("html", Type.DOCUMENT),
    ("javascript", Type.SCRIPT),
    ("ecmascript", Type.SCRIPT),
    ("css", Type.STYLE),
    ("json", Type.DATA),
    ("xml", Type.DATA),
    ("event-stream", Type.DATA),
    ("x-www-form-urlencoded", Type.DATA),
    ("font", Type.FONT),
    ("pdf", Type.DOCUMENT),
)


def type_of(mime: str) -> Type:
    """The kind that a media type is of."""
    plain = mime.partition(";")[0].strip().lower()
    family = _BY_FAMILY.get(plain.partition("/")[0])
    if family:
        return family
    return next((kind for word, kind in _BY_WORD if word in plain), Type.OTHER)


class Order(StrEnum):
    """What stands on top."""

    ERRORS = "errors"
    """Failures first, each part in the order of time."""
    SLOWEST = "slowest"
    TIME = "time"
    LARGEST = "largest"


_KEYS: Final[Mapping[Order, Callable[[Listed], tuple[float, ...]]]] = {
    Order.ERRORS: lambda one: (not one.failed, one.started, one.number),
    Order.SLOWEST: lambda one: (-one.ms, one.number),
    Order.TIME: lambda one: (one.started, one.number),
    Order.LARGEST: lambda one: (-(one.size or 0), one.number),
}
GROUPS: Final = ("failed", "none", "1xx", "2xx", "3xx", "4xx", "5xx")


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a recording is looked at."""

    order: Order = Order.ERRORS
    host: str = ""
    type: Type | None = None
    group: str = ""
    """One of `GROUPS`."""
    find: str = ""
    page: int = 1

    def takes(self, one: Listed) -> bool:
        """Whether this request is among what is looked at."""
        if self.group and not (one.failed if self.group == "failed" else one.group == self.group):
            return False
        if self.host and one.host != self.host:
            return False
        if self.type and one.type is not self.type:
            return False
        return self.find.casefold() in one.url.casefold()


def asked_from(*, order: str, host: str, type: str, group: str, find: str, page: str) -> Asked:  # noqa: A002  -- the query's own name
    """What an address asks for; what it says wrongly counts as not said."""
    return Asked(
        order=Order(order) if order in set(Order) else Order.ERRORS,
        host=host[:300],
        type=Type(type) if type in set(Type) else None,
        group=group if group in GROUPS else "",
        find=find.strip()[:200],
        page=int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 6 else 1,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One request in the waterfall, in hundredths of its width."""

    start: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the list."""

    one: Listed
    bar: Bar
    after_ms: float
    """Since the first request of the recording."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of what is looked at, and what there is to choose from."""

    lines: tuple[Line, ...]
    total: int
    """Requests that are looked at."""
    listed: int
    failed: int
    """Of all that are listed."""
    hosts: tuple[tuple[str, int], ...]
    """With the number of requests to each, the most asked first."""
    types: tuple[tuple[str, int], ...]
    groups: tuple[tuple[str, int], ...]
    began: float
    """When the first request of the recording was made (ms since the epoch)."""
    span_ms: float
    """How long the whole recording is: what the full width of the waterfall stands for."""
    page: int
    pages: int

    @property
    def newer(self) -> bool:
        """Whether there is a page before."""
        return self.page > 1

    @property
    def older(self) -> bool:
        """Whether there is a page after."""
        return self.page < self.pages


_NARROWEST: Final = 0.4
"""Of the waterfall's width: what was quick can still be seen."""


def page_of(entries: Iterable[Listed], asked: Asked, *, most: int) -> Page:
    """The lines of a page, ``most`` of them."""
    listed = tuple(entries)
    began = min((one.started for one in listed), default=0.0)
    span = max((one.started + one.ms for one in listed), default=0.0) - began
    found = sorted(filter(asked.takes, listed), key=_KEYS[asked.order])
    pages = max(1, -(-len(found) // most))
    page = min(asked.page, pages)
    shown = found[(page - 1) * most : page * most]
    groups = Counter(one.group for one in listed)
    failed = sum(one.failed for one in listed)
    return Page(
        lines=tuple(
            Line(one=one, bar=_bar(one, began, span), after_ms=one.started - began) for one in shown
        ),
        total=len(found),
        listed=len(listed),
        failed=failed,
        hosts=tuple(Counter(one.host for one in listed if one.host).most_common(100)),
        types=tuple(Counter(one.type.value for one in listed).most_common()),
        groups=(
            ("failed", failed),
            *((group, groups[group]) for group in GROUPS[1:] if groups[group]),
        ),
        began=began,
        span_ms=span,
        page=page,
        pages=pages,
    )


def _bar(one: Listed, began: float, span: float) -> Bar:
    if span <= 0:
        return Bar(start=0.0, width=100.0)
    start = min(100 - _NARROWEST, 100 * (one.started - began) / span)
    width = max(_NARROWEST, 100 * one.ms / span)
    return Bar(start=round(start, 2), width=round(min(width, 100 - start), 2))


# --- one request ------------------------------------------------------------------------------

PHASES: Final = ("blocked", "dns", "connect", "ssl", "send", "wait", "receive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A part of a request's time."""

    name: str
    ms: float
    bar: Bar


def phases_of(timings: object) -> tuple[Phase, ...]:
    """The parts of a request's time, one after the other (HAR 1.2 section 7, ``timings``)."""
    told = timings if isinstance(timings, dict) else {}
    took = {name: _positive(told.get(name)) for name in PHASES}
    # What TLS took is within connecting (HAR 1.2): shown by itself it counts once.
    took["connect"] = max(0.0, took["connect"] - took["ssl"])
    whole, at, parts = sum(took.values()), 0.0, []
    for name, ms in took.items():
        if ms > 0:
            start = 100 * at / whole
            width = min(max(_NARROWEST, 100 * ms / whole), 100 - start)
            bar = Bar(start=round(start, 2), width=round(width, 2))
            parts.append(Phase(name=name, ms=ms, bar=bar))
            at += ms
    return tuple(parts)


def _positive(value: object) -> float:
    # -1 stands for: did not happen.
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0


# --- what was taken out -----------------------------------------------------------------------

# Loosely: what is shown as a marker is one or looks like one, and is shown with its own words.
_MARKER: Final = re.compile(
    r"~removed\.([a-z][a-z-]{0,30})(?:\.([0-9]{1,12}))?((?:\.[A-Za-z0-9_-]+)*)~"
)
_OPENING: Final = b"~removed."
_COUNTED: Final = re.compile(rb"~removed\.([a-z][a-z-]{0,30})(?=[.~])")
_LONGEST: Final = len(_OPENING) + 32


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: as it was recorded, or the place of what was taken out."""

    text: str
    """Of what was taken out: what is told of it, such as the claims of a token."""
    reason: str = ""
    """Why it was taken out, by the table of rules; empty: it was not."""
    size: int | None = None
    """Bytes of what was taken out, where that may be told."""


def pieces_of(text: str, known: Container[str]) -> list[Piece]:
    """A text cut at the marks of what was taken out; ``known`` are the reasons there are."""
    pieces, at = list[Piece](), 0
    for found in _MARKER.finditer(text):
        if found[1] in known:
            if found.start() > at:
                pieces.append(Piece(text[at : found.start()]))
            size = int(found[2]) if found[2] else None
            pieces.append(Piece(found[3].lstrip("."), found[1], size))
            at = found.end()
    if at < len(text):
        pieces.append(Piece(text[at:]))
    return pieces


def removed_in(value: object, known: Iterable[str]) -> dict[str, int]:
    """How much was taken out of a request, by reason, in the order of the table."""
    marks = Marks()
    marks.see(json.dumps(value).encode())
    return marks.counted(known)


class Marks:
    """Counts what was taken out of a recording, by the marks in it: whoever took it out."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._tail = b""

    def see(self, piece: bytes) -> None:
        """The next bytes of it."""
        text = self._tail + piece
        end = 0
        for found in _COUNTED.finditer(text):
            self._counts[found[1].decode()] += 1
            end = found.end()
        # A mark may go on in the next piece; what was counted is not counted again.
        self._tail = text[max(end, len(text) - _LONGEST) :]

    def counted(self, known: Iterable[str]) -> dict[str, int]:
        """How many of each reason, in the order of ``known``."""
        return {reason: self._counts[reason] for reason in known if self._counts[reason]}
