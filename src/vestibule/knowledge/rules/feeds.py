"""A list of articles as an Atom feed (RFC 4287). Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

_ATOM: Final = "http://www.w3.org/2005/Atom"
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML: Final = "http://www.w3.org/XML/1998/namespace"
register_namespace("", _ATOM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One article of a feed."""

    address: str
    """Absolute; also its id, which never changes."""
    language: str
    title: str
    summary: str
    html: str
    """Every address in it is absolute."""
    updated: date
    tags: Sequence[tuple[str, str]]
    """Id and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What a feed says of itself."""

    address: str
    """Where it is, absolute."""
    page: str
    """Where the same list is for people."""
    language: str
    title: str
    author: str
    entries: Sequence[Entry]


def written(feed: Feed) -> bytes:
    """The document, in UTF-8."""
    root = Element(f"{{{_ATOM}}}feed", {f"{{{_XML}}}lang": feed.language})
    _text(root, "id", feed.address)
    _text(root, "title", feed.title)
    # A feed without entries is as old as the articles' form itself.
    newest = max((entry.updated for entry in feed.entries), default=date(2026, 11, 22))
    _text(root, "updated", _moment(newest))
    _link(root, "self", feed.address, "application/atom+xml")
    _link(root, "alternate", feed.page, "text/html")
    _author(root, feed.author)
    for entry in feed.entries:
        _entry(root, entry)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}'.encode()


def _entry(root: Element, entry: Entry) -> None:
    made = SubElement(root, f"{{{_ATOM}}}entry", {f"{{{_XML}}}lang": entry.language})
    _text(made, "id", entry.address)
    _text(made, "title", entry.title)
    _text(made, "updated", _moment(entry.updated))
    _link(made, "alternate", entry.address, "text/html")
    for term, label in entry.tags:
        SubElement(made, f"{{{_ATOM}}}category", {"term": term, "label": label})
    _text(made, "summary", entry.summary)
    content = _text(made, "content", entry.html)
    content.set("type", "html")


def _author(root: Element, name: str) -> None:
    author = SubElement(root, f"{{{_ATOM}}}author")
    _text(author, "name", name)


def _text(parent: Element, name: str, text: str) -> Element:
    made = SubElement(parent, f"{{{_ATOM}}}{name}")
    # Control characters cannot stand in XML at all, not even escaped.
    made.text = _FORBIDDEN.sub("", text)
    return made


def _link(parent: Element, rel: str, address: str, kind: str) -> None:
    SubElement(parent, f"{{{_ATOM}}}link", {"rel": rel, "href": address, "type": kind})


def _moment(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
