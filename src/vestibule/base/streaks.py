"""Failures in a row, and the wait that they cost: a part of `limits`."""

from msgspec import Struct

from vestibule.base.clock import DAY, HOUR, SECOND

SHORTEST_WAIT = 10 * SECOND
LONGEST_WAIT = HOUR
FORGIVEN_AFTER = DAY
"""A row of failures is forgotten after this long without one."""


class Streak(Struct, frozen=True, omit_defaults=True):
    """Failures in a row: the first few are free, then each doubles the wait, 10 s up to 1 h."""

    count: int = 0
    last: int = 0
    until: int = 0

    def wait(self, *, now: int) -> int:
        """Milliseconds to wait before the next try; 0: go ahead."""
        return max(0, self.until - now)

    def failed(self, *, free: int, now: int) -> "Streak":
        """One more failure. During the wait nothing was evaluated, so nothing is counted."""
        if self.wait(now=now):
            return self
        count = 1 if now - self.last >= FORGIVEN_AFTER else self.count + 1
        doublings = count - free
        if doublings < 0:
            return Streak(count=count, last=now)
        # Past 2^9 the hour is reached; a larger shift would only make large numbers.
        wait = min(LONGEST_WAIT, SHORTEST_WAIT << min(doublings, 9))
        return Streak(count=count, last=now, until=now + wait)
