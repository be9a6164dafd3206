"""What clients do with conversations: open, reply, cancel, close, open again.

A form carries a name of its own (``once``), from which the ids of what it makes are derived: sent
twice, it makes one thing. Attachments know the conversation they are for before it exists by the
same derivation (`ticket_id_of`).
"""

from typing import Final

from vestibule.accounts import service as accounts
from vestibule.base import audit, limits
from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Duplicate, Refused
from vestibule.base.ids import new_id, new_reference
from vestibule.sessions.rules import Session
from vestibule.support import rules
from vestibule.support.rules import By, Event, Priority, State, Ticket, Topic
from vestibule.support.service.claiming import claim_attachments
from vestibule.support.service.following import limited
from vestibule.support.service.records import (
    carry,
    derived_id,
    detail_of,
    reload,
    targets_of,
    tell,
    was_written,
    write_message,
)
from vestibule.support.store import tickets as store

OPEN_MOST: Final = 25
"""Open conversations of one client."""
_NUMBERS_TRIED: Final = 4


def ticket_id_of(ctx: Context, session: Session, once: str) -> str:
    """The id of the conversation that the form of this name makes, if it is sent."""
    return derived_id(ctx, "ticket", session.account_id, once)


def _message_id_of(ctx: Context, ticket_id: str, account_id: str, once: str) -> str:
    return derived_id(ctx, "message", ticket_id, account_id, once)


async def open_ticket(
    ctx: Context,
    session: Session,
    *,
    topic: Topic,
    subject: str,
    text: str,
    priority: Priority = Priority.NORMAL,
    language: str = "",
    once: str = "",
    source: str = "",
) -> Ticket:
    """Begin a conversation with a first message; what waits for it as an attachment goes along.

    Raises Refused ``desk_subject``, ``desk_text``, ``desk_full`` or ``too_many_requests``.
    """
    subject, text = rules.clean_subject(subject), rules.clean_text(text)
    spoken = language or session.language or ctx.settings.default_language
    ids = [ticket_id_of(ctx, session, once)]

    async def body(tx: Tx) -> Ticket:
        await accounts.lock_account(tx, session.account_id)
        id_ = ids[-1]
        message_id = _message_id_of(ctx, id_, session.account_id, once)
        before = await was_written(tx, message_id)
        if before is not None:
            known = await reload(tx, id_)
            if (before, known.subject) == (text, subject):
                return known
            # Gone back to, changed and sent again: that is another one, and nothing is lost.
            id_ = new_id()
            message_id = _message_id_of(ctx, id_, session.account_id, "")
        await _demand_room(tx, session)
        await _count_message(tx, ctx, session, source)
        made = _new(
            ctx, session, id_, topic=topic, subject=subject, priority=priority, language=spoken
        )
        await _store(tx, ctx, made, message_id=message_id, text=text, source=source)
        return made

    for left in reversed(range(_NUMBERS_TRIED)):
        try:
            made = await ctx.db.write(body)
        except Duplicate:
            # Its number is taken: one in 2^40, and then another one will do.
            if not left:
                raise
        else:
            tell(ctx, made)
            return made
    raise AssertionError


def _new(
    ctx: Context,
    session: Session,
    id_: str,
    *,
    topic: Topic,
    subject: str,
    priority: Priority,
    language: str,
) -> Ticket:
    now = ctx.clock.now()
    return Ticket(
        id=id_,
        number=rules.number_of(new_reference()),
        account_id=session.account_id,
        username=session.username,
        display_name=session.display_name,
        topic=topic,
        subject=subject,
        language=language,
        priority=priority,
        state=State.NEW,
        assigned_to=None,
        assigned_name=None,
        opened_at=now,
        state_at=now,
        waiting_since=now,
        due_at=targets_of(ctx).due(priority, now),
        first_answered_at=None,
        answered_at=None,
        closed_at=None,
        client_seen_at=None,
        remind_at=None,
        reminders=0,
        version=1,
    )


async def _store(
    tx: Tx, ctx: Context, made: Ticket, *, message_id: str, text: str, source: str
) -> None:
    now = ctx.clock.now()
    attached = await claim_attachments(
        tx, ticket_id=made.id, message_id=message_id, added_by=made.account_id, now=now
    )
    await tx.run(
        store.OPEN,
        **{
            name: getattr(made, name)
            for name in store.ticket.c.keys()  # noqa: SIM118  -- not a dict
            if hasattr(made, name)
        },
        **audit.journal(
            event="support.opened",
            actor="browser",
            source=source,
            at=now,
            detail=detail_of(made, priority=made.priority.value, attached=attached),
        ),
    )
    await write_message(
        tx,
        id_=message_id,
        ticket_id=made.id,
        author_id=made.account_id,
        by=By.CLIENT,
        text=text,
        at=now,
    )


async def _demand_room(tx: Tx, session: Session) -> None:
    row = await tx.one(store.OPEN_ONES, account_id_=session.account_id)
    if row is not None and row["open"] >= OPEN_MOST:
        raise Refused("desk_full", most=OPEN_MOST)


async def _count_message(tx: Tx, ctx: Context, session: Session, source: str) -> None:
    now = ctx.clock.now()
    for subject in limited(session, source):
        slot = await limits.load(tx, subject)
        if wait := slot.limits.message_wait(now=now):
            raise Refused("too_many_requests", wait=-(-wait // SECOND))
        await limits.save(tx, slot, slot.limits.message_sent(now=now))


# --- moving ------------------------------------------------------------------------------------


async def reply(
    ctx: Context, session: Session, ticket: Ticket, *, text: str, once: str = "", source: str = ""
) -> Ticket:
    """Add a message. Raises Refused ``desk_text``, ``desk_moved`` or ``too_many_requests``."""
    return await _say(ctx, session, ticket, Event.REPLY, text=text, once=once, source=source)


async def reopen(
    ctx: Context, session: Session, ticket: Ticket, *, text: str, once: str = "", source: str = ""
) -> Ticket:
    """Go on with what is over, saying why. Raises as `reply`, and ``desk_reopen_late``."""
    return await _say(ctx, session, ticket, Event.REOPEN, text=text, once=once, source=source)


async def cancel(ctx: Context, session: Session, ticket: Ticket, *, source: str = "") -> Ticket:
    """Need no answer any more. Raises Refused ``desk_moved``."""
    return await _end(ctx, session, ticket, Event.CANCEL, State.CANCELLED, source=source)


async def close(ctx: Context, session: Session, ticket: Ticket, *, source: str = "") -> Ticket:
    """Be content. Raises Refused ``desk_moved``."""
    return await _end(ctx, session, ticket, Event.CLOSE, State.CLOSED, source=source)


async def _say(
    ctx: Context,
    session: Session,
    ticket: Ticket,
    event: Event,
    *,
    text: str,
    once: str,
    source: str,
) -> Ticket:
    text = rules.clean_text(text)
    account_id = _own(session, ticket)

    async def body(tx: Tx) -> Ticket:
        await accounts.lock_account(tx, account_id)
        message_id = _message_id_of(ctx, ticket.id, account_id, once)
        before = await was_written(tx, message_id)
        if before == text:
            return await reload(tx, ticket.id)
        if before is not None:
            message_id = new_id()
        await _count_message(tx, ctx, session, source)
        now = ctx.clock.now()
        attached = await claim_attachments(
            tx, ticket_id=ticket.id, message_id=message_id, added_by=account_id, now=now
        )
        after = await carry(
            tx,
            ctx,
            ticket.id,
            event,
            actor="browser",
            source=source,
            by="client",
            attached=attached,
        )
        await write_message(
            tx,
            id_=message_id,
            ticket_id=ticket.id,
            author_id=account_id,
            by=By.CLIENT,
            text=text,
            at=now,
        )
        return after

    after = await ctx.db.write(body)
    tell(ctx, after)
    return after


async def _end(
    ctx: Context, session: Session, ticket: Ticket, event: Event, end: State, *, source: str
) -> Ticket:
    _own(session, ticket)

    async def body(tx: Tx) -> Ticket:
        here = await reload(tx, ticket.id)
        if here.state is end:
            return here  # pressed twice
        return await carry(tx, ctx, ticket.id, event, actor="browser", source=source, by="client")

    after = await ctx.db.write(body)
    tell(ctx, after)
    return after


def _own(session: Session, ticket: Ticket) -> str:
    """The client whose conversation it is: whoever hands us another one has not asked for it."""
    if ticket.account_id != session.account_id:
        raise Refused("not_found")
    return session.account_id
