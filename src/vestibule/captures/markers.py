"""Markers: what stands where something was taken out (section 4 of the specification).

A marker is kept when it is met again, so its grammar is the one hole through which a forger
could carry something. It admits reasons, a number and words of the table, and nothing else.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode

from vestibule.captures import json_texts
from vestibule.captures.table import JWT, LIMITS, REASONS, SIZED

_OPENING = "~removed."
_REASONS = frozenset(REASONS)
_ALGORITHMS = frozenset(JWT["algorithms"])
_CLAIMS = frozenset(JWT["claims"])
_TIMES = frozenset(JWT["times"])
_SIZE = re.compile("0|[1-9][0-9]{0,11}")
_TIME = re.compile("[0-9]{9,11}")
_OTHERS = re.compile("others_[1-9][0-9]{0,2}")
_BASE64URL = re.compile("[A-Za-z0-9_-]*")
_MOST_OTHERS = 999


def marker(reason: str, size: int | None = None) -> str:
    """The marker of a reason, with the size of what was removed where that may be told."""
    if size is None or reason not in SIZED:
        return f"{_OPENING}{reason}~"
    return f"{_OPENING}{reason}.{size}~"


def is_marker(text: str) -> bool:
    """Whether a whole text is a marker by the strict grammar."""
    if not text.startswith(_OPENING) or not text.endswith("~"):
        return False
    reason, *rest = text[len(_OPENING) : -1].split(".")
    if reason not in _REASONS:
        return False
    if not rest:
        return True
    if reason not in SIZED or not _SIZE.fullmatch(rest[0]):
        return False
    return len(rest) == 1 or (reason == "jwt" and len(rest) == 3 and _told(rest[1], rest[2]))


def _told(algorithm: str, claims: str) -> bool:
    if algorithm not in _ALGORITHMS and algorithm != "other":
        return False
    if claims in {"encrypted", "none"}:
        return True
    items = claims.split("-")
    if _OTHERS.fullmatch(items[-1]):
        items.pop()
    return len(items) <= LIMITS["claims"] and all(map(_is_item, items))


def _is_item(item: str) -> bool:
    if item in _CLAIMS:
        return True
    name, _, digits = item.rpartition("_")
    return name in _TIMES and _TIME.fullmatch(digits) is not None


def jwt_marker(token: str) -> str:
    """The marker of a JWT: its algorithm and the names of its claims, if it can be read (§4.1)."""
    parts = token.split(".")
    header = _part(parts[0])
    algorithm = next((value for name, value in header or () if name == "alg"), None)
    plain = marker("jwt", len(token))
    if type(algorithm) is not str or len(parts) not in {3, 5}:
        return plain
    known = algorithm if algorithm in _ALGORITHMS else "other"
    if len(parts) == 5:
        return f"{plain[:-1]}.{known}.encrypted~"
    payload = _part(parts[1])
    return plain if payload is None else f"{plain[:-1]}.{known}.{_claims(payload)}~"


def _part(text: str) -> json_texts.Members | None:
    """The JSON object in one part of a token."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        return None
    try:
        read = json_texts.parse(urlsafe_b64decode(text + "==").decode("utf-8"))
    except ValueError:
        return None
    return read if isinstance(read, json_texts.Members) else None


def _claims(payload: json_texts.Members) -> str:
    items: list[str] = []
    others = 0
    for name, value in payload:
        if name not in _CLAIMS or len(items) == LIMITS["claims"]:
            others += 1
        elif name in _TIMES and isinstance(value, json_texts.Number) and _TIME.fullmatch(value):
            items.append(f"{name}_{value}")
        else:
            items.append(name)
    if others:
        items.append(f"others_{min(others, _MOST_OTHERS)}")
    return "-".join(items) or "none"
