"""A process that publishes and is killed meanwhile; see test_killed.py.

Importing takes a second, so one process imports and forks a child for each cycle. It reads a line
of JSON per cycle: the task, the files, the house's time, and after how many seconds from its first
step the child is killed (null: never). It answers with the files that were acknowledged by then,
and the seconds it took.
"""

import asyncio
import hashlib
import json
import math
import os
import select
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

from vestibule.app import open_objects
from vestibule.base.clock import SteppedClock
from vestibule.base.context import Context
from vestibule.base.database import Database
from vestibule.base.sealing import Keys
from vestibule.base.settings import Settings
from vestibule.base.wake import LocalBus
from vestibule.statements import rules, service
from vestibule.statements.rules import Upload, Wanted

MARK = b"MARK-OF-A-PLAIN-TEXT"
WAYS = ("whole", "parts", "replaced", "twice")
PART = 20_000


def content(number: int, version: int = 1) -> bytes:
    """What file `number` holds: always the same, of a size of its own, marked all over."""
    seed = hashlib.sha256(f"{number}/{version}".encode()).digest()
    block = MARK + seed.hex().encode()
    return (block * 1200)[: 30_000 + 997 * (number % 40)]


def name(number: int) -> str:
    """What file `number` is called."""
    return f"2026-11-22 {number}.csv"


def account(number: int) -> str:
    """Whose file it is: bob's are encrypted."""
    return ("alice", "bob")[number % 2]


def way(number: int) -> str:
    """How it is published."""
    return WAYS[number // 2 % len(WAYS)]


def final(number: int) -> bytes:
    """What it holds when all is done."""
    return content(number, 2 if way(number) == "replaced" else 1)


async def publish(ctx: Context, token: str, number: int) -> None:
    """Publish a file in its way, from the beginning, whatever was done of it before."""
    publisher = await service.publisher_of(ctx, token)
    assert publisher is not None

    async def chunks(data: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(data), 9_000):
            await asyncio.sleep(0)
            yield data[start : start + 9_000]

    async def whole(version: int = 1, *, replace: bool = False) -> None:
        data = content(number, version)
        said = wanted(number, data, replace=replace)
        await service.publish(ctx, publisher, said, chunks=chunks(data))

    async def parts() -> None:
        data = content(number)
        opened = await service.begin_upload(ctx, publisher, wanted(number, data))
        if isinstance(opened, Upload):
            rest = chunks(data[opened.offset :])
            await service.finish(ctx, await service.append(ctx, opened, chunks=rest))

    match way(number):
        case "whole":
            await whole()
        case "parts":
            await parts()
        case "replaced":
            said = (account(number), "daily", name(number))
            final_digest = hashlib.sha256(final(number)).digest()
            if await service.check(ctx, [(*said, final_digest)]) != [rules.Presence.SAME]:
                await whole(replace=True)
                await whole(2, replace=True)
        case _:
            await asyncio.gather(whole(), parts(), whole())


def wanted(number: int, data: bytes, *, replace: bool = False) -> Wanted:
    """What is said of a file."""
    return Wanted(
        account=account(number),
        kind="daily",
        name=name(number),
        size=len(data),
        sha256=hashlib.sha256(data).digest(),
        replace=replace,
    )


async def live(settings: Settings, token: str, asked: dict[str, Any], out: int) -> None:
    """Open a house and publish the files, four at a time; each is told when it is acknowledged.

    Or encrypt what lies in clear, or purge what is due.
    """
    keys = Keys.load(settings.data)
    absent = cast("Any", None)
    ctx = Context(
        settings=settings,
        db=await Database.open(settings.database),
        clock=SteppedClock(asked["now"]),
        keys=keys,
        wake=LocalBus(),
        passwords=absent,
        push=absent,
        mail=absent,
        text=absent,
        places=absent,
        objects=open_objects(settings),
    )
    os.write(out, b"ready\n")
    places = asyncio.Semaphore(4)

    async def one(number: int) -> None:
        async with places:
            await publish(ctx, token, number)
            os.write(out, f"{number}\n".encode())

    match asked["task"]:
        case "encrypt":
            await service.encrypt_plain(ctx)
        case "purge":
            await service.purge_due(ctx)
        case _:
            await asyncio.gather(*map(one, asked["numbers"]))


def cycle(settings: Settings, token: str, asked: dict[str, Any]) -> list[int]:
    """Fork, let it work, kill it, and return what it had acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        status = 1
        try:
            rules.PART = PART  # type: ignore[misc]  # small parts, many boundaries
            asyncio.run(live(settings, token, asked, writing))
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    said = b""
    while b"ready\n" not in said and (more := os.read(reading, 4096)):
        said += more
    limit = time.monotonic() + (math.inf if asked["delay"] is None else asked["delay"])
    while (left := limit - time.monotonic()) > 0:
        there, _, _ = select.select([reading], [], [], None if left == math.inf else left)
        more = os.read(reading, 4096) if there else b""
        if there and not more:
            break  # it has ended by itself
        said += more
    os.kill(child, signal.SIGKILL)
    while more := os.read(reading, 4096):
        said += more
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise SystemExit("the child failed by itself")
    return [int(line) for line in said.split() if line != b"ready"]


def main() -> None:
    """Serve cycles until the end of the input."""
    settings = Settings.model_validate(json.loads(sys.argv[1]))
    assert Path(settings.data).is_dir()
    for line in sys.stdin:
        asked = json.loads(line)
        began = time.monotonic()
        acked = cycle(settings, sys.argv[2], asked)
        sys.stdout.write(json.dumps({"acked": acked, "took": time.monotonic() - began}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
