"""`python -m bench.publishing`: thousands of small statements, on SQLite and on PostgreSQL.

Files a second through the services, each durable, checked and listed before its sender sends the
next. The floor in the same run is the disk's own: a file written and forced out, renamed, its
folder forced out, by as many at a time, with no database. Rounds take turns, medians are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any, cast

from bench.databases import databases
from vestibule import schema
from vestibule.accounts import service as accounts
from vestibule.accounts.service import PasswordPool
from vestibule.base.clock import SystemClock
from vestibule.base.context import Context
from vestibule.base.database import Database
from vestibule.base.ids import new_id
from vestibule.base.sealing import Keys
from vestibule.base.settings import Settings
from vestibule.base.wake import LocalBus
from vestibule.outside.disk_objects import DiskObjects
from vestibule.statements import service
from vestibule.statements.rules import State, Wanted

_ACCOUNTS = 50


@asynccontextmanager
async def _house(url: str, folder: Path) -> AsyncIterator[Context]:
    """The services of a new house, with accounts to publish for."""
    await schema.upgrade(url)
    keys, absent = Keys.create(folder), cast("Any", None)
    pool = PasswordPool(keys.sealer, threads=2, memory_kib=8, passes=1)
    objects = DiskObjects(folder / "statements")
    async with AsyncExitStack() as stack:
        stack.callback(objects.close)
        stack.callback(pool.close)
        database = await Database.open(url)
        stack.push_async_callback(database.close)
        ctx = Context(
            settings=Settings(data=folder, database_url=url),
            db=database,
            clock=SystemClock(),
            keys=keys,
            wake=LocalBus(),
            passwords=pool,
            push=absent,
            mail=absent,
            text=absent,
            places=absent,
            objects=objects,
        )
        for number in range(_ACCOUNTS):
            await accounts.create_account(
                ctx, username=f"client{number}", password=secrets.token_urlsafe(16)
            )
        yield ctx


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _publish(ctx: Context, *, files: int, size: int, at_a_time: int) -> tuple[float, float]:
    """Files a second, by the clock and by the processor's time of this process."""
    publisher, _ = await service.add_publisher(ctx, f"p{new_id()}")
    numbers = iter(range(files))
    mark = new_id()

    async def sender() -> None:
        for number in numbers:
            data = secrets.token_bytes(size)
            wanted = Wanted(
                account=f"client{number % _ACCOUNTS}",
                kind="daily",
                name=f"2026-11-22 a{mark} {number}.csv",
                size=size,
                sha256=hashlib.sha256(data).digest(),
            )
            done = await service.publish(ctx, publisher, wanted, chunks=_once(data))
            assert done.state is State.NEW

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(sender() for _ in range(at_a_time)))
    return files / (time.perf_counter() - began), files / (time.process_time() - cpu)


async def _floor(folder: Path, *, files: int, size: int, at_a_time: int) -> float:
    """Files a second that the disk takes, whole and durable."""
    objects = DiskObjects(folder)
    numbers = iter(range(files))

    async def sender() -> None:
        for _ in numbers:
            await objects.write(f"statements/{new_id()}", _once(secrets.token_bytes(size)))

    began = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(at_a_time)))
    rate = files / (time.perf_counter() - began)
    objects.close()
    return rate


def _rounds(kind: str, folder: Path, *, rounds: int, **load: int) -> None:
    async def measure(url: str) -> None:
        rates, cpus, floors = [], [], []
        async with _house(url, folder) as ctx:
            for _ in range(rounds):
                floors.append(await _floor(folder / "floor", **load))
                rate, cpu = await _publish(ctx, **load)
                rates.append(rate)
                cpus.append(cpu)
        print(
            f"{kind:<11} {load['at_a_time']:>3} at a time  "
            f"{median(rates):7.0f} files/s  {median(rates) / median(floors):.2f} of the disk alone "
            f"({median(floors):.0f}/s)  {1000 / median(cpus):.2f} ms CPU each"
        )

    with databases(kind, folder) as make:
        asyncio.run(measure(make(folder, f"h{os.getpid()}")))


def main() -> None:
    """Measure as the arguments say, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.publishing", description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at-a-time", type=int, nargs="*", default=[1, 8, 32])
    asked = parser.parse_args()
    print(f"{asked.files} files of {asked.size} bytes, {asked.rounds} rounds")
    for kind in ("sqlite", "postgresql"):
        for at_a_time in asked.at_a_time:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                # As root, PostgreSQL runs as a user of its own and must reach its data.
                Path(folder).chmod(0o755)
                _rounds(
                    kind,
                    Path(folder),
                    rounds=asked.rounds,
                    files=asked.files,
                    size=asked.size,
                    at_a_time=at_a_time,
                )


if __name__ == "__main__":
    main()
