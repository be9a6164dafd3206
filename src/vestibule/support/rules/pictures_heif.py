"""HEIC and AVIF without what they tell beside the picture (ISO/IEC 14496-12 and 23008-12). Pure.

Everything in such a file is found by its place in it, so nothing may move: what goes is filled with
zeros where it lies. The list of items stands in front of them and says what each of them is, and
where. One that is not coded as a picture goes, whatever it is called. Which way up the picture is
stands among its properties; of Exif, whose word on that does not count here, an upright one stays.

A file that has its list behind its items is refused: they would have passed by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from vestibule.support.rules.pictures_stream import (
    UPRIGHT,
    Step,
    Stream,
    exif_of,
    unreadable,
)

HEIF_BRANDS: Final = frozenset(b"heic heix heim heis mif1 mif2 avif".split())
"""Of single pictures. A film among these formats is one among films: nothing is taken out."""
_LIST_MOST: Final = 1 << 19
"""Bytes of the list of items, which is held; a phone's is a few thousand."""
_EXTENTS_MOST: Final = 1 << 14
"""In how many places items may lie: 800 tiles are a picture of 200 million points."""
_GONE_MOST: Final = 64
"""Of these, how many may go; each is looked for in every box of items."""
_CODED: Final = frozenset(
    b"hvc1 hev1 lhv1 av01 avc1 vvc1 jpeg j2k1 unci grid iden iovl tmap sato".split()
)
_LIST_KEPT: Final = frozenset(b"hdlr pitm iinf iloc iref iprp idat dinf grpl free".split())
_TELLING: Final = frozenset(b"udes crtt mdft altt uuid".split())
"""Properties that describe in words, or say when."""
_FREE: Final = b"free"
_EXIF: Final = bytes(4) + exif_of(UPRIGHT)


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class _Extent:
    method: int
    start: int
    end: int
    exif: bool


def heif(stream: Stream) -> Step[None]:
    """Read to the end of the file: only that says which box is the last one."""
    gone: list[_Extent] | None = None
    filled = False
    while True:
        stream.part()
        head = yield from stream.take(8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if size == 1:
            head += yield from stream.take(8)
            size = int.from_bytes(head[8:], "big")
        left = size - len(head)
        if left < 0:
            raise unreadable()
        stream.whole = False
        if kind == b"meta" and gone is None and left <= _LIST_MOST:
            old = yield from stream.take(left)
            new, gone = _list(old, stream.at)
            stream.made += head
            stream.replace(old, new)
        elif kind == b"mdat" and gone is not None:
            stream.made += head
            yield from _items(stream, left, gone)
            filled = True
        elif kind == b"ftyp" and stream.at == len(head):
            stream.made += head
            yield from stream.copy(left)
        elif kind in (b"mdat", b"meta"):
            raise unreadable()
        else:
            # Of its maker, or a film that goes with the picture.
            stream.made += head[:4] + _FREE + head[8:]
            yield from stream.blank(left)
        stream.whole = filled


def _items(stream: Stream, size: int, gone: list[_Extent]) -> Step[None]:
    """The bytes of items, without those of some."""
    end = stream.at + size
    for one in gone:
        start, stop = max(one.start, stream.at), min(one.end, end)
        if start >= stop:
            continue
        yield from stream.copy(start - stream.at)
        size = stop - start
        if one.exif and (start, stop) == (one.start, one.end) and size >= len(_EXIF):
            old = yield from stream.take(len(_EXIF))
            stream.replace(old, _EXIF)
            size -= len(_EXIF)
        yield from stream.blank(size)
    yield from stream.copy(end - stream.at)


# --- the list of items --------------------------------------------------------------------------


class _Fields:
    """Numbers of a box, one after the other."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data, self._at, self._end = data, at, end

    def next(self, size: int) -> int:
        """A number of so many bytes."""
        at, self._at = self._at, self._at + size
        if self._at > self._end:
            raise unreadable()
        return int.from_bytes(self._data[at : self._at], "big")


def _boxes(data: bytes, at: int, end: int) -> Iterator[_Box]:
    while at < end:
        size = int.from_bytes(data[at : at + 4], "big")
        if end - at < 8 or not 8 <= size <= end - at:
            raise unreadable()
        yield _Box(data[at + 4 : at + 8], at, at + 8, at + size)
        at += size


def _list(old: bytes, end: int) -> tuple[bytes, list[_Extent]]:
    """The list as it is kept, and the extents behind it that go; ``end`` is its place."""
    new = bytearray(old)
    found: dict[bytes, _Box] = {}
    for box in _boxes(old, 4, len(old)):
        if box.kind not in _LIST_KEPT or box.kind in found:
            _free(new, box)
        found.setdefault(box.kind, box)
    if not {b"iinf", b"iloc"} <= found.keys():
        raise unreadable()
    for one in _properties(old, found.get(b"iprp")):
        if one.kind in _TELLING:
            _free(new, one)
    behind = []
    for extent in _gone(old, found[b"iloc"], dict(_kinds(old, found[b"iinf"]))):
        if extent.method == 0 and extent.start >= end:
            behind.append(extent)
        elif extent.method == 1 and b"idat" in found:
            idat = found[b"idat"]
            start, stop = idat.body + extent.start, idat.body + extent.end
            if stop > idat.end:
                raise unreadable()
            new[start:stop] = bytes(stop - start)
        else:
            raise unreadable()
    return bytes(new), sorted(behind, key=lambda one: one.start)


def _free(data: bytearray, box: _Box) -> None:
    data[box.start + 4 : box.body] = _FREE
    data[box.body : box.end] = bytes(box.end - box.body)


def _properties(data: bytes, box: _Box | None) -> Iterator[_Box]:
    if box is not None:
        for table in _boxes(data, box.body, box.end):
            if table.kind == b"ipco":
                yield from _boxes(data, table.body, table.end)


def _kinds(data: bytes, box: _Box) -> Iterator[tuple[int, bytes]]:
    """The items' types, by their numbers."""
    wide = 4 if _Fields(data, box.body, box.end).next(1) else 2
    for entry in _boxes(data, box.body + 4 + wide, box.end):
        fields = _Fields(data, entry.body, entry.end)
        version = fields.next(4) >> 24
        if entry.kind != b"infe" or version not in (2, 3):
            raise unreadable()
        number = fields.next(2 if version == 2 else 4)
        fields.next(2)
        yield number, fields.next(4).to_bytes(4, "big")


def _gone(data: bytes, box: _Box, kinds: dict[int, bytes]) -> Iterator[_Extent]:
    """Where that lies which goes."""
    fields = _Fields(data, box.body, box.end)
    version = fields.next(4) >> 24
    sizes = fields.next(2)
    offset_size, length_size = sizes >> 12, sizes >> 8 & 15
    base_size, index_size = sizes >> 4 & 15, sizes & 15 if version else 0
    wide = 4 if version == 2 else 2
    seen = gone = 0
    for _ in range(fields.next(wide)):
        kind = kinds.get(fields.next(wide), b"")
        method = fields.next(2) & 15 if version else 0
        fields.next(2)
        base = fields.next(base_size)
        extents = fields.next(2)
        seen += extents
        gone += extents if kind not in _CODED else 0
        if seen > _EXTENTS_MOST or gone > _GONE_MOST:
            raise unreadable()
        for _ in range(extents):
            fields.next(index_size)
            start = base + fields.next(offset_size)
            length = fields.next(length_size)
            if kind in _CODED:
                continue
            if not length:
                raise unreadable()
            yield _Extent(method, start, start + length, kind == b"Exif")
