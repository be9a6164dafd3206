"""Fetching in the portal: what was fetched stands in the account's activity, and is new no more."""

from __future__ import annotations

from collections.abc import Sequence

from vestibule.base import audit
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.statements import store
from vestibule.statements.rules import Statement
from vestibule.statements.store import telling


async def note_fetched(
    ctx: Context, account_id: str, statements: Sequence[Statement], *, source: str
) -> None:
    """Write down that these were fetched: one by itself, or several as one archive."""
    now = ctx.clock.now()
    first = statements[0]
    detail: audit.Detail = {"files": len(statements)}
    if len(statements) == 1:
        detail = {"name": first.shown_name, "kind": first.kind.value}

    async def body(tx: Tx) -> None:
        for one in statements:
            if one.seen_at is None:
                await tx.run(store.SEEN, id_=one.id, account_id_=account_id, now=now)
        await audit.record(
            tx,
            event="statement.fetched" if len(statements) == 1 else "statement.archive_fetched",
            account_id=account_id,
            subject=first.id if len(statements) == 1 else account_id,
            actor="browser",
            source=source,
            at=now,
            detail=detail,
        )

    await ctx.db.write(body)


async def mark_all_seen(ctx: Context, account_id: str, *, upto: int) -> int:
    """Mark what was published until then (ms) as seen; the number of those that were new."""
    return await ctx.db.run(
        telling.SEEN_ALL, account_id_=account_id, upto=upto, now=ctx.clock.now()
    )
