"""A case's states: each lawful move, and nothing beside them."""

import itertools

import pytest

from vestibule.base.errors import Refused
from vestibule.contacts.rules import Contact, Kind, State as ContactState
from vestibule.devices.rules import Enrollment, PushHealth, can_approve
from vestibule.recovery import rules
from vestibule.recovery.rules import MOVES, Event, Facts, Situation, State, WayKind

HOUR = 3_600_000
ENDED = {State.DENIED, State.SPENT, State.STOPPED}


def phone(id_: str, **changes: int | str | None) -> Enrollment:
    """An enrollment of that id."""
    values: dict[str, object] = {
        "id": id_,
        "account_id": "account",
        "device_id": f"device of {id_}",
        "label": id_,
        "platform": "Test",
        "push_health": PushHealth.OK,
        "biometric": False,
        "created_at": 0,
        **changes,
    }
    return Enrollment(**values)  # type: ignore[arg-type]


def number(verified_at: int) -> Contact:
    """A number verified then."""
    return Contact(
        id="number",
        account_id="account",
        kind=Kind.NUMBER,
        address="+393471234589",
        state=ContactState.VERIFIED,
        verified_at=verified_at,
        added_at=0,
        removed_at=None,
        preferred=True,
    )


def facts(*phones: Enrollment, numbers: tuple[Contact, ...] = ()) -> Facts:
    """What an account has."""
    return Facts(
        phones=phones, used_at=dict.fromkeys([p.id for p in phones]), numbers=numbers, factors=()
    )


@pytest.mark.parametrize("state, event", itertools.product(State, Event))
def test_only_what_the_table_says_moves_a_case(state: State, event: Event) -> None:
    """Every state with every event: the table's move, or a refusal."""
    if (state, event) in MOVES:
        assert rules.move(state, event) is MOVES[state, event]
    else:
        with pytest.raises(Refused, match="case_over"):
            rules.move(state, event)


def test_no_phone_is_linked_without_a_grant() -> None:
    """The only way to a phone leads over more than the password."""
    linking = {state for (state, event) in MOVES if event in {Event.LINK, Event.REST}}
    granting = {state for (state, event) in MOVES if event is Event.GRANT}
    assert (linking, granting) == ({State.GRANTED}, {State.ASKED})


def test_nothing_leaves_what_has_ended() -> None:
    """Denied, spent and stopped are final; a finished case may still be stopped."""
    assert {state for (state, _) in MOVES} & ENDED == set()
    assert MOVES[State.DONE, Event.STOP] is State.STOPPED


@pytest.mark.parametrize(
    "device, former, expected",
    [
        ("elsewhere", None, Situation.MOVE),
        ("device of old", None, Situation.RENEW),
        ("elsewhere", "old", Situation.RENEW),
        ("elsewhere", "another's", Situation.MOVE),
    ],
)
def test_situation_is_told_by_what_the_device_held(
    device: str, former: str | None, expected: Situation
) -> None:
    """By its id, or by the enrollment that it names; and that one must be the account's."""
    found = rules.situation(facts(phone("old")), device_id=device, former=former)
    assert found is expected
    assert rules.situation(facts(), device_id=device, former=former) is Situation.FIRST


@pytest.mark.parametrize("age_h, offered", [(71, False), (72, True)])
def test_number_has_to_be_old_enough_beside_a_phone(age_h: int, *, offered: bool) -> None:
    """It may have been added for just that; for a first phone it is enough at once."""
    now = 1000 * HOUR
    fresh = number(now - age_h * HOUR)

    def kinds(*phones: Enrollment) -> list[tuple[WayKind, bool]]:
        found = rules.ways(
            facts(*phones, numbers=(fresh,)),
            device_id="new",
            former=None,
            by_text=True,
            by_voice=False,
            trust_ms=72 * HOUR,
            now=now,
        )
        return [(way.kind, way.rests) for way in found]

    assert kinds() == [(WayKind.SMS, False)]
    assert kinds(phone("old")) == [(WayKind.PHONE, False), *([(WayKind.SMS, True)] * offered)]


@pytest.mark.parametrize(
    "changes, able",
    [
        ({}, True),
        ({"rests_until": 101}, False),
        ({"rests_until": 100}, True),
        ({"retires_at": 101}, True),
        ({"retires_at": 100}, False),
    ],
)
def test_resting_and_retired_phones_cannot_approve(changes: dict[str, int], *, able: bool) -> None:
    """To the millisecond; nor can they vouch for another phone."""
    one = phone("one", **changes)
    assert can_approve(one, 100) is able
    found = rules.ways(
        facts(one),
        device_id="new",
        former=None,
        by_text=False,
        by_voice=False,
        trust_ms=0,
        now=100,
    )
    assert len(found) == able


def test_what_is_replaced_decides_between_moving_and_adding() -> None:
    """A renewal stays one, and a first phone too."""
    assert rules.settled(Situation.MOVE, "") is Situation.ADD
    assert rules.settled(Situation.ADD, "all") is Situation.MOVE
    assert rules.settled(Situation.RENEW, "") is Situation.RENEW
    with pytest.raises(Refused, match="case_way"):
        rules.demand_replaces(facts(phone("old")), "another's")
