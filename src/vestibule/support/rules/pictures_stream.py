"""Bytes of a picture as they arrive, and what is made of them. Pure.

A format is a generator over a `Stream`: it asks for what it needs and waits where that has not
come yet. So it reads from top to bottom as the format's specification does, and how a network cuts
the bytes changes nothing of what comes out. No more is held than one piece and what a format holds.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Final, TypeVar

from vestibule.base.errors import Refused

T = TypeVar("T")
Step = Generator[None, None, T]
"""A part of reading; each time it yields it waits for more bytes."""

PARTS_MOST: Final = 1 << 17
"""Segments, chunks and frames of a picture: each costs more than its bytes do."""
EXIF_MOST: Final = 64 << 10
"""So much of an Exif block is looked at: as much as there can be in a JPEG."""
UPRIGHT: Final = 1
_ORIENTATION: Final = 0x0112
_SHORT: Final = b"\0\x03"
_PREFIX: Final = b"Exif\0"


def unreadable() -> Refused:
    """The refusal of a picture that cannot be followed to its end."""
    return Refused("picture_unreadable")


class Stream:
    """What arrived and was not read yet, and what was made and not taken yet."""

    def __init__(self) -> None:
        self.held = bytearray()
        self.made = bytearray()
        self.at = 0
        """Bytes that were read."""
        self.whole = False
        """Whether the picture may end here."""
        self.removed = False
        """Whether anything was taken out."""
        self._parts = 0

    def part(self) -> None:
        """Count one more part. Raises Refused ``picture_unreadable`` for too many."""
        self._parts += 1
        if self._parts > PARTS_MOST:
            raise unreadable()

    def _taken(self, size: int) -> bytes:
        piece = bytes(self.held[:size])
        del self.held[:size]
        self.at += len(piece)
        return piece

    def take(self, size: int) -> Step[bytes]:
        """So many bytes: few enough to be held."""
        while len(self.held) < size:
            yield
        return self._taken(size)

    def number(self, size: int) -> Step[int]:
        """A number of so many bytes, the highest first."""
        return int.from_bytes((yield from self.take(size)), "big")

    def _each(self, size: int) -> Generator[bytes | None, None, None]:
        while size:
            piece = self._taken(size)
            size -= len(piece)
            yield piece or None

    def copy(self, size: int) -> Step[None]:
        """Keep so many bytes as they are."""
        for piece in self._each(size):
            if piece is None:
                yield
            else:
                self.made += piece

    def drop(self, size: int) -> Step[None]:
        """Leave so many bytes out."""
        for piece in self._each(size):
            if piece is None:
                yield

    def blank(self, size: int) -> Step[None]:
        """Write zeros in place of so many bytes, where lengths must stay as they are."""
        for piece in self._each(size):
            if piece is None:
                yield
            else:
                self.removed |= piece.count(0) != len(piece)
                self.made += bytes(len(piece))

    def replace(self, old: bytes, new: bytes) -> None:
        """Write ``new`` where ``old`` was read."""
        self.made += new
        self.removed |= old != new

    def until(self, marker: re.Pattern[bytes], *, keep: bool) -> Step[int]:
        """Read on to a marker of two bytes, and past it; its second byte."""
        while True:
            found = marker.search(self.held)
            # The last byte may be a marker's first.
            passed = self._taken(found.start() if found else max(0, len(self.held) - 1))
            if keep:
                self.made += passed
            else:
                self.removed |= passed.count(0xFF) != len(passed)
            if found:
                return self._taken(2)[1]
            yield

    def blocks(self, *, keep: bool) -> Step[None]:
        """GIF's sub-blocks and the empty one that ends them."""
        ended = False
        while not ended:
            held, at, size = self.held, 0, len(self.held)
            while at < size and held[at] and at + held[at] < size:
                at += held[at] + 1
            ended = at < size and not held[at]
            passed = self._taken(at + ended)
            if keep:
                self.made += passed
            if not ended:
                yield


# --- Exif -------------------------------------------------------------------------------------


def orientation_in(exif: bytes) -> int:
    """How a picture is to be turned (TIFF 6.0, tag 274), 1 to 8; 1 where nothing says so."""
    tiff = exif[len(_PREFIX) + 1 :] if exif.startswith(_PREFIX) else exif
    if tiff[:4] not in (b"II*\0", b"MM\0*"):
        return UPRIGHT
    little = tiff[:1] == b"I"

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], "little" if little else "big")

    first = number(4, 4)
    for at in range(first + 2, first + 2 + 12 * number(first, 2), 12):
        if at + 12 > len(tiff):
            break
        if number(at, 2) == _ORIENTATION:
            short = number(at + 2, 2) == int.from_bytes(_SHORT, "big") and number(at + 4, 4) == 1
            found = number(at + 8, 2) if short else UPRIGHT
            return found if UPRIGHT <= found <= 8 else UPRIGHT
    return UPRIGHT


def exif_of(orientation: int) -> bytes:
    """An Exif block (TIFF) that says how the picture is to be turned, and nothing else."""
    entry = _ORIENTATION.to_bytes(2, "big") + _SHORT + b"\0\0\0\x01"
    entry += orientation.to_bytes(2, "big") + b"\0\0"
    return b"MM\0*\0\0\0\x08" + b"\0\x01" + entry + b"\0\0\0\0"


def exif_filled(exif: bytes, size: int) -> bytes:
    """Such a block in ``size`` bytes, for what ``exif`` said; zeros where it has no room."""
    small = exif_of(orientation_in(exif))
    return small.ljust(size, b"\0") if len(small) <= size else bytes(size)
