"""What nothing can be faster than: the password's hash alone, one durable commit alone.

A program of its own, so that it runs on the core, and with the threads, that the server has.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import asyncpg
from argon2.low_level import Type, hash_secret, verify_secret

from vestibule.base.database import sqlite_path
from vestibule.base.sqlite import connect

# A row that keeps its content would not be written, and nothing would go to the disk.
_TOUCH = "UPDATE account SET created_at = created_at + 1 WHERE username_key = "


def argon2id(threads: int, seconds: float) -> dict[str, float]:
    """Checks of a right password: how many a second, and the CPU of one."""
    secret = secrets.token_bytes(32)
    hashed = hash_secret(
        secret,
        secrets.token_bytes(16),
        time_cost=2,
        memory_cost=19 * 1024,
        parallelism=1,
        hash_len=32,
        type=Type.ID,
    )
    began, used = time.perf_counter(), time.process_time()

    def check() -> int:
        done = 0
        while time.perf_counter() - began < seconds:
            verify_secret(hashed, secret, Type.ID)
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(lambda _: check(), range(threads)))
    return _figures(done, time.perf_counter() - began, time.process_time() - used)


def commits(url: str, seconds: float) -> dict[str, float]:
    """Commits of one changed row, one after the other, each on disk before the next."""
    if url.startswith("sqlite:"):
        return _commits_sqlite(url, seconds)
    return asyncio.run(_commits_postgresql(url, seconds))


def _commits_sqlite(url: str, seconds: float) -> dict[str, float]:
    connection = connect(sqlite_path(url))
    began, used, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < seconds:
        connection.execute(f"{_TOUCH}?", ("person-1",))
        done += 1
    figures = _figures(done, time.perf_counter() - began, time.process_time() - used)
    connection.close()
    return figures


async def _commits_postgresql(url: str, seconds: float) -> dict[str, float]:
    connection = await asyncpg.connect(url)
    began, used, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < seconds:
        await connection.execute(f"{_TOUCH}$1", "person-1")
        done += 1
    figures = _figures(done, time.perf_counter() - began, time.process_time() - used)
    await connection.close()
    return figures


def _figures(done: int, wall: float, cpu: float) -> dict[str, float]:
    return {"rate": done / wall, "cpu_ms": cpu / done * 1000}


if __name__ == "__main__":
    kind, what, duration = sys.argv[1:]
    measured = (
        argon2id(int(what), float(duration))
        if kind == "argon2id"
        else commits(what, float(duration))
    )
    print(json.dumps(measured))
