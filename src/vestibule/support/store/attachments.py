"""The table ticket_attachment and its statements.

Every statement of a client names its account: of somebody else's file not even this process
learns anything. What waits to be sent is seen by whoever added it alone.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    Index,
    LargeBinary,
    Table,
    Text,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from vestibule.base.audit import JOURNAL
from vestibule.base.database import insert, metadata
from vestibule.base.orphans import NAMES
from vestibule.support.store.tickets import ticket, ticket_message

ticket_attachment: Final = Table(
    "ticket_attachment",
    metadata,
    Column("id", Text, primary_key=True),
    # Whose conversation it is in, whoever has added it.
    Column("account_id", Text, nullable=False),
    # Known before there is such a conversation: derived from the form that begins it.
    Column("ticket_id", Text, nullable=False),
    Column("message_id", Text),
    Column("added_by", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    # A capture's list of requests lies behind it, in the same object: whole or absent with it.
    Column("index_size", BigInteger, nullable=False),
    Column("stored_size", BigInteger, nullable=False),
    # Where the file is and what opens it; both go with it.
    Column("object", Text, unique=True),
    Column("key", LargeBinary),
    Column("report", LargeBinary),
    Column("entries", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    *JOURNAL(),
    Index("ticket_attachment_added", "added_by", "at"),
    Index("ticket_attachment_ticket", "ticket_id"),
)

_a, _t, _m = ticket_attachment.c, ticket.c, ticket_message.c
_answer = ticket_message.alias("answer")
_JOURNAL: Final = ("event", "event_at", "actor", "source", "result", "audit_detail")


def _journal() -> dict[str, BindParameter[object]]:
    return {name: bindparam(name) for name in _JOURNAL}


_NO_FILE: Final = {"object": None, "key": None, "report": None}

# --- adding and sending ------------------------------------------------------------------------

ADD: Final = insert(ticket_attachment).values({c.name: bindparam(c.name) for c in _a})
_OWN_WAITING: Final = and_(
    _a.ticket_id == bindparam("ticket_id_"),
    _a.added_by == bindparam("added_by_"),
    _a.state == "waiting",
)
# What waits for this message, and what its author has added in a day.
ROOM: Final = select(
    func.coalesce(func.sum(case((_OWN_WAITING, 1), else_=0)), 0).label("waiting"),
    func.coalesce(func.sum(case((_a.at > bindparam("since"), 1), else_=0)), 0).label("today"),
).where(
    _a.added_by == bindparam("added_by_"),
    or_(_a.state == "waiting", _a.at > bindparam("since")),
)
SEND: Final = (
    update(ticket_attachment)
    .where(_a.id == bindparam("id_"), _OWN_WAITING)
    .values(message_id=bindparam("message_id"), state="sent", expires_at=None, **_journal())
)

# --- reading -----------------------------------------------------------------------------------

# Whether staff has written since its message.
_WRITTEN_AT: Final = (
    select(_m.at).where(_m.id == _a.message_id).correlate(ticket_attachment).scalar_subquery()
)
_ANSWERED: Final = (
    select(_answer.c.id)
    .where(
        _answer.c.ticket_id == _a.ticket_id,
        _answer.c.by == "staff",
        _answer.c.at >= _WRITTEN_AT,
    )
    .correlate(ticket_attachment)
    .exists()
)
_SHOWN: Final = select(
    _a.id,
    _a.account_id,
    _a.ticket_id,
    _a.message_id,
    _a.added_by,
    _a.kind,
    _a.name,
    _a.media,
    _a.size,
    _a.entries,
    _a.state,
    _a.at,
    _a.expires_at,
    _ANSWERED.label("answered"),
)
WAITING: Final = _SHOWN.add_columns(_a.report).where(_OWN_WAITING).order_by(_a.at, _a.id)
OF_TICKET: Final = _SHOWN.where(
    _a.ticket_id == bindparam("ticket_id_"), _a.state.in_(("sent", "gone"))
).order_by(_a.at, _a.id)
# What opens a file, of one that its owner or staff may see now.
_FILES: Final = _SHOWN.add_columns(_a.object, _a.key, _a.index_size, _a.report)
OF_CLIENT: Final = _FILES.where(
    _a.id == bindparam("id_"),
    _a.account_id == bindparam("account_id_"),
    _a.ticket_id == bindparam("ticket_id_"),
    or_(_a.state == "sent", _OWN_WAITING),
)
FOR_STAFF: Final = _FILES.where(
    _a.id == bindparam("id_"),
    _a.ticket_id == bindparam("ticket_id_"),
    or_(_a.state == "sent", _OWN_WAITING),
)

# --- what is taken away ------------------------------------------------------------------------

REMOVE: Final = (
    update(ticket_attachment)
    .where(
        _a.id == bindparam("id_"),
        _a.ticket_id == bindparam("ticket_id_"),
        _a.added_by == bindparam("added_by_"),
        or_(_a.state == "waiting", and_(_a.state == "sent", ~_ANSWERED)),
    )
    .values(state="removed", **_NO_FILE, **_journal())
)
# While a conversation is open, or was closed only a while ago, its files stay.
_STAYS: Final = (
    select(_t.id)
    .where(
        _t.id == _a.ticket_id,
        or_(_t.closed_at.is_(None), _t.closed_at > bindparam("closed_before")),
    )
    .exists()
)
_DUE: Final = or_(
    and_(_a.state == "waiting", _a.expires_at <= bindparam("now")),
    and_(_a.state == "sent", ~_STAYS),
)
DUE: Final = (
    select(_a.id, _a.state, _a.object, _a.kind, _a.size).where(_DUE).limit(bindparam("most"))
)
EXPIRE: Final = (
    update(ticket_attachment)
    .where(_a.id == bindparam("id_"), _a.state == bindparam("from_state"), _DUE)
    .values(state=bindparam("to_state"), **_NO_FILE, **_journal())
)
_TICKET: Final = select(_t.id).where(_t.id == _a.ticket_id).exists()
SWEEP: Final = delete(ticket_attachment).where(
    or_(
        and_(_a.state == "removed", _a.event_at < bindparam("removed_before")),
        and_(_a.state == "gone", ~_TICKET),
    )
)

NAMED: Final = select(_a.object).where(_a.object.in_(NAMES))
