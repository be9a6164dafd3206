"""What phones say of themselves, until it is attached to a message."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

from vestibule.base import audit

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "diagnosis",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("enrollment_id", Text(), nullable=False),
        Column("label", Text(), nullable=False),
        Column("reference", Text(), nullable=False),
        Column("text", LargeBinary(), nullable=True),
        Column("state", Text(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("expires_at", BigInteger(), nullable=False),
        Column("event", Text(), nullable=True),
        Column("event_at", BigInteger(), nullable=True),
        Column("actor", Text(), nullable=True),
        Column("source", Text(), nullable=True),
        Column("result", Text(), nullable=True),
        Column("audit_detail", Text(), nullable=True),
        PrimaryKeyConstraint("id", name=op.f("pk_diagnosis")),
        UniqueConstraint("reference", name=op.f("uq_diagnosis_reference")),
    )
    op.create_index("diagnosis_account", "diagnosis", ["account_id", "at"])
    for statement in audit.triggers("diagnosis", op.get_bind().dialect.name, moves="state"):
        op.execute(statement)
