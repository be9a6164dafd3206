"""Bodies and messages made safe (section 8 of the specification)."""

from __future__ import annotations

import re
from functools import lru_cache

from vestibule.captures import json_texts, table
from vestibule.captures.headers import type_of
from vestibule.captures.markers import is_marker, marker
from vestibule.captures.urls import pairs
from vestibule.captures.values import remove, safe_name, stays

_FORM = frozenset(table.MEDIA["form"])
_MULTIPART = str(table.MEDIA["multipart"])
_JSON = frozenset(table.MEDIA["json"])
_JSON_ENDING = str(table.MEDIA["json_ending"])
_PLAIN = frozenset(table.MEDIA["plain"])
_OPENS_JSON = re.compile("[ \t\n\r]*[{[]")
_PART = re.compile("content-disposition: form-data;", re.IGNORECASE | re.ASCII)
_DEEPEST = table.LIMITS["body_depth"]
_STORAGE = f'"{marker("storage")}"'
_WORDS = {True: "true", False: "false", None: "null"}
_SHORT = 96
"""Characters of a name and value whose judgement is remembered."""
_PART_NAME = re.compile('[; ]name="([ !#-~]*)"')


def body(text: str, media_type: str, taken: list[str]) -> str:
    """A body by its media type, as the capture has it (§8.1)."""
    if stays(text):
        return text
    kind = type_of(media_type)
    if kind in _FORM:
        return pairs(text, "form", taken)
    safe = None
    if kind.startswith(_MULTIPART):
        safe = _multipart(text, taken)
    elif (
        kind in _JSON or kind.endswith(_JSON_ENDING) or (kind in _PLAIN and _OPENS_JSON.match(text))
    ):
        safe = json_text(text, taken)
    return opaque(text, taken) if safe is None else safe


def opaque(text: str, taken: list[str]) -> str:
    """A body of which nothing is kept."""
    return text if stays(text) else remove("", text, "body", taken, sized=True)


def message(text: str, taken: list[str]) -> str:
    """A message on a WebSocket or of an event stream (§8.4)."""
    if stays(text):
        return text
    safe = json_text(text, taken) if _OPENS_JSON.match(text) else None
    return remove("", text, "websocket", taken, sized=True) if safe is None else safe


def _multipart(text: str, taken: list[str]) -> str | None:
    """The names of the parts, as a form without values; None without any (§8.2)."""
    if all(_is_safe_pair(piece) for piece in text.split("&")):
        return text
    fields = []
    for line in text.split("\n"):
        found = _PART_NAME.search(line) if _PART.match(line) else None
        if found:
            taken.append("form")
            fields.append((found[1] + "=" if table.plain(found[1]) else "") + marker("form"))
    return "&".join(fields) or None


def _is_safe_pair(piece: str) -> bool:
    name, equals, value = piece.partition("=")
    return is_marker(piece) or (bool(equals) and table.plain(name) and is_marker(value))


def json_text(text: str, taken: list[str]) -> str | None:
    """JSON with its structure and what is harmless; None when it cannot be read (§8.3)."""
    out: list[str] = []
    lost: list[str] = []
    try:
        _write(json_texts.read(text), "", out, lost, _DEEPEST)
    except ValueError:
        return None
    taken += lost
    return "".join(out)


def _write(value: object, name: str, out: list[str], taken: list[str], levels: int) -> None:
    if isinstance(value, str):
        out.append(_scalar(value, name, taken))
    elif value is None or isinstance(value, bool):
        out.append(_WORDS[value])
    elif levels == 0:
        raise ValueError("nested too deep")
    elif isinstance(value, json_texts.Members):
        mark = "{"
        for key, inner in value:
            out.append(f'{mark}"{safe_name(key, "json", taken)}":')
            if table.is_storage(key) and not _stays(inner):
                taken.append("storage")
                out.append(_STORAGE)
            else:
                _write(inner, key, out, taken, levels - 1)
            mark = ","
        out.append("}" if value else "{}")
    elif isinstance(value, list):
        mark = "["
        for inner in value:
            out.append(mark)
            _write(inner, name, out, taken, levels - 1)
            mark = ","
        out.append("]" if value else "[]")


def _stays(value: object) -> bool:
    """Whether nothing is in a value of JSON that could be removed."""
    if isinstance(value, str):
        return not isinstance(value, json_texts.Number) and stays(value)
    return value is None or isinstance(value, bool)


def _scalar(value: str, name: str, taken: list[str]) -> str:
    """A text or number, as it is written; short ones come again and again."""
    number = isinstance(value, json_texts.Number)
    if len(value) + len(name) > _SHORT:
        return _judged(value, name, taken, number=number)
    safe, reason = _short(str(value), name, number)
    if reason:
        taken.append(reason)
    return safe


@lru_cache(maxsize=16384)
def _short(value: str, name: str, number: bool) -> tuple[str, str]:  # noqa: FBT001 - a key
    taken: list[str] = []
    return _judged(value, name, taken, number=number), "".join(taken)


def _judged(value: str, name: str, taken: list[str], *, number: bool) -> str:
    # What is kept needs no escape: no shape of a harmless value admits a quote.
    if table.harmless(name, value):
        return value if number else f'"{value}"'
    if not number and stays(value):
        return f'"{value}"'
    return f'"{remove(name, value, "json", taken)}"'
