"""A terminal's grant: its states, its codes, its patience."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from vestibule.base.errors import Refused
from vestibule.relying import rules
from vestibule.relying.rules import MOVES, Event, Grant, State, Turn, Way

NOW = 1_800_000_000_000


def grant(**changes: object) -> Grant:
    """A grant that waits since NOW."""
    values: dict[str, object] = {
        "id": "A" * 22,
        "way": Way.DEVICE,
        "account_id": None,
        "state": State.PENDING,
        "name": "laptop",
        "address": "192.0.2.7",
        "place": "",
        "attempt_id": None,
        "held": None,
        "proof": None,
        "enrollment_id": None,
        "interval_s": 5,
        "polled_at": 0,
        "opened_at": NOW,
        "expires_at": NOW + 600_000,
    }
    return Grant(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_move_is_what_the_table_says_and_nothing_else(state: State, event: Event) -> None:
    """Every state meets every event."""
    if (state, event) in MOVES:
        assert rules.move(state, event) is MOVES[state, event]
    else:
        with pytest.raises(Refused):
            rules.move(state, event)


def test_token_is_had_once_and_only_after_an_approval() -> None:
    """COLLECTED comes from APPROVED alone, and leads nowhere."""
    ways = {before for (before, _), after in MOVES.items() if after is State.COLLECTED}
    assert ways == {State.APPROVED}
    assert not [1 for before, _ in MOVES if before in (State.COLLECTED, State.DENIED)]


@pytest.mark.parametrize(
    "changes,turn",
    [
        ({}, Turn.PENDING),
        ({"state": State.ASKED}, Turn.PENDING),
        ({"state": State.APPROVED}, Turn.TOKEN),
        ({"state": State.APPROVED, "polled_at": NOW - 4_999}, Turn.SLOW_DOWN),
        ({"polled_at": NOW - 4_999}, Turn.SLOW_DOWN),
        ({"polled_at": NOW - 5_000}, Turn.PENDING),
        ({"polled_at": NOW - 5_000, "interval_s": 10}, Turn.SLOW_DOWN),
        ({"state": State.DENIED, "polled_at": NOW}, Turn.DENIED),
        ({"state": State.COLLECTED}, Turn.SPENT),
        ({"expires_at": NOW}, Turn.EXPIRED),
        ({"state": State.APPROVED, "expires_at": NOW}, Turn.EXPIRED),
    ],
)
def test_terminal_is_told_what_rfc_8628_wants(changes: dict[str, object], turn: Turn) -> None:
    """Each state and each impatience has its word."""
    assert rules.turn_of(grant(**changes), now=NOW) is turn


@given(st.binary(min_size=16, max_size=16))
def test_code_is_read_however_it_is_typed(random: bytes) -> None:
    """Small letters, spaces, dashes of any kind: the same code."""
    code = rules.make_user_code(random)
    for typed in (code, rules.shown_user_code(code), f" {code[:3].lower()} {code[3:]}\u2013 "):
        assert rules.parse_user_code(typed) == code


@pytest.mark.parametrize("typed", ["", "BCDF", "BCDFGHJA", "BCDFGHJKL", "BCDF GHJ1", "\u00df" * 8])
def test_what_is_no_code_is_refused(typed: str) -> None:
    """Vowels, digits, other lengths: no terminal shows that."""
    with pytest.raises(Refused) as refused:
        rules.parse_user_code(typed)
    assert refused.value.code.name == "user_code_unknown"


@given(st.text())
def test_name_is_one_short_printable_line(typed: str) -> None:
    """Whatever a terminal calls itself, it cannot draw over the page or the phone."""
    name = rules.clean_name(typed)
    assert 1 <= len(name) <= rules.NAME_MAX
    assert name.isprintable()
