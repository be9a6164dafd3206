"""The tables of notifications, and the trigger that turns audit events into notices.

Which events those are stands in ``told_event``, which `schema.upgrade` fills at every start.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text, text

from vestibule.notifications import store

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _told_event()
    _notice()
    _delivery()
    _push_test()
    for statement in store.triggers(op.get_bind().dialect.name):
        op.execute(statement)


def _told_event() -> None:
    op.create_table(
        "told_event",
        Column("event", Text(), nullable=False),
        Column("weight", Text(), nullable=False),
        Column("only_detail", Text(), nullable=False),
        Column("unless_detail", Text(), nullable=False),
        PrimaryKeyConstraint("event", name=op.f("pk_told_event")),
    )


def _notice() -> None:
    op.create_table(
        "notice",
        Column("id", BigInteger(), autoincrement=False, nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("event", Text(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("subject", Text(), nullable=True),
        Column("source", Text(), nullable=False),
        Column("detail", Text(), nullable=False),
        Column("weight", Text(), nullable=False),
        Column("told_at", BigInteger(), nullable=True),
        Column("read_at", BigInteger(), nullable=True),
        PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index("notice_account", "notice", ["account_id", "id"], unique=False)
    op.create_index("ix_notice_at", "notice", ["at"], unique=False)
    op.create_index(
        "notice_untold",
        "notice",
        ["id"],
        unique=False,
        sqlite_where=text("told_at IS NULL"),
        postgresql_where=text("told_at IS NULL"),
    )


def _delivery() -> None:
    op.create_table(
        "delivery",
        Column("notice_id", BigInteger(), nullable=False),
        Column("way", Text(), nullable=False),
        Column("target", Text(), nullable=False),
        Column("address", Text(), nullable=False),
        Column("tries", Integer(), nullable=False),
        Column("next_try_at", BigInteger(), nullable=True),
        Column("outcome", Text(), nullable=True),
        Column("ended_at", BigInteger(), nullable=True),
        PrimaryKeyConstraint("notice_id", "way", "target", name=op.f("pk_delivery")),
    )
    op.create_index(
        "delivery_due",
        "delivery",
        ["next_try_at"],
        unique=False,
        sqlite_where=text("next_try_at IS NOT NULL"),
        postgresql_where=text("next_try_at IS NOT NULL"),
    )


def _push_test() -> None:
    op.create_table(
        "push_test",
        Column("id", Text(), nullable=False),
        Column("enrollment_id", Text(), nullable=False),
        Column("sent_at", BigInteger(), nullable=False),
        Column("outcome", Text(), nullable=False),
        Column("second", Text(), nullable=False),
        Column("delivered_at", BigInteger(), nullable=True),
        PrimaryKeyConstraint("id", name=op.f("pk_push_test")),
    )
    op.create_index("push_test_enrollment", "push_test", ["enrollment_id", "sent_at"], unique=False)
