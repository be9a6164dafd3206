"""Captures that come packed with gzip (§1.2), unpacked piece by piece within the limit.

A thousandfold bomb costs what its limit costs: pieces are unpacked only as they are asked for.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from vestibule.captures.errors import CaptureRefused

_MAGIC = b"\x1f\x8b"
_GZIP_ONLY = 16 + zlib.MAX_WBITS


def unpacked(read: Callable[[int], bytes], *, limit: int) -> Callable[[int], bytes]:
    """The same source, unpacked if it begins like gzip. `limit` is in unpacked bytes."""
    head = b""
    while len(head) < len(_MAGIC) and (piece := read(len(_MAGIC) - len(head))):
        head += piece
    if head != _MAGIC:
        return _Rejoined(head, read)
    return _Unpacked(head, read, limit)


class _Rejoined:
    """A source of which the first bytes were looked at."""

    def __init__(self, head: bytes, read: Callable[[int], bytes]) -> None:
        self._head = head
        self._read = read

    def __call__(self, most: int) -> bytes:
        head, self._head = self._head, b""
        return head or self._read(most)


class _Unpacked:
    """The content of a gzip file; several members follow each other, as `cat` joins them."""

    def __init__(self, head: bytes, read: Callable[[int], bytes], limit: int) -> None:
        self._packed = head
        self._read = read
        self._limit = limit
        self._taken = len(head)
        self._given = 0
        self._member = zlib.decompressobj(_GZIP_ONLY)
        self._ended = False

    def __call__(self, most: int) -> bytes:
        while True:
            if self._member.eof:
                self._packed = self._member.unused_data or self._packed
                self._next(most)
                if not self._packed:
                    return b""
                self._member = zlib.decompressobj(_GZIP_ONLY)
            self._next(most)
            try:
                piece = self._member.decompress(self._packed, most)
            except zlib.error:
                raise CaptureRefused("capture_compressed", self._taken) from None
            self._packed = self._member.unconsumed_tail
            if piece:
                return self._counted(piece)
            if self._ended and not self._packed and not self._member.eof:
                raise CaptureRefused("capture_cut", self._taken)

    def _next(self, most: int) -> None:
        """Packed bytes to go on with."""
        if not self._packed and not self._ended:
            self._packed = self._read(most)
            self._taken += len(self._packed)
            self._ended = not self._packed

    def _counted(self, piece: bytes) -> bytes:
        self._given += len(piece)
        if self._given > self._limit:
            raise CaptureRefused("capture_compressed", self._taken)
        return piece
