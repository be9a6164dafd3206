"""As much of Google's Mobile Connection Server protocol as Chromium's push client needs.

Frames are a tag, a length and a protobuf message, over TLS; the first of each side is preceded by
the protocol's version.
"""

import asyncio
from collections.abc import Iterator

VERSION = b"\x29"
HEARTBEAT_PING, HEARTBEAT_ACK, LOGIN_REQUEST, LOGIN_RESPONSE, DATA_MESSAGE = 0, 1, 2, 3, 8
Field = int | str | bytes


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def message(*fields: tuple[int, Field]) -> bytes:
    """A protobuf message of numbers and of strings or messages inside it."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            raw = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(raw)) + raw
    return out


def frame(tag: int, body: bytes) -> bytes:
    """A message on its way."""
    return bytes([tag]) + varint(len(body)) + body


def strings(body: bytes) -> dict[int, bytes]:
    """The strings and messages of a message by field number; the last of each number."""
    return {number: value for number, value in _fields(body) if isinstance(value, bytes)}


def _fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(body):
        key, at = _varint(body, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(body, at)
            yield key >> 3, value
            continue
        size = {1: 8, 5: 4}.get(kind, 0)
        if kind == 2:
            size, at = _varint(body, at)
        yield key >> 3, body[at : at + size]
        at += size


def _varint(body: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = body[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return number, at


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next message's tag and body. Raises asyncio.IncompleteReadError at the end."""
    tag = (await reader.readexactly(1))[0]
    size = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return tag, await reader.readexactly(size)
