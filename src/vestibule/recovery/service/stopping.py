"""Stopping: an owner who did not ask for a new phone undoes it, also after the fact."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.accounts import service as accounts
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Refused
from vestibule.devices import service as devices
from vestibule.devices.rules import Enrollment
from vestibule.recovery import rules, store
from vestibule.recovery.rules import Case, Event
from vestibule.recovery.service.reading import Held, change, find, held_by, held_of
from vestibule.sessions.rules import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Whose phones have changed by it; nothing where it was too late."""

    enrollment_id: str | None = None
    restored: tuple[str, ...] = ()
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A case as its account's owner sees it. Times are milliseconds since the epoch."""

    case: Case
    kind: str
    """``asked``, ``granted`` or ``resting``."""


async def running(ctx: Context, account_id: str) -> list[Running]:
    """What is under way for an account, the latest first."""
    rows = await ctx.db.all(store.LIVE_OF, account_id_=account_id, now=ctx.clock.now())
    cases = [held_of(row).case for row in rows]
    return [Running(case=case, kind=case.state.value) for case in cases]


async def stop_case(ctx: Context, *, session: Session, case_id: str, source: str) -> None:
    """Stop a case from the portal. Raises Refused ``case_unknown`` or ``case_over``."""

    async def body(tx: Tx) -> Stopped:
        held = await find(tx, case_id)
        if held is None or held.case.account_id != session.account_id:
            raise Refused("case_unknown")
        return await stop(tx, ctx, case_id, actor="browser", source=source, reported=False)

    stopped = await ctx.db.write(body)
    tell_stopped(ctx, stopped)
    if not stopped.done:
        raise Refused("case_over")


async def stop(
    tx: Tx, ctx: Context, case_id: str, *, actor: str, source: str, reported: bool
) -> Stopped:
    """Stop a case inside the caller's transaction: `tell_stopped` afterwards.

    Its phone is revoked with the sessions that it opened, and what it took the place of works as
    before. ``reported`` says that somebody else knows the password.
    """
    held = await find(tx, case_id)
    now = ctx.clock.now()
    if held is None or not rules.stoppable(
        held.case,
        ended_at=held.event_at,
        grace_ms=ctx.settings.migration_grace_days * DAY,
        now=now,
    ):
        return Stopped()
    case = held.case
    await accounts.lock_account(tx, case.account_id)
    restored = await _undo(tx, ctx, case, actor=actor, source=source)
    await _end(tx, held, actor=actor, source=source, now=now)
    if reported:
        await accounts.mark_reported(tx, account_id=case.account_id, until=now + DAY)
    return Stopped(enrollment_id=case.enrollment_id, restored=restored, done=True)


async def _end(tx: Tx, held: Held, *, actor: str, source: str, now: int) -> None:
    await change(
        tx,
        held,
        Event.STOP,
        told="recovery.stopped",
        actor=actor,
        source=source,
        now=now,
        asked=None,
    )


async def _undo(tx: Tx, ctx: Context, case: Case, *, actor: str, source: str) -> tuple[str, ...]:
    if case.enrollment_id is None:
        return ()
    # First the new one goes: two active enrollments on one device there may not be.
    await devices.revoke_in(
        tx,
        ctx,
        account_id=case.account_id,
        enrollment_id=case.enrollment_id,
        event="enrollment.stopped",
        actor=actor,
        source=source,
        label=case.label,
        end_sessions=True,
    )
    return tuple(
        [
            enrollment_id
            for enrollment_id in case.replaced.split()
            if await devices.restore(
                tx,
                ctx,
                account_id=case.account_id,
                enrollment_id=enrollment_id,
                actor=actor,
                source=source,
            )
        ]
    )


async def overtake(tx: Tx, ctx: Context, phone: Enrollment, *, actor: str, source: str) -> None:
    """Revoke a resting phone, and end the case that it came by, for one that came by more."""
    await devices.revoke_in(
        tx,
        ctx,
        account_id=phone.account_id,
        enrollment_id=phone.id,
        event="enrollment.replaced",
        actor=actor,
        source=source,
        label=phone.label,
    )
    row = await tx.one(store.BY_ENROLLMENT, enrollment_id_=phone.id, account_id_=phone.account_id)
    if row is not None:
        await _end(tx, held_of(row), actor=actor, source=source, now=ctx.clock.now())


def tell_stopped(ctx: Context, stopped: Stopped) -> None:
    """Wake the phones that a stopped case has changed."""
    if stopped.enrollment_id is not None:
        ctx.wake.tell(f"enrollment:{stopped.enrollment_id}", "removed")
    for enrollment_id in stopped.restored:
        ctx.wake.tell(f"enrollment:{enrollment_id}", "change")


async def end_case(ctx: Context, token: str, *, source: str) -> None:
    """The person changed their mind before anything was linked. Raises Refused ``case_unknown``."""

    async def body(tx: Tx) -> None:
        held = await held_by(tx, ctx, token)
        if held.case.state in rules.RUNNING:
            await _end(tx, held, actor="phone", source=source, now=ctx.clock.now())

    await ctx.db.write(body)
