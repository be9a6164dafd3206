"""Limits: the decisions under any schedule, and the store under races."""

import asyncio
from bisect import bisect_right

import pytest
from hypothesis import given, settings, strategies as st

from vestibule.base import limits
from vestibule.base.clock import DAY, HOUR, MINUTE, SECOND
from vestibule.base.database import Database, Tx
from vestibule.base.errors import Lost
from vestibule.base.limits import YEAR, Limits, Slot

START = 1_800_000_000_000
GAPS = st.one_of(
    st.integers(0, 2 * SECOND),
    st.integers(0, 2 * HOUR),
    st.integers(0, 3 * DAY),
    st.sampled_from([DAY - 1, DAY, DAY + 1, YEAR - 1, YEAR, 30 * DAY]),
)
SCHEDULES = st.lists(st.tuples(GAPS, st.sampled_from(["wrong", "wrong", "right"])), max_size=120)


def most_within(times: list[int], window: int) -> int:
    """The largest number of times in any half-open window."""
    return max(
        (bisect_right(times, start + window - 1) - index for index, start in enumerate(times)),
        default=0,
    )


@given(SCHEDULES)
@settings(max_examples=300, deadline=None)
def test_responses_keep_to_five_a_day_and_twenty_a_year(schedule: list[tuple[int, str]]) -> None:
    """Whatever the schedule, and however many sign-ins succeed between: the bound of guessing."""
    state, now, evaluated = Limits(), START, []
    for gap, outcome in schedule:
        now += gap
        if state.response_wait(now=now):
            continue
        if outcome == "wrong":
            evaluated.append(now)
            state = state.response_failed(now=now)
        else:
            state = state.password_right(now=now).knowledge_right(by="a phone").signed_in()
    assert most_within(evaluated, DAY) <= 5
    assert most_within(evaluated, YEAR) <= 20


@given(SCHEDULES)
@settings(max_examples=200, deadline=None)
def test_a_wait_ends_when_it_said(schedule: list[tuple[int, str]]) -> None:
    """After the announced wait the next try is looked at; a moment before, it is not."""
    state, now = Limits(), START
    for gap, _ in schedule:
        now += gap
        for wait in (state.response_wait, state.password_wait, state.push_wait):
            left = wait(now=now)
            assert wait(now=now + left) == 0
            assert left == 0 or wait(now=now + left - 1) > 0
        state = state.response_failed(now=now).password_failed(now=now).pushed(now=now)


@given(SCHEDULES)
@settings(max_examples=200, deadline=None)
def test_tries_during_a_wait_change_nothing(schedule: list[tuple[int, str]]) -> None:
    """Refused tries are not counted and make no wait longer, on any channel."""
    source = Limits(of_source=True)
    state, now = Limits(), START
    for gap, _ in schedule:
        now += gap
        if state.password_wait(now=now):
            assert state.password_failed(now=now) == state
        if state.response_wait(now=now):
            assert state.response_failed(now=now) == state
        if state.knowledge_wait(now=now):
            assert state.knowledge_failed(by="a phone", now=now) == state
        if state.push_wait(now=now):
            assert state.pushed(now=now) == state
        if source.password_wait(now=now):
            assert source.password_failed(now=now) == source
        if source.ticket_wait(now=now):
            assert source.ticket_failed(now=now) == source
        state = state.password_failed(now=now).response_failed(now=now)
        state = state.knowledge_failed(by="a phone", now=now).pushed(now=now)
        source = source.password_failed(now=now).ticket_failed(now=now)


@given(SCHEDULES)
@settings(max_examples=200, deadline=None)
def test_pushes_and_sources_keep_to_their_windows(schedule: list[tuple[int, str]]) -> None:
    """Three pushes without an answer, twenty failures of a source, ten codes: in ten minutes."""
    source = Limits(of_source=True)
    state, now = Limits(), START
    pushed: list[int] = []
    failed: list[int] = []
    tickets: list[int] = []
    for gap, _ in schedule:
        now += gap // 1000
        if not state.push_wait(now=now):
            pushed.append(now)
            state = state.pushed(now=now)
        if not source.password_wait(now=now):
            failed.append(now)
            source = source.password_failed(now=now)
        if not source.ticket_wait(now=now):
            tickets.append(now)
            source = source.ticket_failed(now=now)
    assert most_within(pushed, 10 * MINUTE) <= 3
    assert most_within(failed, 10 * MINUTE) <= 20
    assert most_within(tickets, 10 * MINUTE) <= 10


def test_passwords_back_off_from_ten_seconds_to_an_hour() -> None:
    """Four wrong ones are free; from the fifth on the wait doubles up to an hour."""
    state, now, waits = Limits(), START, []
    for _ in range(16):
        state = state.password_failed(now=now)
        waits.append(state.password_wait(now=now) // SECOND)
        now += waits[-1] * SECOND
    assert waits == [0, 0, 0, 0, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]


def test_a_right_password_clears_the_name_but_not_the_source() -> None:
    """An attacker cannot clear the source by signing in with an account of their own."""
    name, source = Limits(), Limits(of_source=True)
    for _ in range(20):
        name, source = name.password_failed(now=START), source.password_failed(now=START)
    assert name.password_right(now=START) == Limits()
    assert source.password_right(now=START).password_wait(now=START) == 10 * MINUTE
    assert Limits().password_right(now=START) == Limits()


def test_failures_are_forgotten_after_a_quiet_day() -> None:
    """Old mistakes do not shorten the patience with new ones."""
    state = Limits()
    for _ in range(5):
        state = state.password_failed(now=START)
    assert state.password_failed(now=START + DAY).password_wait(now=START + DAY) == 0


def test_unanswered_pushes_back_off_until_a_sign_in() -> None:
    """After five without a success the wait doubles; a success begins afresh."""
    state, now = Limits(), START
    for _ in range(5):
        assert state.push_wait(now=now) == 0
        state = state.pushed(now=now)
        now += 5 * MINUTE
    state = state.pushed(now=now).pushed(now=now + HOUR)
    now += HOUR
    assert state.pushes.until - now == 40 * SECOND
    assert state.signed_in().push_wait(now=now) == 0
    assert state.signed_in() == Limits()


def test_a_clock_set_back_opens_nothing() -> None:
    """With the clock an hour back the waits hold on."""
    state = Limits()
    for _ in range(5):
        state = state.password_failed(now=START).response_failed(now=START)
    assert state.password_wait(now=START - HOUR) > 0
    assert state.response_wait(now=START - HOUR) > 0


def test_the_owner_lifts_the_lock_of_responses() -> None:
    """Unlocking clears responses and nothing else."""
    state = Limits().password_failed(now=START)
    for _ in range(5):
        state = state.response_failed(now=START)
    assert state.response_wait(now=START) == DAY
    unlocked = state.responses_unlocked()
    assert unlocked.response_wait(now=START) == 0
    assert unlocked.passwords == state.passwords


async def test_saved_limits_are_read_back(database: Database) -> None:
    """Through the database and back nothing is lost; what did not change is not written."""
    written: list[str] = []

    async def body(tx: Tx) -> None:
        slot = await limits.load(tx, "account:1")
        assert (slot.version, slot.limits) == (0, Limits())
        await limits.save(tx, slot, slot.limits.response_failed(now=START))

    await database.write(body)
    slot = await database.read(lambda tx: limits.load(tx, "account:1"))
    assert slot == Slot("account:1", 1, Limits(response_times=(START,)))
    database.observe(lambda _kind, sql: written.append(sql))
    await database.write(lambda tx: limits.save(tx, slot, slot.limits.signed_in()))
    assert not any("limit_state" in sql for sql in written)


async def test_a_source_is_known_by_its_subject(database: Database) -> None:
    """The subject decides which rule counts, from the first failure on."""

    async def body(tx: Tx) -> Slot:
        slot = await limits.load(tx, "source:192.0.2.1")
        await limits.save(tx, slot, slot.limits.password_failed(now=START))
        return await limits.load(tx, "source:192.0.2.1")

    assert (await database.write(body)).limits.failure_times == (START,)


async def test_stale_limits_are_not_saved(database: Database) -> None:
    """Of two that read the same version, one saves and the other is told that it lost."""

    async def body(tx: Tx) -> None:
        fresh = await limits.load(tx, "account:1")
        await limits.save(tx, fresh, fresh.limits.pushed(now=START))
        with pytest.raises(Lost):
            await limits.save(tx, fresh, fresh.limits.pushed(now=START + 1))
        again = await limits.load(tx, "account:1")
        await limits.save(tx, again, again.limits.pushed(now=START + 1))
        with pytest.raises(Lost):
            await limits.save(tx, again, again.limits.pushed(now=START + 2))

    await database.write(body)


async def test_sixty_four_wrong_responses_at_once_stop_at_five(database: Database) -> None:
    """Guesses sent side by side are evaluated one after the other, and no more than the limit."""

    async def guess(tx: Tx) -> bool:
        slot = await limits.load(tx, "account:1")
        if slot.limits.response_wait(now=START):
            return False
        await limits.save(tx, slot, slot.limits.response_failed(now=START))
        return True

    async with asyncio.timeout(30):
        evaluated = await asyncio.gather(*(database.write(guess) for _ in range(64)))
    assert evaluated.count(True) == 5


async def test_the_sweep_takes_what_no_longer_matters(database: Database) -> None:
    """A year for responses, a day for passwords; then the row goes."""

    async def body(tx: Tx) -> None:
        slot = await limits.load(tx, "name:1")
        await limits.save(tx, slot, slot.limits.password_failed(now=START))
        slot = await limits.load(tx, "account:1")
        await limits.save(tx, slot, slot.limits.response_failed(now=START))

    await database.write(body)
    assert await database.write(lambda tx: limits.sweep(tx, now=START + DAY)) == 0
    assert await database.write(lambda tx: limits.sweep(tx, now=START + 2 * DAY)) == 1
    assert await database.write(lambda tx: limits.sweep(tx, now=START + YEAR + DAY)) == 1
