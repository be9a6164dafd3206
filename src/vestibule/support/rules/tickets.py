"""A conversation's states and the decisions about it. Pure: no I/O, ``now`` is passed in.

A ticket begins with a client's message. Client and staff move the same record through one table,
so whoever comes second is refused or follows from what the first has made of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from vestibule.base.errors import Refused
from vestibule.support.rules.hours import Targets

_HOUR: Final = 3_600_000


class Topic(StrEnum):
    """What a conversation is about."""

    SIGN_IN = "sign-in"
    STATEMENTS = "statements"
    FILE_DELIVERY = "file-delivery"
    ACCOUNT = "account"
    SECURITY = "security"
    OTHER = "other"


class Priority(StrEnum):
    """How urgent its client says that it is."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class State(StrEnum):
    """Where a stored conversation stands."""

    NEW = "new"
    ASSIGNED = "assigned"
    ANSWERED = "answered"
    CLIENT_REPLIED = "client_replied"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What can happen to a conversation; an internal note is no event of it."""

    REPLY = "reply"
    """Its client adds something."""
    CANCEL = "cancel"
    """Its client needs no answer any more."""
    CLOSE = "close"
    """Its client is content."""
    REOPEN = "reopen"
    """Its client is not, after all."""
    ASSIGN = "assign"
    RELEASE = "release"
    """It goes back to those that nobody has."""
    ANSWER = "answer"
    SETTLE = "settle"
    """Staff closes it."""


class By(StrEnum):
    """Who wrote a message, and for whom."""

    CLIENT = "client"
    STAFF = "staff"
    NOTE = "note"
    """By staff for staff: no client ever gets it, in any form."""


# What is not in this table is refused. Cancelling is for who waits for an answer; whoever has one
# closes. Whatever is over comes back as one in which the client wrote last.
MOVES: Final[dict[tuple[State, Event], State]] = {
    (State.NEW, Event.REPLY): State.NEW,
    (State.NEW, Event.CANCEL): State.CANCELLED,
    (State.NEW, Event.ASSIGN): State.ASSIGNED,
    (State.NEW, Event.ANSWER): State.ANSWERED,
    (State.NEW, Event.SETTLE): State.CLOSED,
    (State.ASSIGNED, Event.REPLY): State.ASSIGNED,
    (State.ASSIGNED, Event.CANCEL): State.CANCELLED,
    (State.ASSIGNED, Event.ASSIGN): State.ASSIGNED,
    (State.ASSIGNED, Event.RELEASE): State.NEW,
    (State.ASSIGNED, Event.ANSWER): State.ANSWERED,
    (State.ASSIGNED, Event.SETTLE): State.CLOSED,
    (State.ANSWERED, Event.REPLY): State.CLIENT_REPLIED,
    (State.ANSWERED, Event.CLOSE): State.CLOSED,
    (State.ANSWERED, Event.ASSIGN): State.ANSWERED,
    (State.ANSWERED, Event.RELEASE): State.ANSWERED,
    (State.ANSWERED, Event.ANSWER): State.ANSWERED,
    (State.ANSWERED, Event.SETTLE): State.CLOSED,
    (State.CLIENT_REPLIED, Event.REPLY): State.CLIENT_REPLIED,
    (State.CLIENT_REPLIED, Event.CANCEL): State.CANCELLED,
    (State.CLIENT_REPLIED, Event.CLOSE): State.CLOSED,
    (State.CLIENT_REPLIED, Event.ASSIGN): State.CLIENT_REPLIED,
    (State.CLIENT_REPLIED, Event.RELEASE): State.CLIENT_REPLIED,
    (State.CLIENT_REPLIED, Event.ANSWER): State.ANSWERED,
    (State.CLIENT_REPLIED, Event.SETTLE): State.CLOSED,
    (State.CLOSED, Event.REOPEN): State.CLIENT_REPLIED,
    (State.CANCELLED, Event.REOPEN): State.CLIENT_REPLIED,
}

WAITING: Final = frozenset({State.NEW, State.ASSIGNED, State.CLIENT_REPLIED})
"""In these the client waits for us."""
OVER: Final = frozenset({State.CLOSED, State.CANCELLED})

REMINDERS: Final = 4
"""How often somebody is reminded of one answer that was not read."""
_REMIND_MS: Final = {
    Priority.HIGH: _HOUR,
    Priority.NORMAL: 6 * _HOUR,
    Priority.LOW: 12 * _HOUR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A stored conversation. Times are milliseconds since the epoch."""

    id: str
    number: str
    """The reference, ``4F7K-9QZM``."""
    account_id: str
    username: str
    display_name: str
    """Its client's."""
    topic: Topic
    subject: str
    language: str
    """What its client read when it was written: answers are in it."""
    priority: Priority
    state: State
    assigned_to: str | None
    """Account of the member of staff who has it."""
    assigned_name: str | None
    opened_at: int
    state_at: int
    """When anything last happened that its client knows of."""
    waiting_since: int | None
    """When the client began to wait for us; None while we wait for the client, or it is over."""
    due_at: int | None
    first_answered_at: int | None
    answered_at: int | None
    """The latest answer, a little later than the one before in any case: it names the answer."""
    closed_at: int | None
    """Closed or cancelled."""
    client_seen_at: int | None
    """``answered_at`` of the latest answer that its client has seen."""
    remind_at: int | None
    reminders: int
    """Reminders of the latest answer."""
    version: int

    @property
    def over(self) -> bool:
        """Whether it is closed or cancelled."""
        return self.state in OVER

    @property
    def waiting(self) -> bool:
        """Whether its client waits for us."""
        return self.state in WAITING

    @property
    def unread(self) -> bool:
        """Whether there is an answer that its client has not seen."""
        return self.answered_at is not None and self.answered_at > (self.client_seen_at or 0)

    def late(self, now: int) -> bool:
        """Whether it should have been answered by now."""
        return self.due_at is not None and now > self.due_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a conversation."""

    id: str
    ticket_id: str
    by: By
    author_id: str
    author_name: str
    text: str
    at: int


class Step(StrEnum):
    """What happens next."""

    ANSWER = "answer"
    """We answer, by a time."""
    LATE = "late"
    """We should have answered."""
    READ = "read"
    """The client reads, and says whether that was it."""
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Next:
    """What happens next, and by when (ms): the answer, or the end of what is shown."""

    step: Step
    by: int | None


def move(state: State, event: Event) -> State:
    """The state after ``event``; Refused ``desk_moved`` for what the table does not allow."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise Refused("desk_moved", state=state.value) from None


def follows(state: State, event: Event) -> bool:
    """Whether the table allows it: for what pages offer."""
    return (state, event) in MOVES


def moved(
    ticket: Ticket, event: Event, *, now: int, targets: Targets, to: str | None = None
) -> Ticket:
    """The conversation after ``event``.

    ``to`` is who gets it: whom it is assigned to, or who answers what nobody has.

    Raises Refused ``desk_moved``, or ``desk_reopen_late`` once its time is over.
    """
    state = move(ticket.state, event)
    if event is Event.REOPEN and now >= reopens_until(ticket, targets):
        raise Refused("desk_reopen_late")
    after = replace(
        ticket,
        state=state,
        state_at=now,
        closed_at=now if state in OVER else None,
        version=ticket.version + 1,
    )
    after = _assigned(after, event, to)
    if event is Event.ANSWER:
        after = replace(
            after,
            first_answered_at=ticket.first_answered_at or now,
            # Two answers in one millisecond, or a clock set back, are two answers all the same.
            answered_at=max(now, (ticket.answered_at or 0) + 1),
            remind_at=now + _REMIND_MS[ticket.priority],
            reminders=0,
        )
    if event in (Event.CLOSE, Event.CANCEL):
        after = replace(after, remind_at=None)
    return _waiting(after, now=now, targets=targets)


def _assigned(ticket: Ticket, event: Event, to: str | None) -> Ticket:
    if event is Event.ASSIGN:
        return replace(ticket, assigned_to=to)
    if event is Event.ANSWER and ticket.assigned_to is None:
        return replace(ticket, assigned_to=to)
    if event is Event.RELEASE:
        return replace(ticket, assigned_to=None, assigned_name=None)
    return ticket


def _waiting(ticket: Ticket, *, now: int, targets: Targets) -> Ticket:
    """Who writes twice goes on waiting since the first time: writing more never costs a place."""
    if not ticket.waiting:
        return replace(ticket, waiting_since=None, due_at=None)
    if ticket.waiting_since is not None:
        return ticket
    return replace(ticket, waiting_since=now, due_at=targets.due(ticket.priority, now))


def reopens_until(ticket: Ticket, targets: Targets) -> int:
    """Until when (ms) its client sees a closed conversation and may open it again."""
    return (ticket.closed_at or 0) + targets.closed_ms


def shown_to_client(ticket: Ticket, *, now: int, targets: Targets) -> bool:
    """Whether its client still sees it."""
    return not ticket.over or now < reopens_until(ticket, targets)


def next_step(ticket: Ticket, *, now: int, targets: Targets) -> Next:
    """What happens next, as its client is told."""
    if ticket.over:
        return Next(Step(ticket.state.value), reopens_until(ticket, targets))
    if not ticket.waiting:
        return Next(Step.READ, None)
    return Next(Step.LATE if ticket.late(now) else Step.ANSWER, ticket.due_at)


def after_reminder(ticket: Ticket, *, now: int) -> Ticket:
    """The conversation after its client was reminded: the next time, unless it was the last."""
    reminders = ticket.reminders + 1
    again = now + _REMIND_MS[ticket.priority] if reminders < REMINDERS else None
    return replace(ticket, reminders=reminders, remind_at=again)
