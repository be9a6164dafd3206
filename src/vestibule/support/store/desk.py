"""What staff asks of conversations, and the tables canned_answer and ticket_presence.

Order and limits stand here, decisions do not: whose role sees which topic is a parameter.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from vestibule.accounts.store import account
from vestibule.base.database import insert, metadata
from vestibule.support.store.tickets import TICKETS, client, ticket, ticket_message

canned_answer: Final = Table(
    "canned_answer",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
    UniqueConstraint("name_key", "language"),
)

ticket_presence: Final = Table(
    "ticket_presence",
    metadata,
    Column("ticket_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("ticket_id", "account_id"),
)

_t, _m = ticket.c, ticket_message.c
_c, _p = canned_answer.c, ticket_presence.c

# --- the queue ---------------------------------------------------------------------------------

# Security is for officers: for others these conversations are not there, nor are they counted.
_SEEN: Final = or_(_t.topic != "security", bindparam("security") == "yes")
_OPEN: Final = and_(_t.closed_at.is_(None), _SEEN)
# Whoever waits stands first, the one who is due first on top; then those who wait for nobody.
_DUE_FIRST: Final = (
    case((_t.due_at.is_(None), 1), else_=0),
    _t.due_at,
    _t.state_at.desc(),
    _t.id,
)


def _page(*conditions: Any) -> Any:  # noqa: ANN401  -- SQLAlchemy's own conditions and statements
    return TICKETS.where(*conditions).limit(bindparam("most")).offset(bindparam("start"))


MINE: Final = _page(_OPEN, _t.assigned_to == bindparam("member")).order_by(*_DUE_FIRST)
UNASSIGNED: Final = _page(_OPEN, _t.assigned_to.is_(None)).order_by(*_DUE_FIRST)
ALL: Final = _page(_OPEN).order_by(*_DUE_FIRST)
OVER: Final = _page(_t.closed_at.is_not(None), _SEEN).order_by(_t.closed_at.desc(), _t.id)
# SQLite lowers ASCII only, so a name is looked for as it was typed too.
FOUND: Final = _page(
    _SEEN,
    or_(
        _t.number == bindparam("number"),
        client.c.username_key == bindparam("username_key"),
        func.lower(client.c.display_name).like(bindparam("lowered"), escape="\\"),
        client.c.display_name.like(bindparam("typed"), escape="\\"),
        func.lower(_t.subject).like(bindparam("lowered"), escape="\\"),
        _t.subject.like(bindparam("typed"), escape="\\"),
    ),
).order_by(_t.state_at.desc(), _t.id)


def _sum(condition: Any) -> Any:  # noqa: ANN401  -- as `_page`
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


_WAITS: Final = _t.waiting_since.is_not(None)
COUNTS: Final = select(
    _sum(_t.assigned_to == bindparam("member")).label("mine"),
    _sum(_t.assigned_to.is_(None)).label("unassigned"),
    func.count().label("all"),
    _sum(_WAITS).label("waiting"),
    _sum(and_(_WAITS, _t.due_at < bindparam("now"))).label("late"),
).where(_OPEN)

# Who moved it last: a member of staff, whose account the actor names, or else its client.
FIRST: Final = (
    select(account.c.display_name.label("who"))
    .select_from(ticket.outerjoin(account, _t.actor == "staff:" + account.c.id))
    .where(_t.id == bindparam("id_"))
)
# The same client's other conversations, beside the one that is read.
OTHERS: Final = (
    TICKETS.where(_t.account_id == bindparam("account_id_"), _t.id != bindparam("id_"), _SEEN)
    .order_by(_t.state_at.desc(), _t.id)
    .limit(bindparam("most"))
)

NOTES: Final = select(func.count().label("notes")).where(
    _m.ticket_id == bindparam("ticket_id_"), _m.by == "note"
)

# --- waiting -----------------------------------------------------------------------------------

SAID: Final = (
    select(_m.ticket_id, _m.by, _m.at)
    .join(ticket, _t.id == _m.ticket_id)
    .where(_m.by.in_(("client", "staff")), _m.at > bindparam("since"))
    .order_by(_m.ticket_id, _m.at, _m.id)
)

# --- who has it open ---------------------------------------------------------------------------

BE_PRESENT: Final = (
    insert(ticket_presence)
    .values({c.name: bindparam(c.name) for c in ticket_presence.c})
    .on_conflict_do_update(
        index_elements=["ticket_id", "account_id"], set_={"seen_at": bindparam("seen_at")}
    )
)
PRESENT: Final = (
    select(account.c.display_name)
    .select_from(ticket_presence.join(account, account.c.id == _p.account_id))
    .where(
        _p.ticket_id == bindparam("ticket_id_"),
        _p.account_id != bindparam("but"),
        _p.seen_at > bindparam("since"),
    )
    .order_by(account.c.display_name)
)
SWEEP_PRESENCE: Final = delete(ticket_presence).where(_p.seen_at < bindparam("before"))

# --- answers kept ready ------------------------------------------------------------------------

_CANNED: Final = select(
    _c.id,
    _c.name,
    _c.language,
    _c.text,
    _c.version,
    _c.changed_at,
    account.c.display_name.label("changed_by"),
).select_from(canned_answer.outerjoin(account, account.c.id == _c.changed_by))
CANNED: Final = _CANNED.order_by(_c.name_key, _c.language)
CANNED_ONE: Final = _CANNED.where(_c.id == bindparam("id_"))
ADD_CANNED: Final = (
    insert(canned_answer)
    .values({c.name: bindparam(c.name) for c in canned_answer.c})
    .on_conflict_do_nothing()
)
CHANGE_CANNED: Final = (
    update(canned_answer)
    .where(_c.id == bindparam("id_"), _c.version == bindparam("seen"))
    .values(
        text=bindparam("text_"),
        version=_c.version + 1,
        changed_at=bindparam("now"),
        changed_by=bindparam("by"),
    )
)
REMOVE_CANNED: Final = delete(canned_answer).where(
    _c.id == bindparam("id_"), _c.version == bindparam("seen")
)
