"""What clients read of their conversations, and that they have read it."""

from dataclasses import dataclass
from typing import Final

from vestibule.accounts import service as accounts
from vestibule.base import limits
from vestibule.base.clock import DAY, SECOND
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Refused
from vestibule.notifications import service as notifications
from vestibule.sessions.rules import Session
from vestibule.support import rules
from vestibule.support.rules import Message, Ticket
from vestibule.support.service.records import message_of, targets_of, ticket_of
from vestibule.support.store import tickets as store
from vestibule.web.visitor import source_of

_LISTED: Final = 200
_NO_NUMBER: Final = "-"


@dataclass(frozen=True, slots=True)
class Happened:
    """One change of a conversation that is no message."""

    at: int
    what: str
    """``assigned``, ``cancelled``, ``closed``, ``reopened``."""
    by_client: bool


def limited(session: Session, source: str) -> list[str]:
    """Whose limits count what this session does from this address."""
    return [f"account:{session.account_id}", *([f"source:{source_of(source)}"] if source else [])]


async def get_ticket(ctx: Context, session: Session, number: str, *, source: str = "") -> Ticket:
    """The client's own conversation of this number.

    Raises Refused ``not_found``: for somebody else's as for one that does not exist or cannot, by
    the same statements; ``too_many_requests`` after a number of those.
    """
    row = await ctx.db.one(
        store.OF_CLIENT,
        number_=rules.number_from(number) or _NO_NUMBER,
        account_id_=session.account_id,
    )
    if row is not None:
        ticket = ticket_of(row)
        if rules.shown_to_client(ticket, now=ctx.clock.now(), targets=targets_of(ctx)):
            return ticket
    wait = await ctx.db.write(lambda tx: _missed(tx, ctx, session, source))
    if wait:
        raise Refused("too_many_requests", wait=-(-wait // SECOND))
    raise Refused("not_found")


async def _missed(tx: Tx, ctx: Context, session: Session, source: str) -> int:
    """Count a number that opened nothing; how long (ms) to wait before the next one."""
    now, longest = ctx.clock.now(), 0
    for subject in limited(session, source):
        slot = await limits.load(tx, subject)
        longest = max(longest, slot.limits.lookup_wait(now=now))
        await limits.save(tx, slot, slot.limits.lookup_missed(now=now))
    return longest


async def list_tickets(ctx: Context, account_id: str) -> list[Ticket]:
    """The client's conversations, the latest first; those closed long ago are not among them."""
    rows = await ctx.db.all(
        store.LIST, account_id_=account_id, since=_shown_since(ctx), most=_LISTED
    )
    return [ticket_of(row) for row in rows]


async def messages_for_client(ctx: Context, ticket: Ticket) -> list[Message]:
    """What client and staff wrote to each other. Notes are not even read."""
    return [message_of(row) for row in await ctx.db.all(store.FOR_CLIENT, ticket_id_=ticket.id)]


async def messages_for_staff(ctx: Context, ticket: Ticket) -> list[Message]:
    """The same with the notes of staff."""
    return [message_of(row) for row in await ctx.db.all(store.FOR_STAFF, ticket_id_=ticket.id)]


async def history(ctx: Context, ticket: Ticket) -> list[Happened]:
    """What became of the conversation beside its messages, the first first."""
    rows = await ctx.db.all(store.HISTORY, account_id_=ticket.account_id, subject_=ticket.id)
    return [
        Happened(
            at=row["at"], what=row["event"].partition(".")[2], by_client=row["actor"] == "browser"
        )
        for row in rows
    ]


async def mark_seen(ctx: Context, session: Session, ticket: Ticket) -> None:
    """Its client has seen the conversation as it was read: no reminders, and no mark for it."""
    if not ticket.unread:
        return

    async def body(tx: Tx) -> None:
        # In turn with answers, or one that comes now would lose its mark.
        await accounts.lock_account(tx, session.account_id)
        await tx.run(store.SEEN, id_=ticket.id, answered_at_=ticket.answered_at)
        await _unmark(tx, ctx, session.account_id)
        await notifications.read_about(
            tx, account_id=session.account_id, subject=ticket.id, now=ctx.clock.now()
        )

    await ctx.db.write(body)


async def refresh_mark(ctx: Context, session: Session) -> None:
    """Take back a mark for what can no longer be read."""

    async def body(tx: Tx) -> None:
        await accounts.lock_account(tx, session.account_id)
        await _unmark(tx, ctx, session.account_id)

    await ctx.db.write(body)


async def _unmark(tx: Tx, ctx: Context, account_id: str) -> None:
    unread = await tx.one(store.UNREAD, account_id_=account_id, since=_shown_since(ctx))
    if unread is None:
        await accounts.mark_messages(tx, account_id=account_id, at=None)


def _shown_since(ctx: Context) -> int:
    return ctx.clock.now() - ctx.settings.closed_ticket_days * DAY
