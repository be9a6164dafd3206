"""Bytes, JSON and typed digits, read in exactly one way (section 2 of the specification).

Two readers that disagree about the same bytes are how a signature comes to cover one thing
and a decision another. So everything ambiguous is refused here, once, for every message.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from json import JSONDecoder
from typing import Any, NoReturn, TypeVar

import msgspec

from vestibule.protocol.errors import JsonMalformed, MessageMalformed

T = TypeVar("T")

SAFE_INTEGER = 2**53 - 1

# The Unicode property White_Space, spelled out: `str.isspace` and JavaScript's `\s` each
# differ from it, and both sides must drop the same characters.
WHITE_SPACE = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
DASHES = re.compile("[-\u2010-\u2015\u2212]")


def b64u(data: bytes) -> str:
    """Encode as base64url without padding (RFC 4648 section 5)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64u_decode(text: str, length: int | None = None) -> bytes:
    """Decode strict base64url; with `length`, exactly so many bytes.

    Raises `MessageMalformed` on padding, other alphabets, white space and stray bits.
    """
    try:
        data = urlsafe_b64decode(text.encode("ascii") + b"==")
    except ValueError:
        raise MessageMalformed("not base64url") from None
    # One comparison refuses every other spelling of the same bytes.
    if b64u(data) != text:
        raise MessageMalformed("not canonical base64url")
    if length is not None and len(data) != length:
        raise MessageMalformed(f"{len(data)} bytes instead of {length}")
    return data


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _integer(digits: str) -> int:
    number = int(digits)
    if abs(number) > SAFE_INTEGER:
        raise ValueError("not an integer that every reader holds exactly")
    return number


def _no_integer(digits: str) -> NoReturn:
    raise ValueError(f"{digits} is not an integer")


_DECODER = JSONDecoder(
    object_pairs_hook=_members,
    parse_int=_integer,
    parse_float=_no_integer,
    parse_constant=_no_integer,
)


def parse_json(data: bytes) -> object:
    """Read JSON strictly: UTF-8, no duplicate members, only integers, no lone surrogates.

    Raises `JsonMalformed`.
    """
    try:
        text = data.decode("utf-8")
        value = _DECODER.decode(text)
        if "\\u" in text:
            # Escapes can spell half a character, which no UTF-8 can carry on.
            msgspec.json.encode(value)
    except (ValueError, RecursionError) as error:
        raise JsonMalformed(type(error).__name__) from None
    return value


def parse_json_as(data: bytes, kind: type[T]) -> T:
    """Read JSON into a msgspec type, refusing whatever the type does not name.

    Raises `JsonMalformed`, also for unknown or missing members and wrong types.
    """
    value = parse_json(data)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise JsonMalformed(str(error)) from None


def parse_segment(segment: str, kind: type[T]) -> T:
    """Read one part of a compact JWS or JWE: base64url of JSON. Raises `MessageMalformed`."""
    data = b64u_decode(segment)
    try:
        return parse_json_as(data, kind)
    except JsonMalformed as error:
        raise MessageMalformed(error.reason) from None


def render_json(value: object) -> bytes:
    """Write compact JSON, members in the order of their definition."""
    return msgspec.json.encode(value)


def drop_separators(text: str) -> str:
    """Remove what people put between groups: white space and dashes."""
    return DASHES.sub("", WHITE_SPACE.sub("", text))


def fold_digits(text: str) -> str:
    """Fold what a person typed for a number: NFKC, no separators, any script's digits as ASCII.

    What is not a decimal digit stays, so that the caller can refuse it.
    """
    folded = drop_separators(unicodedata.normalize("NFKC", text))
    return "".join(
        str(unicodedata.decimal(character, character)) if not character.isascii() else character
        for character in folded
    )
