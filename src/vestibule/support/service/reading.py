"""A conversation as staff sees it: with its notes, its client's sign-ins, and who else reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from vestibule.accounts import service as accounts
from vestibule.accounts.rules import Account
from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Refused
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session, SessionView
from vestibule.staff import service as staff
from vestibule.staff.rules import Ability, Member, demand
from vestibule.support import rules
from vestibule.support.rules import Message, Ticket
from vestibule.support.rules.attachments import Attachment
from vestibule.support.rules.queue import Line, demand_reading, line_of
from vestibule.support.service.following import messages_for_staff
from vestibule.support.service.looking import list_attachments
from vestibule.support.service.records import ticket_of
from vestibule.support.store import desk as store, tickets

PRESENT_MS: Final = 45 * SECOND
"""Who looked within this time counts as having a conversation open; the page looks oftener."""
BEAT_S: Final = 10.0
"""How often it does."""
_SIGN_INS: Final = 5
_OTHERS: Final = 5
_NO_NUMBER: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Everything that the page of a conversation shows."""

    ticket: Ticket
    messages: tuple[Message, ...]
    attached: Mapping[str, Sequence[Attachment]]
    """What goes with a message, by the message's id."""
    client: Account
    sign_ins: tuple[SessionView, ...]
    """The client's latest, over or not."""
    others: tuple[Line, ...]
    """Other conversations of the same client, as far as the member may see them."""
    present: tuple[str, ...]
    """Names of colleagues who have it open."""
    colleagues: tuple[Member, ...]
    """To whom it may be given."""


async def find(ctx: Context, member: Member, number: str) -> Ticket:
    """The conversation of that number, however it is written.

    Raises Refused ``staff_role``, or ``not_found``: for a number that there is not as for a
    conversation that is not for this role.
    """
    demand(member, Ability.READ)
    number_ = rules.number_from(number) or _NO_NUMBER
    row = await ctx.db.one(tickets.BY_NUMBER, number_=number_)
    return demand_reading(member, ticket_of(row) if row else None)


async def open_up(ctx: Context, member: Member, number: str) -> Opened:
    """The conversation with all that belongs beside it; the member has it open from now on.

    Raises Refused as `find` does.
    """
    ticket = await find(ctx, member, number)
    present = await be_present(ctx, member, ticket)
    rows = await ctx.db.all(
        store.OTHERS,
        account_id_=ticket.account_id,
        id_=ticket.id,
        security="yes" if member.may(Ability.SECURITY) else "no",
        most=_OTHERS,
    )
    return Opened(
        ticket=ticket,
        messages=tuple(await messages_for_staff(ctx, ticket)),
        attached=await list_attachments(ctx, ticket),
        client=await accounts.get_account(ctx, ticket.account_id),
        sign_ins=tuple(await sessions.list_sign_ins(ctx, ticket.account_id, most=_SIGN_INS)),
        others=tuple(line_of(ticket_of(row), member) for row in rows),
        present=present,
        colleagues=tuple(
            one
            for one in await staff.list_active(ctx)
            if one.may(Ability.ANSWER)
            and (ticket.topic is not rules.Topic.SECURITY or one.may(Ability.SECURITY))
        ),
    )


async def be_present(ctx: Context, member: Member, ticket: Ticket) -> tuple[str, ...]:
    """Have it open for another while; the names of colleagues who have it open too."""
    now = ctx.clock.now()

    async def body(tx: Tx) -> tuple[str, ...]:
        await tx.run(
            store.BE_PRESENT, ticket_id=ticket.id, account_id=member.account_id, seen_at=now
        )
        rows = await tx.all(
            store.PRESENT, ticket_id_=ticket.id, but=member.account_id, since=now - PRESENT_MS
        )
        return tuple(row["display_name"] for row in rows)

    return await ctx.db.write(body)


async def news(
    ctx: Context, session: Session, number: str
) -> tuple[Ticket, int, tuple[str, ...]] | None:
    """The conversation, the number of its notes and who else reads, for a page that stays open.

    None once the session or the role is over. Unlike a page that is asked for this is no use of
    the session: it ends when nobody is there, however long the page stays open.
    """
    live = await sessions.list_sessions(ctx, session.account_id)
    member = await staff.member_of(ctx, session)
    if member is None or all(one.id != session.id for one in live):
        return None
    try:
        ticket = await find(ctx, member, number)
    except Refused:
        return None
    row = await ctx.db.one(store.NOTES, ticket_id_=ticket.id)
    return ticket, int(row["notes"]) if row else 0, await be_present(ctx, member, ticket)


async def sweep_presence(ctx: Context) -> None:
    """Forget who had what open a while ago."""
    await ctx.db.run(store.SWEEP_PRESENCE, before=ctx.clock.now() - PRESENT_MS)


async def get_colleague(ctx: Context, ticket: Ticket, account_id: str) -> str:
    """The id of a member who may be given this conversation. Raises Refused ``not_found``."""
    for one in await staff.list_active(ctx):
        if one.account_id == account_id:
            demand_reading(one, ticket)
            demand(one, Ability.ANSWER)
            return account_id
    raise Refused("not_found")
