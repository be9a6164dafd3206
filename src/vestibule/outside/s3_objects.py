"""Statements in an S3-compatible store, through obstore (the Rust crate object_store).

An object appears when the whole of it was taken, never before: a small one travels in one request,
a larger one as a multipart upload, which is aborted when its source fails. What a killed process
leaves of a multipart upload no listing shows: a lifecycle rule of the bucket takes it away.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, Literal

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from vestibule.base.delivering import Delivering
from vestibule.base.errors import Unavailable

_PART: Final = 8 << 20
"""Of a multipart upload: at most 10,000 of them, so 80 GiB."""
_PARTS_AT_A_TIME: Final = 2
_BLOCK: Final = 1 << 20
"""What is fetched at a time for a reader: programs ask for some 32 KiB, a request costs more."""
_AHEAD: Final = 2
_LISTED: Final = 1000


class S3Reader:
    """Reads in blocks, a few ahead of whoever goes through from the beginning."""

    def __init__(self, store: S3Store, name: str, size: int) -> None:
        self._store = store
        self._name = name
        self._blocks: dict[int, asyncio.Task[bytes]] = {}
        self._awaited: Counter[int] = Counter()
        self.size = size

    async def read(self, offset: int, size: int) -> bytes:
        """As ``ObjectReader.read``."""
        end = min(offset + size, self.size)
        if offset >= end:
            return b""
        first, last = offset // _BLOCK, (end - 1) // _BLOCK
        parts = [await self._have(number) for number in range(first, last + 1)]
        joined = parts[0] if len(parts) == 1 else b"".join(parts)
        start = offset - first * _BLOCK
        return joined[start : start + end - offset]

    def close(self) -> None:
        """Stop what is fetched ahead."""
        for task in self._blocks.values():
            task.cancel()
        self._blocks.clear()

    async def _have(self, number: int) -> bytes:
        self._fetch(range(number, number + 1 + _AHEAD))
        self._awaited[number] += 1
        try:
            # Shielded, for others may be waiting for the same one.
            return await asyncio.shield(self._blocks[number])
        finally:
            self._awaited[number] -= 1
            self._forget(number)

    def _fetch(self, numbers: range) -> None:
        for number in numbers:
            task = self._blocks.get(number)
            failed = task is not None and task.done() and _failed(task)
            if number * _BLOCK < self.size and (task is None or failed):
                self._blocks[number] = asyncio.create_task(self._block(number))

    def _forget(self, number: int) -> None:
        """Keep the block before (programs ask side by side, out of order) and those ahead."""
        kept = range(number - 1, number + _AHEAD + 1)
        for held in list(self._blocks):
            if held not in kept and not self._awaited[held]:
                self._blocks.pop(held).cancel()
                del self._awaited[held]

    async def _block(self, number: int) -> bytes:
        start = number * _BLOCK
        length = min(_BLOCK, self.size - start)
        with _faults():
            found = await obstore.get_range_async(
                self._store, self._name, start=start, length=length
            )
        if len(found) != length:
            raise Unavailable("store_unavailable", reason="an object is shorter than it was")
        return bytes(found)


class S3Objects:
    """Keeps objects in ``s3://bucket/prefix``."""

    def __init__(self, settings: Delivering) -> None:
        bucket, _, prefix = settings.statement_store.removeprefix("s3://").partition("/")
        named: dict[str, Any] = {"region": settings.s3_region}
        if settings.s3_endpoint:
            named["endpoint"] = settings.s3_endpoint.rstrip("/")
        if settings.s3_access_key_id:
            named["access_key_id"] = settings.s3_access_key_id
            named["secret_access_key"] = settings.s3_secret_access_key
        self._store = S3Store(
            bucket,
            prefix=prefix.strip("/") or None,
            client_options={
                "allow_http": settings.s3_endpoint.startswith("http://"),
                "connect_timeout": "5s",
                "timeout": "60s",
            },
            # A publisher is waiting: it tries again by itself, and later.
            retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=20)},
            **named,
        )

    async def write(self, name: str, chunks: AsyncIterator[bytes]) -> int:
        """As ``Objects.write``."""
        source = aiter(chunks)
        begun, ended = await _begin(source)
        with _faults():
            if ended:
                await obstore.put_async(self._store, name, begun, use_multipart=False)
                return len(begun)
            return await self._write_parts(name, _Stoppable(begun, source))

    async def _write_parts(self, name: str, source: "_Stoppable") -> int:
        """A multipart upload. What the source raises comes out, after the upload was aborted."""
        putting = asyncio.ensure_future(
            obstore.put_async(
                self._store,
                name,
                source.chunks(),
                chunk_size=_PART,
                max_concurrency=_PARTS_AT_A_TIME,
            )
        )
        try:
            await asyncio.shield(putting)
        except asyncio.CancelledError:
            # Cancelled itself, the library would leave the upload with its parts: its source
            # fails in its place, and it cleans up behind itself.
            source.stop()
            await asyncio.gather(putting, return_exceptions=True)
            if not putting.cancelled() and putting.exception() is None:
                await self.delete(name)  # too late to stop it
            raise
        return source.size

    async def open(self, name: str) -> S3Reader:
        """As ``Objects.open``."""
        with _faults():
            about = await obstore.head_async(self._store, name)
        return S3Reader(self._store, name, about["size"])

    async def delete(self, name: str) -> None:
        """As ``Objects.delete``."""
        try:
            with _faults():
                await obstore.delete_async(self._store, name)
        except FileNotFoundError:
            return

    async def list(self, prefix: str) -> AsyncIterator[tuple[str, int]]:
        """As ``Objects.list``."""
        with _faults():
            async for found in obstore.list(self._store, prefix, chunk_size=_LISTED):
                for about in found:
                    yield about["path"], int(about["last_modified"].timestamp() * 1000)

    def close(self) -> None:
        """Nothing is held."""


class _Stopped(Exception):  # noqa: N818  -- reads as what it is
    """Nobody waits for the rest."""


class _Stoppable:
    """What was read already, then the rest of the source, unless it is stopped before."""

    def __init__(self, begun: bytes, rest: AsyncIterator[bytes]) -> None:
        self._begun = begun
        self._rest = rest
        self._stop = asyncio.Event()
        self.size = 0

    def stop(self) -> None:
        """End at once, also where the source keeps us waiting."""
        self._stop.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Fails at its end when it was stopped."""
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            self.size = len(self._begun)
            yield self._begun
            while (chunk := await self._next(stopped)) is not None:
                self.size += len(chunk)
                yield chunk
        finally:
            stopped.cancel()

    async def _next(self, stopped: "asyncio.Future[Literal[True]]") -> bytes | None:
        coming = asyncio.ensure_future(anext(self._rest, None))
        either: set[asyncio.Future[Any]] = {coming, stopped}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if stopped.done():
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
            raise _Stopped
        return coming.result()


async def _begin(source: AsyncIterator[bytes]) -> tuple[bytes, bool]:
    """As much as goes in one request, and whether that is all."""
    begun = bytearray()
    async for chunk in source:
        begun += chunk
        if len(begun) >= _PART:
            return bytes(begun), False
    return bytes(begun), True


def _failed(task: "asyncio.Task[bytes]") -> bool:
    return task.cancelled() or task.exception() is not None


@contextmanager
def _faults() -> Iterator[None]:
    """The library's errors as ours; FileNotFoundError and what a source raises stay as they are."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError, ValueError) as error:
        # The message may hold addresses, never a key.
        raise Unavailable("store_unavailable", reason=str(error)[:500]) from error
