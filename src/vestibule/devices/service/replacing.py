"""One phone takes the place of another: what retires, rests, comes back, and is revoked at last.

All but the sweeping happens inside the transaction of whoever decides it.
"""

from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.devices import store
from vestibule.devices.service.subscriptions import event_values
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import EndReason


async def retire(
    tx: Tx,
    ctx: Context,
    *,
    account_id: str,
    enrollment_id: str,
    at: int,
    actor: str,
    source: str,
) -> bool:
    """Let a phone approve until `at` (ms) and no longer; False where it was over already."""
    event = event_values(ctx, "enrollment.retires", actor, source, until=at)
    return bool(
        await tx.run(
            store.RETIRE, id_=enrollment_id, account_id_=account_id, retires_at_=at, **event
        )
    )


async def restore(
    tx: Tx, ctx: Context, *, account_id: str, enrollment_id: str, actor: str, source: str
) -> bool:
    """Let a phone that retires or has retired approve as before; False where it does not."""
    event = event_values(ctx, "enrollment.restored", actor, source)
    return bool(await tx.run(store.RESTORE, id_=enrollment_id, account_id_=account_id, **event))


async def end_rest(
    tx: Tx, ctx: Context, *, account_id: str, enrollment_id: str, actor: str, source: str
) -> bool:
    """Let a resting phone approve from now on; False where none rests."""
    event = event_values(ctx, "enrollment.rested", actor, source)
    return bool(await tx.run(store.WAKE_UP, id_=enrollment_id, account_id_=account_id, **event))


async def revoke_in(
    tx: Tx,
    ctx: Context,
    *,
    account_id: str,
    enrollment_id: str,
    event: str,
    actor: str,
    source: str,
    label: str = "",
    end_sessions: bool = False,
) -> bool:
    """End an enrollment, and the sessions it opened if told; False where it had ended.

    Tell the topic ``enrollment:<id>`` afterwards.
    """
    values = event_values(ctx, event, actor, source, label=label)
    revoked = await tx.run(store.REVOKE, id_=enrollment_id, account_id_=account_id, **values)
    if revoked and end_sessions:
        await sessions.end_others(
            tx,
            account_id=account_id,
            keep=None,
            reason=EndReason.PHONE_REMOVED,
            actor=actor,
            source=source,
            now=int(values["now"]),
            enrollment_id=enrollment_id,
        )
    return bool(revoked)


async def sweep_retired(ctx: Context) -> int:
    """Revoke the phones whose time of grace after retiring is over; how many."""
    before = ctx.clock.now() - ctx.settings.migration_grace_days * DAY
    swept = 0
    for row in await ctx.db.all(store.LONG_RETIRED, before=before):

        async def body(tx: Tx, row: Row = row) -> bool:
            return await revoke_in(
                tx,
                ctx,
                account_id=row["account_id"],
                enrollment_id=row["id"],
                event="enrollment.retired",
                actor="system",
                source="",
                label=row["label"],
            )

        swept += await ctx.db.write(body)
        ctx.wake.tell(f"enrollment:{row['id']}", "removed")
    return swept
