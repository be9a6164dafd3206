"""What a phone may say of itself, and what becomes of it."""

import itertools

import pytest

from vestibule.base.clock import DAY, HOUR
from vestibule.base.errors import Malformed, Refused
from vestibule.support.rules.diagnoses import (
    SENT_A_DAY,
    TEXT_MOST,
    Diagnosis,
    Event,
    State,
    demand_room,
    demand_text,
    move,
)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "Vestibule diagnosis\nphone: Chrome 156 on Android\n",
        "téléphone “Café” · 携帯 · 👩‍👧 · \u200e",
        "x" * TEXT_MOST,
        "é" * (TEXT_MOST // 2),
    ],
)
def test_what_can_be_read_is_taken(text: str) -> None:
    """In any script, up to the last byte."""
    demand_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n ",
        "tab\there",
        "nul\0",
        "escape \x1b[2J",
        "carriage\r\n",
        "c1 \x85",
        "line \u2028 paragraph \u2029",
        "turned \u202e round",
        "isolated \u2066",
        "\ufeffmarked",
        "half \ud800",
    ],
)
def test_what_shows_as_something_else_is_refused(text: str) -> None:
    """It is not cleaned either: its owner was shown this and nothing else."""
    with pytest.raises(Malformed, match="diagnosis_text"):
        demand_text(text)


@pytest.mark.parametrize("text", ["x" * (TEXT_MOST + 1), "é" * (TEXT_MOST // 2) + "x"])
def test_one_byte_more_is_too_large(text: str) -> None:
    """Bytes count, not characters."""
    with pytest.raises(Malformed, match="body_too_large"):
        demand_text(text)


def test_room_is_made_by_time_alone() -> None:
    """The oldest of the five has to be a day old; the wait says when it is."""
    now = 100 * DAY
    sent = [now - HOUR * hours for hours in (23, 5, 4, 3)]
    demand_room(sent, now)
    with pytest.raises(Refused, match="diagnoses_many") as refused:
        demand_room([*sent, now], now)
    assert refused.value.facts == {"most": SENT_A_DAY, "wait": HOUR // 1000}


def test_every_end_is_the_last() -> None:
    """Attached, deleted and gone: nothing leads out of them."""
    lawful = {
        (State.KEPT, Event.ATTACH): State.ATTACHED,
        (State.KEPT, Event.DELETE): State.DELETED,
        (State.KEPT, Event.EXPIRE): State.GONE,
    }
    for state, event in itertools.product(State, Event):
        if (state, event) in lawful:
            assert move(state, event) is lawful[state, event]
        else:
            with pytest.raises(Refused, match="diagnosis_unknown"):
                move(state, event)


def test_file_is_named_by_the_reference() -> None:
    """What its owner saw on the phone is what staff sees."""
    found = Diagnosis(
        id="a",
        account_id="b",
        label="Pixel",
        reference="4F7K-9QZM",
        state=State.KEPT,
        at=0,
        expires_at=1,
    )
    assert found.file_name == "diagnosis-4F7K-9QZM.txt"
