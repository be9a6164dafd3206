"""The first tables.

What a store describes and what these make is compared by a test: change a table in its store and
in a migration of its own.
"""

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

revision = "0001"
down_revision = None

# Tables whose events the database writes, each with the column whose change is never untold.
JOURNALLED = {
    "activation_ticket": "state",
    "enrollment": "revoked_at",
    "login_attempt": "state",
    "portal_session": "ended_at",
}


def upgrade() -> None:
    _account()
    _activation_ticket()
    _audit_event()
    _enrollment()
    _limit_state()
    _login_attempt()
    _portal_session()
    dialect = op.get_bind().dialect.name
    for statement in audit.guards(dialect):
        op.execute(statement)
    for table, moves in JOURNALLED.items():
        for statement in audit.triggers(table, dialect, moves=moves):
            op.execute(statement)


def _account() -> None:
    op.create_table(
        "account",
        Column("id", Text(), nullable=False),
        Column("username", Text(), nullable=False),
        Column("username_key", Text(), nullable=False),
        Column("display_name", Text(), nullable=False),
        Column("password_hash", Text(), nullable=False),
        Column("seamless", Boolean(), nullable=False),
        Column("password_change_needed", Boolean(), nullable=False),
        Column("pushes_stopped_until", BigInteger(), nullable=True),
        Column("language", Text(), nullable=True),
        Column("timezone", Text(), nullable=True),
        Column("networks", Text(), nullable=True),
        Column("quiet_from", Integer(), nullable=True),
        Column("quiet_until", Integer(), nullable=True),
        Column("renew_at", Integer(), nullable=True),
        Column("guarded_until", BigInteger(), nullable=True),
        Column("unread_notice", BigInteger(), nullable=True),
        Column("disabled_at", BigInteger(), nullable=True),
        Column("created_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_account")),
        UniqueConstraint("username_key", name=op.f("uq_account_username_key")),
    )


def _activation_ticket() -> None:
    op.create_table(
        "activation_ticket",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("session_id", Text(), nullable=True),
        Column("locator", Text(), nullable=False),
        Column("code_digest", LargeBinary(), nullable=False),
        Column("link_digest", LargeBinary(), nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("tries", Integer(), nullable=False),
        Column("opened_at", BigInteger(), nullable=False),
        Column("expires_at", BigInteger(), nullable=False),
        Column("enrollment_id", Text(), nullable=True),
        Column("authority", Text(), nullable=False),
        Column("replaces", Text(), nullable=True),
        Column("case_id", Text(), nullable=True),
        Column("event", Text(), nullable=True),
        Column("event_at", BigInteger(), nullable=True),
        Column("actor", Text(), nullable=True),
        Column("source", Text(), nullable=True),
        Column("result", Text(), nullable=True),
        Column("audit_detail", Text(), nullable=True),
        PrimaryKeyConstraint("id", name=op.f("pk_activation_ticket")),
        UniqueConstraint("link_digest", name=op.f("uq_activation_ticket_link_digest")),
        UniqueConstraint("locator", name=op.f("uq_activation_ticket_locator")),
    )
    op.create_index(
        "activation_ticket_session", "activation_ticket", ["session_id", "opened_at"], unique=False
    )


def _audit_event() -> None:
    op.create_table(
        "audit_event",
        Column("id", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("event", Text(), nullable=False),
        Column("account_id", Text(), nullable=True),
        Column("subject", Text(), nullable=True),
        Column("actor", Text(), nullable=False),
        Column("source", Text(), nullable=False),
        Column("result", Text(), nullable=False),
        Column("detail", Text(), nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index(
        "ix_audit_event_account_id_at", "audit_event", ["account_id", "at"], unique=False
    )
    op.create_index("ix_audit_event_at", "audit_event", ["at"], unique=False)


def _enrollment() -> None:
    op.create_table(
        "enrollment",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("device_id", Text(), nullable=False),
        Column("label", Text(), nullable=False),
        Column("platform", Text(), nullable=False),
        Column("public_key", LargeBinary(), nullable=False),
        Column("response_key", LargeBinary(), nullable=False),
        Column("knowledge_key", LargeBinary(), nullable=False),
        Column("counter", BigInteger(), nullable=False),
        Column("credential", Text(), nullable=True),
        Column("subscription", LargeBinary(), nullable=True),
        Column("push_health", Text(), nullable=False),
        Column("ntfy_topic", LargeBinary(), nullable=True),
        Column("last_delivered_at", BigInteger(), nullable=True),
        Column("created_at", BigInteger(), nullable=False),
        Column("rests_until", BigInteger(), nullable=True),
        Column("retires_at", BigInteger(), nullable=True),
        Column("revoked_at", BigInteger(), nullable=True),
        Column("event", Text(), nullable=True),
        Column("event_at", BigInteger(), nullable=True),
        Column("actor", Text(), nullable=True),
        Column("source", Text(), nullable=True),
        Column("result", Text(), nullable=True),
        Column("audit_detail", Text(), nullable=True),
        PrimaryKeyConstraint("id", name=op.f("pk_enrollment")),
    )
    op.create_index("enrollment_account", "enrollment", ["account_id", "revoked_at"], unique=False)
    op.create_index(
        "enrollment_active_device",
        "enrollment",
        ["account_id", "device_id"],
        unique=True,
        sqlite_where=text("revoked_at IS NULL AND retires_at IS NULL"),
        postgresql_where=text("revoked_at IS NULL AND retires_at IS NULL"),
    )


def _limit_state() -> None:
    op.create_table(
        "limit_state",
        Column("subject", Text(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("forgotten_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("subject", name=op.f("pk_limit_state")),
    )
    op.create_index("ix_limit_state_forgotten_at", "limit_state", ["forgotten_at"], unique=False)


def _login_attempt() -> None:
    op.create_table(
        "login_attempt",
        Column("id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("account_id", Text(), nullable=True),
        Column("session_id", Text(), nullable=True),
        Column("detail", Text(), nullable=False),
        Column("enrollment_id", Text(), nullable=True),
        Column("factor_id", Text(), nullable=True),
        Column("state", Text(), nullable=False),
        Column("round", Integer(), nullable=False),
        Column("browser_digest", LargeBinary(), nullable=False),
        Column("known_digest", LargeBinary(), nullable=True),
        Column("known", Boolean(), nullable=False),
        Column("push", Boolean(), nullable=False),
        Column("number", Boolean(), nullable=False),
        Column("challenge", Text(), nullable=False),
        Column("tries", Integer(), nullable=False),
        Column("proofs", Integer(), nullable=False),
        Column("resync_counter", BigInteger(), nullable=True),
        Column("request", Text(), nullable=True),
        Column("request_expires_at", BigInteger(), nullable=False),
        Column("challenge_expires_at", BigInteger(), nullable=False),
        Column("expires_at", BigInteger(), nullable=False),
        Column("proof", Text(), nullable=True),
        Column("browser", Text(), nullable=False),
        Column("address", Text(), nullable=False),
        Column("place", Text(), nullable=False),
        Column("claimed", Boolean(), nullable=False),
        Column("passwordless", Boolean(), nullable=False),
        Column("opened_at", BigInteger(), nullable=False),
        Column("event", Text(), nullable=True),
        Column("event_at", BigInteger(), nullable=True),
        Column("actor", Text(), nullable=True),
        Column("source", Text(), nullable=True),
        Column("result", Text(), nullable=True),
        Column("audit_detail", Text(), nullable=True),
        PrimaryKeyConstraint("id", name=op.f("pk_login_attempt")),
    )
    op.create_index(
        "login_attempt_account", "login_attempt", ["account_id", "opened_at"], unique=False
    )
    op.create_index(
        "login_attempt_enrollment", "login_attempt", ["enrollment_id", "opened_at"], unique=False
    )


def _portal_session() -> None:
    op.create_table(
        "portal_session",
        Column("id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("attempt_id", Text(), nullable=True),
        Column("browser_digest", LargeBinary(), nullable=True),
        Column("proof", Text(), nullable=False),
        Column("proved_at", BigInteger(), nullable=False),
        Column("enrollment_id", Text(), nullable=True),
        Column("factor_id", Text(), nullable=True),
        Column("outgrown", Boolean(), nullable=False),
        Column("browser", Text(), nullable=False),
        Column("address", Text(), nullable=False),
        Column("place", Text(), nullable=False),
        Column("opened_at", BigInteger(), nullable=False),
        Column("seen_at", BigInteger(), nullable=False),
        Column("expires_at", BigInteger(), nullable=False),
        Column("ended_at", BigInteger(), nullable=True),
        Column("end_reason", Text(), nullable=True),
        Column("event", Text(), nullable=True),
        Column("event_at", BigInteger(), nullable=True),
        Column("actor", Text(), nullable=True),
        Column("source", Text(), nullable=True),
        Column("result", Text(), nullable=True),
        Column("audit_detail", Text(), nullable=True),
        PrimaryKeyConstraint("id", name=op.f("pk_portal_session")),
        UniqueConstraint("attempt_id", name=op.f("uq_portal_session_attempt_id")),
    )
    op.create_index(
        "portal_session_account", "portal_session", ["account_id", "opened_at"], unique=False
    )
