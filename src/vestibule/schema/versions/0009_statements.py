"""The tables of statements."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)

from vestibule.base import audit

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    _publisher()
    _uploads()
    _statement()
    op.create_table(
        "store_chore",
        Column("name", Text(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("name", name=op.f("pk_store_chore")),
    )
    dialect = op.get_context().dialect.name
    triggers = [
        *audit.triggers("publisher", dialect, moves="revoked_at"),
        # Another file cannot take a statement's place untold.
        *audit.triggers("statement", dialect, moves="object"),
    ]
    for trigger in triggers:
        op.execute(trigger)


def _publisher() -> None:
    op.create_table(
        "publisher",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=True),
        Column("name", Text(), nullable=False),
        Column("token_digest", LargeBinary(), nullable=False),
        Column("created_at", BigInteger(), nullable=False),
        Column("used_at", BigInteger(), nullable=True),
        Column("revoked_at", BigInteger(), nullable=True),
        *_journal(),
        PrimaryKeyConstraint("id", name=op.f("pk_publisher")),
        UniqueConstraint("name", name=op.f("uq_publisher_name")),
        UniqueConstraint("token_digest", name=op.f("uq_publisher_token_digest")),
    )


def _uploads() -> None:
    op.create_table(
        "upload",
        Column("id", Text(), nullable=False),
        Column("publisher_id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("period", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("name_key", Text(), nullable=False),
        Column("media", Text(), nullable=False),
        Column("size", BigInteger(), nullable=False),
        Column("sha256", LargeBinary(), nullable=False),
        Column("replace", Boolean(), nullable=False),
        Column("offset", BigInteger(), nullable=False),
        Column("seal", LargeBinary(), nullable=False),
        Column("opened_at", BigInteger(), nullable=False),
        Column("touched_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        UniqueConstraint(
            "publisher_id",
            "account_id",
            "kind",
            "name_key",
            "sha256",
            "size",
            name=op.f("uq_upload_publisher_id_account_id_kind_name_key_sha256_size"),
        ),
    )
    op.create_index("upload_touched", "upload", ["touched_at"], unique=False)
    op.create_table(
        "upload_part",
        Column("upload_id", Text(), nullable=False),
        Column("offset", BigInteger(), nullable=False),
        Column("size", BigInteger(), nullable=False),
        Column("object", Text(), nullable=False),
        PrimaryKeyConstraint("upload_id", "offset", name=op.f("pk_upload_part")),
        UniqueConstraint("object", name=op.f("uq_upload_part_object")),
    )


def _statement() -> None:
    op.create_table(
        "statement",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("period", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("name_key", Text(), nullable=False),
        Column("media", Text(), nullable=False),
        Column("size", BigInteger(), nullable=False),
        Column("stored_size", BigInteger(), nullable=False),
        Column("sha256", LargeBinary(), nullable=False),
        Column("encrypted_to", Text(), nullable=True),
        Column("object", Text(), nullable=False),
        Column("published_at", BigInteger(), nullable=False),
        Column("purge_at", BigInteger(), nullable=False),
        Column("told_at", BigInteger(), nullable=True),
        Column("seen_at", BigInteger(), nullable=True),
        *_journal(),
        PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        UniqueConstraint(
            "account_id", "kind", "name_key", name=op.f("uq_statement_account_id_kind_name_key")
        ),
        UniqueConstraint("object", name=op.f("uq_statement_object")),
    )
    op.create_index("statement_purge", "statement", ["purge_at"], unique=False)
    for name, column, condition in (
        ("statement_untold", "published_at", "told_at IS NULL"),
        ("statement_plain", "account_id", "encrypted_to IS NULL"),
    ):
        op.create_index(
            name,
            "statement",
            [column],
            unique=False,
            sqlite_where=text(condition),
            postgresql_where=text(condition),
        )


def _journal() -> list[Column[str] | Column[int]]:
    return [
        Column("event", Text(), nullable=True),
        Column("event_at", BigInteger(), nullable=True),
        Column("actor", Text(), nullable=True),
        Column("source", Text(), nullable=True),
        Column("result", Text(), nullable=True),
        Column("audit_detail", Text(), nullable=True),
    ]
