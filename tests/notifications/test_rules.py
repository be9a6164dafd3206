"""What people are told of, and when: the table and the hours."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from vestibule.base.i18n import catalogue
from vestibule.notifications.rules import (
    SENT_BY_OPERATOR,
    TOLD,
    Notice,
    Way,
    Weight,
    next_try,
    quiet_of,
)

ROME = ZoneInfo("Europe/Rome")
MINUTE = 60_000


def at(text: str, zone: ZoneInfo = ROME) -> int:
    """A wall clock's time in milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def test_every_event_told_has_its_words() -> None:
    """A title and a text for each, and none for what nobody is told of."""
    there = catalogue("en")
    for part in ("title", "text"):
        start = f"notifications.{part}."
        worded = {key.removeprefix(start) for key in there if key.startswith(start)}
        assert worded == set(TOLD) - {SENT_BY_OPERATOR}


def test_whatever_changes_who_may_sign_in_is_an_alarm_to_be_undone() -> None:
    """Phones, factors, ways to be reached, the password, recoveries: loud, and can be stopped."""
    undone = {"enrollment.pin_locked", "recovery.stopped"}
    for event, told in TOLD.items():
        if event in undone:
            assert told.weight is Weight.ALARM
            continue
        binding = event.split(".")[0] in ("enrollment", "factor", "recovery", "codes", "pass")
        if binding or event in ("account.password_changed", "contact.verified", "contact.removed"):
            assert (told.weight, told.not_me) == (Weight.ALARM, True), event


def test_a_notice_of_an_event_that_is_told_no_more_still_reads() -> None:
    """After an update the table may have lost a line; its old notices have no button then."""
    notice = Notice(
        id=1, account_id="a", event="x.gone", at=0, subject=None, source="", detail={},
        weight=Weight.INFO, read=False,
    )  # fmt: skip
    assert not notice.not_me


@pytest.mark.parametrize(
    "now, until",
    [
        ("2026-11-22T21:59", None),
        ("2026-11-22T22:00", "2026-11-23T07:30"),
        ("2026-11-23T00:10", "2026-11-23T07:30"),
        ("2026-11-23T07:29", "2026-11-23T07:30"),
        ("2026-11-23T07:30", None),
        # The night in which the clock goes forward, and the one in which it goes back.
        ("2026-03-28T23:00", "2026-03-29T07:30"),
        ("2026-10-24T23:00", "2026-10-25T07:30"),
    ],
)
def test_quiet_hours_last_over_midnight(now: str, until: str | None) -> None:
    """They end at the minute that the wall clock of the account's zone shows."""
    quiet = quiet_of(22 * 60, 7 * 60 + 30, ROME)
    assert quiet is not None
    assert quiet.until(at(now)) == (at(until) if until else None)


def test_quiet_hours_within_a_day() -> None:
    """From lunch to coffee; and none where they are not set or begin when they end."""
    quiet = quiet_of(13 * 60, 14 * 60, ROME)
    assert quiet is not None
    assert quiet.until(at("2026-11-22T13:30")) == at("2026-11-22T14:00")
    assert quiet.until(at("2026-11-22T14:30")) is None
    assert quiet_of(None, 60, ROME) is None
    same = quiet_of(60, 60, ROME)
    assert same is not None
    assert same.until(at("2026-11-22T01:00")) is None


@given(
    start=st.integers(0, 1439),
    end=st.integers(0, 1439),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001
)
def test_quiet_ends_within_a_day_and_stays_ended(start: int, end: int, now: datetime) -> None:
    """Whatever the hours: what is held back goes out, once, at a time that is not quiet."""
    quiet = quiet_of(start, end, UTC)
    assert quiet is not None
    moment = int(now.replace(tzinfo=UTC).timestamp() * 1000)
    until = quiet.until(moment)
    if until is not None:
        assert moment < until <= moment + 1440 * MINUTE
        assert quiet.until(until) is None


@pytest.mark.parametrize("way", list(Way))
def test_tries_come_to_an_end_and_grow_apart(way: Way) -> None:
    """Each pause is longer than the one before; then nobody tries any more."""
    pauses: list[int] = []
    while (again := next_try(way, len(pauses) + 1, 0)) is not None:
        pauses.append(again)
    assert pauses == sorted(set(pauses))
    assert 3 <= len(pauses) < 10
