"""The real service against the state table: every state meets every event, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st
from sqlalchemy import bindparam, select

from tests.login.scene import HERE, Scene, ScenePhone, code_of, mine, open_scene, shown
from vestibule.base.clock import SteppedClock
from vestibule.base.database import Database
from vestibule.base.errors import Fault
from vestibule.base.ids import new_id
from vestibule.login import service as login
from vestibule.login.rules import MOVES, PROOF_TRIES, Event, State
from vestibule.login.store import login_attempt
from vestibule.protocol import messages, ocra
from vestibule.sessions.store import portal_session

_ROW = select(login_attempt).where(login_attempt.c.id == bindparam("id_"))
_SESSIONS = select(portal_session.c.id, portal_session.c.ended_at).where(
    portal_session.c.attempt_id == bindparam("id_")
)

# The shortest way to each state.
WAYS: dict[State, tuple[Event, ...]] = {
    State.CHOOSING: (),
    State.WAITING: (Event.CHOOSE,),
    State.APPROVED: (Event.CHOOSE, Event.APPROVE),
    State.COLLECTED: (Event.CHOOSE, Event.APPROVE, Event.COLLECT),
    State.DENIED: (Event.CHOOSE, Event.DENY),
    State.REPORTED: (Event.CHOOSE, Event.REPORT),
    State.FAILED: (Event.CHOOSE, Event.WRONG_NUMBER),
    State.CANCELLED: (Event.CANCEL,),
}
# What a phone and its browser do. Claims and other factors need another beginning: they are walked
# in tests/login/test_scanning.py and tests/login/test_service_proving.py.
EVENTS = [event for event in Event if event not in (Event.CLAIM, Event.PROVE)]
# A limit, or the end of a challenge's tries, may refuse what the table allows; nothing else may.
BESIDE_THE_TABLE = {"challenge_spent", "responses_blocked", "approvals_blocked"}


class Life:
    """One attempt, and the means to make every event happen to it."""

    def __init__(
        self, scene: Scene, phones: tuple[ScenePhone, ScenePhone], began: login.Began
    ) -> None:
        self.scene = scene
        self.phones = {phone.id: phone for phone in phones}
        self.chosen = phones[0]
        self.began = began
        self.spent: set[str] = set()

    @classmethod
    async def begin(cls, scene: Scene) -> Life:
        """A new account with two phones, at the chooser."""
        account = await scene.account(f"name-{len(await scene.rows(login_attempt))}")
        phones = await scene.phone(account), await scene.phone(account, label="iPhone")
        return cls(scene, phones, await scene.begin(account.username))

    async def row(self) -> dict[str, Any]:
        """The attempt as it is stored."""
        row = await self.scene.ctx.db.one(_ROW, id_=shown(self.began).id)
        assert row is not None
        return dict(row)

    async def state(self) -> State:
        """Where it stands."""
        return State((await self.row())["state"])

    async def attempt(self, event: Event) -> str:
        """Try to make the event happen; the code of the refusal, empty where there was none."""
        try:
            await self._do(event, await self.row())
        except Fault as refusal:
            return code_of(refusal)
        return ""

    async def _do(self, event: Event, row: dict[str, Any]) -> None:
        ctx, hold = self.scene.ctx, mine(self.began)
        match event:
            case Event.CHOOSE:
                others = [phone for phone in self.phones.values() if phone is not self.chosen]
                await login.choose(ctx, hold, way_id=others[0].id, visitor=HERE)
                self.chosen = others[0]
            case Event.AGAIN:
                await login.send_again(ctx, hold, visitor=HERE)
            case Event.COLLECT:
                await login.collect(ctx, hold, visitor=HERE)
            case Event.CANCEL:
                await login.cancel(ctx, hold, visitor=HERE)
            case Event.RESPOND | Event.WRONG_RESPONSE | Event.RESPOND_AGAIN:
                await login.respond(ctx, hold, typed=self._typed(event, row), visitor=HERE)
            case _:
                await self.scene.answer(self._answer(event, row))

    def _typed(self, event: Event, row: dict[str, Any]) -> str:
        challenge = row["challenge"] or "123456"
        if event is Event.WRONG_RESPONSE:
            return "00000000"
        return self.chosen.respond(challenge, ahead=self._ahead(event, row))

    def _ahead(self, event: Event, row: dict[str, Any]) -> int:
        # While realigning, the very next response is the right one.
        return 30 if event is Event.RESPOND_AGAIN and row["resync_counter"] is None else 0

    def _answer(self, event: Event, row: dict[str, Any]) -> str:
        phone, request = self.chosen, row["request"] or self._imagined()
        number = row["challenge"] if row["number"] else ""
        proof: dict[str, str] = {}
        if event in (Event.WRONG_PROOF, Event.PROOFS_SPENT):
            proof = {"proof": phone.wrong_proof(request)}
        if event is Event.WRONG_NUMBER:
            number = "000000"
        act = event.value if event in (Event.DENY, Event.REPORT) else "approve"
        return phone.approval(
            request,
            now=self.scene.clock.now(),
            act=act,
            number=number if act == "approve" else "",
            request=row["id"],
            **proof,
        )

    def _imagined(self) -> str:
        """A request that the house never made, for an attempt that has none yet."""
        now = self.scene.clock.now() // 1000
        names = ("organisation", "application", "account", "browser", "place", "address", "detail")
        blank = messages.Show(**dict.fromkeys(names, ""), known=False, others=0, far=False)
        claims: dict[str, Any] = {
            "iss": "x",
            "aud": "x",
            "iat": now,
            "exp": now + 1,
            "jti": new_id(),
        }
        return self.chosen.sign(
            messages.ApprovalRequest(**claims, kind="sign-in", number=False, show=blank)
        )

    def expected(self, event: Event, row: dict[str, Any]) -> Event:
        """What trying to make `event` happen amounts to, where the attempt stands."""
        if event in (Event.WRONG_PROOF, Event.PROOFS_SPENT):
            last = row["proofs"] + 1 >= PROOF_TRIES
            return Event.PROOFS_SPENT if last else Event.WRONG_PROOF
        if event in (Event.RESPOND, Event.RESPOND_AGAIN):
            # Responses that nobody took have run the phone ahead of the server, which is at 0.
            far = self.chosen.counter + self._ahead(event, row) > ocra.WINDOW
            return Event.RESPOND_AGAIN if far and row["resync_counter"] is None else Event.RESPOND
        return event


async def step(life: Life, tried: Event) -> None:
    """Try one event, and hold the outcome against the table."""
    row = await life.row()
    before, event = State(row["state"]), life.expected(tried, row)
    refusal = await life.attempt(tried)
    after = await life.state()
    allowed = MOVES.get((before, event))
    if allowed is None or refusal in BESIDE_THE_TABLE:
        assert after is before, (before, event, refusal)
        assert refusal or event is Event.CANCEL, (before, event)
    else:
        assert after is allowed, (before, event, refusal)
    assert refusal != "internal"
    sessions = await life.scene.ctx.db.all(_SESSIONS, id_=row["id"])
    live = [session for session in sessions if session["ended_at"] is None]
    assert len(sessions) <= 1
    assert len(live) == (after is State.COLLECTED)


@pytest.fixture
def lives(
    database_url: str, tmp_path: Path, clock: SteppedClock
) -> Iterator[tuple[asyncio.Runner, Scene]]:
    """A scene on one event loop, which outlives the examples of a property."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def opened() -> Scene:
            database = await Database.open(database_url)
            stack.push_async_callback(database.close)
            return await stack.enter_async_context(open_scene(database, clock, tmp_path / "keys"))

        scene = runner.run(opened())
        yield runner, scene
        runner.run(stack.aclose())


def test_every_state_meets_every_event(lives: tuple[asyncio.Runner, Scene]) -> None:
    """From each state each event does what the table says, or is refused and changes nothing."""
    runner, scene = lives

    async def meet(state: State, event: Event) -> None:
        life = await Life.begin(scene)
        for before in WAYS[state]:
            await life.attempt(before)
        assert await life.state() is state
        await step(life, event)

    for state in WAYS:
        for event in EVENTS:
            runner.run(meet(state, event))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=st.lists(st.sampled_from(EVENTS), min_size=2, max_size=14))
# Realigning one phone, its owner takes up the other.
@example(events=[Event.CHOOSE, Event.RESPOND_AGAIN, Event.CHOOSE, Event.RESPOND])
# Responses before there is a challenge are lost, and the phone that made them is far ahead.
@example(events=[Event.RESPOND_AGAIN, Event.CHOOSE, Event.CHOOSE, Event.RESPOND])
def test_random_lives_keep_to_the_table(
    lives: tuple[asyncio.Runner, Scene], events: list[Event]
) -> None:
    """Any sequence of events: one session at most, and none alive without its approval."""
    runner, scene = lives

    async def live() -> None:
        life = await Life.begin(scene)
        for event in events:
            await step(life, event)

    runner.run(live())
