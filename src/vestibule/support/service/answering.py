"""What staff does with a conversation: answer, note, hand over, close.

Who was shown the conversation in one version (``seen``) and finds it in another did not decide
about what it is now: they are told who was first, and what they wrote stays with them.
"""

from vestibule.accounts import service as accounts
from vestibule.base import audit
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Refused
from vestibule.base.ids import new_id
from vestibule.staff.rules import Ability, Member, demand
from vestibule.support import rules
from vestibule.support.rules import By, Event, Ticket
from vestibule.support.rules.queue import demand_reading, demand_taking
from vestibule.support.service.attaching import Place
from vestibule.support.service.claiming import claim_attachments
from vestibule.support.service.records import (
    carry,
    derived_id,
    detail_of,
    reload,
    staff_actor,
    tell,
    was_written,
    write_message,
)
from vestibule.support.store import desk as store


def place_of(member: Member, ticket: Ticket, *, source: str = "") -> Place:
    """Where a member attaches what their next answer in a conversation takes along.

    Nobody but them sees it until then. Raises Refused ``staff_role`` or ``not_found``.
    """
    _demand_answering(member, ticket)
    return Place(
        ticket_id=ticket.id,
        account_id=ticket.account_id,
        added_by=member.account_id,
        source=source,
    )


async def answer(
    ctx: Context,
    member: Member,
    ticket: Ticket,
    text: str,
    *,
    once: str = "",
    seen: int | None = None,
    close: bool = False,
    source: str = "",
) -> Ticket:
    """Answer a client, who is told of it; whoever answers what nobody has, has it from then on.

    What the member has attached goes along; refused, it waits on.
    ``seen`` is the version that the member answers to (None: whatever it is), ``close`` says that
    this was all. Sent twice by the same form (``once``) it is one answer. Raises Refused
    ``staff_role``, ``desk_text``, ``desk_moved``, or ``desk_changed`` with ``who``.
    """
    _demand_answering(member, ticket)
    text = rules.clean_text(text)

    async def body(tx: Tx) -> Ticket:
        # The mark of every page is set and taken back in the client's turn, files are taken along
        # in the member's. In one order: a colleague may be this one's client, and the reverse.
        for id_ in sorted({ticket.account_id, member.account_id}):
            await accounts.lock_account(tx, id_)
        message_id = derived_id(ctx, "answer", ticket.id, member.account_id, once)
        before = await was_written(tx, message_id)
        if before == text:
            return await reload(tx, ticket.id)
        if before is not None:
            message_id = new_id()
        here = await _demand_seen(tx, ticket, seen)
        after = await _send(tx, ctx, member, here, message_id=message_id, text=text, source=source)
        if close:
            settled = {"actor": _actor(member), "source": source, "by": "staff"}
            after = await carry(tx, ctx, ticket.id, Event.SETTLE, **settled)
        return after

    after = await ctx.db.write(body)
    tell(ctx, after)
    return after


async def _send(
    tx: Tx,
    ctx: Context,
    member: Member,
    ticket: Ticket,
    *,
    message_id: str,
    text: str,
    source: str,
) -> Ticket:
    now = ctx.clock.now()
    own = {"ticket_id": ticket.id, "message_id": message_id, "added_by": member.account_id}
    attached = await claim_attachments(tx, **own, now=now)
    said = {"actor": _actor(member), "source": source, "by": "staff"}
    if ticket.assigned_to is None and rules.follows(ticket.state, Event.ASSIGN):
        own_id = member.account_id
        await carry(tx, ctx, ticket.id, Event.ASSIGN, to=own_id, staff=own_id, **said)
    after = await carry(
        tx, ctx, ticket.id, Event.ANSWER, message=message_id, attached=attached, **said
    )
    await write_message(
        tx,
        id_=message_id,
        ticket_id=ticket.id,
        author_id=member.account_id,
        by=By.STAFF,
        text=text,
        at=now,
    )
    await accounts.mark_messages(tx, account_id=ticket.account_id, at=now)
    return after


async def note(
    ctx: Context, member: Member, ticket: Ticket, text: str, *, once: str = "", source: str = ""
) -> None:
    """Leave a note for staff. Its event names no account: the client's own journal has none of it.

    Raises Refused ``staff_role`` or ``desk_text``.
    """
    _demand_answering(member, ticket)
    text = rules.clean_text(text)

    async def body(tx: Tx) -> None:
        id_ = derived_id(ctx, "note", ticket.id, member.account_id, once)
        if await was_written(tx, id_) == text:
            return
        here = await reload(tx, ticket.id)
        now = ctx.clock.now()
        await write_message(
            tx,
            id_=id_,
            ticket_id=here.id,
            author_id=member.account_id,
            by=By.NOTE,
            text=text,
            at=now,
        )
        await audit.record(
            tx,
            event="support.noted",
            account_id=None,
            subject=here.id,
            actor=_actor(member),
            source=source,
            at=now,
            detail=detail_of(here),
        )

    await ctx.db.write(body)
    tell(ctx, ticket)


async def assign(
    ctx: Context,
    member: Member,
    ticket: Ticket,
    to: str | None,
    *,
    seen: int | None = None,
    source: str = "",
) -> Ticket:
    """Give a conversation to a member of staff (an account's id), or to nobody (None).

    Raises Refused ``staff_role``, ``desk_moved`` where it is over, or ``desk_changed``.
    """
    _demand_answering(member, ticket)
    event = Event.ASSIGN if to else Event.RELEASE

    async def body(tx: Tx) -> Ticket:
        here = await reload(tx, ticket.id)
        if here.assigned_to == to and not here.over:
            return here
        await _demand_seen(tx, ticket, seen)
        demand_taking(member, here, to=to)
        return await carry(
            tx, ctx, ticket.id, event, actor=_actor(member), source=source, to=to, staff=to or ""
        )

    after = await ctx.db.write(body)
    tell(ctx, after)
    return after


async def settle(
    ctx: Context, member: Member, ticket: Ticket, *, seen: int | None = None, source: str = ""
) -> Ticket:
    """Close a conversation for its client, who is told.

    Raises Refused ``staff_role``, ``desk_moved`` or ``desk_changed``.
    """
    _demand_answering(member, ticket)

    async def body(tx: Tx) -> Ticket:
        here = await reload(tx, ticket.id)
        if here.over:
            return here
        await _demand_seen(tx, ticket, seen)
        return await carry(
            tx, ctx, ticket.id, Event.SETTLE, actor=_actor(member), source=source, by="staff"
        )

    after = await ctx.db.write(body)
    tell(ctx, after)
    return after


def _demand_answering(member: Member, ticket: Ticket) -> None:
    """Refuse a role that does not answer, and what is not there for it (``not_found``)."""
    demand_reading(member, ticket)
    demand(member, Ability.ANSWER)


async def _demand_seen(tx: Tx, ticket: Ticket, seen: int | None) -> Ticket:
    """The conversation as it is, to one who was shown it so. Raises ``desk_changed``."""
    here = await reload(tx, ticket.id)
    if seen is not None and here.version != seen:
        row = await tx.one(store.FIRST, id_=ticket.id)
        raise Refused("desk_changed", who=(row and row["who"]) or here.display_name)
    return here


def _actor(member: Member) -> str:
    return staff_actor(member.account_id)
