"""OpenPGP's frames: the packets that keys and messages are made of (RFC 9580 section 4.2).

Read here in plain view, before a library sees anything: what has to be refused without being
parsed (private keys), and what has to be true of a file that may travel by mail (encrypted).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Tag(IntEnum):
    """The kinds of packets that are told apart here (section 5)."""

    SESSION_KEY = 1
    """A session key, encrypted to somebody's key."""
    SIGNATURE = 2
    SECRET_KEY = 5
    PUBLIC_KEY = 6
    SECRET_SUBKEY = 7
    MARKER = 10
    TRUST = 12
    USER_ID = 13
    PUBLIC_SUBKEY = 14
    USER_ATTRIBUTE = 17
    ENCRYPTED = 18
    """Data, encrypted and protected from being changed."""
    PADDING = 21


SECRET: Final = frozenset({Tag.SECRET_KEY, Tag.SECRET_SUBKEY})


class Broken(ValueError):  # noqa: N818  -- reads as what it is
    """These bytes are no sequence of packets."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet with a length that is known from its header."""

    tag: int
    body: bytes
    raw: bytes
    """Header and body, as they came."""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the body of a packet."""

    tag: int
    start: int
    """Where the body begins."""
    size: int
    partial: bool
    """More of this packet follows under a length of its own (section 4.2.1.4)."""


def packets(data: bytes) -> Iterator[Packet]:
    """The packets in their order, one at a time. Raises Broken where they end being any.

    Keys and signatures are meant: packets of unknown or partial length are data, and refused.
    """
    at = 0
    while at < len(data):
        header = header_at(data, at)
        end = header.start + header.size
        if header.partial or end > len(data):
            raise Broken("cut, or of partial length")
        yield Packet(header.tag, data[header.start : end], data[at:end])
        at = end


def first_tag(data: bytes) -> int | None:
    """The tag that these bytes begin with, however they go on; None: they are no packet."""
    return _tag(data[0]) if data and data[0] & 0x80 else None


def is_encrypted(data: bytes) -> bool:
    """Whether this is, from its first to its last byte, a message encrypted to somebody's key.

    One or more encrypted session keys, then one packet of encrypted data that ends where the file
    ends (section 10.3). Nothing readable has this form, and nothing can hide behind its end.
    """
    try:
        at, keys = 0, 0
        while (header := header_at(data, at)).tag == Tag.SESSION_KEY and not header.partial:
            at, keys = header.start + header.size, keys + 1
        if keys == 0 or header.tag != Tag.ENCRYPTED or data[header.start] not in (1, 2):
            return False
        end = header.start + header.size
        while header.partial:
            header = _length(data, end, header.tag)
            end = header.start + header.size
    except (Broken, IndexError):
        return False
    return end == len(data)


def _tag(first: int) -> int:
    return first & 0x3F if first & 0x40 else (first >> 2) & 0x0F


def header_at(data: bytes, at: int) -> Header:
    """The header that begins at ``at``; its body may be cut. Raises Broken where there is none."""
    if at >= len(data) or not data[at] & 0x80:
        raise Broken("no packet begins here")
    tag = _tag(data[at])
    if data[at] & 0x40:
        return _length(data, at + 1, tag)
    # The older form (section 4.2.2): the first byte says how many bytes hold the length.
    kind = data[at] & 3
    if kind == 3:
        raise Broken("of unknown length")
    wide: int = 1 << kind
    start = at + 1 + wide
    if start > len(data):
        raise Broken("cut in its header")
    return Header(tag, start, int.from_bytes(data[at + 1 : start]), partial=False)


def _length(data: bytes, at: int, tag: int) -> Header:
    """The length in the newer form (section 4.2.1), which begins at ``at``."""
    if at >= len(data):
        raise Broken("cut in its header")
    first = data[at]
    if first < 192:
        return Header(tag, at + 1, first, partial=False)
    if first >= 224 and first != 255:
        return Header(tag, at + 1, 1 << (first & 0x1F), partial=True)
    start = at + (5 if first == 255 else 2)
    if start > len(data):
        raise Broken("cut in its header")
    if first == 255:
        return Header(tag, start, int.from_bytes(data[at + 1 : start]), partial=False)
    return Header(tag, start, ((first - 192) << 8) + data[at + 1] + 192, partial=False)
