"""The tables of notices, their deliveries and test pushes, and their statements.

A notice is made by the database, in the statement that writes its audit event: no code path can
forget it, and no crash can come between.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from vestibule.accounts.store import account
from vestibule.base.database import insert, metadata
from vestibule.devices.store import enrollment
from vestibule.sessions.store import portal_session

told_event: Final = Table(
    "told_event",
    metadata,
    Column("event", Text, primary_key=True),
    Column("weight", Text, nullable=False),
    Column("only_detail", Text, nullable=False),
    Column("unless_detail", Text, nullable=False),
)

notice: Final = Table(
    "notice",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("subject", Text),
    Column("source", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("weight", Text, nullable=False),
    # Null until its deliveries are written down.
    Column("told_at", BigInteger),
    Column("read_at", BigInteger),
    Index("notice_account", "account_id", "id"),
    Index("ix_notice_at", "at"),
)

delivery: Final = Table(
    "delivery",
    metadata,
    Column("notice_id", BigInteger, nullable=False),
    Column("way", Text, nullable=False),
    # The id of the contact or of the enrollment.
    Column("target", Text, nullable=False),
    # Kept from the moment of the event, for it may be removed; empty once it is told.
    Column("address", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    # Null when nothing is left to do.
    Column("next_try_at", BigInteger),
    Column("outcome", Text),
    Column("ended_at", BigInteger),
    PrimaryKeyConstraint("notice_id", "way", "target"),
)

push_test: Final = Table(
    "push_test",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enrollment_id", Text, nullable=False),
    Column("sent_at", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("second", Text, nullable=False),
    Column("delivered_at", BigInteger),
    Index("push_test_enrollment", "enrollment_id", "sent_at"),
)

_n, _d, _p = notice.c, delivery.c, push_test.c
Index(
    "notice_untold",
    _n.id,
    sqlite_where=_n.told_at.is_(None),
    postgresql_where=_n.told_at.is_(None),
)
Index(
    "delivery_due",
    _d.next_try_at,
    sqlite_where=_d.next_try_at.is_not(None),
    postgresql_where=_d.next_try_at.is_not(None),
)

# --- what the database does by itself ----------------------------------------------------------

_TELL = (
    "INSERT INTO notice (id, account_id, event, at, subject, source, detail, weight) "
    "SELECT NEW.id, NEW.account_id, NEW.event, NEW.at, NEW.subject, NEW.source, NEW.detail, "
    "told_event.weight FROM told_event WHERE told_event.event = NEW.event "
    "AND (told_event.only_detail = '' OR NEW.detail LIKE told_event.only_detail) "
    "AND (told_event.unless_detail = '' OR NEW.detail NOT LIKE told_event.unless_detail)"
)
_UNREAD = (
    "UPDATE account SET unread_notice = NEW.id WHERE id = NEW.account_id "
    "AND EXISTS (SELECT 1 FROM notice WHERE notice.id = NEW.id)"
)
_LISTED = "EXISTS (SELECT 1 FROM told_event WHERE told_event.event = NEW.event)"


def triggers(dialect: str) -> list[str]:
    """DDL that turns audit events into notices; run after the tables and the journal exist.

    The events are those of ``told_event``, which every start fills from ``rules.TOLD``.
    """
    if dialect == "sqlite":
        return [
            (
                "CREATE TRIGGER audit_event_told AFTER INSERT ON audit_event FOR EACH ROW "
                f"WHEN NEW.account_id IS NOT NULL AND NEW.result = 'ok' AND {_LISTED} "
                f"BEGIN {_TELL}; {_UNREAD}; END"
            )
        ]
    return [
        (
            "CREATE FUNCTION audit_event_tell() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {_LISTED} THEN {_TELL}; {_UNREAD}; END IF; RETURN NULL; END $$"
        ),
        (
            "CREATE TRIGGER audit_event_told AFTER INSERT ON audit_event FOR EACH ROW "
            "WHEN (NEW.account_id IS NOT NULL AND NEW.result = 'ok') "
            "EXECUTE FUNCTION audit_event_tell()"
        ),
    ]


# --- telling -----------------------------------------------------------------------------------

UNTOLD: Final = select(_n.id).where(_n.told_at.is_(None)).order_by(_n.id).limit(bindparam("most"))

# Everything that the ways of one notice need, so that they are decided upon in one transaction.
TO_TELL: Final = (
    select(
        *notice.c,
        account.c.language,
        account.c.timezone,
        account.c.quiet_from,
        account.c.quiet_until,
        select(portal_session.c.enrollment_id)
        .where(portal_session.c.id == _n.subject)
        .scalar_subquery()
        .label("approved_by"),
    )
    .join(account, account.c.id == _n.account_id)
    .where(_n.id == bindparam("id_"))
)

PHONES: Final = select(enrollment.c.id).where(
    enrollment.c.account_id == bindparam("account_id"),
    enrollment.c.revoked_at.is_(None),
    or_(enrollment.c.subscription.is_not(None), enrollment.c.ntfy_topic.is_not(None)),
)

TEXTS_SINCE: Final = (
    select(func.count().label("texts"))
    .select_from(delivery.join(notice, _n.id == _d.notice_id))
    .where(
        _n.account_id == bindparam("account_id"),
        _n.at > bindparam("since"),
        _d.way == "sms",
        _d.target == bindparam("target"),
    )
)

TELL: Final = (
    update(notice)
    .where(_n.id == bindparam("id_"), _n.told_at.is_(None))
    .values(told_at=bindparam("now"))
)

DELIVER: Final = (
    insert(delivery)
    .values(
        notice_id=bindparam("notice_id"),
        way=bindparam("way"),
        target=bindparam("target"),
        address=bindparam("address"),
        tries=0,
        next_try_at=bindparam("next_try_at"),
    )
    .on_conflict_do_nothing()
)

DUE: Final = (
    select(_d.notice_id, _d.way, _d.target, _d.tries, _d.next_try_at)
    .where(_d.next_try_at <= bindparam("now"))
    .order_by(_d.next_try_at)
    .limit(bindparam("most"))
)
NEXT_DUE: Final = select(func.min(_d.next_try_at).label("at")).where(_d.next_try_at.is_not(None))

_THIS: Final = and_(
    _d.notice_id == bindparam("notice_id_"),
    _d.way == bindparam("way_"),
    _d.target == bindparam("target_"),
)
# Who takes a delivery moves its time: from then on it is nobody else's, until the lease is over.
LEASE: Final = (
    update(delivery)
    .where(_THIS, _d.next_try_at == bindparam("from_"))
    .values(next_try_at=bindparam("until"), tries=_d.tries + 1)
)
END: Final = (
    update(delivery)
    .where(_THIS, _d.next_try_at == bindparam("from_"))
    .values(next_try_at=None, outcome=bindparam("outcome_"), ended_at=bindparam("now"), address="")
)
AGAIN: Final = (
    update(delivery)
    .where(_THIS, _d.next_try_at == bindparam("from_"))
    .values(next_try_at=bindparam("until"), outcome=bindparam("outcome_"))
)

TO_DELIVER: Final = (
    select(
        *notice.c,
        _d.address,
        account.c.username,
        account.c.language,
        account.c.timezone,
        enrollment.c.subscription,
        enrollment.c.ntfy_topic,
    )
    .select_from(
        delivery.join(notice, _n.id == _d.notice_id)
        .join(account, account.c.id == _n.account_id)
        .outerjoin(
            enrollment, and_(enrollment.c.id == _d.target, enrollment.c.revoked_at.is_(None))
        )
    )
    .where(_THIS)
)

# --- reading -----------------------------------------------------------------------------------

_SHOWN: Final = (
    *(_n.id, _n.account_id, _n.event, _n.at, _n.subject),
    *(_n.source, _n.detail, _n.weight, _n.read_at),
)
LIST: Final = (
    select(*_SHOWN)
    .where(
        _n.account_id == bindparam("account_id"),
        _n.id > bindparam("after"),
        _n.id < bindparam("before"),
    )
    .order_by(_n.id.desc())
    .limit(bindparam("most"))
)
UNREAD: Final = select(func.count().label("unread")).where(
    _n.account_id == bindparam("account_id"), _n.read_at.is_(None)
)
READ: Final = (
    update(notice)
    .where(
        _n.account_id == bindparam("account_id_"),
        _n.id <= bindparam("upto"),
        _n.read_at.is_(None),
    )
    .values(read_at=bindparam("now"))
)
READ_ABOUT: Final = (
    update(notice)
    .where(
        _n.account_id == bindparam("account_id_"),
        _n.subject == bindparam("subject_"),
        _n.read_at.is_(None),
    )
    .values(read_at=bindparam("now"))
)
_OLD: Final[ColumnElement[bool]] = _n.at < bindparam("before")
SWEEP_DELIVERIES: Final = delete(delivery).where(
    _d.notice_id.in_(select(_n.id).where(_OLD).scalar_subquery())
)
SWEEP: Final = delete(notice).where(_OLD)

# --- phones ------------------------------------------------------------------------------------

HEALTH: Final = (
    select(
        account.c.seamless,
        account.c.language,
        account.c.timezone,
        account.c.quiet_from,
        account.c.quiet_until,
        account.c.pushes_stopped_until,
        enrollment.c.push_health,
        enrollment.c.subscription,
        enrollment.c.ntfy_topic,
        enrollment.c.last_delivered_at,
    )
    .join(account, account.c.id == enrollment.c.account_id)
    .where(enrollment.c.id == bindparam("id_"))
)

TEST: Final = insert(push_test).from_select(
    ["id", "enrollment_id", "sent_at", "outcome", "second"],
    select(
        bindparam("id", type_=Text),
        bindparam("enrollment_id", type_=Text),
        bindparam("sent_at", type_=BigInteger),
        bindparam("outcome", type_=Text),
        bindparam("second", type_=Text),
    ).where(
        select(func.count())
        .select_from(push_test)
        .where(_p.enrollment_id == bindparam("enrollment_id"), _p.sent_at > bindparam("since"))
        .scalar_subquery()
        < bindparam("most")
    ),
)
TESTED: Final = (
    update(push_test)
    .where(_p.id == bindparam("id_"))
    .values(outcome=bindparam("outcome_"), second=bindparam("second_"))
)
TEST_DELIVERED: Final = (
    update(push_test)
    .where(_p.id == bindparam("id_"), _p.delivered_at.is_(None))
    .values(delivered_at=bindparam("now"))
)
TEST_OF: Final = select(_p.sent_at, _p.outcome, _p.second, _p.delivered_at).where(
    _p.id == bindparam("id_"), _p.enrollment_id == bindparam("enrollment_id_")
)
SWEEP_TESTS: Final = delete(push_test).where(_p.sent_at < bindparam("before"))
