"""Reading notices: the list of portal and app, what is unread, and what an operator sends."""

from dataclasses import dataclass
from typing import Final

from vestibule.accounts import service as accounts
from vestibule.base import audit
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.notifications import store
from vestibule.notifications.service import wording
from vestibule.notifications.service.planning import notice_of
from vestibule.notifications.service.wording import Told

_NEVER: Final = 2**62
_TESTS_KEPT: Final = DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of the list, the newest first."""

    notices: list[Told]
    unread: int
    """Of all of them, not only of this part."""
    older: int | None
    """What to ask for next: notices before this id; None where there are none."""


async def list_notices(
    ctx: Context,
    account_id: str,
    *,
    language: str,
    after: int = 0,
    before: int | None = None,
    most: int,
) -> Page:
    """The account's notices in words, those after and before these ids."""
    rows = await ctx.db.all(
        store.LIST,
        account_id=account_id,
        after=min(after, _NEVER),
        before=min(before or _NEVER, _NEVER),
        most=most + 1,
    )
    count = await ctx.db.one(store.UNREAD, account_id=account_id)
    shown = [wording.told(ctx, notice_of(row), language) for row in rows[:most]]
    return Page(
        notices=shown,
        unread=count["unread"] if count is not None else 0,
        older=shown[-1].notice.id if len(rows) > most else None,
    )


async def mark_read(ctx: Context, account_id: str, *, upto: int) -> int:
    """Mark the notices up to this id as read; the number of those that were not."""
    upto = min(upto, _NEVER)
    now = ctx.clock.now()

    async def body(tx: Tx) -> int:
        changed = await tx.run(store.READ, account_id_=account_id, upto=upto, now=now)
        await accounts.notices_seen(tx, account_id=account_id, upto=upto)
        return changed

    return await ctx.db.write(body)


async def read_about(tx: Tx, *, account_id: str, subject: str, now: int) -> None:
    """Mark as read what tells of this record, for its page was looked at.

    In the caller's transaction, which has locked the account.
    """
    if not await tx.run(store.READ_ABOUT, account_id_=account_id, subject_=subject, now=now):
        return
    left = await tx.one(store.UNREAD, account_id=account_id)
    if left is None or not left["unread"]:
        await accounts.notices_seen(tx, account_id=account_id, upto=_NEVER)


async def send_notice(ctx: Context, *, account_ids: list[str], title: str, text: str) -> None:
    """Tell accounts something of the operator's own, as the database tells of events."""
    now = ctx.clock.now()

    async def body(tx: Tx) -> None:
        for account_id in account_ids:
            await audit.record(
                tx,
                event="notice.sent",
                account_id=account_id,
                subject=account_id,
                actor="system",
                at=now,
                detail={"title": title, "text": text},
            )

    await ctx.db.write(body)


async def sweep_notices(ctx: Context) -> None:
    """Delete notices and deliveries older than `notice_days`, and yesterday's test pushes."""
    now = ctx.clock.now()
    before = now - ctx.settings.notice_days * DAY

    async def body(tx: Tx) -> None:
        await tx.run(store.SWEEP_DELIVERIES, before=before)
        await tx.run(store.SWEEP, before=before)
        await tx.run(store.SWEEP_TESTS, before=now - _TESTS_KEPT)

    await ctx.db.write(body)
