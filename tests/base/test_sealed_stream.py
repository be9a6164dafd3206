"""Sealed streams: what was stored comes back at any place, and only if nothing was touched."""

import secrets
from collections.abc import AsyncIterator

import pytest

from vestibule.base import sealed_stream
from vestibule.base.sealed_stream import (
    CHUNK,
    SealedReader,
    Sealing,
    open_sealed,
    plain_size,
    sealed,
    stored_size,
)
from vestibule.base.sealing import Unsealable

KEY = bytes(range(32))
STORED = CHUNK + 16
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK - 1, 3 * CHUNK, 3 * CHUNK + 7)


class Stored:
    """An object in memory; it may answer at once or be awaited, as stores do."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.closed = 0

    def read(self, offset: int, size: int) -> bytes:
        """As a disk."""
        return self.data[offset : offset + size]

    def close(self) -> None:
        """Count it."""
        self.closed += 1


class Awaited(Stored):
    """An object behind a network."""

    def read(self, offset: int, size: int) -> object:  # type: ignore[override]
        """As a network."""

        async def later() -> bytes:
            return self.data[offset : offset + size]

        return later()


async def in_pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    """The same bytes, so many at a time."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def seal(data: bytes, key: bytes = KEY, *, piece: int = 10_000) -> bytes:
    """The stored form."""
    return b"".join([part async for part in sealed(in_pieces(data, piece), key)])


async def opened(stored: bytes, key: bytes = KEY) -> bytes:
    """Everything that a stored form holds."""
    reader = await open_sealed(Stored(stored), key)
    return await reader.read(0, reader.size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("piece", [4097, CHUNK, 5 * CHUNK])
async def test_stream_comes_back_whole(size: int, piece: int) -> None:
    """Whatever its length and however it arrived; its stored length is foretold."""
    data = secrets.token_bytes(size)
    stored = await seal(data, piece=piece)
    assert len(stored) == stored_size(size)
    assert plain_size(len(stored)) == size
    assert await opened(stored) == data


async def test_key_made_here_is_never_the_same() -> None:
    """Each stream has its own key, of 32 bytes."""
    keys = {sealed_stream.new_key() for _ in range(50)}
    assert len(keys) == 50
    assert {len(key) for key in keys} == {32}


@pytest.mark.parametrize("kind", [Stored, Awaited])
async def test_ranges_give_what_lies_there(kind: type[Stored]) -> None:
    """From any place to any place, over the borders of chunks, and nothing behind the end."""
    data = secrets.token_bytes(3 * CHUNK + 100)
    reader = await open_sealed(kind(await seal(data)), KEY)
    edges = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK, len(data) - 1, len(data)]
    for start in edges:
        for end in edges:
            assert await reader.read(start, max(0, end - start)) == data[start : max(start, end)]
    assert await reader.read(len(data), 10) == b""
    assert await reader.read(len(data) + CHUNK, 10) == b""
    assert await reader.read(-5, 10) == b""
    assert await reader.read(0, 10**9) == data


async def test_plain_text_is_not_in_what_is_stored() -> None:
    """Nothing of it can be read without the key, and equal chunks do not look alike."""
    stored = await seal(b"attack at dawn. " * 3 * (CHUNK // 16))
    assert b"attack" not in stored
    assert stored[:CHUNK] != stored[STORED : STORED + CHUNK]


@pytest.mark.parametrize("size", [0, 1, 50, CHUNK, CHUNK + 30, 2 * CHUNK + 30])
async def test_stream_does_not_open_wherever_it_is_cut(size: int) -> None:
    """At every byte of a short one, and around each border of a long one."""
    stored = await seal(secrets.token_bytes(size))
    borders = {cut + near for cut in range(0, len(stored) + 1, STORED) for near in range(-40, 40)}
    cuts = range(len(stored)) if len(stored) < 200 else sorted(borders)
    for cut in cuts:
        if 0 <= cut < len(stored):
            with pytest.raises(Unsealable):
                await open_sealed(Stored(stored[:cut]), KEY)


@pytest.mark.parametrize("size", [1, 64, 300])
async def test_stream_does_not_open_with_any_bit_flipped(size: int) -> None:
    """Of a short stream each bit of each byte."""
    stored = await seal(secrets.token_bytes(size))
    for place in range(len(stored)):
        for bit in range(8):
            touched = bytearray(stored)
            touched[place] ^= 1 << bit
            with pytest.raises(Unsealable):
                await opened(bytes(touched))


async def test_flip_in_the_middle_harms_its_own_chunk_only() -> None:
    """It is found where it is read; what lies in other chunks still comes."""
    data = secrets.token_bytes(3 * CHUNK)
    touched = bytearray(await seal(data))
    touched[STORED + 5] ^= 1
    reader = await open_sealed(Stored(bytes(touched)), KEY)
    assert await reader.read(0, CHUNK) == data[:CHUNK]
    assert await reader.read(2 * CHUNK, CHUNK) == data[2 * CHUNK :]
    for start, size in ((CHUNK, 1), (CHUNK - 1, 2), (0, 3 * CHUNK)):
        with pytest.raises(Unsealable):
            await reader.read(start, size)


async def test_chunks_in_another_order_do_not_open() -> None:
    """Swapped, repeated in another's place, or left out."""
    stored = await seal(secrets.token_bytes(4 * CHUNK))
    chunks = [stored[start : start + STORED] for start in range(0, len(stored), STORED)]
    for order in ([1, 0, 2, 3], [0, 0, 2, 3], [0, 2, 3], [0, 1, 2, 3, 3], [3, 1, 2, 0], [1, 2, 3]):
        with pytest.raises(Unsealable):
            await opened(b"".join(chunks[number] for number in order))


async def test_chunks_of_another_stream_do_not_open() -> None:
    """Not even in the same place: each stream has a key of its own."""
    other = sealed_stream.new_key()
    mine, theirs = await seal(bytes(2 * CHUNK)), await seal(bytes(2 * CHUNK), other)
    with pytest.raises(Unsealable):
        await opened(mine[:STORED] + theirs[STORED:])
    with pytest.raises(Unsealable):
        await opened(theirs[:STORED] + mine[STORED:])
    with pytest.raises(Unsealable):
        await opened(mine, other)


async def test_stream_whose_source_fails_has_no_end() -> None:
    """What was handed out before the failure does not open as a shorter stream."""

    async def breaks() -> AsyncIterator[bytes]:
        yield bytes(CHUNK)
        yield bytes(CHUNK + 1)
        raise ConnectionError

    got = bytearray()

    async def collect() -> None:
        async for part in sealed(breaks(), KEY):
            got.extend(part)

    with pytest.raises(ConnectionError):
        await collect()
    assert len(got) == 2 * STORED
    with pytest.raises(Unsealable):
        await open_sealed(Stored(bytes(got)), KEY)


def test_last_full_chunk_is_held_back_until_the_end() -> None:
    """Exactly one chunk could be the last one: nothing of it is sealed before that is known."""
    sealing = Sealing(KEY)
    assert sealing.update(bytes(CHUNK)) == b""
    assert len(sealing.update(b"x")) == STORED
    assert len(sealing.finish()) == 17
    assert sealing.size == CHUNK + 1


@pytest.mark.parametrize(
    "length", [0, 1, 15, STORED + 1, STORED + 15, STORED + 16, 2 * STORED + 16]
)
def test_length_that_no_stream_has_is_refused(length: int) -> None:
    """An end shorter than a tag, and an empty chunk behind others: sealed by nobody."""
    with pytest.raises(Unsealable):
        plain_size(length)


async def test_object_is_closed_when_it_does_not_open() -> None:
    """A refusal leaves no open file; a reader closes it when it is told to."""
    stored = Stored(b"short")
    with pytest.raises(Unsealable):
        await open_sealed(stored, KEY)
    assert stored.closed == 1
    good = Stored(await seal(b"something"))
    reader = await open_sealed(good, KEY)
    assert isinstance(reader, SealedReader)
    reader.close()
    assert good.closed == 1
