"""Pictures without what they tell beside the picture. Pure.

Where somebody lives, the serial number and the owner of a phone, an older version before it was
cropped: cameras write all of that into a file. Nothing here is looked for. What a picture needs to
look the same is named, and kept; everything else goes, also what nobody has thought of yet, and
what lies behind the picture's end. Pixels are not touched. Which way up it is stays.

    Picture(media).feed(piece) …, finish()

What cannot be followed to its end is refused: it might be a picture to somebody else, and what is
in it would have passed. Done twice gives the same bytes as done once.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Final

from vestibule.support.rules.pictures_heif import HEIF_BRANDS, heif
from vestibule.support.rules.pictures_stream import (
    EXIF_MOST,
    UPRIGHT,
    Step,
    Stream,
    exif_filled,
    exif_of,
    orientation_in,
    unreadable,
)


class Picture:
    """One picture on its way."""

    def __init__(self, media: str) -> None:
        """``media`` is what `format_of` found."""
        self._stream = Stream()
        self._reading = _read(self._stream, media)

    @property
    def removed(self) -> bool:
        """Whether anything was taken out."""
        return self._stream.removed

    def feed(self, piece: bytes) -> bytes:
        """What can be kept now. Raises Refused ``picture_unreadable``."""
        self._stream.held += piece
        next(self._reading)
        made = bytes(self._stream.made)
        self._stream.made.clear()
        return made

    def finish(self) -> None:
        """There is no more. Raises Refused ``picture_unreadable`` where there should be."""
        if not self._stream.whole or self._stream.held:
            raise unreadable()


def _read(stream: Stream, media: str) -> Step[None]:
    yield from _FORMATS[media](stream)
    stream.whole = True
    while True:
        # Behind the end: a second picture, a film, an archive.
        stream.removed |= bool(stream.held)
        yield from stream.drop(len(stream.held))
        yield


def format_of(head: bytes, media: str) -> str:
    """The format in which a file has to be read; "" for one whose details stay as they are.

    ``media`` is the image type that its first bytes prove, if any.
    """
    if media in _FORMATS:
        return media
    return _HEIF if head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS else ""


_TELLING: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"IIRO", b"IIU\0", b"FUJIFILM")
_FILMS: Final = (b"ftyp", b"moov", b"mdat", b"wide")


def may_tell(head: bytes) -> bool:
    """Whether a file that is kept as it is may tell of place and camera: raw pictures, films."""
    return head.startswith(_TELLING) or head[4:8] in _FILMS


# --- JPEG: ISO/IEC 10918-1 annex B, and APPn as JFIF, ICC and Adobe use them -------------------

_MARKER: Final = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
# In a scan, 0xff00 is a byte of the picture and 0xffd0 to 0xffd7 are places to begin anew.
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOS, _EOI, _COM = 0xDA, 0xD9, 0xFE
_PICTURE: Final = _FRAMES | {0xC4, 0xCC} | set(range(_SOS, 0xE0))
_APP0, _APP1, _APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF


def _jpeg(stream: Stream) -> Step[None]:
    stream.made += yield from stream.take(2)
    framed = scanned = turned = False
    code = yield from stream.until(_MARKER, keep=False)
    while code != _EOI:
        stream.part()
        if code not in _ALONE:
            size = yield from stream.number(2)
            if size < 2:
                raise unreadable()
            body = yield from stream.take(size - 2)
            kept = body if code in _PICTURE else _segment(code, body)
            if kept and code == _APP1:
                # A second one says nothing to those who read the first.
                kept, turned = b"" if turned else kept, True
            whole = bytes((0xFF, code)) + (len(kept) + 2).to_bytes(2, "big") + kept
            stream.made += whole if kept else b""
            stream.removed |= kept != body
            framed |= code in _FRAMES
        if code == _SOS:
            if not framed:
                raise unreadable()
            scanned = True
            code = yield from stream.until(_AFTER_SCAN, keep=True)
        else:
            # Between segments decoders skip what is none; so it is no part of the picture.
            code = yield from stream.until(_MARKER, keep=False)
    if not scanned:
        raise unreadable()
    stream.made += b"\xff\xd9"


def _segment(code: int, body: bytes) -> bytes:
    """What stays of a segment that does not describe the picture's coding."""
    if code == _APP0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        # Its last two bytes are the size of a thumbnail, which follows.
        return body[:12] + b"\0\0"
    if code == _APP1 and body.startswith(b"Exif\0"):
        orientation = orientation_in(body)
        return b"Exif\0\0" + exif_of(orientation) if orientation != UPRIGHT else b""
    if code == _APP2 and body.startswith(b"ICC_PROFILE\0"):
        return body
    if code == _APP14 and body.startswith(b"Adobe") and len(body) >= 12:
        return body[:12]
    if _APP0 <= code <= _APP15 or code == _COM:
        return b""
    raise unreadable()


# --- PNG: third edition, sections 5 and 11 ------------------------------------------------------

_PNG_KEPT: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD pHYs "
    b"acTL fcTL fdAT cICP mDCV mDCv cLLI cLLi".split()
)
_PNG_LARGEST: Final = (1 << 31) - 1
_ANCILLARY: Final = 0x20
_CRC: Final = 4


def _png(stream: Stream) -> Step[None]:
    stream.made += yield from stream.take(8)
    kind, filled, turned = b"", False, False
    while kind != b"IEND":
        stream.part()
        before, head = kind, (yield from stream.take(8))
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if (before == b"") != (kind == b"IHDR") or size > _PNG_LARGEST:
            raise unreadable()
        if not (kind.isalpha() and kind.isascii()) or (kind == b"IEND" and size):
            raise unreadable()
        if kind in _PNG_KEPT:
            stream.made += head
            yield from stream.copy(size + _CRC)
        elif kind == b"eXIf" and not turned:
            old = yield from stream.take(min(size, EXIF_MOST))
            yield from stream.drop(size - len(old) + _CRC)
            orientation = orientation_in(old)
            turned = orientation != UPRIGHT
            new = exif_of(orientation) if turned else b""
            stream.removed |= old != new or size > len(old)
            stream.made += _png_chunk(kind, new) if turned else b""
        elif kind[0] & _ANCILLARY:
            stream.removed = True
            yield from stream.drop(size + _CRC)
        else:
            raise unreadable()
        filled |= kind == b"IDAT"
    if not filled:
        raise unreadable()


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(kind + body).to_bytes(_CRC, "big")
    return len(body).to_bytes(4, "big") + kind + body + crc


# --- GIF: version 89a, section 20 and following -------------------------------------------------

_LOOPS: Final = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})
_CONTROL, _PLAIN_TEXT, _APPLICATION = 0xF9, 0x01, 0xFF


def _gif(stream: Stream) -> Step[None]:
    head = yield from stream.take(13)
    stream.made += head
    yield from stream.copy(_palette(head[10]))
    control, drawn = b"", False
    while (kind := (yield from stream.take(1))) != b";":
        stream.part()
        if kind == b",":
            image = yield from stream.take(9)
            stream.made += control + kind + image
            yield from stream.copy(_palette(image[8]) + 1)
            yield from stream.blocks(keep=True)
            control, drawn = b"", True
        elif kind == b"!":
            control = yield from _extension(stream, control)
        elif kind != b"\0":  # an empty block too many: decoders skip it
            raise unreadable()
    if not drawn:
        raise unreadable()
    stream.made += b";"


def _palette(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _extension(stream: Stream, control: bytes) -> Step[bytes]:
    """Past one extension; the control of the image that follows."""
    label = yield from stream.number(1)
    if label == _CONTROL:
        body = yield from stream.take(6)
        if body[0] != 4 or body[5]:
            raise unreadable()
        return b"!\xf9" + body
    first = yield from stream.number(1)
    body = yield from stream.take(first)
    if label == _APPLICATION and body in _LOOPS:
        yield from _loop(stream, body)
        return control
    stream.removed = True
    if first:
        yield from stream.blocks(keep=False)
    # Text is drawn by nobody; a control before it was its own.
    return b"" if label == _PLAIN_TEXT else control


def _loop(stream: Stream, application: bytes) -> Step[None]:
    """How often the film is shown: of all that such a block may hold, three bytes."""
    while size := (yield from stream.number(1)):
        body = yield from stream.take(size)
        if size == 3 and body[0] & 7 == 1:
            stream.made += b"!\xff\x0b" + application + b"\x03" + body + b"\0"
        else:
            stream.removed = True


# --- WebP: RFC 9649 section 2 -------------------------------------------------------------------

_XMP_FLAG: Final = 0x04
_FILLER: Final = b"JUNK"
_FRAME: Final = frozenset({b"ALPH", b"VP8 ", b"VP8L"})
_FILE: Final = _FRAME | {b"ICCP", b"ANIM"}


def _webp(stream: Stream) -> Step[None]:
    """The length of all stands in front, and details come last: so nothing changes its length.

    What goes is filled with zeros where it is, under a name that readers skip. The block that says
    which way up stays, with nothing else in it, for its flag has been written long before.
    """
    head = yield from stream.take(12)
    stream.made += head
    drawn = yield from _chunks(stream, int.from_bytes(head[4:8], "little") - 4, _FILE)
    if not drawn:
        raise unreadable()


def _chunks(stream: Stream, left: int, kept: frozenset[bytes]) -> Step[bool]:
    """So many bytes of chunks; whether a picture is among them."""
    drawn = False
    while left:
        stream.part()
        head = yield from stream.take(8)
        kind, size = head[:4], int.from_bytes(head[4:], "little")
        padding = size & 1
        left -= 8 + size + padding
        if left < 0:
            raise unreadable()
        if kind in kept:
            stream.made += head
            yield from stream.copy(size)
        elif kept is _FILE and kind == b"ANMF" and size >= 16:
            stream.made += head
            yield from stream.copy(16)
            drawn |= yield from _chunks(stream, size - 16, _FRAME)
        elif kept is _FILE and kind == b"VP8X" and size == 10:
            flags = yield from stream.number(1)
            stream.made += head + bytes((flags & ~_XMP_FLAG,))
            yield from stream.copy(9)
        elif kept is _FILE and kind == b"EXIF":
            stream.made += head
            old = yield from stream.take(min(size, EXIF_MOST))
            stream.replace(old, exif_filled(old, len(old)))
            yield from stream.blank(size - len(old))
        else:
            stream.made += _FILLER + head[4:]
            yield from stream.blank(size)
        yield from stream.blank(padding)
        drawn |= kind in (b"VP8 ", b"VP8L")
    return drawn


# ------------------------------------------------------------------------------------------------

_HEIF: Final = "image/heif"
_FORMATS: Final[dict[str, Callable[[Stream], Step[None]]]] = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/gif": _gif,
    "image/webp": _webp,
    _HEIF: heif,
}
