"""What time takes away: statements whose days are over, and files that no record names."""

from time import time
from typing import Final

from vestibule.base import audit
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.statements import rules, store
from vestibule.statements.service.encrypting import encrypt_plain
from vestibule.statements.service.placing import discard
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
        await discard(ctx, gone)
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
    """Delete the files that no record names and that are old enough to stay unnamed; how many.

    Their age is told by the machine's clock, not by the house's: the store dates them by such a
    one, and a house whose clock is moved may not take away what is being written.
    """
    before, swept, old = int(time() * 1000) - older_than_ms, 0, list[str]()
    for kind in ("statements", "uploads"):
        async for name, at in ctx.objects.list(kind):
            if at < before:
                old.append(name)
            if len(old) == store.NAMED_AT_A_TIME:
                swept += await _sweep_some(ctx, old)
                old = []
    return swept + (await _sweep_some(ctx, old) if old else 0)


async def _sweep_some(ctx: Context, names: list[str]) -> int:
    asked = [*names, *[""] * (store.NAMED_AT_A_TIME - len(names))]
    rows = await ctx.db.all(
        store.NAMED, **{f"name_{number}": name for number, name in enumerate(asked)}
    )
    named = {row["object"] for row in rows}
    orphans = [name for name in names if name not in named]
    await discard(ctx, orphans)
    return len(orphans)


async def _take_chore(ctx: Context, name: str, *, every: int) -> bool:
    """Whether this worker does what one of all workers does now and then."""
    now = ctx.clock.now()

    async def body(tx: Tx) -> bool:
        if await tx.run(store.FIRST_CHORE, name=name, now=now):
            return True
        return bool(await tx.run(store.CHORE, name_=name, before=now - every, now=now))

    return await ctx.db.write(body)
