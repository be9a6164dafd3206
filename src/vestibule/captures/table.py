"""The table of rules, read once (`rules.json`; what it means is in the specification).

The same file drives the browser's program. So nothing of what is safe is written in code: this
module only turns the data into questions that can be asked quickly.
"""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

RULES_JSON: bytes = pkgutil.get_data(__name__, "rules.json") or b""
"""The table as it is served to browsers, unchanged."""

_RULES: Mapping[str, Any] = json.loads(RULES_JSON)
_PART = re.compile("<([a-z]+)>")
_NOT_FOLDED = re.compile("[^a-z0-9]")
_ASCII_UPPER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_LONGEST_CACHED = 128
"""Characters of a name whose answers are remembered: what is remembered is bounded in size."""

Test = Callable[[str], bool]


def lower(text: str) -> str:
    """ASCII letters in lower case; no other letter moves, as none does in the browser."""
    return text.lower() if text.isascii() else text.translate(_ASCII_UPPER)


def folded(name: str) -> str:
    """A name without case, hyphens and whatever else programs write names with (§5.2)."""
    return _NOT_FOLDED.sub("", lower(name))


def pattern(source: str) -> re.Pattern[str]:
    """Compile an expression of the table, its parts put in."""
    parts: Mapping[str, str] = _RULES["parts"]
    while _PART.search(source):
        source = _PART.sub(lambda found: f"(?:{parts[found[1]]})", source)
    return re.compile(source, re.ASCII)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a safe text or number looks like (§5.1)."""

    fits: Test
    number: bool = False
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done with a member of a known object (§3): one of its fields is set."""

    object: str = ""
    list: str = ""
    keep: str = ""
    drop: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """An object that a capture is made of."""

    name: str
    members: Mapping[str, Treatment]
    needs: frozenset[str] = frozenset()
    unit: str = ""
    counted: tuple[str, ...] = field(default=())


def _text_test(rule: Mapping[str, Any]) -> Test:
    matches, most = pattern(rule["match"]).fullmatch, int(rule["most"])
    return lambda text: len(text) <= most and matches(text) is not None


def _list_test(rule: Mapping[str, Any]) -> Test:
    # Split first, then match each piece alone: one expression over the whole list could match a
    # piece in two ways, and would need exponential time to find out that the last one is wrong.
    matches, most, split = pattern(rule["match"]).fullmatch, int(rule["most"]), rule["split"]
    pieces = re.compile(split, re.ASCII).split
    return lambda text: (
        len(text) <= most and all(matches(piece) is not None for piece in pieces(text) if piece)
    )


def _shape(rule: Mapping[str, Any]) -> Shape:
    if rule["is"] == "number":
        matches = pattern(rule["match"]).fullmatch
        return Shape(lambda text: matches(text) is not None, number=True, otherwise=rule["else"])
    if rule["is"] == "one":
        return Shape(frozenset(rule["of"]).__contains__)
    return Shape(_text_test(rule) if rule["is"] == "text" else _list_test(rule))


def _known(name: str, rule: Mapping[str, Any]) -> Known:
    return Known(
        name=name,
        members={member: Treatment(**how) for member, how in rule["members"].items()},
        needs=frozenset(rule.get("needs", ())),
        unit=rule.get("unit", ""),
    )


FORMAT: int = _RULES["format"]
LIMITS: Mapping[str, int] = _RULES["limits"]
REASONS: tuple[str, ...] = tuple(reason["id"] for reason in _RULES["reasons"])
"""Every reason, in the order in which they are shown."""
SIZED = frozenset(reason["id"] for reason in _RULES["reasons"] if reason["size"])
SHAPES: Mapping[str, Shape] = {name: _shape(rule) for name, rule in _RULES["shapes"].items()}
STRUCTURE: Mapping[str, Known] = {
    name: _known(name, rule) for name, rule in _RULES["structure"].items()
}
HEADERS: Mapping[str, str] = {
    name: rule["keep"] for rule in _RULES["headers"] for name in rule["names"]
}
COOKIE_ATTRIBUTES: Mapping[str, str | None] = {
    rule["name"]: rule.get("keep") for rule in _RULES["cookie_attributes"]
}
CREDENTIALS = frozenset(lower(scheme) for scheme in _RULES["schemes_of_credentials"])
DROPPED_DIRECTIVES = frozenset(_RULES["dropped_directives"])
_STORAGE_NAMES = frozenset(_RULES["storage_names"])
DETECTORS: tuple[Mapping[str, Any], ...] = tuple(_RULES["detectors"])
LATE_DETECTORS: tuple[Mapping[str, Any], ...] = tuple(_RULES["late_detectors"])
URLS: Mapping[str, Any] = _RULES["urls"]
MEDIA: Mapping[str, Any] = _RULES["media"]
JWT: Mapping[str, Any] = _RULES["jwt"]

_VALUES: dict[str, list[Test]] = {}
for _rule in _RULES["values"]:
    for _name in _rule["names"]:
        _VALUES.setdefault(_name, []).append(SHAPES[_rule["keep"]].fits)

# Folded words are letters and digits: as an expression each of them means itself.
_WORDS = tuple(
    (rule["reason"], frozenset(rule["is"]), re.compile("|".join(rule["has"])).search)
    for rule in _RULES["words"]
)
_name_fits = lru_cache(maxsize=8192)(SHAPES["name"].fits)


def plain(name: str) -> bool:
    """Whether a name is one that people give (§5.3)."""
    return len(name) <= _LONGEST_CACHED and _name_fits(name)


@lru_cache(maxsize=8192)
def _tests_of(name: str) -> tuple[Test, ...]:
    return tuple(_VALUES.get(lower(name), ()))


def harmless(name: str, text: str) -> bool:
    """Whether a value under this name may stay (§5.4)."""
    tests = _tests_of(name) if len(name) <= _LONGEST_CACHED else ()
    return bool(tests) and any(fits(text) for fits in tests)


@lru_cache(maxsize=8192)
def _is_storage(name: str) -> bool:
    return folded(name) in _STORAGE_NAMES


def is_storage(name: str) -> bool:
    """Whether a member of this name holds what a site keeps in the browser."""
    return _is_storage(name) if len(name) <= _LONGEST_CACHED else folded(name) in _STORAGE_NAMES


def _named(name: str) -> str:
    """The reason that a name gives, or nothing (§5.2, step 2)."""
    bare = folded(name)
    return next((reason for reason, whole, part in _WORDS if bare in whole or part(bare)), "")


_named_cached = lru_cache(maxsize=8192)(_named)


def reason_by_name(name: str) -> str:
    """The reason that a name gives, or nothing (§5.2, step 2)."""
    return _named_cached(name) if len(name) <= _LONGEST_CACHED else _named(name)
