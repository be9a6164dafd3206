"""The tables of contacts."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    text,
)

from vestibule.base import audit

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _contact()
    _contact_code()
    for statement in audit.triggers("contact", op.get_bind().dialect.name):
        op.execute(statement)


def _contact() -> None:
    op.create_table(
        "contact",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("address", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("verified_at", BigInteger(), nullable=True),
        Column("added_at", BigInteger(), nullable=False),
        Column("removed_at", BigInteger(), nullable=True),
        Column("preferred", Boolean(), nullable=False),
        Column("event", Text(), nullable=True),
        Column("event_at", BigInteger(), nullable=True),
        Column("actor", Text(), nullable=True),
        Column("source", Text(), nullable=True),
        Column("result", Text(), nullable=True),
        Column("audit_detail", Text(), nullable=True),
        PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    op.create_index("contact_account", "contact", ["account_id", "state"], unique=False)
    op.create_index(
        "contact_once",
        "contact",
        ["account_id", "kind", "address"],
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    )


def _contact_code() -> None:
    op.create_table(
        "contact_code",
        Column("subject", Text(), nullable=False),
        Column("contact_id", Text(), nullable=False),
        Column("purpose", Text(), nullable=False),
        Column("code_digest", LargeBinary(), nullable=False),
        Column("tries", Integer(), nullable=False),
        Column("sends", Integer(), nullable=False),
        Column("resend_at", BigInteger(), nullable=False),
        Column("expires_at", BigInteger(), nullable=False),
        Column("by", Text(), nullable=False),
        Column("used_at", BigInteger(), nullable=True),
        PrimaryKeyConstraint("subject", name=op.f("pk_contact_code")),
    )
    op.create_index("contact_code_expires", "contact_code", ["expires_at"], unique=False)
