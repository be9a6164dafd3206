"""Statements about homes, networks, keys and certificates, and the one that a door costs."""

from typing import Any, Final

from sqlalchemy import (
    Select,
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
from vestibule.base.database import insert
from vestibule.delivery.rules.certificates import WARN_DAYS
from vestibule.delivery.store.table import (
    TOLD,
    all_columns,
    delivery_certificate,
    delivery_home,
    delivery_key,
    delivery_network,
)

_h = delivery_home.c
_k = delivery_key.c
_n = delivery_network.c
_x = delivery_certificate.c

# --- the home ----------------------------------------------------------------------------------

# Another process, or another name's luck, may have been first: who asks looks again.
MAKE_HOME: Final = insert(delivery_home).values(all_columns(delivery_home)).on_conflict_do_nothing()
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
    .values(enabled=bindparam("on"), **TOLD)
)
SET_NETWORKS: Final = (
    update(delivery_home)
    .where(_h.account_id == bindparam("account_id_"), _h.networks != bindparam("networks_"))
    .values(networks=bindparam("networks_"), **TOLD)
)
SET_NOTICES: Final = (
    update(delivery_home)
    .where(_h.account_id == bindparam("account_id_"), _h.notices != bindparam("notices_"))
    .values(notices=bindparam("notices_"), **TOLD)
)
FORGET_NETWORKS: Final = delete(delivery_network).where(_n.account_id == bindparam("account_id_"))
ADD_NETWORK: Final = insert(delivery_network).values(all_columns(delivery_network))

# --- keys --------------------------------------------------------------------------------------

ADD_KEY: Final = insert(delivery_key).values(all_columns(delivery_key))
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
    .values(label=bindparam("label_"), **TOLD)
)
REMOVE_KEY: Final = (
    update(delivery_key).where(*_THIS_KEY).values(removed_at=bindparam("now"), **TOLD)
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

ADD_CERTIFICATE: Final = insert(delivery_certificate).values(all_columns(delivery_certificate))
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
    .values(removed_at=bindparam("now"), **TOLD)
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
    .values(warned=bindparam("days"), **TOLD)
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
