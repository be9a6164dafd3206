"""What every store of files keeps to: on a disk, and in a bucket of an S3 server."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from inspect import isawaitable
from pathlib import Path

import pytest

from tests.buckets import BUCKET, Buckets, buckets
from vestibule.base.context import ObjectReader, Objects
from vestibule.base.errors import Unavailable
from vestibule.base.ids import new_id
from vestibule.outside.disk_objects import DiskObjects

MIB = 1 << 20
LARGE = os.urandom(MIB) * 19 + b"the end"


@pytest.fixture(scope="module")
def bucket() -> Iterator[Buckets]:
    """A running S3 server."""
    with buckets() as running:
        yield running


@pytest.fixture(params=["disk", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Objects]:
    """An empty store of either kind."""
    made: Objects = (
        DiskObjects(tmp_path / "store")
        if request.param == "disk"
        else request.getfixturevalue("bucket").objects(new_id())
    )
    yield made
    made.close()


def name(kind: str = "statements") -> str:
    """A name as services make them."""
    return f"{kind}/{new_id()}"


async def chunks(data: bytes, size: int = 300_000) -> AsyncIterator[bytes]:
    """The data in pieces."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(reader: ObjectReader, offset: int, size: int) -> bytes:
    """Some of it, from whatever kind of store."""
    found = reader.read(offset, size)
    return await found if isawaitable(found) else found


async def stored(objects: Objects, prefix: str = "statements") -> set[str]:
    """The names of what is there."""
    return {found async for found, _ in objects.list(prefix)}


@pytest.mark.parametrize("data", [b"", b"x", LARGE[: MIB - 1], LARGE[:MIB], LARGE])
async def test_what_is_written_is_read(objects: Objects, data: bytes) -> None:
    """Empty, small and large files come back as they went in, also from their middle."""
    where = name()
    assert await objects.write(where, chunks(data)) == len(data)
    reader = await objects.open(where)
    assert reader.size == len(data)
    assert await read(reader, 0, len(data) + 10) == data
    middle = len(data) // 2
    assert await read(reader, middle, 70_000) == data[middle : middle + 70_000]
    assert await read(reader, len(data), 10) == b""
    reader.close()
    reader.close()


async def test_reading_side_by_side_and_out_of_order_is_exact(objects: Objects) -> None:
    """Programs ask for many pieces at once; each gets its own."""
    where = name()
    await objects.write(where, chunks(LARGE))
    reader = await objects.open(where)
    places = [(start * 7_654_321) % len(LARGE) for start in range(40)]
    pieces = await asyncio.gather(*(read(reader, place, 32_768) for place in places))
    assert pieces == [LARGE[place : place + 32_768] for place in places]
    reader.close()


@pytest.mark.parametrize("after", [0, 100_000, 17 * MIB])
async def test_a_source_that_fails_leaves_nothing(objects: Objects, after: int) -> None:
    """Its own exception comes out, and no file of the name is there, nor anything of it."""

    class OurOwnError(Exception):
        pass

    async def broken() -> AsyncIterator[bytes]:
        async for chunk in chunks(LARGE[:after]):
            yield chunk
        raise OurOwnError

    where = name()
    with pytest.raises(OurOwnError):
        await objects.write(where, broken())
    with pytest.raises(FileNotFoundError):
        await objects.open(where)
    assert await stored(objects) == set()


async def test_a_writer_that_is_cancelled_leaves_nothing(
    objects: Objects, request: pytest.FixtureRequest
) -> None:
    """A sender that went away in the middle of a large file takes all of it along."""
    under_way = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield LARGE[: 5 * MIB]
        under_way.set()
        await asyncio.sleep(60)

    where = name()
    writing = asyncio.create_task(objects.write(where, endless()))
    await under_way.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    with pytest.raises(FileNotFoundError):
        await objects.open(where)
    if not isinstance(objects, DiskObjects):
        server: Buckets = request.getfixturevalue("bucket")
        assert b"<Upload>" not in server.ask(f"{BUCKET}?uploads")


async def test_deleting_twice_is_fine(objects: Objects) -> None:
    """Whoever deletes after a crash need not know what was deleted before it."""
    where = name()
    await objects.write(where, chunks(b"something"))
    await objects.delete(where)
    await objects.delete(where)
    with pytest.raises(FileNotFoundError):
        await objects.open(where)


async def test_what_is_there_is_listed_with_its_age(objects: Objects) -> None:
    """By kind, each once, dated by about now."""
    statements, part = {name() for _ in range(5)}, name("uploads")
    for where in (*statements, part):
        await objects.write(where, chunks(b"something"))
    assert await stored(objects) == statements
    assert await stored(objects, "uploads") == {part}
    async for _, at in objects.list("statements"):
        assert abs(at - time.time() * 1000) < 60_000
    assert await stored(objects, "nothing") == set()


async def test_many_small_ones_at_once_are_all_there(objects: Objects) -> None:
    """Writers side by side do not get into each other's way."""
    wanted = {name(): os.urandom(200) for _ in range(150)}
    await asyncio.gather(*(objects.write(where, chunks(data)) for where, data in wanted.items()))
    for where, data in wanted.items():
        reader = await objects.open(where)
        assert await read(reader, 0, 1000) == data
        reader.close()


async def test_reading_what_was_deleted_ends_cleanly(objects: Objects) -> None:
    """An open file is read to its end from a disk; from a network it is gone, and says so."""
    where = name()
    await objects.write(where, chunks(LARGE))
    reader = await objects.open(where)
    assert await read(reader, 0, 10) == LARGE[:10]
    await objects.delete(where)
    if isinstance(objects, DiskObjects):
        assert await read(reader, 0, len(LARGE)) == LARGE
    else:
        with pytest.raises(FileNotFoundError):
            await read(reader, 12 * MIB, 100)
    reader.close()


# --- S3 alone ----------------------------------------------------------------------------------


async def test_a_broken_multipart_upload_is_aborted(bucket: Buckets) -> None:
    """No parts are left in the bucket that nobody sees and somebody pays for."""

    async def broken() -> AsyncIterator[bytes]:
        yield LARGE
        raise ConnectionError

    objects = bucket.objects(new_id())
    with pytest.raises((ConnectionError, Unavailable)):
        await objects.write(name(), broken())
    assert b"<Upload>" not in bucket.ask(f"{BUCKET}?uploads")


async def test_a_bucket_that_is_not_there_is_unavailable() -> None:
    """A store that does not answer is a failure of ours, with a code, in bounded time."""
    settings = {"s3_endpoint": "http://127.0.0.1:9"}
    objects = Buckets(9).objects("x", **settings)
    began = time.monotonic()
    for attempt in (
        objects.write(name(), chunks(b"x")),
        objects.open(name()),
        objects.delete(name()),
    ):
        with pytest.raises(Unavailable) as caught:
            await attempt
        assert caught.value.code.name == "store_unavailable"
    assert time.monotonic() - began < 90


async def test_reading_ahead_holds_little(bucket: Buckets) -> None:
    """Of a large file a reader holds a few blocks, wherever it has been."""
    objects, where = bucket.objects(new_id()), name()
    await objects.write(where, chunks(LARGE))
    reader = await objects.open(where)
    for place in range(0, len(LARGE), 400_000):
        assert await read(reader, place, 32_768) == LARGE[place : place + 32_768]
        assert len(reader._blocks) <= 4
    reader.close()
    assert reader._blocks == {}
