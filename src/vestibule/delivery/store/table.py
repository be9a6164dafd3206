"""The tables of delivery homes, their networks, keys, certificates and visits, and of host keys."""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    bindparam,
)

from vestibule.base.audit import JOURNAL
from vestibule.base.database import metadata

delivery_home: Final = Table(
    "delivery_home",
    metadata,
    Column("account_id", Text, primary_key=True),
    # The same again: the journal's triggers name the record by it.
    Column("id", Text, nullable=False),
    Column("username", Text, nullable=False, unique=True),
    Column("enabled", Boolean, nullable=False),
    Column("networks", Text, nullable=False),
    Column("notices", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    *JOURNAL(),
)
_h = delivery_home.c

# The same networks once more, each a row: whose list holds an address is found by an index.
delivery_network: Final = Table(
    "delivery_network",
    metadata,
    Column("account_id", Text, nullable=False),
    Column("network", Text, nullable=False),
    PrimaryKeyConstraint("account_id", "network"),
    Index("delivery_network_network", "network"),
)
_n = delivery_network.c

delivery_key: Final = Table(
    "delivery_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("bits", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Column("used_from", Text),
    Column("removed_at", BigInteger),
    *JOURNAL(),
    Index("delivery_key_account", "account_id", "removed_at"),
    Index("delivery_key_fingerprint", "fingerprint"),
)
_k = delivery_key.c
# Once per account, whatever raced; another account may have the same.
Index(
    "delivery_key_once",
    _k.account_id,
    _k.fingerprint,
    unique=True,
    sqlite_where=_k.removed_at.is_(None),
    postgresql_where=_k.removed_at.is_(None),
)

delivery_certificate: Final = Table(
    "delivery_certificate",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("expires_at", BigInteger),
    Column("data", LargeBinary, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    # How many days before its end the owner was last told; 0: that it has come.
    Column("warned", Integer),
    *JOURNAL(),
)
_x = delivery_certificate.c
Index(
    "delivery_certificate_once",
    _x.account_id,
    unique=True,
    sqlite_where=_x.removed_at.is_(None),
    postgresql_where=_x.removed_at.is_(None),
)

Index(
    "delivery_certificate_end",
    _x.expires_at,
    sqlite_where=_x.removed_at.is_(None),
    postgresql_where=_x.removed_at.is_(None),
)

delivery_visit: Final = Table(
    "delivery_visit",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    Column("username", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("program", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("fingerprint", Text),
    Column("key_id", Text),
    Column("detail", Text, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_as", Text),
    Index("delivery_visit_account", "account_id", "last_at"),
    Index("delivery_visit_last", "last_at"),
)
_v = delivery_visit.c

ssh_host_key: Final = Table(
    "ssh_host_key",
    metadata,
    Column("algorithm", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)

TOLD: Final[dict[str, Any]] = {
    "event": bindparam("event_"),
    "event_at": bindparam("now"),
    "actor": bindparam("actor_"),
    "source": bindparam("source_"),
    "result": "ok",
    "audit_detail": bindparam("detail"),
}


def all_columns(table: Table) -> dict[str, Any]:
    """A parameter for each column, by its name."""
    return {column.name: bindparam(column.name) for column in table.c}
