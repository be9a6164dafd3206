"""What is told about a capture that was made safe (section 9 of the specification)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from vestibule.captures.table import FORMAT, LIMITS, REASONS

OTHER_HOSTS = "*"
_MANY = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """One request as it stands in the safe capture: for lists, and to find its line again.

    `offset` and `length` are bytes in the output; `ms` and `started` are as the capture has them.
    """

    number: int
    offset: int
    length: int
    host: str
    started: str
    ms: float | None
    method: str
    url: str
    status: int
    mime: str
    size: int | None
    error: str


@dataclass(frozen=True, slots=True)
class AtHost:
    """What was counted for one host."""

    entries: int
    removed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Report:
    """What was taken out, and how large the capture is."""

    entries: int
    bytes_in: int
    bytes_out: int
    removed: Mapping[str, int]
    hosts: Mapping[str, AtHost]

    @property
    def already_safe(self) -> bool:
        """Whether nothing had to be taken out."""
        return not self.removed

    def as_json(self) -> str:
        """The report as both programs write it."""
        hosts = {
            host: {"entries": at.entries, "removed": dict(at.removed)}
            for host, at in self.hosts.items()
        }
        members = {
            "format": FORMAT,
            "entries": self.entries,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "already_safe": self.already_safe,
            "removed": dict(self.removed),
            "hosts": hosts,
        }
        return json.dumps(members, separators=(",", ":"))


@dataclass(slots=True)
class _Host:
    entries: int = 0
    removed: Counter[str] = field(default_factory=Counter)


class Tally:
    """Counts while a capture is read. Treatments append reasons to `taken`."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.entries = 0
        self._counted: Counter[str] = Counter()
        self._removed: Counter[str] = Counter()
        self._hosts: dict[str, _Host] = {}

    def fold(self) -> None:
        """Keep the list short, however much one entry loses."""
        if len(self.taken) > _MANY:
            self._count()

    def _count(self) -> None:
        self._counted.update(self.taken)
        self.taken.clear()

    def outside(self) -> None:
        """What was counted up to here belongs to no entry."""
        self._count()
        self._removed.update(self._counted)
        self._counted.clear()

    def entry(self, host: str) -> None:
        """What was counted since belongs to one entry, sent to this host."""
        self._count()
        if host not in self._hosts and len(self._hosts) >= LIMITS["hosts"]:
            host = OTHER_HOSTS
        at = self._hosts.setdefault(host, _Host())
        at.entries += 1
        at.removed.update(self._counted)
        self.entries += 1
        self.outside()

    def report(self, *, bytes_in: int, bytes_out: int) -> Report:
        """The sum of it."""
        self.outside()
        return Report(
            entries=self.entries,
            bytes_in=bytes_in,
            bytes_out=bytes_out,
            removed=_ordered(self._removed),
            hosts={
                host: AtHost(at.entries, _ordered(at.removed)) for host, at in self._hosts.items()
            },
        )


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    return {reason: counts[reason] for reason in REASONS if counts.get(reason)}
