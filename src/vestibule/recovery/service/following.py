"""Following: what became of a case, as its own app asks from time to time."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.activation import service as activation
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Refused
from vestibule.login import service as login
from vestibule.login.rules import State as Answer, Step, next_step
from vestibule.recovery import rules
from vestibule.recovery.rules import Event, State, WayKind
from vestibule.recovery.service.enrolling import finish
from vestibule.recovery.service.granting import grant, rest_of
from vestibule.recovery.service.reading import Held, change, find, held_by, open_asked
from vestibule.recovery.service.stopping import stop, tell_stopped

_SAID = {
    State.OPEN: "open",
    State.ASKED: "waiting",
    State.GRANTED: "approved",
    State.RESTING: "resting",
    State.DONE: "done",
    State.DENIED: "denied",
    State.SPENT: "spent",
    State.STOPPED: "stopped",
}
_NO = frozenset({Answer.DENIED, Answer.REPORTED})
_NOTHING = frozenset({Answer.FAILED, Answer.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the app is told. `rests_until` is in milliseconds since the epoch."""

    state: str
    request: str | None = None
    rests_until: int | None = None


async def look(ctx: Context, token: str, *, source: str) -> Outcome:
    """What became of a case; takes the old phone's answer where there is one.

    Raises Refused ``case_unknown``.
    """
    held = await ctx.db.read(lambda tx: held_by(tx, ctx, token))
    case = held.case
    if case.way_kind is WayKind.PHONE and case.state is State.ASKED:
        await _hear(ctx, held, source=source)
    elif case.state is State.RESTING:
        if case.rests_until is not None and ctx.clock.now() >= case.rests_until:
            await finish(ctx, held, Event.RIPEN, source="")
        elif held.asked is not None:
            await _hear(ctx, held, source=source)
    return await ctx.db.read(lambda tx: _said(tx, ctx, token))


async def _said(tx: Tx, ctx: Context, token: str) -> Outcome:
    held = await held_by(tx, ctx, token)
    case, now = held.case, ctx.clock.now()
    if rules.over(case, now=now):
        return Outcome(state="expired")
    if case.state is State.GRANTED:
        request = await activation.request_of_case(tx, ctx, ticket_id=case.ticket_id or "", now=now)
        if request is None:
            return Outcome(state="expired")
        return Outcome(state="approved", request=request, rests_until=rest_of(ctx, case, now=now))
    resting = case.rests_until if case.state is State.RESTING else None
    return Outcome(state=_SAID[case.state], rests_until=resting)


async def _hear(ctx: Context, held: Held, *, source: str) -> None:
    """Take what the old phone answered, if it did."""
    mine = open_asked(ctx, held)
    if mine is None:
        return
    attempt = await login.glance(ctx, mine)
    now = ctx.clock.now()
    if attempt.state is Answer.APPROVED:
        try:
            await login.take(ctx, mine)
        except Refused:
            return  # another call was first, and goes on with it
        await _approved(ctx, held, source=source)
    elif attempt.state in _NO:
        await _refused(ctx, held, reported=attempt.state is Answer.REPORTED, source=source)
    elif held.case.state is State.ASKED and (
        attempt.state in _NOTHING or next_step(attempt, now=now) in (Step.EXPIRED, Step.RESUME)
    ):
        await _move(ctx, held, Event.FAIL, told="recovery.unanswered", source=source)


async def _approved(ctx: Context, held: Held, *, source: str) -> None:
    if held.case.state is State.RESTING:
        await finish(ctx, held, Event.HASTEN, source=source)
        return

    async def body(tx: Tx) -> None:
        current = await find(tx, held.case.id)
        if current is None:
            raise Refused("case_unknown")
        rules.demand_running(current.case, now=ctx.clock.now())
        # The word was given for what the case said when the phone was asked.
        if current.asked != held.asked:
            raise Refused("case_over")
        await grant(tx, ctx, current, source=source, now=ctx.clock.now())

    await ctx.db.write(body)


async def _refused(ctx: Context, held: Held, *, reported: bool, source: str) -> None:
    if held.case.state is State.ASKED:
        await _move(ctx, held, Event.DENY, told="recovery.denied", source=source)
    elif reported:
        stopped = await ctx.db.write(
            lambda tx: stop(tx, ctx, held.case.id, actor="phone", source=source, reported=True)
        )
        tell_stopped(ctx, stopped)


async def _move(ctx: Context, held: Held, event: Event, *, told: str, source: str) -> None:
    """Move the case, unless it has moved since it was read."""

    async def body(tx: Tx) -> None:
        current = await find(tx, held.case.id)
        if current is None or current.case.version != held.case.version:
            return
        await change(
            tx,
            current,
            event,
            told=told,
            actor="phone",
            source=source,
            now=ctx.clock.now(),
            result="ok" if event is Event.FAIL else "denied",
            asked=None,
        )

    await ctx.db.write(body)
