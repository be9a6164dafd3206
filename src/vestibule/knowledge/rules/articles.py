"""An article's file: front matter in TOML between two lines ``+++``, then Markdown.

Nothing in it is optional by accident: an unknown name, a wrong type or a tag that nobody defined
is refused, with a sentence that says where.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final

from vestibule.knowledge.rules.markup import Document, read

SYSTEMS: Final = {
    "android": "Android",
    "iphone": "iPhone",
    "windows": "Windows",
    "macos": "macOS",
    "linux": "Linux",
    "chrome": "Chrome",
    "firefox": "Firefox",
    "edge": "Edge",
    "safari": "Safari",
}
"""What an article may tell apart: id to name."""

TAGS: Final = {
    "sign-in": 11,
    "activation": 12,
    "security": 13,
    "file-delivery": 14,
    "technical": 15,
    "messages": 16,
    "recovery": 17,
    "notifications": 18,
    "how-to": 19,
}
"""Tags and their stable numbers (``/taxonomy/term/N``); their names are in the catalogue."""

_NAME: Final = re.compile(r"([1-9]\d{0,4})-([a-z0-9]+(?:-[a-z0-9]+)*)\.md")
# Not `isprintable`: French spaces are wide or narrow, and never break.
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_FENCE: Final = "+++"
_TITLE_MOST: Final = 120
_SUMMARY_MOST: Final = 300
_ASKED_MOST: Final = 12
_PHRASE_MOST: Final = 80
_NUMBER_MOST: Final = 99_999
_KEYS: Final = {
    "number": True,
    "title": True,
    "summary": True,
    "tags": True,
    "asked": False,
    "systems": True,
    "updated": True,
    "related": False,
    "redirects": False,
}


class ArticleBroken(Exception):  # noqa: N818  -- reads as what it is
    """A file is no article; the text says what is wrong in it."""


@dataclass(frozen=True, kw_only=True)
class Article:
    """One article in one language."""

    number: int
    slug: str
    """English, and the same in every language."""
    language: str
    title: str
    summary: str
    tags: tuple[str, ...]
    systems: tuple[str, ...]
    updated: date
    asked: tuple[str, ...] = ()
    """What people type who need it: words that the title does not have."""
    related: tuple[int, ...] = ()
    redirects: tuple[int, ...] = ()
    """Numbers that lead here."""
    body: str = field(default="", repr=False)

    @cached_property
    def document(self) -> Document:
        """The body as read: worked out when it is first asked for."""
        return read(self.body, self.systems)


@dataclass(frozen=True, slots=True)
class Shown:
    """An article drawn for readers of one language."""

    article: Article
    language: str
    """The readers'; the article's own may be another."""
    title: str
    summary: str
    html: str
    text: str


def parse_article(name: str, text: str, language: str) -> Article:
    """The article in a file of that name. Raises ArticleBroken."""
    named = _NAME.fullmatch(name)
    if named is None:
        raise ArticleBroken("the file is not named <number>-<slug>.md")
    front, body = _split(text)
    for key, needed in _KEYS.items():
        if needed and key not in front:
            raise ArticleBroken(f"{key} is missing")
    for key in front:
        if key not in _KEYS:
            raise ArticleBroken(f"{key} is unknown")
    number = _number("number", front["number"])
    if number != int(named[1]):
        raise ArticleBroken(f"number is {number}, the file's name says {named[1]}")
    return Article(
        number=number,
        slug=named[2],
        language=language,
        title=_text(front, "title", _TITLE_MOST),
        summary=_text(front, "summary", _SUMMARY_MOST),
        tags=_chosen(front, "tags", TAGS, least=1),
        systems=_chosen(front, "systems", SYSTEMS, least=0),
        updated=_day(front["updated"]),
        asked=_phrases(front, "asked"),
        related=_numbers(front, "related"),
        redirects=_numbers(front, "redirects"),
        body=body,
    )


def _split(text: str) -> tuple[dict[str, Any], str]:
    lines = text.splitlines(keepends=True)
    marks = [at for at, line in enumerate(lines) if line.rstrip() == _FENCE]
    if len(marks) < 2 or marks[0] != 0:
        raise ArticleBroken("the front matter does not stand between two lines +++")
    try:
        front = tomllib.loads("".join(lines[1 : marks[1]]))
    except tomllib.TOMLDecodeError as error:
        raise ArticleBroken(f"the front matter is not TOML: {error}") from None
    return front, "".join(lines[marks[1] + 1 :])


def _text(front: Mapping[str, Any], key: str, most: int) -> str:
    return _line(front[key], key, most)


def _phrases(front: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = _list(front, key)
    if len(value) > _ASKED_MOST:
        raise ArticleBroken(f"{key} has more than {_ASKED_MOST} phrases")
    return tuple(_line(one, key, _PHRASE_MOST) for one in value)


def _line(value: object, key: str, most: int) -> str:
    if not isinstance(value, str) or not value.strip() or _BREAKS.search(value):
        raise ArticleBroken(f"{key} is not a line of text")
    if len(value) > most:
        raise ArticleBroken(f"{key} is longer than {most} characters")
    return value.strip()


def _chosen(
    front: Mapping[str, Any], key: str, known: Mapping[str, object], *, least: int
) -> tuple[str, ...]:
    value = _list(front, key)
    for one in value:
        if one not in known:
            raise ArticleBroken(f"{key}: {one!r} is none of {', '.join(known)}")
    if len(value) < least or len(set(value)) != len(value):
        raise ArticleBroken(f"{key} is empty or names something twice")
    return tuple(value)


def _numbers(front: Mapping[str, Any], key: str) -> tuple[int, ...]:
    return tuple(_number(key, one) for one in _list(front, key))


def _list(front: Mapping[str, Any], key: str) -> list[Any]:
    value = front.get(key, [])
    if not isinstance(value, list):
        raise ArticleBroken(f"{key} is not a list")
    return value


def _number(key: str, value: object) -> int:
    # A truth value is an int for Python, but nobody's number.
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _NUMBER_MOST:
        raise ArticleBroken(f"{key} is not a number from 1 to {_NUMBER_MOST}")
    return value


def _day(value: object) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ArticleBroken("updated is not a day like 2026-11-23")
    return value
