"""The tables of factors."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, PrimaryKeyConstraint, Text

from vestibule.base import audit

revision = "0004"
down_revision = "0003"

# Tables whose events the database writes, each with the column whose change is never untold.
JOURNALLED = {"factor": "revoked_at", "pass_request": "state"}


def upgrade() -> None:
    _factor()
    _pass_request()
    dialect = op.get_bind().dialect.name
    for table, moves in JOURNALLED.items():
        for statement in audit.triggers(table, dialect, moves=moves):
            op.execute(statement)


def _journal() -> list[Column[str] | Column[int]]:
    return [
        Column("event", Text(), nullable=True),
        Column("event_at", BigInteger(), nullable=True),
        Column("actor", Text(), nullable=True),
        Column("source", Text(), nullable=True),
        Column("result", Text(), nullable=True),
        Column("audit_detail", Text(), nullable=True),
    ]


def _factor() -> None:
    op.create_table(
        "factor",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("label", Text(), nullable=False),
        Column("secret", LargeBinary(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("created_at", BigInteger(), nullable=False),
        Column("confirmed_at", BigInteger(), nullable=True),
        Column("used_at", BigInteger(), nullable=True),
        Column("expires_at", BigInteger(), nullable=True),
        Column("revoked_at", BigInteger(), nullable=True),
        *_journal(),
        PrimaryKeyConstraint("id", name=op.f("pk_factor")),
    )
    op.create_index("factor_account", "factor", ["account_id", "revoked_at"], unique=False)


def _pass_request() -> None:
    op.create_table(
        "pass_request",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("asked_by", Text(), nullable=False),
        Column("reason", Text(), nullable=False),
        Column("asked_at", BigInteger(), nullable=False),
        Column("decided_by", Text(), nullable=True),
        Column("decided_at", BigInteger(), nullable=True),
        Column("expires_at", BigInteger(), nullable=False),
        Column("factor_id", Text(), nullable=True),
        *_journal(),
        PrimaryKeyConstraint("id", name=op.f("pk_pass_request")),
    )
    op.create_index("pass_request_asked", "pass_request", ["asked_at"], unique=False)
