"""The table of staff."""

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "staff_member",
        Column("account_id", Text(), nullable=False),
        Column("role", Text(), nullable=False),
        Column("since", BigInteger(), nullable=False),
        PrimaryKeyConstraint("account_id", name=op.f("pk_staff_member")),
    )
