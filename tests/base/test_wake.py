"""The wake-up bus of one process."""

import asyncio
import tracemalloc

import pytest

from vestibule.base import wake
from vestibule.base.wake import LINGER_MOST, POLL_SECONDS, LocalBus


class SickBus(LocalBus):
    """A bus that knows that wake-ups may get lost."""

    @property
    def healthy(self) -> bool:
        """Never."""
        return False


async def test_everybody_who_waits_on_the_topic_is_woken() -> None:
    """Each gets the message, and nobody who waits on another topic."""
    bus = LocalBus()
    async with bus.subscribe("a") as first, bus.subscribe("a") as second, bus.subscribe("b") as b:
        waits = [asyncio.create_task(waiter.wait(5)) for waiter in (first, second)]
        other = asyncio.create_task(b.wait(0.05))
        await asyncio.sleep(0)
        bus.tell("a", "approved")
        assert await asyncio.gather(*waits) == ["approved", "approved"]
        assert await other is None
    assert bus.waiters == {}


async def test_what_is_told_before_the_wait_is_not_missed() -> None:
    """Subscribe, read, wait: what changes in between ends the wait at once, and only once."""
    bus = LocalBus()
    async with bus.subscribe("a") as waiter:
        bus.tell("a", "one")
        bus.tell("a", "two")
        assert await waiter.wait(5) == "two"
        assert await waiter.wait(0.01) is None


async def test_telling_nobody_is_no_error() -> None:
    """Nothing is kept for those who come later."""
    bus = LocalBus()
    bus.tell("a", "x")
    async with bus.subscribe("a") as waiter:
        assert await waiter.wait(0.01) is None


async def test_what_lingers_is_heard_once_by_who_comes_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A receipt that overtakes the page that waits for it is not lost; after a while it is."""
    bus = LocalBus()
    bus.tell("a", "delivered", linger=True)
    async with bus.subscribe("a") as waiter:
        assert await waiter.wait(5) == "delivered"
        assert await waiter.wait(0.01) is None
    bus.tell("a", "delivered", linger=True)
    monkeypatch.setattr(wake, "LINGER_SECONDS", 0.0)
    async with bus.subscribe("a") as waiter:
        assert await waiter.wait(0.01) is None


async def test_what_lingers_is_bounded() -> None:
    """Nobody can fill the memory with receipts: the oldest goes."""
    bus = LocalBus()
    for number in range(LINGER_MOST + 1):
        bus.tell(str(number), "delivered", linger=True)
    assert bus.take_lingering("0") is None
    assert bus.take_lingering("1") == "delivered"


async def test_who_stops_waiting_leaves_nothing_behind() -> None:
    """A browser that goes away takes its subscription with it."""
    bus = LocalBus()

    async def browser() -> None:
        async with bus.subscribe("a") as waiter:
            await waiter.wait(60)

    task = asyncio.create_task(browser())
    await asyncio.sleep(0)
    assert list(bus.waiters) == ["a"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bus.waiters == {}


async def test_while_the_bus_is_sick_nobody_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiters of a bus that may lose wake-ups look every two seconds."""
    assert POLL_SECONDS == 2.0
    monkeypatch.setattr("vestibule.base.wake.POLL_SECONDS", 0.05)
    async with asyncio.timeout(30), SickBus().subscribe("a") as waiter:
        assert await waiter.wait(60) is None


async def test_a_waiter_costs_less_than_two_kibibytes() -> None:
    """Ten thousand waiting browsers fit: subscription, future and alarm together."""
    bus = LocalBus()
    count = 1_000

    async def one(topic: str) -> None:
        async with bus.subscribe(topic) as waiter:
            await waiter.wait(60)

    coroutines = [one(f"login:{number}") for number in range(count)]
    tracemalloc.start()
    for coroutine in coroutines:
        coroutine.send(None)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for coroutine in coroutines:
        coroutine.close()
    assert size / count < 2048
