"""Activation tickets: the state table, and who may bring a phone."""

import pytest
from hypothesis import given, strategies as st

from vestibule.activation import rules
from vestibule.activation.rules import MOVES, Event, State
from vestibule.base.errors import Refused

FINAL = [state for state in State if state is not State.OPEN]


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", list(Event))
def test_move_follows_the_table_for_every_state_and_event(state: State, event: Event) -> None:
    """What is in the table happens; everything else is refused with what became of the ticket."""
    if (state, event) in MOVES:
        assert rules.move(state, event) is MOVES[state, event]
    else:
        with pytest.raises(Refused) as caught:
            rules.move(state, event)
        assert caught.value.code.name.startswith("ticket_")


@given(st.lists(st.sampled_from(list(Event)), max_size=12))
def test_move_never_leaves_a_final_state(events: list[Event]) -> None:
    """Whatever is tried on a ticket, it ends once."""
    state, ended = State.OPEN, None
    for event in events:
        try:
            state = rules.move(state, event)
        except Refused:
            assert state in FINAL
        if state in FINAL:
            ended = ended or state
            assert state is ended


def test_refusal_of_an_open_ticket_in_time_is_none() -> None:
    """A ticket that may be redeemed is not refused."""
    assert rules.refusal(state=State.OPEN, expires_at=10, session_ended=False, now=9) is None


@pytest.mark.parametrize(
    "state, ended, now, code",
    [
        (State.OPEN, False, 10, "ticket_expired"),
        (State.OPEN, True, 9, "ticket_withdrawn"),
        (State.WITHDRAWN, False, 9, "ticket_withdrawn"),
        (State.EXHAUSTED, False, 9, "ticket_exhausted"),
        (State.REDEEMED, False, 9, "ticket_used"),
        (State.REDEEMED, True, 99, "ticket_used"),
    ],
)
def test_refusal_says_what_became_of_the_ticket(
    state: State, *, ended: bool, now: int, code: str
) -> None:
    """Used, withdrawn, exhausted and expired are told apart; used outweighs the rest."""
    assert rules.refusal(state=state, expires_at=10, session_ended=ended, now=now) == code


def test_wrong_code_spends_the_ticket_at_the_last_try() -> None:
    """Four wrong codes count down, the fifth ends the ticket."""
    told = [rules.wrong_code(tries, most=5) for tries in range(5)]
    assert told == [(Event.WRONG_CODE, left) for left in (4, 3, 2, 1)] + [(Event.SPEND, 0)]


def test_may_add_phone_needs_a_phone_once_there_is_one() -> None:
    """The first phone comes with the password, every other one with a phone."""
    assert rules.may_add_phone(has_phone=False, strong=False)
    assert rules.may_add_phone(has_phone=True, strong=True)
    assert not rules.may_add_phone(has_phone=True, strong=False)


@pytest.mark.parametrize("name, shown", [("maria", "m…a"), ("bo", "b…o"), ("m.rossi", "m…i")])
def test_masked_shows_first_and_last_character(name: str, shown: str) -> None:
    """A phone that is not linked yet sees no whole name."""
    assert rules.masked(name) == shown
