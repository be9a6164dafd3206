"""The tables of delivery."""

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

revision = "0008"
down_revision = "0007"

# Tables whose events the database writes, each with the column whose change is never untold.
JOURNALLED = {
    "delivery_home": "enabled",
    "delivery_key": "removed_at",
    "delivery_certificate": "removed_at",
}
_LIVE = text("removed_at IS NULL")


def upgrade() -> None:
    _home()
    _key()
    _certificate()
    _visit()
    _host_key()
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


def _home() -> None:
    op.create_table(
        "delivery_home",
        Column("account_id", Text(), nullable=False),
        Column("id", Text(), nullable=False),
        Column("username", Text(), nullable=False),
        Column("enabled", Boolean(), nullable=False),
        Column("networks", Text(), nullable=False),
        Column("notices", Text(), nullable=False),
        Column("created_at", BigInteger(), nullable=False),
        *_journal(),
        PrimaryKeyConstraint("account_id", name=op.f("pk_delivery_home")),
        UniqueConstraint("username", name=op.f("uq_delivery_home_username")),
    )
    op.create_table(
        "delivery_network",
        Column("account_id", Text(), nullable=False),
        Column("network", Text(), nullable=False),
        PrimaryKeyConstraint("account_id", "network", name=op.f("pk_delivery_network")),
    )
    op.create_index("delivery_network_network", "delivery_network", ["network"], unique=False)


def _key() -> None:
    op.create_table(
        "delivery_key",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("label", Text(), nullable=False),
        Column("algorithm", Text(), nullable=False),
        Column("bits", Integer(), nullable=False),
        Column("fingerprint", Text(), nullable=False),
        Column("blob", LargeBinary(), nullable=False),
        Column("added_at", BigInteger(), nullable=False),
        Column("used_at", BigInteger(), nullable=True),
        Column("used_from", Text(), nullable=True),
        Column("removed_at", BigInteger(), nullable=True),
        *_journal(),
        PrimaryKeyConstraint("id", name=op.f("pk_delivery_key")),
    )
    op.create_index(
        "delivery_key_account", "delivery_key", ["account_id", "removed_at"], unique=False
    )
    op.create_index("delivery_key_fingerprint", "delivery_key", ["fingerprint"], unique=False)
    op.create_index(
        "delivery_key_once",
        "delivery_key",
        ["account_id", "fingerprint"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )


def _certificate() -> None:
    op.create_table(
        "delivery_certificate",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("fingerprint", Text(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("user_id", Text(), nullable=False),
        Column("algorithm", Text(), nullable=False),
        Column("expires_at", BigInteger(), nullable=True),
        Column("data", LargeBinary(), nullable=False),
        Column("added_at", BigInteger(), nullable=False),
        Column("removed_at", BigInteger(), nullable=True),
        Column("warned", Integer(), nullable=True),
        *_journal(),
        PrimaryKeyConstraint("id", name=op.f("pk_delivery_certificate")),
    )
    op.create_index(
        "delivery_certificate_once",
        "delivery_certificate",
        ["account_id"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_index(
        "delivery_certificate_end",
        "delivery_certificate",
        ["expires_at"],
        unique=False,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )


def _visit() -> None:
    op.create_table(
        "delivery_visit",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("last_at", BigInteger(), nullable=False),
        Column("times", Integer(), nullable=False),
        Column("username", Text(), nullable=False),
        Column("address", Text(), nullable=False),
        Column("program", Text(), nullable=False),
        Column("outcome", Text(), nullable=False),
        Column("accepted", Boolean(), nullable=False),
        Column("fingerprint", Text(), nullable=True),
        Column("key_id", Text(), nullable=True),
        Column("detail", Text(), nullable=False),
        Column("files", BigInteger(), nullable=False),
        Column("bytes", BigInteger(), nullable=False),
        Column("ended_at", BigInteger(), nullable=True),
        Column("ended_as", Text(), nullable=True),
        PrimaryKeyConstraint("id", name=op.f("pk_delivery_visit")),
    )
    op.create_index(
        "delivery_visit_account", "delivery_visit", ["account_id", "last_at"], unique=False
    )
    op.create_index("delivery_visit_last", "delivery_visit", ["last_at"], unique=False)


def _host_key() -> None:
    op.create_table(
        "ssh_host_key",
        Column("algorithm", Text(), nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        Column("made_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("algorithm", name=op.f("pk_ssh_host_key")),
    )
