"""What readers said about articles."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, PrimaryKeyConstraint, Text

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "article_feedback",
        Column("id", Text(), nullable=False),
        Column("number", Integer(), nullable=False),
        Column("language", Text(), nullable=False),
        Column("helpful", Boolean(), nullable=False),
        Column("words", Text(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_article_feedback")),
    )
    op.create_index("article_feedback_at", "article_feedback", ["at"], unique=False)
