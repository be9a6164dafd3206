"""The tables of the desk: tickets, messages, attachments."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)

from vestibule.base import audit

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    _tickets()
    _messages()
    _staff()
    _attachments()


def _tickets() -> None:
    op.add_column("account", Column("unread_message", BigInteger(), nullable=True))
    op.create_table(
        "ticket",
        Column("id", Text(), nullable=False),
        Column("number", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("topic", Text(), nullable=False),
        Column("subject", Text(), nullable=False),
        Column("language", Text(), nullable=False),
        Column("priority", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("assigned_to", Text(), nullable=True),
        Column("opened_at", BigInteger(), nullable=False),
        Column("state_at", BigInteger(), nullable=False),
        Column("waiting_since", BigInteger(), nullable=True),
        Column("due_at", BigInteger(), nullable=True),
        Column("first_answered_at", BigInteger(), nullable=True),
        Column("answered_at", BigInteger(), nullable=True),
        Column("closed_at", BigInteger(), nullable=True),
        Column("client_seen_at", BigInteger(), nullable=True),
        Column("remind_at", BigInteger(), nullable=True),
        Column("reminders", Integer(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("event", Text(), nullable=True),
        Column("event_at", BigInteger(), nullable=True),
        Column("actor", Text(), nullable=True),
        Column("source", Text(), nullable=True),
        Column("result", Text(), nullable=True),
        Column("audit_detail", Text(), nullable=True),
        PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        UniqueConstraint("number", name=op.f("uq_ticket_number")),
    )
    op.create_index("ticket_account", "ticket", ["account_id", "state_at"])
    op.create_index("ticket_opened", "ticket", ["opened_at"])
    for name, column, where in (
        ("ticket_open", "due_at", text("closed_at IS NULL")),
        ("ticket_remind", "remind_at", text("remind_at IS NOT NULL")),
    ):
        op.create_index(name, "ticket", [column], sqlite_where=where, postgresql_where=where)
    dialect = op.get_bind().dialect.name
    for statement in audit.triggers("ticket", dialect, moves="state"):
        op.execute(statement)


def _messages() -> None:
    op.create_table(
        "ticket_message",
        Column("id", Text(), nullable=False),
        Column("ticket_id", Text(), nullable=False),
        Column("author_id", Text(), nullable=False),
        Column("by", Text(), nullable=False),
        Column("text", Text(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_ticket_message")),
    )
    op.create_index("ticket_message_ticket", "ticket_message", ["ticket_id", "at"])
    op.create_table(
        "ticket_preference",
        Column("account_id", Text(), nullable=False),
        Column("text_in_mails", Boolean(), nullable=False),
        PrimaryKeyConstraint("account_id", name=op.f("pk_ticket_preference")),
    )


def _staff() -> None:
    op.add_column("account", Column("staff_since", BigInteger(), nullable=True))
    # Those who are members already.
    op.execute(
        "UPDATE account SET staff_since = (SELECT since FROM staff_member "
        "WHERE staff_member.account_id = account.id)"
    )
    op.create_table(
        "canned_answer",
        Column("id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("name_key", Text(), nullable=False),
        Column("language", Text(), nullable=False),
        Column("text", Text(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("changed_at", BigInteger(), nullable=False),
        Column("changed_by", Text(), nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_canned_answer")),
        UniqueConstraint("name_key", "language", name=op.f("uq_canned_answer_name_key_language")),
    )
    op.create_table(
        "ticket_presence",
        Column("ticket_id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("seen_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("ticket_id", "account_id", name=op.f("pk_ticket_presence")),
    )


def _attachments() -> None:
    op.create_table(
        "ticket_attachment",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("ticket_id", Text(), nullable=False),
        Column("message_id", Text(), nullable=True),
        Column("added_by", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("media", Text(), nullable=False),
        Column("size", BigInteger(), nullable=False),
        Column("index_size", BigInteger(), nullable=False),
        Column("stored_size", BigInteger(), nullable=False),
        Column("object", Text(), nullable=True),
        Column("key", LargeBinary(), nullable=True),
        Column("report", LargeBinary(), nullable=True),
        Column("entries", BigInteger(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("expires_at", BigInteger(), nullable=True),
        Column("event", Text(), nullable=True),
        Column("event_at", BigInteger(), nullable=True),
        Column("actor", Text(), nullable=True),
        Column("source", Text(), nullable=True),
        Column("result", Text(), nullable=True),
        Column("audit_detail", Text(), nullable=True),
        PrimaryKeyConstraint("id", name=op.f("pk_ticket_attachment")),
        UniqueConstraint("object", name=op.f("uq_ticket_attachment_object")),
    )
    op.create_index("ticket_attachment_added", "ticket_attachment", ["added_by", "at"])
    op.create_index("ticket_attachment_ticket", "ticket_attachment", ["ticket_id"])
    dialect = op.get_bind().dialect.name
    for statement in audit.triggers("ticket_attachment", dialect, moves="state"):
        op.execute(statement)
