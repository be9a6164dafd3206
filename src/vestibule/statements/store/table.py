"""The tables of statements."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    select,
)

from vestibule.base.audit import JOURNAL
from vestibule.base.database import metadata
from vestibule.delivery.store import delivery_certificate

publisher: Final = Table(
    "publisher",
    metadata,
    Column("id", Text, primary_key=True),
    # Always null: a publisher belongs to nobody. The journal wants the column.
    Column("account_id", Text),
    Column("name", Text, nullable=False, unique=True),
    Column("token_digest", LargeBinary, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Column("revoked_at", BigInteger),
    *JOURNAL(),
)

upload: Final = Table(
    "upload",
    metadata,
    Column("id", Text, primary_key=True),
    Column("publisher_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("media", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("replace", Boolean, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("touched_at", BigInteger, nullable=False),
    # The same announcement leads to the same upload, so that nothing has to be remembered.
    UniqueConstraint("publisher_id", "account_id", "kind", "name_key", "sha256", "size"),
    Index("upload_touched", "touched_at"),
)

upload_part: Final = Table(
    "upload_part",
    metadata,
    Column("upload_id", Text, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    # Not made of upload and offset: two writers at one offset may not write over each other.
    Column("object", Text, nullable=False, unique=True),
    PrimaryKeyConstraint("upload_id", "offset"),
)

statement: Final = Table(
    "statement",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("media", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("stored_size", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("encrypted_to", Text),
    Column("object", Text, nullable=False, unique=True),
    Column("published_at", BigInteger, nullable=False),
    Column("purge_at", BigInteger, nullable=False),
    Column("told_at", BigInteger),
    Column("seen_at", BigInteger),
    *JOURNAL(),
    UniqueConstraint("account_id", "kind", "name_key"),
    Index("statement_purge", "purge_at"),
)

store_chore: Final = Table(
    "store_chore",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
)

_s, _c = statement.c, delivery_certificate.c
Index(
    "statement_untold",
    _s.published_at,
    sqlite_where=_s.told_at.is_(None),
    postgresql_where=_s.told_at.is_(None),
)
# What may be in clear where its owner has wanted encryption since.
Index(
    "statement_plain",
    _s.account_id,
    sqlite_where=_s.encrypted_to.is_(None),
    postgresql_where=_s.encrypted_to.is_(None),
)

JOURNAL_NAMES: Final = ("event", "event_at", "actor", "source", "result", "audit_detail")
SHOWN: Final = tuple(column for column in _s if column.name not in {*JOURNAL_NAMES, "name_key"})
LIVE: Final = _c.removed_at.is_(None)
CERTIFIED: Final = select(_c.id).where(_c.account_id == _s.account_id, LIVE).exists()
"""The statement's account wants encryption."""


def journal() -> dict[str, BindParameter[object]]:
    """The values of the JOURNAL columns, as parameters."""
    return {name: bindparam(name) for name in JOURNAL_NAMES}
