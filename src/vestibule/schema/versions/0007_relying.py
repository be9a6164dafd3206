"""The table of relying: terminals that ask to be let in."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

from vestibule.base import audit

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "terminal_grant",
        Column("id", Text(), nullable=False),
        Column("way", Text(), nullable=False),
        Column("account_id", Text(), nullable=True),
        Column("state", Text(), nullable=False),
        Column("device_digest", LargeBinary(), nullable=False),
        Column("user_digest", LargeBinary(), nullable=True),
        Column("name", Text(), nullable=False),
        Column("address", Text(), nullable=False),
        Column("place", Text(), nullable=False),
        Column("attempt_id", Text(), nullable=True),
        Column("held", LargeBinary(), nullable=True),
        Column("proof", Text(), nullable=True),
        Column("enrollment_id", Text(), nullable=True),
        Column("interval_s", Integer(), nullable=False),
        Column("polled_at", BigInteger(), nullable=False),
        Column("opened_at", BigInteger(), nullable=False),
        Column("expires_at", BigInteger(), nullable=False),
        Column("event", Text(), nullable=True),
        Column("event_at", BigInteger(), nullable=True),
        Column("actor", Text(), nullable=True),
        Column("source", Text(), nullable=True),
        Column("result", Text(), nullable=True),
        Column("audit_detail", Text(), nullable=True),
        PrimaryKeyConstraint("id", name=op.f("pk_terminal_grant")),
        UniqueConstraint("device_digest", name=op.f("uq_terminal_grant_device_digest")),
        UniqueConstraint("user_digest", name=op.f("uq_terminal_grant_user_digest")),
    )
    op.create_index("terminal_grant_expires", "terminal_grant", ["expires_at"], unique=False)
    for statement in audit.triggers("terminal_grant", op.get_context().dialect.name):
        op.execute(statement)
