"""The tables ticket, ticket_message and ticket_preference, and their statements.

What a client may read and what staff may read are two statements: no condition in Python stands
between an internal note and a client.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    Table,
    Text,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from vestibule.accounts.store import account
from vestibule.base.audit import JOURNAL, audit_event
from vestibule.base.database import insert, metadata

ticket: Final = Table(
    "ticket",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("account_id", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("assigned_to", Text),
    Column("opened_at", BigInteger, nullable=False),
    Column("state_at", BigInteger, nullable=False),
    Column("waiting_since", BigInteger),
    Column("due_at", BigInteger),
    Column("first_answered_at", BigInteger),
    Column("answered_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("client_seen_at", BigInteger),
    Column("remind_at", BigInteger),
    Column("reminders", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    *JOURNAL(),
    Index("ticket_account", "account_id", "state_at"),
    Index("ticket_opened", "opened_at"),
)
_t = ticket.c
Index(
    "ticket_open",
    _t.due_at,
    sqlite_where=_t.closed_at.is_(None),
    postgresql_where=_t.closed_at.is_(None),
)
Index(
    "ticket_remind",
    _t.remind_at,
    sqlite_where=_t.remind_at.is_not(None),
    postgresql_where=_t.remind_at.is_not(None),
)

ticket_message: Final = Table(
    "ticket_message",
    metadata,
    Column("id", Text, primary_key=True),
    Column("ticket_id", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ticket_message_ticket", "ticket_id", "at"),
)
_m = ticket_message.c

ticket_preference: Final = Table(
    "ticket_preference",
    metadata,
    Column("account_id", Text, primary_key=True),
    # Whether mails bring the text of answers; without a row they do not.
    Column("text_in_mails", Boolean, nullable=False),
)
_p = ticket_preference.c

# --- reading -----------------------------------------------------------------------------------

client: Final = account.alias("client")
member: Final = account.alias("member")
author: Final = account.alias("author")

_JOURNAL: Final = frozenset(column.name for column in JOURNAL())
COLUMNS: Final = (
    *(column for column in ticket.c if column.name not in _JOURNAL),
    client.c.username.label("username"),
    client.c.display_name.label("display_name"),
    member.c.display_name.label("assigned_name"),
)
"""What `records.ticket_of` reads: all but the journal, and the names."""
TICKETS: Final = select(*COLUMNS).select_from(
    ticket.join(client, client.c.id == _t.account_id).outerjoin(
        member, member.c.id == _t.assigned_to
    )
)

BY_ID: Final = TICKETS.where(_t.id == bindparam("id_"))
BY_NUMBER: Final = TICKETS.where(_t.number == bindparam("number_"))
# Of another client's conversation not even this process learns anything.
OF_CLIENT: Final = TICKETS.where(
    _t.number == bindparam("number_"), _t.account_id == bindparam("account_id_")
)
LIST: Final = (
    TICKETS.where(
        _t.account_id == bindparam("account_id_"),
        or_(_t.closed_at.is_(None), _t.closed_at > bindparam("since")),
    )
    .order_by(_t.state_at.desc(), _t.id)
    .limit(bindparam("most"))
)
OPEN_ONES: Final = select(func.count().label("open")).where(
    _t.account_id == bindparam("account_id_"), _t.closed_at.is_(None)
)
UNREAD: Final = select(_t.id).where(
    _t.account_id == bindparam("account_id_"),
    _t.answered_at > func.coalesce(_t.client_seen_at, 0),
    or_(_t.closed_at.is_(None), _t.closed_at > bindparam("since")),
)

_MESSAGES: Final = (
    select(*ticket_message.c, author.c.display_name.label("author_name"))
    .select_from(ticket_message.outerjoin(author, author.c.id == _m.author_id))
    .where(_m.ticket_id == bindparam("ticket_id_"))
    .order_by(_m.at, _m.id)
)
FOR_CLIENT: Final = _MESSAGES.where(_m.by.in_(("client", "staff")))
FOR_STAFF: Final = _MESSAGES
MESSAGE: Final = select(_m.text, _m.by, _m.ticket_id).where(_m.id == bindparam("id_"))
# What a mail may carry: an answer, never a note, of a conversation of this account.
ANSWER_OF: Final = (
    select(_m.text)
    .join(ticket, _t.id == _m.ticket_id)
    .where(
        _m.id == bindparam("id_"),
        _m.by == "staff",
        _t.account_id == bindparam("account_id_"),
    )
)

# What became of it, from the journal: of events that name its client as the one they are about.
HISTORY: Final = (
    select(audit_event.c.event, audit_event.c.at, audit_event.c.actor)
    .where(
        audit_event.c.account_id == bindparam("account_id_"),
        audit_event.c.subject == bindparam("subject_"),
        audit_event.c.event.in_(
            ("support.assigned", "support.cancelled", "support.closed", "support.reopened")
        ),
    )
    .order_by(audit_event.c.id)
)

# --- writing -----------------------------------------------------------------------------------

OPEN: Final = insert(ticket).values({c.name: bindparam(c.name) for c in ticket.c})
WRITE: Final = (
    insert(ticket_message)
    .values({c.name: bindparam(c.name) for c in ticket_message.c})
    .on_conflict_do_nothing()
)
# A compare-and-set over the version that was read; the columns are those of `records.values_of`.
MOVE: Final = update(ticket).where(_t.id == bindparam("id_"), _t.version == bindparam("version_"))
# Up to the answer that the page showed; one that came meanwhile stays unread.
SEEN: Final = (
    update(ticket)
    .where(
        _t.id == bindparam("id_"),
        _t.answered_at == bindparam("answered_at_"),
        func.coalesce(_t.client_seen_at, 0) < bindparam("answered_at_"),
    )
    .values(client_seen_at=bindparam("answered_at_"), remind_at=None)
)

TO_REMIND: Final = (
    select(_t.id)
    .where(_t.remind_at <= bindparam("now"))
    .order_by(_t.remind_at)
    .limit(bindparam("most"))
)

PREFERENCE: Final = select(_p.text_in_mails).where(_p.account_id == bindparam("account_id_"))
PREFER: Final = (
    insert(ticket_preference)
    .values({c.name: bindparam(c.name) for c in ticket_preference.c})
    .on_conflict_do_update(
        index_elements=["account_id"], set_={"text_in_mails": bindparam("text_in_mails")}
    )
)

_OLD: Final = select(_t.id).where(_t.closed_at < bindparam("before"))
SWEEP_MESSAGES: Final = delete(ticket_message).where(_m.ticket_id.in_(_OLD.scalar_subquery()))
SWEEP: Final = delete(ticket).where(_t.closed_at < bindparam("before"))
