"""The time of day, as whole milliseconds since 1970-01-01T00:00Z."""

import time
from typing import Protocol

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Clock(Protocol):
    """Tells the time. The server's hands it out; rules get the result as ``now=``."""

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000


class SteppedClock:
    """A clock that moves only when it is told to: for tests and simulations."""

    def __init__(self, start: int = 1_800_000_000_000) -> None:
        self._now = start

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return self._now

    def step(self, milliseconds: int) -> int:
        """Move by ``milliseconds`` (negative: a clock set back) and return the new time."""
        self._now += milliseconds
        return self._now
