"""The tables of delivery homes, keys, certificates, visits and host keys, and their statements."""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)

from vestibule.accounts.store import account
from vestibule.base.audit import JOURNAL
from vestibule.base.database import insert, metadata
from vestibule.delivery.rules.certificates import WARN_DAYS
from vestibule.delivery.rules.networks import OWN_MOST
from vestibule.delivery.rules.visits import OFFERED_MOST, OWNERS_MOST, VISITS_MOST

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

_JOURNAL: Final[dict[str, Any]] = {
    "event": bindparam("event_"),
    "event_at": bindparam("now"),
    "actor": bindparam("actor_"),
    "source": bindparam("source_"),
    "result": "ok",
    "audit_detail": bindparam("detail"),
}


def _all_columns(table: Table) -> dict[str, Any]:
    return {column.name: bindparam(column.name) for column in table.c}


# --- the home ----------------------------------------------------------------------------------

# Another process, or another name's luck, may have been first: who asks looks again.
MAKE_HOME: Final = (
    insert(delivery_home).values(_all_columns(delivery_home)).on_conflict_do_nothing()
)
_CERTIFICATE: Final = (
    _x.id.label("certificate_id"),
    _x.fingerprint.label("certificate_fingerprint"),
    _x.version.label("certificate_version"),
    _x.user_id.label("certificate_user_id"),
    _x.algorithm.label("certificate_algorithm"),
    _x.expires_at.label("certificate_expires_at"),
    _x.added_at.label("certificate_added_at"),
)
HOME: Final = (
    select(
        _h.account_id,
        _h.username,
        _h.enabled,
        _h.networks,
        _h.notices,
        _h.created_at,
        *_CERTIFICATE,
    )
    .select_from(
        delivery_home.outerjoin(
            delivery_certificate,
            and_(_x.account_id == _h.account_id, _x.removed_at.is_(None)),
        )
    )
    .where(_h.account_id == bindparam("account_id"))
)
SWITCH: Final = (
    update(delivery_home)
    .where(_h.account_id == bindparam("account_id_"), _h.enabled != bindparam("on"))
    .values(enabled=bindparam("on"), **_JOURNAL)
)
SET_NETWORKS: Final = (
    update(delivery_home)
    .where(_h.account_id == bindparam("account_id_"), _h.networks != bindparam("networks_"))
    .values(networks=bindparam("networks_"), **_JOURNAL)
)
SET_NOTICES: Final = (
    update(delivery_home)
    .where(_h.account_id == bindparam("account_id_"), _h.notices != bindparam("notices_"))
    .values(notices=bindparam("notices_"), **_JOURNAL)
)
FORGET_NETWORKS: Final = delete(delivery_network).where(_n.account_id == bindparam("account_id_"))
ADD_NETWORK: Final = insert(delivery_network).values(_all_columns(delivery_network))

# --- keys --------------------------------------------------------------------------------------

ADD_KEY: Final = insert(delivery_key).values(_all_columns(delivery_key))
_KEY: Final = tuple(column for column in delivery_key.c if column.name in {
    "id", "account_id", "label", "algorithm", "bits", "fingerprint", "blob",
    "added_at", "used_at", "used_from", "removed_at",
})  # fmt: skip
KEYS: Final = (
    select(*_KEY)
    .where(_k.account_id == bindparam("account_id"), _k.removed_at.is_(None))
    .order_by(_k.added_at, _k.id)
)
KEYS_EVER: Final = (
    select(*_KEY)
    .where(_k.account_id == bindparam("account_id"))
    .order_by(_k.removed_at.is_not(None), _k.removed_at.desc(), _k.added_at, _k.id)
)
_THIS_KEY: Final = (
    _k.id == bindparam("id_"),
    _k.account_id == bindparam("account_id_"),
    _k.removed_at.is_(None),
)
RENAME_KEY: Final = (
    update(delivery_key)
    .where(*_THIS_KEY, _k.label != bindparam("label_"))
    .values(label=bindparam("label_"), **_JOURNAL)
)
REMOVE_KEY: Final = (
    update(delivery_key).where(*_THIS_KEY).values(removed_at=bindparam("now"), **_JOURNAL)
)
# At most once a minute: when to the second is in the log of visits.
USED: Final = (
    update(delivery_key)
    .where(
        *_THIS_KEY,
        or_(
            _k.used_at.is_(None),
            _k.used_at < bindparam("before"),
            _k.used_from != bindparam("address_"),
        ),
    )
    .values(used_at=bindparam("now_"), used_from=bindparam("address_"))
)
SWEEP_KEYS: Final = delete(delivery_key).where(_k.removed_at < bindparam("before"))

# --- the certificate ---------------------------------------------------------------------------

ADD_CERTIFICATE: Final = insert(delivery_certificate).values(_all_columns(delivery_certificate))
CERTIFICATE: Final = select(
    _x.id,
    _x.fingerprint,
    _x.version,
    _x.user_id,
    _x.algorithm,
    _x.expires_at,
    _x.added_at,
    _x.data,
).where(_x.account_id == bindparam("account_id"), _x.removed_at.is_(None))
REMOVE_CERTIFICATE: Final = (
    update(delivery_certificate)
    .where(_x.account_id == bindparam("account_id_"), _x.removed_at.is_(None))
    .values(removed_at=bindparam("now"), **_JOURNAL)
)
EXPIRING: Final = (
    select(_x.id, _x.fingerprint, _x.expires_at, _x.warned)
    .where(
        _x.removed_at.is_(None),
        or_(
            *(
                and_(
                    _x.expires_at <= bindparam(f"within_{days}"),
                    or_(_x.warned.is_(None), _x.warned > days),
                )
                for days in WARN_DAYS
            )
        ),
    )
    .order_by(_x.expires_at)
    .limit(bindparam("most"))
)
# Once for each threshold, whoever comes first; of several that passed, only the nearest.
WARN_OF_CERTIFICATE: Final = (
    update(delivery_certificate)
    .where(
        _x.id == bindparam("id_"),
        _x.removed_at.is_(None),
        or_(_x.warned.is_(None), _x.warned > bindparam("days")),
    )
    .values(warned=bindparam("days"), **_JOURNAL)
)
SWEEP_CERTIFICATES: Final = delete(delivery_certificate).where(_x.removed_at < bindparam("before"))

# --- the door ----------------------------------------------------------------------------------

_keys_of_home = (
    select(func.aggregate_strings(_k.fingerprint + " " + _k.id, ","))
    .where(_k.account_id == _h.account_id, _k.removed_at.is_(None))
    .correlate(delivery_home)
    .scalar_subquery()
)
_certificate_of_home = (
    select(_x.fingerprint)
    .where(_x.account_id == _h.account_id, _x.removed_at.is_(None))
    .correlate(delivery_home)
    .scalar_subquery()
)
_DOOR: Final = (
    _h.account_id,
    _h.username,
    _h.enabled,
    _h.networks,
    account.c.id.label("owner"),
    account.c.disabled_at,
    _keys_of_home.label("keys"),
    _certificate_of_home.label("certificate"),
)
_always = select(literal(1).label("one")).subquery("always")

# A row for unknown names too: they cost the same.
DOOR: Final = select(*_DOOR).select_from(
    _always.outerjoin(delivery_home, _h.username == bindparam("username")).outerjoin(
        account, account.c.id == _h.account_id
    )
)


def _doors(most: int) -> Select[Any]:
    return (
        select(*_DOOR)
        .select_from(delivery_home.join(account, account.c.id == _h.account_id))
        .where(_h.account_id.in_([bindparam(f"id_{place}") for place in range(most)]))
    )


# A statement has a fixed number of parameters: the smallest that suffices is filled up.
DOORS: Final = {most: _doors(most) for most in (1, 16, 128, 1024)}

# --- visits ------------------------------------------------------------------------------------

OWNER_BY_PORTAL_NAME: Final = (
    select(_h.account_id)
    .select_from(delivery_home.join(account, account.c.id == _h.account_id))
    .where(account.c.username_key == bindparam("username_key"))
)
OWNERS_BY_KEY: Final = (
    select(_k.account_id)
    .where(
        _k.fingerprint.in_([bindparam(f"offered_{place}") for place in range(OFFERED_MOST)]),
        _k.removed_at.is_(None),
    )
    .distinct()
    .limit(OWNERS_MOST)
)
OWNERS_BY_ADDRESS: Final = (
    select(_n.account_id)
    .where(_n.network.in_([bindparam(f"network_{place}") for place in range(OWN_MOST)]))
    .distinct()
    .limit(OWNERS_MOST)
)
SAME: Final = (
    select(_v.id)
    .where(
        _v.account_id == bindparam("account_id"),
        _v.last_at > bindparam("again_after"),
        _v.at > bindparam("together_after"),
        _v.outcome == bindparam("outcome"),
        _v.address == bindparam("address"),
        _v.username == bindparam("username"),
        func.coalesce(_v.fingerprint, "") == bindparam("fingerprint"),
    )
    .order_by(_v.last_at.desc())
    .limit(1)
)
AGAIN: Final = (
    update(delivery_visit)
    .where(_v.id == bindparam("id_"))
    .values(
        times=_v.times + 1,
        last_at=bindparam("now"),
        program=bindparam("program_"),
        detail=bindparam("detail_"),
        ended_at=None,
        ended_as=None,
    )
)
ADD_VISIT: Final = insert(delivery_visit).values(_all_columns(delivery_visit))
END_VISIT: Final = (
    update(delivery_visit)
    .where(_v.id == bindparam("id_"))
    .values(
        files=_v.files + bindparam("files_"),
        bytes=_v.bytes + bindparam("bytes_"),
        ended_at=bindparam("now"),
        ended_as=bindparam("ended_as_"),
        last_at=bindparam("now"),
    )
)
VISITS: Final = (
    select(delivery_visit)
    .where(
        _v.account_id == bindparam("account_id"),
        or_(bindparam("all"), _v.accepted == bindparam("accepted")),
        or_(
            _v.last_at < bindparam("before"),
            and_(_v.last_at == bindparam("before"), _v.id < bindparam("before_id")),
        ),
    )
    .order_by(_v.last_at.desc(), _v.id.desc())
    .limit(bindparam("most"))
)
_kept = delivery_visit.alias("kept")
# The newest stay; an index is walked, and nothing is counted.
CAP: Final = delete(delivery_visit).where(
    _v.account_id == bindparam("account_id_"),
    _v.accepted == bindparam("accepted_"),
    _v.last_at
    < select(_kept.c.last_at)
    .where(
        _kept.c.account_id == bindparam("account_id_"), _kept.c.accepted == bindparam("accepted_")
    )
    .order_by(_kept.c.last_at.desc())
    .limit(1)
    .offset(VISITS_MOST)
    .scalar_subquery(),
)
SWEEP_VISITS: Final = delete(delivery_visit).where(_v.last_at < bindparam("before"))

# --- host keys ---------------------------------------------------------------------------------

HOST_KEYS: Final = select(ssh_host_key).order_by(ssh_host_key.c.algorithm)
# Whoever starts first makes it; all others use that one.
MAKE_HOST_KEY: Final = (
    insert(ssh_host_key).values(_all_columns(ssh_host_key)).on_conflict_do_nothing()
)
