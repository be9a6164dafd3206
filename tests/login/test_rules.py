"""The attempt's state table, walked from every state by every event."""

import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from vestibule.base.errors import Refused
from vestibule.login import rules
from vestibule.login.rules import MOVES, Attempt, Event, Kind, NumberEntry, State, Step

NOW = 1_800_000_000_000
ENDS = {State.DENIED, State.REPORTED, State.FAILED, State.CANCELLED}


def attempt(**changes: object) -> Attempt:
    """A waiting attempt that began at NOW."""
    values: dict[str, object] = {
        "id": "A" * 22,
        "kind": Kind.SIGN_IN,
        "account_id": "B" * 22,
        "session_id": None,
        "detail": "",
        "enrollment_id": "C" * 22,
        "factor_id": None,
        "state": State.WAITING,
        "round": 1,
        "known": False,
        "push": True,
        "number": True,
        "challenge": "482913",
        "tries": 0,
        "proofs": 0,
        "resync_counter": None,
        "request": "request",
        "request_expires_at": NOW + 180_000,
        "challenge_expires_at": NOW + 300_000,
        "expires_at": NOW + 900_000,
        "browser": "Firefox on Windows",
        "address": "192.0.2.7",
        "place": "",
    }
    return Attempt(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_move_is_what_the_table_says_and_nothing_else(state: State, event: Event) -> None:
    """Every state meets every event: the table's move happens, everything else is refused."""
    if (state, event) in MOVES:
        assert rules.move(state, event) is MOVES[state, event]
    else:
        with pytest.raises(Refused) as refused:
            rules.move(state, event)
        assert refused.value.code.name == "already_answered"


def test_ended_states_never_lead_to_a_session() -> None:
    """From an end no sequence of events reaches approval or a session again."""
    for (before, _), after in MOVES.items():
        if before in ENDS:
            assert after in ENDS
    assert {after for (before, _), after in MOVES.items() if before is State.COLLECTED} == {
        State.REPORTED
    }


def test_session_needs_an_approval_or_a_response() -> None:
    """COLLECTED is reached by collecting an approval or by a right answer, by nothing else."""
    ways = {(before, event) for (before, event), after in MOVES.items() if after is State.COLLECTED}
    assert ways == {
        (State.APPROVED, Event.COLLECT),
        (State.WAITING, Event.RESPOND),
        (State.WAITING, Event.PROVE),
    }


class AttemptLife(RuleBasedStateMachine):
    """Random lives of an attempt: at most one approval and at most one session in each."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State.CHOOSING
        self.sessions = 0
        self.approvals = 0

    @rule(event=st.sampled_from(Event))
    def happen(self, event: Event) -> None:
        """Anything may be tried at any time."""
        try:
            after = rules.move(self.state, event)
        except Refused:
            return
        self.approvals += after is State.APPROVED and self.state is not State.APPROVED
        self.sessions += after is State.COLLECTED
        self.state = after

    @invariant()
    def one_session(self) -> None:
        """One attempt, one session."""
        assert self.sessions <= 1
        assert self.approvals <= 1

    @precondition(lambda self: self.state in ENDS)
    @rule()
    def stays_ended(self) -> None:
        """An end is an end."""
        assert rules.next_step(attempt(state=self.state), now=NOW) is Step(self.state.value)


TestAttemptLife = AttemptLife.TestCase
TestAttemptLife.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)


@given(st.integers(min_value=-1_000_000, max_value=2_000_000))
def test_next_step_follows_the_clock(after: int) -> None:
    """A waiting attempt waits, then can be resumed, then is over: in this order."""
    step = rules.next_step(attempt(), now=NOW + after)
    if after < 300_000:
        assert step is Step.WAIT
    elif after < 900_000:
        assert step is Step.RESUME
    else:
        assert step is Step.EXPIRED


def test_approved_attempt_expires_uncollected() -> None:
    """An approval that nobody collects in the attempt's life opens nothing any more."""
    approved = attempt(state=State.APPROVED)
    assert rules.next_step(approved, now=NOW + 899_999) is Step.COLLECT
    assert rules.next_step(approved, now=NOW + 900_000) is Step.EXPIRED


@pytest.mark.parametrize(
    "policy,known,others,needed",
    [
        (NumberEntry.UNLESS_KNOWN, False, 0, True),
        (NumberEntry.UNLESS_KNOWN, True, 0, False),
        (NumberEntry.UNLESS_KNOWN, True, 1, True),
        (NumberEntry.ALWAYS, True, 0, True),
        (NumberEntry.NEVER, False, 0, False),
        (NumberEntry.NEVER, False, 1, True),
    ],
)
def test_number_needed_by_policy(
    policy: NumberEntry, *, known: bool, others: int, needed: bool
) -> None:
    """The policy decides, except that two attempts at once always need the number."""
    assert rules.number_needed(policy, known=known, others=others) is needed


def test_answerable_refuses_a_stale_request() -> None:
    """An answer that comes when the request has run out is refused, and named so."""
    rules.answerable(attempt(), Event.APPROVE, now=NOW + 179_999)
    with pytest.raises(Refused) as refused:
        rules.answerable(attempt(), Event.APPROVE, now=NOW + 180_000)
    assert refused.value.code.name == "request_expired"


@pytest.mark.parametrize(
    "changes,after,code",
    [
        ({}, 300_000, "challenge_expired"),
        ({"tries": 3}, 0, "challenge_spent"),
        ({"state": State.APPROVED}, 0, "already_answered"),
        ({"state": State.CANCELLED}, 0, "already_answered"),
    ],
)
def test_respondable_refuses(changes: dict[str, object], after: int, code: str) -> None:
    """A typed response to an old, spent or answered challenge is refused, each by its name."""
    with pytest.raises(Refused) as refused:
        rules.respondable(attempt(**changes), now=NOW + after)
    assert refused.value.code.name == code


def test_wrong_proof_ends_the_attempt_at_the_third() -> None:
    """Three wrong PINs: two leave the attempt open, the third ends it."""
    assert rules.wrong_proof(attempt(proofs=0)) == (Event.WRONG_PROOF, 2)
    assert rules.wrong_proof(attempt(proofs=1)) == (Event.WRONG_PROOF, 1)
    assert rules.wrong_proof(attempt(proofs=2)) == (Event.PROOFS_SPENT, 0)


def test_renewal_needed_when_little_life_is_left() -> None:
    """Asking again repeats a nudge while the request lives, and renews it near its end."""
    assert not rules.renewal_needed(attempt(), now=NOW)
    assert rules.renewal_needed(attempt(), now=NOW + 151_000)
    assert rules.renewal_needed(attempt(tries=3), now=NOW)
