"""The queue: what waits, for whom, and for how long clients waited."""

from dataclasses import dataclass
from datetime import datetime

from vestibule.accounts.rules import username_key
from vestibule.base.clock import DAY, MINUTE
from vestibule.base.context import Context
from vestibule.base.database import Value
from vestibule.base.errors import Refused
from vestibule.staff.rules import Ability, Member, demand
from vestibule.support.rules.queue import A_PAGE, Asked, Counts, Line, View, line_of
from vestibule.support.rules.waiting import DAYS, Plot, Said, days_of, plot_of, waits_of
from vestibule.support.service.records import targets_of, ticket_of
from vestibule.support.store import desk as store

_BEFORE_DAYS = 14
"""A wait that ended on the first day shown may have begun this much earlier."""
_OF_VIEW = {View.UNASSIGNED: store.UNASSIGNED, View.ALL: store.ALL, View.OVER: store.OVER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A page of it."""

    asked: Asked
    lines: tuple[Line, ...]
    more: bool
    counts: Counts


async def look(ctx: Context, member: Member, asked: Asked) -> Queue:
    """What this member asked to see, as far as the role goes. Raises Refused ``staff_role``."""
    demand(member, Ability.QUEUE)
    page: dict[str, Value] = {
        "security": _security(member),
        "most": A_PAGE + 1,
        "start": asked.start,
    }
    if asked.find:
        like = asked.like
        rows = await ctx.db.all(
            store.FOUND,
            number=asked.number,
            username_key=_key(asked.find),
            lowered=like.lower(),
            typed=like,
            **page,
        )
    elif asked.view is View.MINE:
        rows = await ctx.db.all(store.MINE, member=member.account_id, **page)
    else:
        rows = await ctx.db.all(_OF_VIEW[asked.view], **page)
    return Queue(
        asked=asked,
        lines=tuple(line_of(ticket_of(row), member) for row in rows[:A_PAGE]),
        more=len(rows) > A_PAGE,
        counts=await count(ctx, member),
    )


async def count(ctx: Context, member: Member) -> Counts:
    """How much there is to do. Raises Refused ``staff_role``."""
    demand(member, Ability.QUEUE)
    row = await ctx.db.one(
        store.COUNTS, member=member.account_id, security=_security(member), now=ctx.clock.now()
    )
    if row is None:
        raise RuntimeError("a count has one row")
    return Counts(**{name: int(row[name]) for name in Counts.__slots__})


async def waiting(ctx: Context, member: Member) -> Plot:
    """How long clients waited on each of the last days. Raises Refused ``staff_role``.

    Of all conversations, those about security too: the plot says how long and nothing else.
    """
    demand(member, Ability.QUEUE)
    hours = targets_of(ctx).hours
    now = ctx.clock.now()
    rows = await ctx.db.all(store.SAID, since=now - (DAYS + _BEFORE_DAYS) * DAY)
    said = (
        Said(ticket_id=row["ticket_id"], by_client=row["by"] == "client", at=row["at"])
        for row in rows
    )
    waits = waits_of(said, worked=lambda begin, end: hours.minutes_between(begin, end) * MINUTE)
    today = datetime.fromtimestamp(now / 1000, hours.zone).date()
    return plot_of(days_of(waits, today=today, zone=hours.zone))


def _security(member: Member) -> str:
    return "yes" if member.may(Ability.SECURITY) else "no"


def _key(typed: str) -> str:
    """The typed words as a username, empty where they cannot be one."""
    try:
        return username_key(typed)
    except Refused:
        return ""
