"""Who may come in at all, decided before any cryptography is done for them.

A sign-in costs a server milliseconds and an attacker a few bytes, so new connections are counted
per address and second, those that have not proven a key are few at a time, and where they are too
many, the oldest of the address that holds the most of them goes. Pure: `now` is passed in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

BURST: Final = 10
"""Connections that one address may open at once; programs open up to ten side by side."""
_ADDRESSES: Final = 10_000
_IPV6_HOST_BITS: Final = 64


@lru_cache(maxsize=4096)
def bucket_of(address: str) -> str:
    """What is counted as one address: of IPv6, the network that one subscriber is given."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return f"{int(parsed) >> _IPV6_HOST_BITS:x}/64"
    return str(parsed)


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Gate:
    """Counts what is open. Times are seconds of a clock that only goes forward."""

    def __init__(self, *, total: int, waiting: int, per_account: int, rate: float) -> None:
        self._total = total
        self._most_waiting = waiting
        self._per_account = per_account
        self._rate = rate
        self._burst = max(BURST, rate)
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._open = 0
        # Address → those of it that have not proven a key, the oldest first.
        self._waiting: dict[str, OrderedDict[Hashable, None]] = {}
        self._waiting_count = 0
        self._accounts: dict[str, int] = {}

    @property
    def open(self) -> int:
        """Connections, signed in or not."""
        return self._open

    def admit(self, address: str, *, now: float) -> bool:
        """Whether a new connection from this address is answered."""
        return self._open < self._total and self._take(bucket_of(address), now)

    def _take(self, address: str, now: float) -> bool:
        bucket = self._buckets.get(address)
        if bucket is None:
            # Forgetting the one unused for longest gives it a full bucket; that is all.
            if len(self._buckets) >= _ADDRESSES:
                self._buckets.popitem(last=False)
            bucket = self._buckets[address] = _Bucket(self._burst, now)
        else:
            self._buckets.move_to_end(address)
            grown = bucket.tokens + (now - bucket.at) * self._rate
            bucket.tokens, bucket.at = min(self._burst, grown), now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def enter(self, who: Hashable, address: str) -> Hashable | None:
        """Count a connection that has proven nothing yet.

        Returns who has to go for it: None while there is room; ``who`` itself when everybody
        who waits is from an address of its own.
        """
        bucket = bucket_of(address)
        victim: Hashable | None = None
        if self._waiting_count >= self._most_waiting:
            crowd = max(self._waiting.values(), key=len)
            victim = next(iter(crowd)) if len(crowd) > 1 else who
        self._open += 1
        self._waiting.setdefault(bucket, OrderedDict())[who] = None
        self._waiting_count += 1
        return victim

    def prove(self, who: Hashable, address: str, account_id: str) -> bool:
        """It has proven a key of this account; False when the account has too many open."""
        self._arrive(who, address)
        self._accounts[account_id] = self._accounts.get(account_id, 0) + 1
        return self._accounts[account_id] <= self._per_account

    def leave(self, who: Hashable, address: str, account_id: str | None) -> None:
        """It is gone. Call once for each that entered."""
        self._arrive(who, address)
        self._open -= 1
        if account_id is not None:
            left = self._accounts[account_id] - 1
            if left:
                self._accounts[account_id] = left
            else:
                del self._accounts[account_id]

    def _arrive(self, who: Hashable, address: str) -> None:
        bucket = bucket_of(address)
        crowd = self._waiting.get(bucket)
        if crowd is not None and who in crowd:
            del crowd[who]
            self._waiting_count -= 1
            if not crowd:
                del self._waiting[bucket]


class Flow:
    """How much one account may be sent: a bucket of bytes that all its sessions draw from."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._left = rate / 4
        self._at = 0.0

    def wait(self, size: int, *, now: float) -> float:
        """Take ``size`` bytes; seconds to wait before they may go."""
        self._left = min(self._rate / 4, self._left + (now - self._at) * self._rate)
        self._at = now
        self._left -= size
        return max(0.0, -self._left / self._rate)
