"""Choosing a way: a code is sent, or another phone of the account is asked."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.accounts import service as accounts
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Refused
from vestibule.contacts import service as contacts
from vestibule.login import service as login
from vestibule.login.rules import Kind
from vestibule.recovery import rules, store
from vestibule.recovery.rules import Event, Facts, Situation, State, Way, WayKind
from vestibule.recovery.service.reading import (
    Held,
    change,
    facts_of,
    held_by,
    seal_asked,
    ways_of,
)
from vestibule.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the app is told of the way that was chosen. Times are milliseconds since the epoch."""

    situation: Situation
    rests: bool
    expires_at: int
    resend_at: int | None = None
    sends_left: int | None = None
    number: str | None = None
    """Six digits to be typed on the phone that was asked."""
    asked: bytes | None = None


async def choose_way(
    ctx: Context, token: str, *, way_id: str, replaces: str, visitor: Visitor
) -> Chosen:
    """Go a way: send the code, or ask the phone. One may choose again at any time.

    While the new phone rests, only another phone can be asked: that shortens the wait. Raises
    Refused ``case_unknown``, ``case_expired``, ``case_over``, ``case_way``, ``case_running``,
    and what sending and asking raise (``code_wait``, ``way_unavailable``, ``phone_unknown``).
    """
    now = ctx.clock.now()

    async def look(tx: Tx) -> tuple[Held, Facts]:
        held = await held_by(tx, ctx, token)
        return held, await facts_of(tx, ctx, held.case.account_id)

    held, facts = await ctx.db.read(look)
    case = held.case
    if case.state is not State.RESTING:
        rules.demand_running(case, now=now)
    way = rules.find_way(ways_of(ctx, case, facts), way_id)
    if case.state is State.RESTING:
        return await _ask_again(ctx, held, way, visitor=visitor, now=now)
    rules.demand_replaces(facts, replaces)
    if way.rests:
        await _demand_alone(ctx, case.account_id, now=now)
    # What the table forbids is refused before anything is sent.
    rules.move(case.state, Event.CHOOSE)
    chosen = await _go(ctx, held, way, visitor=visitor)
    situation = rules.settled(case.situation, replaces)

    async def body(tx: Tx) -> None:
        await change(
            tx,
            held,
            Event.CHOOSE,
            told="recovery.started" if case.way is None else "recovery.way_chosen",
            actor="phone",
            source=visitor.address,
            now=now,
            detail={"by": way.kind.value, "rests": way.rests},
            situation=situation.value,
            way=way.id,
            replaces=replaces,
            rests=way.rests,
            asked=chosen.asked,
        )

    await ctx.db.write(body)
    return Chosen(
        situation=situation,
        rests=way.rests,
        expires_at=chosen.expires_at,
        resend_at=chosen.resend_at,
        sends_left=chosen.sends_left,
        number=chosen.number,
    )


async def _demand_alone(ctx: Context, account_id: str, *, now: int) -> None:
    """Refuse a second phone that would rest: one that waits may be a thief's, and be stopped."""
    rows = await ctx.db.all(store.LIVE_OF, account_id_=account_id, now=now)
    if any(row["state"] == State.RESTING.value for row in rows):
        raise Refused("case_running")


async def _go(ctx: Context, held: Held, way: Way, *, visitor: Visitor) -> Chosen:
    """Send or ask, before the case is moved: a refusal leaves it as it was."""
    case = held.case
    plain = Chosen(situation=case.situation, rests=way.rests, expires_at=case.expires_at)
    if way.kind is WayKind.CODE:
        return plain
    if way.kind is WayKind.PHONE:
        return await _ask(ctx, held, way, visitor=visitor)
    account = await accounts.get_account(ctx, case.account_id)
    contact = await contacts.get_contact(ctx, account_id=case.account_id, contact_id=way.subject)
    sent = await contacts.send_code(
        ctx,
        contact=contact,
        subject=case.id,
        purpose="activate" if case.situation is Situation.FIRST else "recover",
        by="sms" if way.kind is WayKind.SMS else "voice",
        language=account.language or ctx.settings.default_language,
        source=visitor.source,
    )
    return Chosen(
        situation=case.situation,
        rests=way.rests,
        expires_at=min(sent.expires_at, case.expires_at),
        resend_at=sent.resend_at,
        sends_left=sent.sends_left,
    )


async def _ask(ctx: Context, held: Held, way: Way, *, visitor: Visitor) -> Chosen:
    case = held.case
    asked = await login.ask_phone(
        ctx,
        account_id=case.account_id,
        kind=Kind.MIGRATION,
        detail=case.label,
        visitor=visitor,
        enrollment_id=way.subject,
    )
    return Chosen(
        situation=case.situation,
        rests=False,
        expires_at=asked.view.request_expires_at,
        number=asked.view.challenge if asked.view.number else None,
        asked=seal_asked(ctx, case.id, asked.mine),
    )


async def _ask_again(ctx: Context, held: Held, way: Way, *, visitor: Visitor, now: int) -> Chosen:
    """Ask the old phone to let the new one begin at once."""
    case = held.case
    if way.kind is not WayKind.PHONE or way.subject == case.enrollment_id:
        raise Refused("case_way")
    chosen = await _ask(ctx, held, way, visitor=visitor)

    async def body(tx: Tx) -> None:
        await change(
            tx,
            held,
            Event.ASK_AGAIN,
            told="recovery.asked_again",
            actor="phone",
            source=visitor.address,
            now=now,
            detail={"by": way.kind.value},
            asked=chosen.asked,
        )

    await ctx.db.write(body)
    return chosen
