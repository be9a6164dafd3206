"""What time takes away: files nobody sent, those of conversations long closed, and strays."""

from typing import Final
from weakref import WeakKeyDictionary

from vestibule.base import audit, orphans
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Database, Row, Tx
from vestibule.support.rules.attachments import Event, State, move
from vestibule.support.service.attaching import FOLDER
from vestibule.support.store import attachments as store

STRAY_MS: Final = DAY
"""So long a file may be there without a row: its upload has to be over by then."""
_AT_A_TIME: Final = 100

# When this process last looked for strays. Several may look: each deletes what is nobody's.
_looked: Final[WeakKeyDictionary[Database, int]] = WeakKeyDictionary()


async def sweep_attachments(ctx: Context) -> None:
    """All of it; any worker may do it, also several at once."""
    await expire_attachments(ctx)
    now = ctx.clock.now()
    await ctx.db.run(store.SWEEP, removed_before=now - DAY)
    if now - _looked.get(ctx.db, 0) >= DAY:
        _looked[ctx.db] = now
        await sweep_strays(ctx)


async def expire_attachments(ctx: Context) -> int:
    """Delete the files whose time is over, each with its event; how many.

    The row lets go of file and key first, in one transaction: whoever looks meanwhile finds all
    of it or nothing. The file goes after that; where it stays, it is a stray that nothing opens.
    """
    expired = 0
    while True:
        now = ctx.clock.now()
        until = {"now": now, "closed_before": now - ctx.settings.attachment_days * DAY}
        due = await ctx.db.all(store.DUE, most=_AT_A_TIME, **until)

        async def body(tx: Tx, due: list[Row] = due, until: dict[str, int] = until) -> list[str]:
            return [row["object"] for row in due if await _expire(tx, row, until)]

        gone = await ctx.db.write(body) if due else []
        await orphans.discard(ctx, gone)
        expired += len(gone)
        if len(due) < _AT_A_TIME:
            return expired


async def _expire(tx: Tx, row: Row, until: dict[str, int]) -> bool:
    state = State(row["state"])
    after = move(state, Event.EXPIRE)
    return bool(
        await tx.run(
            store.EXPIRE,
            id_=row["id"],
            from_state=state.value,
            to_state=after.value,
            **until,
            **audit.journal(
                event="support.attachment_gone",
                actor="system",
                at=until["now"],
                detail={"kind": row["kind"], "size": row["size"]},
            ),
        )
    )


async def sweep_strays(ctx: Context, *, older_than_ms: int = STRAY_MS) -> int:
    """Delete the files that no row names and that are old enough to stay so; how many."""
    return await orphans.sweep(ctx, kinds=(FOLDER,), named=store.NAMED, older_than_ms=older_than_ms)
