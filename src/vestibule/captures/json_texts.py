"""JSON inside a text, read in exactly one way (§8.3): RFC 8259, nothing lost.

Numbers keep their characters and members that come twice stay twice, so that what is written
again is what was read.
"""

from __future__ import annotations

from json import JSONDecoder
from typing import NoReturn, TypeAlias

from vestibule.captures.table import LIMITS


class Number(str):
    """The characters of a number."""

    __slots__ = ()


class Members(list[tuple[str, object]]):
    """The members of an object, in their order."""

    __slots__ = ()


Parsed: TypeAlias = str | Number | Members | list[object] | bool | None


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


DECODER = JSONDecoder(
    object_pairs_hook=Members,
    parse_int=Number,
    parse_float=Number,
    parse_constant=_no_constant,
)


def read(text: str) -> Parsed:
    """Read one JSON text. Raises `ValueError`."""
    try:
        parsed: Parsed = DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return parsed


def parse(text: str) -> Parsed:
    """Read one JSON text that is not nested too deep. Raises `ValueError`."""
    parsed = read(text)
    if _deeper(parsed, LIMITS["body_depth"]):
        raise ValueError("nested too deep")
    return parsed


def _deeper(value: object, levels: int) -> bool:
    """Whether a value holds more than so many arrays and objects inside each other."""
    if isinstance(value, Members):
        return levels == 0 or any(_deeper(inner, levels - 1) for _, inner in value)
    if isinstance(value, list):
        return levels == 0 or any(_deeper(inner, levels - 1) for inner in value)
    return False
