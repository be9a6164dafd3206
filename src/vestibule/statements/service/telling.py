"""Telling clients of new statements: each statement in one notice, whenever a process dies.

Statements that nobody was told of are marked and the event is written in one transaction; the
notice is made by the database in that same transaction, and `notifications` delivers it by lease.
So a crash before the commit tells later, one after it tells no more of these.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Final

import structlog

from vestibule.base import audit
from vestibule.base.clock import SECOND
from vestibule.base.context import Context, EncryptedFile
from vestibule.base.database import Row, Tx
from vestibule.delivery import service as delivery
from vestibule.delivery.rules import Notices
from vestibule.notifications.rules import READY
from vestibule.statements.rules import SUFFIX, Kind
from vestibule.statements.rules.telling import enclosed_kinds, notice_of
from vestibule.statements.service.reading import whole
from vestibule.statements.store import telling as store

_A_ROUND: Final = 100
_POLL_S: Final = 5.0
_SHORTEST_S: Final = 0.2

_log = structlog.get_logger("vestibule.statements")


async def tell_ready_for_ever(ctx: Context) -> None:
    """Tell of what is there, whoever published it; safe to run in any number of processes."""
    while True:
        patience_s = _POLL_S
        try:
            ripe_at = await tell_ready(ctx)
        except Exception:  # noqa: BLE001
            # The database is away, perhaps; nothing is lost, for it is written there.
            _log.exception("statements.telling_failed")
        else:
            if ripe_at is not None:
                until = (ripe_at - ctx.clock.now()) / 1000
                patience_s = min(_POLL_S, max(_SHORTEST_S, until))
        await asyncio.sleep(patience_s)


async def tell_ready(ctx: Context) -> int | None:
    """Tell each account whose oldest untold statement has waited ``statement_gather_seconds``.

    Whatever else is untold by then is told along with it. Returns when the next one is due (ms);
    None where there is none.
    """
    gather = ctx.settings.statement_gather_seconds * SECOND
    while True:
        before = ctx.clock.now() - gather
        ripe = await ctx.db.all(store.RIPE, before=before, most=_A_ROUND)
        for row in ripe:
            await _tell(ctx, row["account_id"])
        if len(ripe) < _A_ROUND:
            break
    following = await ctx.db.one(store.NEXT_RIPE)
    return following["at"] + gather if following and following["at"] is not None else None


async def _tell(ctx: Context, account_id: str) -> None:
    home = await delivery.home_of(ctx, account_id)
    notices = home.notices if home else Notices()
    now = ctx.clock.now()

    async def body(tx: Tx) -> None:
        # Whoever else tells at this moment marks others, or none: each is counted once.
        told = await tx.all(store.TELL, account_id_=account_id, now=now)
        detail = notice_of(Counter(Kind(row["kind"]) for row in told), notices)
        if detail is not None:
            await audit.record(
                tx,
                event=READY,
                account_id=account_id,
                subject=account_id,
                actor="system",
                at=now,
                detail=detail,
            )

    await ctx.db.write(body)


# --- what goes along with a mail ----------------------------------------------------------------


async def enclosed(
    ctx: Context, *, account_id: str, at: int, detail: Mapping[str, object]
) -> tuple[EncryptedFile, ...]:
    """The files of a notice that may travel by mail: encrypted, and together small enough.

    None at all where they are too large together: a mail with a part of them would look like all.
    """
    kinds = enclosed_kinds(detail)
    rows = [
        row
        for row in await ctx.db.all(store.TOLD_AT, account_id=account_id, told_at=at)
        if row["kind"] in kinds and row["encrypted_to"] is not None
    ]
    if sum(row["stored_size"] for row in rows) > ctx.settings.attachment_most_mib << 20:
        return ()
    try:
        return tuple([await _file(ctx, row) for row in rows])
    except (FileNotFoundError, ValueError) as error:
        # Purged or replaced meanwhile; or not what its row says, which must not leave the house.
        _log.warning("statements.not_enclosed", reason=repr(error)[:200])
        return ()


async def _file(ctx: Context, row: Row) -> EncryptedFile:
    reader = await ctx.objects.open(row["object"])
    try:
        return EncryptedFile(f"{row['name']}{SUFFIX}", await whole(reader))
    finally:
        reader.close()
