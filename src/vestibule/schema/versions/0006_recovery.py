"""The tables of recovery."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
)

from vestibule.base import audit

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "recovery_case",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("device_id", Text(), nullable=False),
        Column("label", Text(), nullable=False),
        Column("platform", Text(), nullable=False),
        Column("former", Text(), nullable=True),
        Column("state", Text(), nullable=False),
        Column("situation", Text(), nullable=False),
        Column("way", Text(), nullable=True),
        Column("replaces", Text(), nullable=False),
        Column("rests", Boolean(), nullable=False),
        Column("asked", LargeBinary(), nullable=True),
        Column("tries", Integer(), nullable=False),
        Column("ticket_id", Text(), nullable=True),
        Column("enrollment_id", Text(), nullable=True),
        Column("replaced", Text(), nullable=False),
        Column("rests_until", BigInteger(), nullable=True),
        Column("opened_at", BigInteger(), nullable=False),
        Column("expires_at", BigInteger(), nullable=False),
        Column("browser", Text(), nullable=False),
        Column("address", Text(), nullable=False),
        Column("place", Text(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("event", Text(), nullable=True),
        Column("event_at", BigInteger(), nullable=True),
        Column("actor", Text(), nullable=True),
        Column("source", Text(), nullable=True),
        Column("result", Text(), nullable=True),
        Column("audit_detail", Text(), nullable=True),
        PrimaryKeyConstraint("id", name=op.f("pk_recovery_case")),
    )
    op.create_index("recovery_case_account", "recovery_case", ["account_id", "state"])
    op.create_index("recovery_case_enrollment", "recovery_case", ["enrollment_id"])
    dialect = op.get_bind().dialect.name
    for statement in audit.triggers("recovery_case", dialect, moves="state"):
        op.execute(statement)
