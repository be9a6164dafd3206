"""Waking those who wait for a record to change.

A wake-up is a hint, never the truth: whoever is woken reads the record. So a lost one costs a
little patience (``POLL_SECONDS`` while the bus is unhealthy) and a spare one costs a read.
"""

import asyncio
import time
from types import TracebackType
from typing import Protocol, Self

POLL_SECONDS = 2.0
"""While wake-ups may get lost, nobody waits longer than this before looking again."""
LINGER_SECONDS = 10.0
"""So long a message that may linger is kept for those who come late."""
LINGER_MOST = 1024


class WakeBus(Protocol):
    """What services know of a bus; the workers of one house share one through Redis."""

    @property
    def healthy(self) -> bool:
        """Whether wake-ups arrive. While not, waiters look every ``POLL_SECONDS``."""
        ...

    def subscribe(self, topic: str) -> "Waiter":
        """``async with bus.subscribe("login:<id>") as waiter`` hears what is told meanwhile."""
        ...

    def tell(self, topic: str, message: str = "", *, linger: bool = False) -> None:
        """Wake everybody who waits on ``topic``, in every worker. Never blocks, never raises.

        What no record says, such as the receipt of a notification, may ``linger``: who comes a
        few seconds late still hears it.
        """
        ...


class Waiter:
    """One who waits on one topic. It costs well under 2 KiB."""

    __slots__ = ("_bus", "_future", "_message", "_topic")

    def __init__(self, bus: "LocalBus", topic: str) -> None:
        self._bus = bus
        self._topic = topic
        self._message: str | None = None
        self._future: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        self._bus.waiters.setdefault(self._topic, []).append(self)
        self._message = self._bus.take_lingering(self._topic)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        present = self._bus.waiters[self._topic]
        present.remove(self)
        if not present:
            del self._bus.waiters[self._topic]

    async def wait(self, timeout: float) -> str | None:
        """Wait up to ``timeout`` seconds for a message; None: time is over.

        A message told since the subscription (or since the last wait) returns at once, so
        "subscribe, read the record, wait" misses nothing. While the bus is healthy None means
        that nothing was told; while it is not, that it is time to look. An empty message is told
        to everybody when the bus comes or goes.
        """
        if self._message is None:
            await self._sleep(timeout if self._bus.healthy else min(timeout, POLL_SECONDS))
        message, self._message = self._message, None
        return message

    async def _sleep(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._future = loop.create_future()
        alarm = loop.call_later(max(0.0, seconds), self.stir)
        try:
            await self._future
        finally:
            alarm.cancel()
            self._future = None

    def tell(self, message: str) -> None:
        """Leave a message (the last one counts) and wake up."""
        self._message = message
        self.stir()

    def stir(self) -> None:
        """Wake up without a message: time is over."""
        if self._future is not None and not self._future.done():
            self._future.set_result(None)


class LocalBus:
    """The bus of one process: a dict from topic to those who wait."""

    def __init__(self) -> None:
        self.waiters: dict[str, list[Waiter]] = {}
        self._lingering: dict[str, tuple[float, str]] = {}  # the oldest first

    @property
    def healthy(self) -> bool:
        """Nothing lies between teller and waiter that could fail."""
        return True

    def subscribe(self, topic: str) -> Waiter:
        """A waiter, to be entered with ``async with``."""
        return Waiter(self, topic)

    def tell(self, topic: str, message: str = "", *, linger: bool = False) -> None:
        """Wake everybody who waits on ``topic``."""
        present = self.waiters.get(topic, ())
        for waiter in present:
            waiter.tell(message)
        if linger and not present:
            self._lingering.pop(topic, None)
            self._lingering[topic] = (time.monotonic(), message)
            if len(self._lingering) > LINGER_MOST:
                del self._lingering[next(iter(self._lingering))]

    def take_lingering(self, topic: str) -> str | None:
        """What was told on ``topic`` a moment ago, when nobody waited there."""
        at, message = self._lingering.pop(topic, (0.0, None))
        return message if time.monotonic() - at < LINGER_SECONDS else None
