"""What staff may see and do, how waiting is counted and drawn, answers kept ready: all pure."""

from dataclasses import replace
from datetime import UTC, date
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from vestibule.base.clock import HOUR, MINUTE
from vestibule.base.errors import Refused
from vestibule.base.i18n import LANGUAGES
from vestibule.sessions.rules import Proof
from vestibule.staff.rules import ABILITIES, Ability, Member, Role, approved, demand
from vestibule.support.rules import Priority, State, Ticket, Topic
from vestibule.support.rules.canned import Canned, clean_name, filled, kept_of, ready_for
from vestibule.support.rules.queue import (
    View,
    asked_from,
    demand_reading,
    demand_taking,
    line_of,
    sees,
)
from vestibule.support.rules.waiting import Said, Wait, days_of, plot_of, share_of, waits_of

NOW = 1_795_000_000_000
TODAY = date(2026, 11, 18)


def member(role: Role, account_id: str = "me") -> Member:
    """Somebody of the staff."""
    return Member(account_id=account_id, username="sam", display_name="Sam", role=role, since=NOW)


def ticket(topic: Topic = Topic.ACCOUNT, assigned_to: str | None = None) -> Ticket:
    """A conversation that waits."""
    return Ticket(
        id="t",
        number="4F7K-9QZM",
        account_id="client",
        username="morgan",
        display_name="Morgan Canary",
        topic=topic,
        subject="Canary subject",
        language="fr",
        priority=Priority.NORMAL,
        state=State.NEW,
        assigned_to=assigned_to,
        assigned_name="Olive Canary" if assigned_to else None,
        opened_at=NOW,
        state_at=NOW,
        waiting_since=NOW,
        due_at=NOW + HOUR,
        first_answered_at=None,
        answered_at=None,
        closed_at=None,
        client_seen_at=None,
        remind_at=None,
        reminders=0,
        version=1,
    )


def canned(name: str, language: str, text: str = "Text") -> Canned:
    """An answer in one language."""
    return Canned(
        id=f"{name}-{language}",
        name=name,
        language=language,
        text=text,
        version=1,
        changed_at=NOW,
        changed_by="Olive",
    )


# --- abilities ---------------------------------------------------------------------------------


def test_every_role_has_its_abilities_and_no_other() -> None:
    """The table as the operator's documentation says it."""
    assert set(ABILITIES) == set(Role)
    assert ABILITIES[Role.OBSERVER] == {Ability.QUEUE}
    assert ABILITIES[Role.SUPPORT] == {
        Ability.QUEUE,
        Ability.READ,
        Ability.ANSWER,
        Ability.ASK_PASS,
    }
    assert ABILITIES[Role.OFFICER] == set(Ability)
    with pytest.raises(Refused, match="staff_role"):
        demand(member(Role.OBSERVER), Ability.READ)


def test_only_a_key_that_stays_on_its_device_opens_the_pages_of_staff() -> None:
    """All approvals on a phone do; codes that can be read out to somebody do not."""
    assert {proof for proof in Proof if approved(proof)} == {
        Proof.PUSH,
        Proof.NUMBER,
        Proof.QR,
        Proof.RESPONSE,
        Proof.PASSKEY,
    }


def test_security_is_there_for_officers_only() -> None:
    """For others such a conversation does not exist; who may not read learns not even that."""
    about = ticket(Topic.SECURITY)
    assert [role for role in Role if sees(member(role), Topic.SECURITY)] == [Role.OFFICER]
    assert demand_reading(member(Role.OFFICER), about) is about
    for absent in (about, None):
        with pytest.raises(Refused, match="not_found"):
            demand_reading(member(Role.SUPPORT), absent)
        with pytest.raises(Refused, match="staff_role"):
            demand_reading(member(Role.OBSERVER), absent)


@pytest.mark.parametrize("role", Role)
def test_a_line_says_to_each_role_what_it_may_know(role: Role) -> None:
    """An observer's line holds no word of a client, nor anybody's name."""
    line = line_of(ticket(assigned_to="olive"), member(role))
    assert ("Canary" in repr(line)) == (role is not Role.OBSERVER)
    assert (line.said is None) == (role is Role.OBSERVER)
    assert line.assigned
    assert line.late(NOW + HOUR + 1)
    assert not line.late(NOW)


@pytest.mark.parametrize(
    "role, has, to, allowed",
    [
        (Role.SUPPORT, None, "me", True),
        (Role.SUPPORT, "me", None, True),
        (Role.SUPPORT, "me", "me", True),
        (Role.SUPPORT, "other", "me", False),
        (Role.SUPPORT, "other", None, False),
        (Role.SUPPORT, None, "other", False),
        (Role.SUPPORT, "me", "other", False),
        (Role.OFFICER, "other", "me", True),
        (Role.OFFICER, "other", None, True),
        (Role.OFFICER, None, "other", True),
        (Role.OBSERVER, None, "me", False),
    ],
)
def test_who_may_give_what_to_whom(
    role: Role, has: str | None, to: str | None, *, allowed: bool
) -> None:
    """Everybody takes what nobody has and gives back their own; officers hand over."""
    if allowed:
        demand_taking(member(role), ticket(assigned_to=has), to=to)
    else:
        with pytest.raises(Refused, match="staff_role"):
            demand_taking(member(role), ticket(assigned_to=has), to=to)


def test_an_observer_cannot_search() -> None:
    """Not even by a crafted address: a search would tell who wrote what."""
    asked = asked_from(member(Role.OBSERVER), view="", find="Morgan", page="")
    assert (asked.find, asked.view) == ("", View.ALL)
    asked = asked_from(member(Role.SUPPORT), view="nonsense", find=" 4f7k 9qzm ", page="-1")
    assert (asked.find, asked.number, asked.view, asked.page) == (
        "4f7k 9qzm",
        "4F7K-9QZM",
        View.MINE,
        1,
    )
    assert asked_from(member(Role.SUPPORT), view="all", find="50%_\\", page="3").like == (
        "%50\\%\\_\\\\%"
    )


# --- waiting -----------------------------------------------------------------------------------


def said(*steps: tuple[str, int]) -> list[Said]:
    """Messages of one conversation: who, and after how many minutes."""
    return [
        Said(ticket_id="t", by_client=who == "client", at=NOW + minute * MINUTE)
        for who, minute in steps
    ]


def test_a_wait_begins_with_the_first_message_and_ends_with_the_answer() -> None:
    """Writing more begins no second wait; a second answer ends none."""
    steps = [("client", 0), ("client", 5), ("staff", 30), ("staff", 31), ("client", 60)]
    waits = waits_of(said(*steps), worked=lambda begin, end: end - begin)
    assert [wait.waited_ms for wait in waits] == [30 * MINUTE]


def test_conversations_wait_each_for_itself_and_by_staffed_hours() -> None:
    """An answer in one ends no wait in another; the night does not count."""
    here = said(("client", 0), ("staff", 90))
    there = [replace(one, ticket_id="u", at=one.at + 1) for one in said(("client", 10))]
    waits = waits_of([*there, *here], worked=lambda begin, end: (end - begin) // 3)
    assert [(wait.answered_at, wait.waited_ms) for wait in waits] == [
        (NOW + 90 * MINUTE, 30 * MINUTE)
    ]


def test_the_shares_are_waits_that_happened() -> None:
    """By nearest rank: of ten waits the median is the fifth, and one is longer than the ninth."""
    waits = [minutes * MINUTE for minutes in range(1, 11)]
    assert share_of(waits, 0.5) == 5 * MINUTE
    assert share_of(waits, 0.9) == 9 * MINUTE
    assert share_of([7], 0.5) == share_of([7], 0.9) == 7


def test_days_have_their_own_waits_and_empty_days_none() -> None:
    """Thirty days up to today; what ended on another day is left out."""
    waits = [Wait(answered_at=NOW, waited_ms=ms) for ms in (1, 2, 3)]
    waits.append(Wait(answered_at=NOW - 40 * 24 * HOUR, waited_ms=9))
    days = days_of(waits, today=TODAY, zone=UTC)
    assert len(days) == 30
    assert (days[-1].day, days[0].day) == ("2026-11-18", "2026-10-20")
    assert (days[-1].answers, days[-1].median_ms, days[-1].slow_ms) == (3, 2, 3)
    assert {day.median_ms for day in days[:-1]} == {None}
    assert not plot_of(days_of([], today=TODAY, zone=UTC)).any


@given(
    st.lists(st.tuples(st.integers(0, 29), st.integers(0, 90 * 24 * HOUR)), min_size=1, max_size=60)
)
def test_everything_drawn_lies_within_the_plot(waits: list[tuple[int, int]]) -> None:
    """Whatever was waited: bars in order, tenth above median, lines at round distances."""
    days = days_of(
        [Wait(answered_at=NOW - back * 24 * HOUR, waited_ms=ms) for back, ms in waits],
        today=TODAY,
        zone=UTC,
    )
    plot = plot_of(days)
    assert plot.any
    assert plot.answers == len(waits)
    for bar in plot.bars:
        assert 0 <= bar.x < bar.x + bar.width <= plot.end < plot.width
        assert 0 <= bar.slow_y <= bar.median_y <= plot.floor
    assert all(one.x < other.x for one, other in pairwise(plot.bars))
    assert plot.bars[-1].named
    steps = {other.ms - one.ms for one, other in pairwise(plot.lines)}
    assert len(steps) == 1
    assert steps.pop() % MINUTE == 0
    assert max(day.slow_ms or 0 for day in days) <= plot.lines[-1].ms


# --- answers kept ready ------------------------------------------------------------------------


def test_an_answer_is_offered_in_the_clients_language_or_says_that_it_is_not() -> None:
    """Else in English, else in what there is; each name once, in order."""
    kept = [canned("b", "it"), canned("a", "fr"), canned("a", "en"), canned("c", "en")]
    ready = ready_for(kept, "fr", default="en")
    assert [(one.name, one.language, one.fallback) for one in ready] == [
        ("a", "fr", False),
        ("b", "it", True),
        ("c", "en", True),
    ]


def test_missing_languages_are_named() -> None:
    """So that whoever writes them sees what is left to write."""
    (kept,) = kept_of(
        [canned("Phone lost", "it"), canned("phone LOST", "en")], languages=tuple(LANGUAGES)
    )
    assert [one.language for one in kept.texts] == ["en", "it"]
    assert set(kept.missing) == set(LANGUAGES) - {"en", "it"}


def test_facts_are_filled_once_and_braces_stay() -> None:
    """A client who is called like a fact stays so, and no text breaks an answer."""
    facts = {"client": "{number}", "number": "4F7K-9QZM"}
    assert filled("Dear {client}, about {number}:", facts) == "Dear {number}, about 4F7K-9QZM:"
    for text in ("{", "}", "{}", "{other}", "{client", "a {b {client} c}", "{member}"):
        assert filled(text, {}) == text
    assert filled("a {b {client} c}", {"client": "X"}) == "a {b X c}"


@given(st.text(max_size=80))
def test_filling_nothing_changes_nothing(text: str) -> None:
    """Whatever somebody keeps ready."""
    assert filled(text, {}) == text


@pytest.mark.parametrize("name", ["", "   ", "\u202e", "x" * 61])
def test_a_name_is_one_line_that_can_be_seen(name: str) -> None:
    """Anything else is refused."""
    with pytest.raises(Refused, match="canned_name"):
        clean_name(name)
