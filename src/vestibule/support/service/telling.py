"""How clients are told of answers: reminders until they are read, and what a mail may carry.

That there is an answer is told by `notifications`, which the database rings when the event of the
answer is written. Neither event nor notice holds a word of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import structlog

from vestibule.base import audit
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Lost
from vestibule.sessions.rules import Session
from vestibule.support import rules
from vestibule.support.service.records import detail_of, ticket_of, values_of
from vestibule.support.store import tickets as store

_A_ROUND: Final = 100
_POLL_S: Final = 60.0

_log = structlog.get_logger("vestibule.support")


async def text_in_mails(ctx: Context, account_id: str) -> bool:
    """Whether mails carry the text of answers; unless somebody chose it, they do not."""
    row = await ctx.db.one(store.PREFERENCE, account_id_=account_id)
    return row is not None and bool(row["text_in_mails"])


async def set_text_in_mails(
    ctx: Context, session: Session, *, chosen: bool, source: str = ""
) -> None:
    """Choose whether mails carry the text of answers, from now on."""
    now = ctx.clock.now()

    async def body(tx: Tx) -> None:
        before = await tx.one(store.PREFERENCE, account_id_=session.account_id)
        if (before is not None and bool(before["text_in_mails"])) == chosen:
            return
        await tx.run(store.PREFER, account_id=session.account_id, text_in_mails=chosen)
        await audit.record(
            tx,
            event="support.notices_changed",
            account_id=session.account_id,
            subject=session.account_id,
            actor="browser",
            source=source,
            at=now,
            detail={"text_in_mails": chosen},
        )

    await ctx.db.write(body)


async def quoted(ctx: Context, *, account_id: str, detail: Mapping[str, object]) -> str:
    """The answer that an event speaks of, for a mail to its client; empty unless they chose it.

    By a statement that finds no note, and nothing of another account.
    """
    message = detail.get("message")
    if not isinstance(message, str) or not await text_in_mails(ctx, account_id):
        return ""
    row = await ctx.db.one(store.ANSWER_OF, id_=message, account_id_=account_id)
    return row["text"] if row is not None else ""


async def remind_for_ever(ctx: Context) -> None:
    """Remind clients of answers that they have not read; safe to run in any number of processes."""
    while True:
        try:
            await remind_due(ctx)
        except Exception:  # noqa: BLE001
            # The database is away, perhaps; the next round finds the same.
            _log.exception("desk.reminding_failed")
        await asyncio.sleep(_POLL_S)


async def remind_due(ctx: Context) -> int:
    """Tell every client who is due to be reminded; how many conversations that were."""
    reminded = 0
    while True:
        rows = await ctx.db.all(store.TO_REMIND, now=ctx.clock.now(), most=_A_ROUND)
        for row in rows:
            reminded += await _remind(ctx, row["id"])
        if len(rows) < _A_ROUND:
            return reminded


async def _remind(ctx: Context, ticket_id: str) -> bool:
    async def body(tx: Tx) -> bool:
        row = await tx.one(store.BY_ID, id_=ticket_id)
        now = ctx.clock.now()
        before = ticket_of(row) if row is not None else None
        if before is None or before.remind_at is None or before.remind_at > now:
            return False  # another process was quicker, or there is a newer answer
        unread = before.unread
        after = rules.after_reminder(before, now=now) if unread else replace(before, remind_at=None)
        values = values_of(replace(after, version=before.version + 1))
        if unread:
            values |= audit.journal(
                event="support.reminded",
                actor="system",
                at=now,
                detail=detail_of(before, reminder=after.reminders),
            )
        if not await tx.run(store.MOVE, id_=before.id, version_=before.version, **values):
            raise Lost
        return unread

    return await ctx.db.write(body)


async def sweep_tickets(ctx: Context) -> int:
    """Delete what was closed so long ago that not even the journal speaks of it any more."""
    before = ctx.clock.now() - ctx.settings.audit_days * DAY

    async def body(tx: Tx) -> int:
        await tx.run(store.SWEEP_MESSAGES, before=before)
        return await tx.run(store.SWEEP, before=before)

    return await ctx.db.write(body)
