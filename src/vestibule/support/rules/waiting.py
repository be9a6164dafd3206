"""How long clients waited, day by day, and the geometry of its plot. Pure: no I/O.

A client waits from the first message that nobody of the staff has answered until the next answer;
what else they write meanwhile begins no second wait. Only the hours count in which the desk is
staffed, for those are what is promised.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from math import ceil
from typing import Final

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
DAYS: Final = 30
"""So many days the plot shows, today among them."""
SLOW_TENTH: Final = 0.9

Worked = Callable[[int, int], int]
"""Milliseconds of staffed hours between two moments (ms)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of a conversation, as far as waiting goes."""

    ticket_id: str
    by_client: bool
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One that is over."""

    answered_at: int
    waited_ms: int
    """Of staffed hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What the waits that ended on one day were like."""

    day: str
    """``2026-11-22``, in the zone of the desk."""
    answers: int
    median_ms: int | None
    """Half of them were shorter; None: nobody was answered."""
    slow_ms: int | None
    """One in ten was longer."""


def waits_of(said: Iterable[Said], *, worked: Worked) -> list[Wait]:
    """The waits that an answer ended, of messages in order within their conversation."""
    since: dict[str, int] = {}
    found = []
    for one in said:
        if one.by_client:
            since.setdefault(one.ticket_id, one.at)
        elif (began := since.pop(one.ticket_id, None)) is not None:
            found.append(Wait(answered_at=one.at, waited_ms=worked(began, one.at)))
    return found


def days_of(waits: Iterable[Wait], *, today: date, zone: tzinfo, days: int = DAYS) -> list[Day]:
    """So many days up to today, each with its waits; those of other days are left out."""
    shown = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    of_day: Mapping[date, list[int]] = {day: [] for day in shown}
    for wait in waits:
        day = datetime.fromtimestamp(wait.answered_at / 1000, zone).date()
        if day in of_day:
            of_day[day].append(wait.waited_ms)
    return [_day(day, sorted(of_day[day])) for day in shown]


def _day(day: date, waited: Sequence[int]) -> Day:
    return Day(
        day=day.isoformat(),
        answers=len(waited),
        median_ms=share_of(waited, 0.5) if waited else None,
        slow_ms=share_of(waited, SLOW_TENTH) if waited else None,
    )


def share_of(ordered: Sequence[int], share: float) -> int:
    """The least of them that this share does not exceed (the nearest rank): one that happened."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


# --- the plot ----------------------------------------------------------------------------------

_WIDTH: Final = 720
_HEIGHT: Final = 260
_END: Final = 632
"""Where the days end: beyond are the words beside the lines, next to the latest of them."""
_TOP: Final = 16
_BOTTOM: Final = 36
_BAR: Final = 0.56
_LINES: Final = 4
_STEPS: Final = tuple(
    [minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)]
    + [hours * _HOUR for hours in (1, 2, 3, 4, 6, 8, 12, 24, 48, 96)]
)
_NAMED: Final = 7
"""Every so many days one is named beneath."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line across the plot and what it stands for."""

    y: float
    ms: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: a bar as high as the median, and above it a line up to the slowest tenth."""

    day: Day
    x: float
    width: float
    median_y: float
    slow_y: float
    named: bool

    @property
    def middle(self) -> float:
        """The middle of the bar."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Everything that is drawn, in units of the view box."""

    width: int
    height: int
    end: int
    """Where the lines end and their words begin."""
    floor: int
    """Where zero lies."""
    lines: tuple[Line, ...]
    bars: tuple[Bar, ...]
    days: tuple[Day, ...]

    @property
    def any(self) -> bool:
        """Whether anybody was answered at all."""
        return any(day.answers for day in self.days)

    @property
    def answers(self) -> int:
        """How many answers ended a wait."""
        return sum(day.answers for day in self.days)


def plot_of(days: Sequence[Day]) -> Plot:
    """Where bars and lines lie; the scale is the smallest in which all has room."""
    floor = _HEIGHT - _BOTTOM
    step = _step(max((day.slow_ms or 0 for day in days), default=0))
    count = _LINES
    most = step * count
    room = _END / max(1, len(days))

    def at(ms: int) -> float:
        return round(floor - (floor - _TOP) * ms / most, 1)

    bars = tuple(
        Bar(
            day=day,
            x=round(room * number + room * (1 - _BAR) / 2, 1),
            width=round(room * _BAR, 1),
            median_y=at(day.median_ms or 0),
            slow_y=at(day.slow_ms or 0),
            # Counted from the last one on: today is always named.
            named=(len(days) - 1 - number) % _NAMED == 0,
        )
        for number, day in enumerate(days)
    )
    return Plot(
        width=_WIDTH,
        height=_HEIGHT,
        end=_END,
        floor=floor,
        lines=tuple(Line(at(step * number), step * number) for number in range(count + 1)),
        bars=bars,
        days=tuple(days),
    )


def _step(longest: int) -> int:
    """The least round distance of lines with which so many of them reach the longest wait."""
    fitting = (step for step in _STEPS if step * _LINES >= longest)
    return next(fitting, ceil(longest / _LINES / (24 * _HOUR)) * 24 * _HOUR)
