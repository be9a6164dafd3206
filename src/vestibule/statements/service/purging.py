"""What time takes away: statements whose days are over, and files that no record names."""

from typing import Final

from vestibule.base import audit, orphans
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.statements import rules, store
from vestibule.statements.service.encrypting import encrypt_plain
from vestibule.statements.service.uploading import sweep_uploads

_PURGED_AT_A_TIME: Final = 100
_ORPHANS: Final = "orphans"


async def sweep_statements(ctx: Context) -> None:
    """All of this room's housekeeping; any worker may do it, also several at once."""
    await purge_due(ctx)
    await sweep_uploads(ctx)
    await encrypt_plain(ctx)
    if await _take_chore(ctx, _ORPHANS, every=DAY):
        await sweep_orphans(ctx)


async def purge_due(ctx: Context) -> int:
    """Delete the statements whose days are over, each with its event; how many.

    The row goes first, with the event, in one transaction: whoever looks meanwhile finds it whole
    or not at all. The file goes after that; where it stays, it is an orphan.
    """
    purged = 0
    while True:
        now = ctx.clock.now()
        due = await ctx.db.all(store.DUE, now=now, most=_PURGED_AT_A_TIME)

        async def body(tx: Tx, due: list[Row] = due, now: int = now) -> list[str]:
            return [row["object"] for row in due if await _purge(tx, row, now=now)]

        gone = await ctx.db.write(body) if due else []
        await orphans.discard(ctx, gone)
        purged += len(gone)
        if len(due) < _PURGED_AT_A_TIME:
            return purged


async def _purge(tx: Tx, row: Row, *, now: int) -> bool:
    if not await tx.run(store.PURGE, id_=row["id"], object_=row["object"], now=now):
        return False  # another worker's, or it was replaced and has new days
    await audit.record(
        tx,
        event="statement.purged",
        account_id=row["account_id"],
        subject=row["id"],
        actor="system",
        at=now,
        detail={"kind": row["kind"], "period": row["period"], "name": row["name"]},
    )
    return True


async def sweep_orphans(ctx: Context, *, older_than_ms: int = rules.ORPHAN_MS) -> int:
    """Delete the files that no record names and that are old enough to stay unnamed; how many."""
    return await orphans.sweep(
        ctx, kinds=("statements", "uploads"), named=store.NAMED, older_than_ms=older_than_ms
    )


async def _take_chore(ctx: Context, name: str, *, every: int) -> bool:
    """Whether this worker does what one of all workers does now and then."""
    now = ctx.clock.now()

    async def body(tx: Tx) -> bool:
        if await tx.run(store.FIRST_CHORE, name=name, now=now):
            return True
        return bool(await tx.run(store.CHORE, name_=name, before=now - every, now=now))

    return await ctx.db.write(body)
