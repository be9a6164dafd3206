"""The first half of telling: which deliveries a notice takes, written down in one transaction."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.i18n import zone_of
from vestibule.contacts import service as contacts
from vestibule.contacts.rules import Kind
from vestibule.notifications import store
from vestibule.notifications.rules import TEXTS_A_DAY, Notice, Way, Weight, quiet_of

_A_ROUND: Final = 50


@dataclass(frozen=True, slots=True)
class Planned:
    """One delivery to come."""

    way: Way
    target: str
    """The id of the contact or the phone."""
    address: str
    next_try_at: int


def notice_of(row: Row | Mapping[str, Any]) -> Notice:
    """The notice in a row that has its columns."""
    return Notice(
        id=row["id"],
        account_id=row["account_id"],
        event=row["event"],
        at=row["at"],
        subject=row["subject"],
        source=row["source"],
        detail=json.loads(row["detail"]),
        weight=Weight(row["weight"]),
        read=row["read_at"] is not None,
    )


async def plan_untold(ctx: Context) -> bool:
    """Write down the deliveries of notices that have none yet; whether there may be more."""
    rows = await ctx.db.all(store.UNTOLD, most=_A_ROUND)
    for row in rows:
        await _plan(ctx, row["id"])
    return len(rows) == _A_ROUND


async def _plan(ctx: Context, id_: int) -> None:
    now = ctx.clock.now()
    row = await ctx.db.one(store.TO_TELL, id_=id_)
    planned: list[Planned] = []
    if row is not None:
        notice = notice_of(row)
        planned += await _messages(ctx, notice, now=now)
        planned += await _pushes(ctx, notice, row, now=now)

    async def body(tx: Tx) -> None:
        # Somebody else may plan it at this moment: the row says who is first.
        if await tx.run(store.TELL, id_=id_, now=now):
            for each in planned:
                await tx.run(store.DELIVER, notice_id=id_, **asdict(each))

    await ctx.db.write(body)


async def _messages(ctx: Context, notice: Notice, *, now: int) -> list[Planned]:
    """Mails to all addresses, and texts to all numbers where it is an alarm."""
    planned = []
    for contact in await contacts.to_tell(ctx, notice.account_id):
        if contact.removed_at is not None and notice.weight is not Weight.ALARM:
            continue
        if contact.kind is Kind.MAIL:
            if not notice.wanted(Way.MAIL):
                continue
            planned.append(Planned(Way.MAIL, contact.id, contact.address, now))
        elif notice.weight is Weight.ALARM and await _may_text(ctx, notice, contact.id):
            planned.append(Planned(Way.TEXT, contact.id, contact.address, now))
    return planned


async def _may_text(ctx: Context, notice: Notice, contact_id: str) -> bool:
    if "sms" not in ctx.text.ways:
        return False
    row = await ctx.db.one(
        store.TEXTS_SINCE,
        account_id=notice.account_id,
        since=notice.at - DAY,
        target=contact_id,
    )
    return row is None or row["texts"] < TEXTS_A_DAY


async def _pushes(ctx: Context, notice: Notice, row: Row, *, now: int) -> list[Planned]:
    """Pushes to the account's phones, except to the one that it is about."""
    if not notice.wanted(Way.PUSH):
        return []
    quiet = quiet_of(row["quiet_from"], row["quiet_until"], zone_of(row["timezone"]))
    held = quiet.until(now) if quiet and notice.weight is not Weight.ALARM else None
    # The phone that approved a sign-in knows of it, and so does the one that was just linked.
    about = (notice.subject, row["approved_by"])
    phones = await ctx.db.all(store.PHONES, account_id=notice.account_id)
    return [
        Planned(Way.PUSH, phone["id"], "", held or now)
        for phone in phones
        if phone["id"] not in about
    ]
