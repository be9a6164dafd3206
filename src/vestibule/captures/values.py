"""Removed texts and the reason that is shown for them (sections 4 and 5 of the specification).

What is removed was decided before this module is asked: a word that is missing here costs a
better reason, never a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vestibule.captures import table
from vestibule.captures.markers import is_marker, jwt_marker, marker

_DIGITS = frozenset("0123456789")


def luhn(text: str) -> bool:
    """Whether the digits in a text fulfil the formula of card numbers (ISO/IEC 7812-1)."""
    digits = [int(character) for character in text if character in _DIGITS]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _detector(rule: Mapping[str, Any]) -> tuple[Callable[[str], bool], str]:
    matches = table.pattern(rule["match"]).fullmatch
    starts, least = tuple(rule.get("starts", ("",))), int(rule.get("least", 0))
    with_luhn = bool(rule.get("luhn"))

    def found(text: str) -> bool:
        return (
            len(text) >= least
            and text.startswith(starts)
            and matches(text) is not None
            and (not with_luhn or luhn(text))
        )

    return found, rule["reason"]


_EARLY = tuple(map(_detector, table.DETECTORS))
_LATE = tuple(map(_detector, table.LATE_DETECTORS))


def _detected(text: str, detectors: tuple[tuple[Callable[[str], bool], str], ...]) -> str:
    if len(text) > table.LIMITS["value"]:
        return ""
    return next((reason for found, reason in detectors if found(text)), "")


def reason_of(name: str, text: str, place: str) -> str:
    """Why a text under a name is removed (§5.2)."""
    return (
        _detected(text, _EARLY)
        or (name and table.reason_by_name(name))
        or _detected(text, _LATE)
        or place
    )


def detected(text: str) -> str:
    """What the text itself shows to be, or nothing."""
    return _detected(text, _EARLY) or _detected(text, _LATE)


def size_of(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def removed(reason: str, text: str, taken: list[str], *, sized: bool = False) -> str:
    """The marker for a text that goes for this reason, counted."""
    taken.append(reason)
    if reason == "jwt":
        return jwt_marker(text)
    return marker(reason, size_of(text) if sized else None)


def remove(name: str, text: str, place: str, taken: list[str], *, sized: bool = False) -> str:
    """The marker for a removed text, counted."""
    return removed(reason_of(name, text, place), text, taken, sized=sized)


def stays(text: str) -> bool:
    """Whether nothing is left to remove: the empty text and markers."""
    return not text or is_marker(text)


def safe_name(name: str, place: str, taken: list[str]) -> str:
    """A name as it may stand: itself, or the marker of its place (§5.3)."""
    if table.plain(name) or is_marker(name):
        return name
    taken.append(place)
    return marker(place)
