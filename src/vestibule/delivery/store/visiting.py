"""Statements about visits and whose they are, and about host keys."""

from typing import Final

from sqlalchemy import and_, bindparam, delete, func, or_, select, update

from vestibule.accounts.store import account
from vestibule.base.database import insert
from vestibule.delivery.rules.networks import OWN_MOST
from vestibule.delivery.rules.visits import OFFERED_MOST, OWNERS_MOST, VISITS_MOST
from vestibule.delivery.store.table import (
    all_columns,
    delivery_home,
    delivery_key,
    delivery_network,
    delivery_visit,
    ssh_host_key,
)

_h = delivery_home.c
_k = delivery_key.c
_n = delivery_network.c
_v = delivery_visit.c

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
ADD_VISIT: Final = insert(delivery_visit).values(all_columns(delivery_visit))
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
    .offset(VISITS_MOST - 1)
    .scalar_subquery(),
)
SWEEP_VISITS: Final = delete(delivery_visit).where(_v.last_at < bindparam("before"))

# --- host keys ---------------------------------------------------------------------------------

HOST_KEYS: Final = select(ssh_host_key).order_by(ssh_host_key.c.algorithm)
# Whoever starts first makes it; all others use that one.
MAKE_HOST_KEY: Final = (
    insert(ssh_host_key).values(all_columns(ssh_host_key)).on_conflict_do_nothing()
)
