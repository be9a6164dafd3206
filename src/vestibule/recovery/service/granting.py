"""Granting: a right code, or the old phone's word, issues the ticket of a case. Once."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.activation import service as activation
from vestibule.base import limits
from vestibule.base.clock import HOUR, SECOND
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Refused
from vestibule.contacts import service as contacts
from vestibule.contacts.service import Checked
from vestibule.factors import service as factors
from vestibule.recovery import rules
from vestibule.recovery.rules import AUTHORITY, CODE_TRIES, Case, Event, State, WayKind
from vestibule.recovery.service.reading import Held, change, held_by

_WRONG_CODES = frozenset({"factor_wrong", "factor_code_used", "factor_spent", "factor_unknown"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The ticket's offer. `rests_until` (ms) is when the new phone begins to approve."""

    request: str
    rests_until: int | None


def rest_of(ctx: Context, case: Case, *, now: int) -> int | None:
    """Until when a phone that is linked now would rest (ms)."""
    return now + ctx.settings.recovery_wait_hours * HOUR if case.rests else None


async def type_code(ctx: Context, token: str, *, code: str, source: str) -> Granted:
    """Take a code that was sent, or one from the printed sheet.

    Raises Refused ``case_unknown``, ``case_expired``, ``case_over``, ``sms_code_wrong`` (with
    ``left``), ``sms_code_expired``, ``sms_code_spent``, ``sms_codes_blocked``,
    ``recovery_code_wrong`` (with ``left``), ``case_codes_blocked`` (with ``wait``, seconds).
    """
    held = await ctx.db.read(lambda tx: held_by(tx, ctx, token))
    rules.demand_running(held.case, now=ctx.clock.now())
    kind = held.case.way_kind
    if held.case.state is not State.ASKED or kind in (None, WayKind.PHONE):
        raise Refused("case_over" if held.case.state is State.GRANTED else "case_way")
    if kind is WayKind.CODE:
        return await _by_sheet(ctx, token, code=code, source=source)
    checked = await contacts.check_code(ctx, subject=held.case.id, code=code, source=source)

    async def body(tx: Tx) -> Granted:
        now = ctx.clock.now()
        current = await _asked(tx, ctx, token, now=now)
        _demand_same_way(current.case, checked)
        await contacts.spend_code(tx, checked, now=now)
        return await grant(tx, ctx, current, source=source, now=now)

    return await ctx.db.write(body)


def _demand_same_way(case: Case, checked: Checked) -> None:
    """A code counts for the number that the case is waiting for, and by the way it was sent."""
    if case.way != f"{checked.by}:{checked.contact_id}" or checked.account_id != case.account_id:
        raise Refused("sms_code_spent")


async def _asked(tx: Tx, ctx: Context, token: str, *, now: int) -> Held:
    held = await held_by(tx, ctx, token)
    rules.demand_running(held.case, now=now)
    if held.case.state is not State.ASKED:
        raise Refused("case_over")
    return held


async def _by_sheet(ctx: Context, token: str, *, code: str, source: str) -> Granted:
    async def body(tx: Tx) -> Granted | Refused:
        now = ctx.clock.now()
        held = await _asked(tx, ctx, token, now=now)
        case = held.case
        slot = await limits.load(tx, f"account:{case.account_id}")
        if wait := slot.limits.code_try_wait(now=now):
            return Refused("case_codes_blocked", wait=-(-wait // SECOND))
        try:
            await factors.verify(
                tx,
                ctx,
                factor_id=case.way_subject,
                account_id=case.account_id,
                answer=code,
                attempt_id=case.id,
                challenge="",
                now=now,
                source=source,
            )
        except Refused as refused:
            if refused.code.name not in _WRONG_CODES:
                raise
            # What verifying refuses it has not written: the wrong try is counted here.
            return await _wrong(tx, held, slot, source=source, now=now)
        return await grant(tx, ctx, held, source=source, now=now)

    outcome = await ctx.db.write(body)
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


async def _wrong(tx: Tx, held: Held, slot: limits.Slot, *, source: str, now: int) -> Refused:
    tries = held.case.tries + 1
    left = max(0, CODE_TRIES - tries)
    await change(
        tx,
        held,
        Event.WRONG if left else Event.SPEND,
        told="recovery.code_refused" if left else "recovery.spent",
        actor="phone",
        source=source,
        now=now,
        result="recovery_code_wrong",
        detail={"left": left},
        tries=tries,
    )
    await limits.save(tx, slot, slot.limits.code_failed(now=now))
    return Refused("recovery_code_wrong", left=left)


async def grant(tx: Tx, ctx: Context, held: Held, *, source: str, now: int) -> Granted:
    """Issue the case's ticket and move the case, in the caller's transaction."""
    case = held.case
    kind = case.way_kind
    if kind is None:
        raise Refused("case_not_granted")
    ticket_id = await activation.issue_for_case(
        tx,
        ctx,
        account_id=case.account_id,
        case_id=case.id,
        authority=AUTHORITY[kind],
        replaces=case.replaces or None,
        source=source,
        now=now,
    )
    await change(
        tx,
        held,
        Event.GRANT,
        told="recovery.granted",
        actor="phone",
        source=source,
        now=now,
        detail={"by": kind.value},
        ticket_id=ticket_id,
        asked=None,
    )
    request = await activation.request_of_case(tx, ctx, ticket_id=ticket_id, now=now)
    if request is None:
        raise Refused("case_expired")
    return Granted(request=request, rests_until=rest_of(ctx, case, now=now))
