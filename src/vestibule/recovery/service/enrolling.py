"""Enrolling: the new phone is linked, and what it takes the place of retires with it."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.accounts import service as accounts
from vestibule.activation import service as activation
from vestibule.activation.service import Opened
from vestibule.base.clock import HOUR
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Duplicate, Refused
from vestibule.devices import service as devices
from vestibule.devices.rules import Enrollment
from vestibule.recovery import rules, store
from vestibule.recovery.rules import Case, Event, Facts, Situation, State, WayKind
from vestibule.recovery.service.granting import rest_of
from vestibule.recovery.service.reading import Held, change, facts_of, find, held_by, held_of
from vestibule.recovery.service.stopping import overtake


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What the phone is told. `rests_until` is in milliseconds since the epoch."""

    enrollment_id: str
    username: str
    seamless: bool
    rests_until: int | None
    displaced: tuple[str, ...]


async def enrol(ctx: Context, token: str, *, response: str, source: str) -> Enrolled:
    """Link the phone of a granted case: one winner per case.

    Raises Refused ``case_unknown``, ``case_not_granted``, ``case_over``, ``case_expired``,
    ``case_device``, ``enrollment_exists``, and as `activation.redeem_ticket`.
    """
    opened = activation.open_response(ctx, response)

    async def body(tx: Tx) -> Enrolled:
        return await _enrol(tx, ctx, token, opened, source=source)

    try:
        enrolled = await ctx.db.write(body)
    except Duplicate:
        raise Refused("enrollment_exists") from None
    for enrollment_id in enrolled.displaced:
        ctx.wake.tell(f"enrollment:{enrollment_id}", "change")
    return enrolled


async def _enrol(tx: Tx, ctx: Context, token: str, opened: Opened, *, source: str) -> Enrolled:
    now = ctx.clock.now()
    held = await held_by(tx, ctx, token)
    case = held.case
    if case.state in (State.OPEN, State.ASKED):
        raise Refused("case_not_granted")
    rules.demand_running(case, now=now)
    message = opened.message
    if message.request.ticket != case.ticket_id:
        raise Refused("ticket_unknown")
    if message.response.device != case.device_id:
        raise Refused("case_device")
    await accounts.lock_account(tx, case.account_id)
    facts = await facts_of(tx, ctx, case.account_id)
    rests_until = rest_of(ctx, case, now=now)
    actor = f"phone:{message.id}"
    out = rules.displaced(case, facts)
    kept = await _displace(tx, ctx, case, out, at=rests_until or now, actor=actor, source=source)
    enrolled = await activation.redeem_in_case(
        tx,
        ctx,
        opened,
        case_id=case.id,
        label=_name(case, out),
        rests_until=rests_until,
        source=source,
        now=now,
    )
    await _guard(tx, ctx, case, facts, since=rests_until or now, actor=actor, source=source)
    await change(
        tx,
        held,
        Event.REST if rests_until else Event.LINK,
        told="recovery.rested" if rests_until else "recovery.finished",
        actor=actor,
        source=source,
        now=now,
        detail={"by": _by(case), "until": rests_until},
        enrollment_id=message.id,
        replaced=" ".join(kept),
        rests_until=rests_until,
    )
    return Enrolled(
        enrollment_id=message.id,
        username=enrolled.username,
        seamless=enrolled.seamless,
        rests_until=rests_until,
        displaced=tuple(phone.id for phone in out),
    )


def _by(case: Case) -> str:
    return case.way_kind.value if case.way_kind else ""


def _name(case: Case, out: tuple[Enrollment, ...]) -> str | None:
    """A phone that is linked anew keeps the name that its owner gave it."""
    return out[0].label if case.situation is Situation.RENEW and out else None


async def _displace(
    tx: Tx,
    ctx: Context,
    case: Case,
    out: tuple[Enrollment, ...],
    *,
    at: int,
    actor: str,
    source: str,
) -> list[str]:
    """Retire what the new phone takes the place of; the ids of those that could come back."""
    kept = []
    mine = {
        phone.id
        for phone in rules.own(
            Facts(phones=out, used_at={}, numbers=(), factors=()),
            device_id=case.device_id,
            former=case.former,
        )
    }
    for phone in out:
        resting = phone.rests_until is not None and phone.rests_until > ctx.clock.now()
        if resting and not case.rests:
            # It came by less than this one does: it may be what its owner runs from.
            await overtake(tx, ctx, phone, actor=actor, source=source)
        elif phone.id in mine and not case.rests:
            await devices.revoke_in(
                tx,
                ctx,
                account_id=case.account_id,
                enrollment_id=phone.id,
                event="enrollment.replaced",
                actor=actor,
                source=source,
                label=phone.label,
            )
        elif await devices.retire(
            tx,
            ctx,
            account_id=case.account_id,
            enrollment_id=phone.id,
            at=at,
            actor=actor,
            source=source,
        ):
            kept.append(phone.id)
    return kept


async def _guard(
    tx: Tx, ctx: Context, case: Case, facts: Facts, *, since: int, actor: str, source: str
) -> None:
    """What the account is kept from, or loses, with a phone that came this way."""
    if case.way_kind is not WayKind.PHONE and rules.guarded(facts):
        # No phone has vouched for it: what matters rests, counted from when it can approve.
        until = since + ctx.settings.cool_down_hours * HOUR
        await accounts.guard(tx, account_id=case.account_id, until=until)
    if not facts.phones:
        await activation.close_password_sessions(
            tx,
            account_id=case.account_id,
            keep=None,
            actor=actor,
            source=source,
            now=ctx.clock.now(),
        )


async def finish(ctx: Context, held: Held, event: Event, *, source: str) -> bool:
    """End the rest of a case's phone: its time has come, or the old phone has agreed."""

    async def body(tx: Tx) -> tuple[str, ...]:
        current = await find(tx, held.case.id)
        if current is None or current.case.state is not State.RESTING:
            return ()
        case, now = current.case, ctx.clock.now()
        actor = f"phone:{case.enrollment_id}" if event is Event.HASTEN else "system"
        replaced = tuple(case.replaced.split())
        if event is Event.HASTEN:
            await devices.end_rest(
                tx,
                ctx,
                account_id=case.account_id,
                enrollment_id=case.enrollment_id or "",
                actor=actor,
                source=source,
            )
            for enrollment_id in replaced:
                await devices.retire(
                    tx,
                    ctx,
                    account_id=case.account_id,
                    enrollment_id=enrollment_id,
                    at=now,
                    actor=actor,
                    source=source,
                )
        await change(
            tx,
            current,
            event,
            told="recovery.finished",
            actor=actor,
            source=source,
            now=now,
            detail={"by": "phone" if event is Event.HASTEN else _by(case)},
            asked=None,
        )
        return (case.enrollment_id or "", *replaced)

    changed = await ctx.db.write(body)
    for enrollment_id in changed:
        ctx.wake.tell(f"enrollment:{enrollment_id}", "change")
    return bool(changed)


async def ripen(ctx: Context) -> int:
    """Finish every case whose phone has rested long enough; how many."""
    rows = await ctx.db.all(store.RIPE, now=ctx.clock.now())
    return sum([await finish(ctx, held_of(row), Event.RIPEN, source="") for row in rows])
