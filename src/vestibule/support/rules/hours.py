"""Working hours: until when somebody is answered who began to wait at some moment. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

_MINUTE: Final = 60_000
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PART: Final = re.compile(r"(\w{3})(?:-(\w{3}))? (\d\d):(\d\d)-(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """When the desk is staffed, by the wall clock of its zone."""

    spans: tuple[tuple[tuple[int, int], ...], ...]
    """For each day from Monday on: minutes of the day from and until, in order, never empty."""
    zone: tzinfo

    def after(self, start: int, minutes: int) -> int:
        """The moment (ms) at which so many staffed minutes have passed since ``start`` (ms)."""
        left = minutes * _MINUTE
        day = datetime.fromtimestamp(start / 1000, self.zone).replace(
            hour=0, minute=0, second=0, microsecond=0, tzinfo=None
        )
        while True:
            for opens, closes in self.spans[day.weekday()]:
                begin = max(start, self._at(day, opens))
                end = self._at(day, closes)
                if end - begin >= left:
                    return begin + left
                left -= max(0, end - begin)
            day += timedelta(days=1)

    def staffed(self, at: int) -> bool:
        """Whether somebody is at the desk at this moment (ms)."""
        return self.opens(at) <= at

    def opens(self, at: int) -> int:
        """When the desk is next staffed (ms): ``at`` itself where it is."""
        day = datetime.fromtimestamp(at / 1000, self.zone).replace(
            hour=0, minute=0, second=0, microsecond=0, tzinfo=None
        )
        while True:
            for opens, closes in self.spans[day.weekday()]:
                if at < self._at(day, closes):
                    return max(at, self._at(day, opens))
            day += timedelta(days=1)

    def worked(self, start: int, end: int) -> int:
        """Milliseconds of staffed time from ``start`` to ``end`` (ms)."""
        if end <= start:
            return 0
        day = datetime.fromtimestamp(start / 1000, self.zone).replace(
            hour=0, minute=0, second=0, microsecond=0, tzinfo=None
        )
        passed = 0
        while self._at(day, 0) < end:
            for opens, closes in self.spans[day.weekday()]:
                begin, until = max(start, self._at(day, opens)), min(end, self._at(day, closes))
                passed += max(0, until - begin)
            day += timedelta(days=1)
        return passed

    def minutes_between(self, start: int, end: int) -> int:
        """Staffed minutes from ``start`` to ``end`` (ms), rounded down."""
        return self.worked(start, end) // _MINUTE

    def _at(self, day: datetime, minute: int) -> int:
        # The wall's clock decides, whatever summer time does in between.
        wall = day + timedelta(minutes=minute)
        return int(wall.replace(tzinfo=self.zone).timestamp() * 1000)


def hours_of(written: str, zone: tzinfo) -> Hours:
    """The hours of the setting ``support_hours``, which is known to be well formed."""
    spans: list[list[tuple[int, int]]] = [[] for _ in _DAYS]
    for first, last, from_hour, from_minute, to_hour, to_minute in _PART.findall(written):
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        for step in range((end - begin) % len(_DAYS) + 1):
            spans[(begin + step) % len(_DAYS)].append(
                (int(from_hour) * 60 + int(from_minute), int(to_hour) * 60 + int(to_minute))
            )
    return Hours(tuple(_joined(day) for day in spans), zone)


def _joined(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The spans in order, those that touch made one: no minute counts twice."""
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return tuple(joined)


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Within how many staffed minutes whom is answered, and how long one may come back."""

    hours: Hours
    minutes: dict[str, int]
    """By priority."""
    closed_ms: int
    """How long a closed conversation is shown to its client and may be opened again."""

    def due(self, priority: str, since: int) -> int:
        """Until when (ms) somebody is answered who waits since then (ms)."""
        return self.hours.after(since, self.minutes[priority])
