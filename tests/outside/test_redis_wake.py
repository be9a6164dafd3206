"""Wake-ups over a real Redis, between processes, and through its failures."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.patience import PATIENCE_S, until
from tests.services import Redis
from vestibule.base.wake import POLL_SECONDS, Waiter
from vestibule.outside import redis_wake
from vestibule.outside.redis_wake import RedisBus

Opener = Callable[..., Awaitable[RedisBus]]
HOUSE = "http://localhost:8600"
PEER = """
import asyncio, sys
from vestibule.base import log
from vestibule.outside.redis_wake import RedisBus

async def main():
    log.configure()
    bus = await RedisBus.open(sys.argv[1], sys.argv[2])
    async with bus.subscribe("there") as waiter:
        print("ready", bus.healthy, flush=True)
        message = await waiter.wait(20)
        bus.tell("here", f"heard {message}")
        await asyncio.sleep(0.5)
    await bus.close()

asyncio.run(main())
"""


@pytest.fixture
async def open_bus(redis_server: Redis) -> AsyncIterator[Opener]:
    """Opens workers' buses on this test's Redis, and closes them."""
    opened: list[RedisBus] = []

    async def one(house: str = HOUSE) -> RedisBus:
        bus = await RedisBus.open(redis_server.url, house)
        opened.append(bus)
        return bus

    yield one
    for bus in opened:
        await bus.close()


async def next_message(waiter: Waiter, seconds: float = PATIENCE_S) -> str | None:
    """The next message that is not the bus's own "look"."""
    async with asyncio.timeout(seconds):
        while True:
            message = await waiter.wait(seconds)
            if message:
                return message


async def test_two_processes_wake_each_other(redis_server: Redis) -> None:
    """A tell in one process ends a wait in another, and back."""
    command = [sys.executable, "-c", PEER, redis_server.url, HOUSE]
    peer = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    bus = await RedisBus.open(redis_server.url, HOUSE)
    assert peer.stdout is not None
    assert await peer.stdout.readline() == b"ready True\n"
    async with bus.subscribe("here") as waiter:
        bus.tell("there", "approved")
        assert await next_message(waiter) == "heard approved"
    assert await peer.wait() == 0
    await bus.close()


async def test_workers_hear_each_other_and_their_own_once(open_bus: Opener) -> None:
    """The own worker is woken at once, others over Redis, and nobody twice."""
    first, second = await open_bus(), await open_bus()
    async with first.subscribe("a") as own, second.subscribe("a") as other:
        first.tell("a", "x")
        assert await own.wait(0) == "x"
        assert await next_message(other) == "x"
        assert await own.wait(0.1) is None


async def test_many_tells_at_once_all_arrive(open_bus: Opener) -> None:
    """What is told within one turn of the loop travels together, and nothing is lost."""
    first, second = await open_bus(), await open_bus()
    topics = [f"login:{number}" for number in range(500)]
    waiters = [second.subscribe(topic) for topic in topics]
    for waiter in waiters:
        await waiter.__aenter__()
    for topic in topics:
        first.tell(topic, topic)
    assert await asyncio.gather(*map(next_message, waiters)) == topics


async def test_houses_on_one_redis_do_not_hear_each_other(open_bus: Opener) -> None:
    """Redis' channels know no numbered databases, so the channel carries the house's name."""
    ours, theirs = await open_bus(), await open_bus("https://other.example")
    async with theirs.subscribe("a") as waiter:
        ours.tell("a", "x")
        assert await waiter.wait(0.2) is None


async def test_redis_may_go_and_come_back(redis_server: Redis, open_bus: Opener) -> None:
    """Away: unhealthy, waiters look. Back: healthy, everybody looks once, wake-ups arrive."""
    first, second = await open_bus(), await open_bus()
    assert first.healthy
    async with second.subscribe("a") as waiter:
        waiting = asyncio.create_task(waiter.wait(60))
        await asyncio.sleep(0)
        redis_server.stop()
        assert await asyncio.wait_for(waiting, PATIENCE_S) == ""
        await until(lambda: not first.healthy and not second.healthy)
        first.tell("a", "lost")
        async with asyncio.timeout(POLL_SECONDS + 28):
            assert await waiter.wait(60) is None
        redis_server.start()
        await until(lambda: first.healthy and second.healthy)
        assert await waiter.wait(PATIENCE_S) == ""
        first.tell("a", "again")
        assert await next_message(waiter) == "again"


async def test_worker_that_was_away_alone_has_the_others_look(
    redis_server: Redis, open_bus: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it told meanwhile is lost, and those who were there all the time do not know."""
    monkeypatch.setattr("vestibule.outside.redis_wake._FIRST_PAUSE_S", 1.0)
    away, there = await open_bus(), await open_bus()
    async with there.subscribe("a") as waiter:
        assert away._connection is not None
        await away._connection.disconnect()
        await until(lambda: not away.healthy)
        away.tell("a", "lost")
        assert there.healthy
        async with asyncio.timeout(PATIENCE_S):
            assert await waiter.wait(2 * PATIENCE_S) == ""
        assert there.healthy
        away.tell("a", "again")
        assert await next_message(waiter) == "again"


async def test_own_wake_ups_work_without_redis(redis_server: Redis) -> None:
    """A worker wakes its own browsers whether or not Redis answers; opening does not hang."""
    redis_server.stop()
    async with asyncio.timeout(30):
        bus = await RedisBus.open(redis_server.url, HOUSE)
    assert not bus.healthy
    async with bus.subscribe("a") as waiter:
        bus.tell("a", "x")
        assert await waiter.wait(1) == "x"
    await bus.close()


async def test_a_frozen_redis_counts_as_gone(
    redis_server: Redis, open_bus: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Redis that takes the connection and says nothing is found out by its silence."""
    monkeypatch.setattr(redis_wake, "_BEAT_S", 0.2)
    bus = await open_bus()
    assert bus.healthy
    redis_server.freeze()
    await until(lambda: not bus.healthy)
    redis_server.thaw()
    await until(lambda: bus.healthy)


async def test_a_letter_that_nobody_wrote_is_ignored(redis_server: Redis, open_bus: Opener) -> None:
    """Something else on our channel neither wakes nor breaks the listener."""
    first, second = await open_bus(), await open_bus()
    assert first._connection is not None
    await first._connection.send_command("PUBLISH", f"vestibule:wake:{HOUSE}", b"\xc1 nonsense")
    async with second.subscribe("a") as waiter:
        first.tell("a", "x")
        assert await next_message(waiter) == "x"
    assert second.healthy
