"""Conversations as they are read and written: rows to values and back, and the one way to move."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from vestibule.base import audit
from vestibule.base.audit import Detail
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx, Value
from vestibule.base.errors import Lost, Refused
from vestibule.base.i18n import zone_of
from vestibule.base.ids import ID_LENGTH, new_id
from vestibule.protocol.encoding import b64u
from vestibule.support import rules
from vestibule.support.rules import (
    By,
    Event,
    Hours,
    Message,
    Priority,
    State,
    Targets,
    Ticket,
    Topic,
    hours_of,
)
from vestibule.support.store import tickets as store

EVENTS: Final[Mapping[Event, str]] = {
    Event.REPLY: "support.replied",
    Event.CANCEL: "support.cancelled",
    Event.CLOSE: "support.closed",
    Event.REOPEN: "support.reopened",
    Event.ASSIGN: "support.assigned",
    Event.RELEASE: "support.released",
    Event.ANSWER: "support.answered",
    Event.SETTLE: "support.closed",
}
"""The audit event of each move."""

DESK: Final = "desk"
"""The wake-up topic of staff: something about some conversation is new."""


def topic_of(ticket_id: str) -> str:
    """The wake-up topic of one conversation."""
    return f"ticket:{ticket_id}"


def topic_of_account(account_id: str) -> str:
    """The wake-up topic of all conversations of one client."""
    return f"messages:{account_id}"


def tell(ctx: Context, ticket: Ticket) -> None:
    """Wake whoever looks at a conversation, at its client's list or at the desk.

    After the commit.
    """
    for topic in (topic_of(ticket.id), topic_of_account(ticket.account_id), DESK):
        ctx.wake.tell(topic)


def derived_id(ctx: Context, *parts: str) -> str:
    """The id of what a form makes: keyed, so that nobody else's form can have it.

    The last part is the form's own name (``once``); where it has none, a new id.
    """
    if not parts[-1]:
        return new_id()
    return b64u(ctx.sealer.digest("desk", *parts))[:ID_LENGTH]


def staff_actor(account_id: str) -> str:
    """How events name a member of staff."""
    return f"staff:{account_id}"


def targets_of(ctx: Context) -> Targets:
    """When the desk is staffed and how soon it answers, by the settings."""
    settings = ctx.settings
    return Targets(
        hours=_hours(settings.support_hours, settings.support_zone),
        minutes={
            Priority.HIGH: settings.support_high_minutes,
            Priority.NORMAL: settings.support_normal_minutes,
            Priority.LOW: settings.support_low_minutes,
        },
        closed_ms=settings.closed_ticket_days * DAY,
    )


@lru_cache(maxsize=16)
def _hours(written: str, zone: str) -> Hours:
    return hours_of(written, zone_of(zone))


def ticket_of(row: Row | Mapping[str, Any]) -> Ticket:
    """The conversation in a row that has the columns of ``store.COLUMNS``."""
    return Ticket(
        id=row["id"],
        number=row["number"],
        account_id=row["account_id"],
        username=row["username"],
        display_name=row["display_name"],
        topic=Topic(row["topic"]),
        subject=row["subject"],
        language=row["language"],
        priority=Priority(row["priority"]),
        state=State(row["state"]),
        assigned_to=row["assigned_to"],
        assigned_name=row["assigned_name"],
        opened_at=row["opened_at"],
        state_at=row["state_at"],
        waiting_since=row["waiting_since"],
        due_at=row["due_at"],
        first_answered_at=row["first_answered_at"],
        answered_at=row["answered_at"],
        closed_at=row["closed_at"],
        client_seen_at=row["client_seen_at"],
        remind_at=row["remind_at"],
        reminders=row["reminders"],
        version=row["version"],
    )


def message_of(row: Row | Mapping[str, Any]) -> Message:
    """The message in a row of ``store.FOR_CLIENT`` or ``store.FOR_STAFF``."""
    return Message(
        id=row["id"],
        ticket_id=row["ticket_id"],
        by=By(row["by"]),
        author_id=row["author_id"],
        author_name=row["author_name"] or "",
        text=row["text"],
        at=row["at"],
    )


def values_of(ticket: Ticket) -> dict[str, Value]:
    """The columns that a move writes.

    What the client has seen is not one of them: it may change beside every move.
    """
    return {
        "state": ticket.state.value,
        "assigned_to": ticket.assigned_to,
        "state_at": ticket.state_at,
        "waiting_since": ticket.waiting_since,
        "due_at": ticket.due_at,
        "first_answered_at": ticket.first_answered_at,
        "answered_at": ticket.answered_at,
        "closed_at": ticket.closed_at,
        "remind_at": ticket.remind_at,
        "reminders": ticket.reminders,
        "version": ticket.version,
    }


def detail_of(ticket: Ticket, **more: str | int | bool) -> Detail:
    """What every event of a conversation says of it: never a word that somebody wrote."""
    return {"ticket": ticket.number, "topic": ticket.topic.value, **more}


async def reload(tx: Tx, ticket_id: str) -> Ticket:
    """The conversation as it is in this transaction. Raises Refused ``not_found``."""
    row = await tx.one(store.BY_ID, id_=ticket_id)
    if row is None:
        raise Refused("not_found")
    return ticket_of(row)


async def carry(
    tx: Tx,
    ctx: Context,
    ticket_id: str,
    event: Event,
    *,
    actor: str,
    source: str,
    to: str | None = None,
    **detail: str | int | bool,
) -> Ticket:
    """Move a conversation, from what it is in this transaction.

    Raises Refused ``desk_moved`` or ``desk_reopen_late``, and Lost where somebody else was
    quicker: the transaction then runs again, and decides upon what they have made of it.
    """
    before = await reload(tx, ticket_id)
    now = ctx.clock.now()
    after = rules.moved(before, event, now=now, targets=targets_of(ctx), to=to)
    won = await tx.run(
        store.MOVE,
        id_=before.id,
        version_=before.version,
        **values_of(after),
        **audit.journal(
            event=EVENTS[event],
            actor=actor,
            source=source,
            at=now,
            detail=detail_of(before, **detail),
        ),
    )
    if not won:
        raise Lost
    return after


async def write_message(
    tx: Tx, *, id_: str, ticket_id: str, author_id: str, by: By, text: str, at: int
) -> None:
    """Store one message. One with this id may be there already: then nothing changes."""
    await tx.run(
        store.WRITE, id=id_, ticket_id=ticket_id, author_id=author_id, by=by.value, text=text, at=at
    )


async def was_written(tx: Tx, id_: str) -> str | None:
    """The text of the message with this id; None where there is none."""
    row = await tx.one(store.MESSAGE, id_=id_)
    return row["text"] if row else None
