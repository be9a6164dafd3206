"""Small objects whose members decide about each other, and single values (§3.2 and §3.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from vestibule.captures import table
from vestibule.captures.bodies import body, message, opaque
from vestibule.captures.headers import cookie_value, header_value, media
from vestibule.captures.json_texts import Number
from vestibule.captures.markers import marker
from vestibule.captures.reader import Broken, Oversize, Scalar
from vestibule.captures.table import Known
from vestibule.captures.urls import host, pair_value, url
from vestibule.captures.values import remove, removed, safe_name, stays

Values: TypeAlias = Mapping[str, Scalar]
_Judge: TypeAlias = Callable[[str, list[str]], str]
_TEXT_OPCODE = "1"
_LITERALS = {True: b"true", False: b"false", None: b"null"}


class WrongType(Exception):  # noqa: N818 - a signal to the caller, who knows where it stands
    """A text where a number is needed."""


def written(text: str) -> bytes:
    """A safe text as a JSON string (section 2): what is kept is printable ASCII and LF."""
    if '"' in text or "\\" in text or "\n" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'.encode("ascii")


def _fitting(keep: str) -> _Judge:
    fits = table.SHAPES[keep].fits
    return lambda text, taken: text if fits(text) else removed("unknown", text, taken)


def _title(text: str, taken: list[str]) -> str:
    if text.startswith(("http://", "https://")):
        return url(text, taken)
    return removed("title", text, taken)


def _media(text: str, taken: list[str]) -> str:
    safe = media(text, taken, "unknown")
    return removed("unknown", text, taken) if safe is None else safe


_JUDGES: dict[str, _Judge] = {
    "@url": url,
    "@host": host,
    "@title": _title,
    "@media": _media,
    "@flag": lambda text, taken: removed("unknown", text, taken),
}
_PLACES = {"@url": "url", "@host": "host", "@title": "title"}


def kept(keep: str, value: Scalar, taken: list[str]) -> bytes:
    """One value that stands for itself, as it is written. Raises `WrongType`."""
    shape = table.SHAPES.get(keep)
    if shape is None or not shape.number:
        return _judged(value, _judge_of(keep), _PLACES.get(keep, "unknown"), "", taken)
    if value is None:
        return b"null"
    if not isinstance(value, Number):
        raise WrongType
    if shape.fits(value):
        return value.encode("ascii")
    taken.append("unknown")
    return shape.otherwise.encode("ascii")


def _judge_of(keep: str) -> _Judge:
    judge = _JUDGES.get(keep)
    if judge is None:
        judge = _JUDGES[keep] = _fitting(keep)
    return judge


def _judged(value: Scalar, judge: _Judge, place: str, name: str, taken: list[str]) -> bytes:
    """A value as text: what it is made of decides first, what it says only then."""
    if isinstance(value, str):
        return written(value if stays(value) else judge(value, taken))
    if isinstance(value, Oversize):
        reason = (table.reason_by_name(name) if name else "") or place
        taken.append(reason)
        return written(marker(reason, value.size if place in _SIZED_PLACES else None))
    if isinstance(value, Broken):
        taken.append("broken")
        return written(marker("broken"))
    return _LITERALS[value]  # type: ignore[index] # what is nested was refused before


_SIZED_PLACES = frozenset({"header", "cookie", "body", "websocket"})


def _text(value: Scalar) -> str:
    return value if isinstance(value, str) else ""


def _header(values: Values) -> dict[str, tuple[_Judge, str, str]]:
    name = _text(values.get("name"))
    return {
        "name": (lambda text, taken: safe_name(text, "header", taken), "header", ""),
        "value": (lambda text, taken: header_value(name, text, taken), "header", name),
    }


def _parameter(place: str) -> Callable[[Values], dict[str, tuple[_Judge, str, str]]]:
    def judges(values: Values) -> dict[str, tuple[_Judge, str, str]]:
        name = _text(values.get("name"))
        return {
            "name": (lambda text, taken: safe_name(text, place, taken), place, ""),
            "value": (lambda text, taken: pair_value(name, text, place, taken), place, name),
            "fileName": (lambda text, taken: removed(place, text, taken), place, ""),
        }

    return judges


def _cookie(_values: Values) -> dict[str, tuple[_Judge, str, str]]:
    return {
        "name": (lambda text, taken: safe_name(text, "cookie", taken), "cookie", ""),
        "value": (cookie_value, "cookie", ""),
    }


def _body(values: Values) -> dict[str, tuple[_Judge, str, str]]:
    media_type = _text(values.get("mimeType"))

    def judge(text: str, taken: list[str]) -> str:
        return body(text, media_type, taken)

    return {"text": (opaque if values.get("encoding") not in {None, ""} else judge, "body", "")}


def _message(values: Values) -> dict[str, tuple[_Judge, str, str]]:
    whole = values.get("opcode") == _TEXT_OPCODE
    return {"data": (message if whole else _closed_message, "websocket", "")}


def _event(_values: Values) -> dict[str, tuple[_Judge, str, str]]:
    return {
        "data": (message, "websocket", ""),
        "eventId": (
            lambda text, taken: removed("websocket", text, taken, sized=True),
            "websocket",
            "",
        ),
    }


def _closed_message(text: str, taken: list[str]) -> str:
    return remove("", text, "websocket", taken, sized=True)


_UNITS: dict[str, Callable[[Values], dict[str, tuple[_Judge, str, str]]]] = {
    "header": _header,
    "query": _parameter("query"),
    "form": _parameter("form"),
    "cookie": _cookie,
    "body": _body,
    "message": _message,
    "event": _event,
}
_NEVER_WRITTEN = frozenset({("body", "encoding")})


def unit(known: Known, values: Values, taken: list[str]) -> dict[str, bytes]:
    """The members of a unit as they are written, in the order of the table.

    Raises `WrongType`.
    """
    judges = _UNITS[known.unit](values)
    safe: dict[str, bytes] = {}
    for member, treatment in known.members.items():
        if member not in values or (known.unit, member) in _NEVER_WRITTEN:
            continue
        if member in judges:
            judge, place, name = judges[member]
            safe[member] = _judged(values[member], judge, place, name, taken)
        else:
            safe[member] = kept(treatment.keep, values[member], taken)
    return safe
