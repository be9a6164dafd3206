"""The next round: another way is chosen, or the same phone is asked once more."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vestibule.base import audit
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Lost, Refused
from vestibule.login import store
from vestibule.login.rules import (
    PHONE,
    Attempt,
    Event,
    State,
    Step,
    demand_password,
    move,
    next_step,
    renewal_needed,
)
from vestibule.login.service.following import Loaded, load
from vestibule.login.service.pushing import PushAllowed, allow_push, announce, push_slot
from vestibule.login.service.round import Phone, Round, Shown, make_round, other_round
from vestibule.login.service.telling_apart import ask_for_numbers, tell_changed
from vestibule.login.service.view import Mine, View
from vestibule.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """What a next round came to, for what is to be told after the commit."""

    loaded: Loaded
    attempt: Attempt
    phone: Phone | None
    allowed: PushAllowed
    changed: tuple[Attempt, ...] = ()


async def choose(ctx: Context, mine: Mine, *, way_id: str | None, visitor: Visitor) -> View:
    """Ask this phone, or for this factor; the attempt stays the same when minds are changed.

    None stands for the phone last used. Raises Refused `phone_unknown`, `already_answered`,
    `attempt_expired`, `attempt_unknown`.
    """

    async def body(tx: Tx) -> _Turn:
        loaded = await _open(tx, ctx, mine, Event.CHOOSE)
        way = loaded.ways.find(way_id) if way_id else None
        if way is not None and way.kind != PHONE:
            return await _other(tx, loaded, way.id, visitor=visitor, now=ctx.clock.now())
        return await _phone(tx, ctx, loaded, way_id, "login.phone_chosen", visitor=visitor)

    return await _told(ctx, await ctx.db.write(body))


async def send_again(ctx: Context, mine: Mine, *, visitor: Visitor) -> View:
    """Nudge the phone once more; with a new request where the old one has run out, or nearly.

    Raises as `choose`.
    """

    async def body(tx: Tx) -> _Turn:
        loaded = await _open(tx, ctx, mine, Event.AGAIN)
        if chosen := loaded.attempt.factor_id:
            return await _other(tx, loaded, chosen, visitor=visitor, now=ctx.clock.now())
        phone_id = loaded.attempt.enrollment_id
        return await _phone(tx, ctx, loaded, phone_id, "login.sent_again", visitor=visitor)

    return await _told(ctx, await ctx.db.write(body))


async def _open(tx: Tx, ctx: Context, mine: Mine, event: Event) -> Loaded:
    loaded = await load(tx, ctx, mine)
    demand_password(loaded.attempt)
    move(loaded.attempt.state, event)
    if next_step(loaded.attempt, now=ctx.clock.now()) is Step.EXPIRED:
        raise Refused("attempt_expired")
    return loaded


async def _told(ctx: Context, turn: _Turn) -> View:
    """After the commit: the phone before, the phone now, and other pages of this attempt."""
    before, phone = turn.loaded.attempt.enrollment_id, turn.phone
    if before is not None and (phone is None or before != phone.id):
        ctx.wake.tell(f"enrollment:{before}", "change")
    tell_changed(ctx, turn.changed)
    if phone is not None:
        announce(ctx, attempt=turn.attempt, phone=phone, allowed=turn.allowed)
    ctx.wake.tell(f"login:{turn.attempt.id}", "changed")
    return turn.loaded.view(turn.attempt, now=ctx.clock.now(), why_no_push=turn.allowed.why)


async def _other(tx: Tx, loaded: Loaded, way_id: str, *, visitor: Visitor, now: int) -> _Turn:
    """A round that asks no phone. A phone that showed the request shows it no longer."""
    before = loaded.attempt
    way = loaded.ways.find(way_id)
    if way is None:
        raise Refused("factor_unknown")
    after = _renewed(before, other_round(before.expires_at), factor_id=way.id)
    entry = audit.journal(
        event="login.factor_chosen",
        actor="browser",
        source=visitor.address,
        at=now,
        detail={"kind": way.kind},
    )
    await _write(tx, before, after, entry)
    return _Turn(loaded=loaded, attempt=after, phone=None, allowed=PushAllowed(push=False))


async def _phone(
    tx: Tx, ctx: Context, loaded: Loaded, phone_id: str | None, event: str, *, visitor: Visitor
) -> _Turn:
    now, attempt = ctx.clock.now(), loaded.attempt
    phone = loaded.ways.phone(phone_id)
    if phone is None:
        raise Refused("phone_unknown")
    allowed = await allow_push(
        tx,
        loaded.row,
        push_slot(loaded.row, attempt.account_id, known=attempt.known),
        phone=phone,
        phones=loaded.ways.phones,
        known=attempt.known,
        now=now,
    )
    entry = audit.journal(
        event=event,
        actor="browser",
        source=visitor.address,
        at=now,
        detail={"push": allowed.push},
    )
    if attempt.enrollment_id == phone.id and not renewal_needed(attempt, now=now):
        await tx.run(store.NUDGED, id_=attempt.id, push=allowed.push, **entry)
        nudged = replace(attempt, push=allowed.push)
        return _Turn(loaded=loaded, attempt=nudged, phone=phone, allowed=allowed)
    others = int(loaded.row["others"])
    made = _round(ctx, loaded, phone, others=others, now=now)
    renewed = _renewed(attempt, made, enrollment_id=phone.id, push=allowed.push)
    await _write(tx, attempt, renewed, entry)
    changed: tuple[Attempt, ...] = ()
    if others:
        changed = await ask_for_numbers(
            tx, ctx, renewed, username=loaded.row["username"], others=others, now=now
        )
    return _Turn(loaded=loaded, attempt=renewed, phone=phone, allowed=allowed, changed=changed)


def _round(ctx: Context, loaded: Loaded, phone: Phone, *, others: int, now: int) -> Round:
    attempt = loaded.attempt
    shown = Shown(
        account=loaded.row["username"],
        browser=attempt.browser,
        place=attempt.place,
        address=attempt.address,
        known=attempt.known,
        others=others,
        kind=attempt.kind,
        detail=attempt.detail,
    )
    return make_round(
        ctx,
        attempt_id=attempt.id,
        phone_id=phone.id,
        shown=shown,
        # Once asked for, the number stays asked for.
        number=True if attempt.number else None,
        until=attempt.expires_at,
        now=now,
    )


def _renewed(
    attempt: Attempt,
    made: Round,
    *,
    enrollment_id: str | None = None,
    factor_id: str | None = None,
    push: bool = False,
) -> Attempt:
    return replace(
        attempt,
        state=State.WAITING,
        round=attempt.round + 1,
        enrollment_id=enrollment_id,
        factor_id=factor_id,
        push=push,
        number=made.number or attempt.number,
        challenge=made.challenge,
        tries=0,
        request=made.request or None,
        request_expires_at=made.request_expires_at,
        challenge_expires_at=made.challenge_expires_at,
        claimed=False,
    )


async def _write(tx: Tx, before: Attempt, after: Attempt, entry: dict[str, str | int]) -> None:
    values = store.round_of(before, after)
    if not await tx.run(store.NEXT_ROUND, **values, factor_id=after.factor_id, **entry):
        raise Lost
