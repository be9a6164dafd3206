"""The desk's decisions: moves, working hours, numbers, and what may be written."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from vestibule.base.errors import Refused
from vestibule.support import rules
from vestibule.support.rules import (
    MOVES,
    OVER,
    REMINDERS,
    WAITING,
    Event,
    Hours,
    Priority,
    State,
    Step,
    Targets,
    Ticket,
    Topic,
    hours_of,
)

NOW = 1_800_000_000_000  # Friday, 15 January 2027, 08:00 UTC
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
OFFICE = hours_of("mon-fri 08:00-20:00", UTC)
TARGETS = Targets(
    hours=OFFICE,
    minutes={Priority.HIGH: 60, Priority.NORMAL: 120, Priority.LOW: 480},
    closed_ms=30 * DAY,
)


def at(day: str, time: str, zone: str = "UTC") -> int:
    """Milliseconds of a wall clock's time."""
    wall = datetime.fromisoformat(f"2027-{day}T{time}").replace(tzinfo=ZoneInfo(zone))
    return int(wall.timestamp() * 1000)


def ticket_in(state: State, **changes: int | str | None) -> Ticket:
    """A conversation in this state, as moves leave one there."""
    waits = state in WAITING
    answered = NOW - HOUR if state is State.ANSWERED else None
    made = Ticket(
        id="t",
        number="4F7K-9QZM",
        account_id="a",
        username="morgan",
        display_name="Morgan",
        topic=Topic.OTHER,
        subject="s",
        language="en",
        priority=Priority.NORMAL,
        state=state,
        assigned_to="dana" if state is State.ASSIGNED else None,
        assigned_name=None,
        opened_at=NOW - 2 * HOUR,
        state_at=NOW - HOUR,
        waiting_since=NOW - HOUR if waits else None,
        due_at=NOW + HOUR if waits else None,
        first_answered_at=answered,
        answered_at=answered,
        closed_at=NOW - HOUR if state in OVER else None,
        client_seen_at=None,
        remind_at=NOW + HOUR if answered else None,
        reminders=0,
        version=3,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


# --- moves -------------------------------------------------------------------------------------


@given(state=st.sampled_from(State), event=st.sampled_from(Event), now=st.integers(0, 5 * DAY))
def test_every_state_meets_every_event_as_the_table_says(
    state: State, event: Event, now: int
) -> None:
    """What is not in the table is refused; what is leaves a record that agrees with itself."""
    ticket, later = ticket_in(state), NOW + now
    if (state, event) not in MOVES:
        with pytest.raises(Refused) as caught:
            rules.moved(ticket, event, now=later, targets=TARGETS, to="robin")
        assert caught.value.code.name == "desk_moved"
        return
    after = rules.moved(ticket, event, now=later, targets=TARGETS, to="robin")
    assert after.state is MOVES[state, event]
    assert after.version == ticket.version + 1
    assert (after.waiting_since is not None) == (after.due_at is not None) == after.waiting
    assert (after.closed_at is not None) == after.over
    assert after.client_seen_at == ticket.client_seen_at
    if event is Event.ANSWER:
        assert after.unread
        assert after.answered_at is not None
        assert after.answered_at > (ticket.answered_at or 0)
        assert after.assigned_to == (ticket.assigned_to or "robin")
    else:
        assert after.answered_at == ticket.answered_at


@given(st.lists(st.tuples(st.sampled_from(Event), st.integers(0, DAY)), max_size=30))
def test_no_walk_loses_the_place_of_who_waits(walk: list[tuple[Event, int]]) -> None:
    """Whoever waits waits since the first message that nobody answered, whatever else happens."""
    ticket, now = ticket_in(State.NEW, waiting_since=NOW, due_at=NOW + HOUR), NOW
    for event, pause in walk:
        now += pause
        before = ticket
        try:
            ticket = rules.moved(ticket, event, now=now, targets=TARGETS, to="dana")
        except Refused:
            continue
        if before.waiting and ticket.waiting:
            assert (ticket.waiting_since, ticket.due_at) == (before.waiting_since, before.due_at)
        if not before.waiting and ticket.waiting:
            assert ticket.waiting_since == now
        assert ticket.version == before.version + 1


def test_two_answers_in_one_millisecond_are_two() -> None:
    """Having seen the first is not having seen the second."""
    one = rules.moved(ticket_in(State.NEW), Event.ANSWER, now=NOW, targets=TARGETS)
    seen = replace(one, client_seen_at=one.answered_at)
    two = rules.moved(seen, Event.ANSWER, now=NOW, targets=TARGETS)
    assert not seen.unread
    assert two.unread


def test_reopening_ends_with_its_days() -> None:
    """To the millisecond."""
    closed = ticket_in(State.CLOSED, closed_at=NOW)
    last = NOW + 30 * DAY - 1
    assert rules.moved(closed, Event.REOPEN, now=last, targets=TARGETS).waiting
    assert rules.shown_to_client(closed, now=last, targets=TARGETS)
    with pytest.raises(Refused) as caught:
        rules.moved(closed, Event.REOPEN, now=last + 1, targets=TARGETS)
    assert caught.value.code.name == "desk_reopen_late"
    assert not rules.shown_to_client(closed, now=last + 1, targets=TARGETS)


@pytest.mark.parametrize(
    "state, now, step",
    [
        (State.NEW, NOW, Step.ANSWER),
        (State.ASSIGNED, NOW + 2 * HOUR, Step.LATE),
        (State.CLIENT_REPLIED, NOW, Step.ANSWER),
        (State.ANSWERED, NOW, Step.READ),
        (State.CLOSED, NOW, Step.CLOSED),
        (State.CANCELLED, NOW, Step.CANCELLED),
    ],
)
def test_what_happens_next_is_always_said(state: State, now: int, step: Step) -> None:
    """Each state has one next step, and a time where we promise one."""
    said = rules.next_step(ticket_in(state), now=now, targets=TARGETS)
    assert said.step is step
    assert (said.by is None) == (step is Step.READ)


def test_reminders_have_an_end() -> None:
    """After so many of one answer there is no next one."""
    ticket = ticket_in(State.ANSWERED, priority=Priority.HIGH)
    times = []
    while ticket.remind_at is not None:
        times.append(ticket.remind_at)
        ticket = rules.after_reminder(ticket, now=ticket.remind_at)
    assert len(times) == REMINDERS
    assert {b - a for a, b in pairwise(times)} == {HOUR}


# --- hours -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start, minutes, due",
    [
        (("01-15", "08:00"), 120, ("01-15", "10:00")),
        (("01-15", "19:00"), 60, ("01-15", "20:00")),
        (("01-15", "19:00"), 61, ("01-18", "08:01")),
        (("01-15", "21:00"), 60, ("01-18", "09:00")),
        (("01-16", "12:00"), 480, ("01-18", "16:00")),
        (("01-18", "03:00"), 1440, ("01-19", "20:00")),
    ],
)
def test_only_staffed_minutes_count(
    start: tuple[str, str], minutes: int, due: tuple[str, str]
) -> None:
    """Nights and the weekend of 16 January are no waiting."""
    assert OFFICE.after(at(*start), minutes) == at(*due)


def test_the_walls_clock_decides_when_summer_time_begins() -> None:
    """On 28 March 2027 an hour of the night is missing in Rome: a Sunday desk has one less."""
    night = hours_of("sun 00:00-06:00", ZoneInfo("Europe/Rome"))
    start = at("03-28", "00:00", "Europe/Rome")
    assert night.worked(start, start + DAY) == 5 * HOUR
    assert night.after(start, 300) == at("03-28", "06:00", "Europe/Rome")


def test_hours_of_several_parts_are_joined() -> None:
    """Parts that touch or overlap count once, and a week may turn round."""
    week = hours_of("sat-mon 09:00-12:00, mon 11:00-13:00, mon 15:00-16:00", UTC)
    monday = (540, 780), (900, 960)
    assert week.spans == (monday, (), (), (), (), ((540, 720),), ((540, 720),))


_hours = st.lists(
    st.tuples(
        st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
        st.integers(0, 1439),
        st.integers(1, 1440),
    ),
    min_size=1,
    max_size=6,
).map(
    lambda parts: hours_of(
        ", ".join(
            f"{day} {_clock(begin)}-{_clock(min(1440, begin + length))}"
            for day, begin, length in parts
        ),
        ZoneInfo("America/New_York"),
    )
)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


@settings(deadline=None)
@given(hours=_hours, start=st.integers(NOW, NOW + 400 * DAY), minutes=st.integers(1, 3000))
def test_after_and_worked_agree(hours: Hours, start: int, minutes: int) -> None:
    """Until the moment that somebody is promised, exactly the promised minutes are staffed."""
    due = hours.after(start, minutes)
    assert due > start
    assert hours.worked(start, due) == minutes * MINUTE
    assert hours.worked(start, due - 1) == minutes * MINUTE - 1


@given(hours=_hours, start=st.integers(NOW, NOW + 400 * DAY))
def test_the_desk_opens_at_the_next_staffed_moment(hours: Hours, start: int) -> None:
    """Nothing is staffed before it, and it is itself."""
    opens = hours.opens(start)
    assert hours.staffed(opens)
    assert hours.worked(start, opens) == 0
    assert opens - start <= 8 * DAY


# --- numbers and texts -------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["4F7K-9QZM", "4f7k9qzm", " 4F7K 9QZM ", "4-f-7-k-9-q-z-m"])
def test_a_number_is_one_number_however_it_is_typed(typed: str) -> None:
    """Case, grouping and space do not matter."""
    assert rules.number_from(typed) == "4F7K-9QZM"


@pytest.mark.parametrize(
    "typed", ["", "4F7K-9QZ", "4F7K-9QZMM", "4F7U-9QZM", "4F7K−9QZM", "x" * 99]
)
def test_what_is_no_number_is_none(typed: str) -> None:
    """Too short, too long, a letter that the alphabet lacks, a minus that only looks like one."""
    assert rules.number_from(typed) is None


def test_letters_that_look_like_digits_are_those() -> None:
    """O is 0, I and L are 1."""
    assert rules.number_from("OIL0-oil0") == "0110-0110"


@given(st.text(max_size=9000))
def test_a_text_is_cleaned_once_or_refused(typed: str) -> None:
    """Cleaning again changes nothing, and what is stored has no character that hides."""
    try:
        text = rules.clean_text(typed)
    except Refused:
        assert len(typed) > rules.TEXT_MOST or not re.search(r"[^\W_]", typed)
        return
    assert rules.clean_text(text) == text
    assert text.encode("utf-8")
    assert not set(text) & set("\x00\x08\r\x1b\u202e\u2066\ufeff")


def test_a_text_keeps_its_lines() -> None:
    """However a browser or a copied text ends them."""
    assert (
        rules.clean_text("one\r\n\r\n  two\rthree\u2028four  \n\n") == "one\n\n  two\nthree\nfour"
    )


def test_a_subject_is_one_line_that_says_what_it_shows() -> None:
    """A mark that turns the order round could show “exe.pdf” for what ends in “.exe”."""
    assert rules.clean_subject(" a\n b \u202egnp.exe ") == "a b gnp.exe"


def test_a_promise_of_one_minute_a_week_is_still_kept() -> None:
    """However small the hours, there is an end."""
    tiny = hours_of("wed 10:00-10:01", UTC)
    start = datetime(2027, 1, 13, 10, 0, tzinfo=UTC)
    end = start + timedelta(weeks=9, minutes=1)
    assert tiny.after(int(start.timestamp() * 1000), 10) == int(end.timestamp() * 1000)
