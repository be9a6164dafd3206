"""Reading: cut anywhere, given in any pieces, packed, and never more than is allowed."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings, strategies as st

from tests.captures import planting
from vestibule.captures import LIMITS, CaptureRefused, sanitise

WHOLE = json.dumps(planting.capture()["log"] | {"x\u00e9": ["\u20ac\U0001f600", {'a\\"': 1.5e-7}]})
SMALL = (
    '\ufeff {"log": {"version": "1.2", "x": "\u20ac\\u00e9\\n", "entries": [ {"request":'
    ' {"headers": [{"name": "a", "value": "\U0001f600"}], "bodySize": -12}, "time": 1.5e+3,'
    ' "_fetchedViaServiceWorker": true} ]}}\n'
).encode()


def safe(data: bytes, *, limit: int = LIMITS["bytes"]) -> bytes:
    """A capture made safe."""
    out = io.BytesIO()
    sanitise(io.BytesIO(data).read, out.write, limit=limit)
    return out.getvalue()


def refusal(data: bytes, *, limit: int = LIMITS["bytes"]) -> str:
    """The code with which a capture is refused."""
    with pytest.raises(CaptureRefused) as refused:
        safe(data, limit=limit)
    return refused.value.code


def in_pieces(data: bytes, size: int) -> Callable[[int], bytes]:
    """A source that gives few bytes at a time, whatever is asked for."""
    stream = io.BytesIO(data)
    return lambda most: stream.read(min(most, size))


def _given(pieces: list[bytes]) -> Callable[[int], bytes]:
    """A source that gives these pieces."""
    waiting = iter(pieces)
    return lambda _most: next(waiting, b"")


def test_capture_cut_at_every_byte_is_refused() -> None:
    """Wherever a capture ends too early, it is refused: as cut, once its first brace was there."""
    for end in range(len(SMALL.rstrip()) - 1):
        code = refusal(SMALL[:end])
        expected = {"capture_empty", "capture_not_json"} if end < 4 else {"capture_empty"}
        assert code in (expected if end < 5 else {"capture_cut"}), end


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 1000])
def test_pieces_make_no_difference(size: int) -> None:
    """One byte at a time or all at once: the same bytes come out."""
    for data in (SMALL, f'{{"log":{WHOLE}}}'.encode()):
        if size < 5 and data is not SMALL:
            continue
        out = io.BytesIO()
        sanitise(in_pieces(data, size), out.write)
        assert out.getvalue() == safe(data)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(SMALL) - 1), st.binary(min_size=1, max_size=3))
def test_damage_is_refused_or_made_safe(at: int, damage: bytes) -> None:
    """Whatever bytes are written over a capture: a lawful refusal, or JSON in printable ASCII."""
    data = SMALL[:at] + damage + SMALL[at + len(damage) :]
    try:
        out = safe(data)
    except CaptureRefused:
        return
    json.loads(out)
    assert set(out) <= {0x0A, *range(0x20, 0x7F)}


def test_capture_packed_with_gzip_is_unpacked() -> None:
    """Also in several members, and with the bytes that are counted being the unpacked ones."""
    half = len(SMALL) // 2
    packed = gzip.compress(SMALL[:half]) + gzip.compress(SMALL[half:])
    assert safe(packed) == safe(gzip.compress(SMALL)) == safe(SMALL)
    out = io.BytesIO()
    assert sanitise(in_pieces(packed, 1), out.write).bytes_in == len(SMALL)
    assert out.getvalue() == safe(SMALL)


def test_packed_capture_is_refused_when_damaged() -> None:
    """Cut, corrupt, followed by something else, or packed twice."""
    packed = gzip.compress(SMALL)
    for end in range(2, len(packed)):
        assert refusal(packed[:end]) == "capture_cut", end
    assert refusal(packed[:20] + b"\xff\xff\xff" + packed[23:]) == "capture_compressed"
    assert refusal(packed + b"more") in {"capture_compressed", "capture_cut"}
    assert refusal(gzip.compress(packed)) == "capture_compressed"


def test_packed_bomb_stops_at_the_limit() -> None:
    """A file of kilobytes that unpacks to a gigabyte costs what its limit costs."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b" " * 1_000_000) for _ in range(1000)) + packer.flush()
    assert len(bomb) < 1_100_000
    asked = io.BytesIO(bomb)
    tracemalloc.start()
    with pytest.raises(CaptureRefused) as refused:
        sanitise(asked.read, lambda _piece: None, limit=5_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.code == "capture_compressed"
    assert peak < 8_000_000
    assert asked.tell() < len(bomb)


def test_capture_larger_than_the_limit_is_not_read_on() -> None:
    """One byte more than allowed is refused; what lies behind is never asked for."""
    assert safe(SMALL, limit=len(SMALL))
    assert refusal(SMALL, limit=len(SMALL) - 1) == "capture_too_large"
    asked: list[int] = []

    def endless(most: int) -> bytes:
        asked.append(most)
        return b'{"log":' if len(asked) == 1 else b" " * most

    with pytest.raises(CaptureRefused) as refused:
        sanitise(endless, lambda _piece: None, limit=1_000_000)
    assert refused.value.code == "capture_too_large"
    assert sum(asked) < 2_000_000


def test_memory_does_not_grow_with_a_text() -> None:
    """A body of ten times the size takes as much memory; test_hostile.py asks a process for it."""
    peaks = []
    for times in (200, 2000):
        whole = [b'{"log":{"entries":[{"request":{"postData":{"text":"']
        whole += [b"\\u00e9" * 1000] * times + [b'"}}}]}}']
        source = _given(whole)
        tracemalloc.start()
        report = sanitise(source, lambda _piece: None)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert report.bytes_in > 6000 * times
    assert peaks[1] < 4_000_000


def test_progress_and_entries_are_told_while_it_reads() -> None:
    """Progress counts bytes; an entry's line can be read where it is said to be."""
    seen: list[int] = []
    out = io.BytesIO()
    lines: list[bytes] = []

    def told(entry: object) -> None:
        offset, length = entry.offset, entry.length  # type: ignore[attr-defined]
        lines.append(out.getvalue()[offset : offset + length])

    data = json.dumps(planting.capture()).encode()
    sanitise(in_pieces(data, 1000), out.write, progress=seen.append, entry=told)
    assert seen == sorted(seen)
    assert seen[-1] == len(data)
    assert [json.loads(line) for line in lines] == json.loads(out.getvalue())["log"]["entries"]
