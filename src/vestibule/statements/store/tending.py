"""Encrypting what lies in clear, and what time takes away."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam, delete, or_, select, update

from vestibule.base.database import insert
from vestibule.base.orphans import NAMES
from vestibule.delivery.store import delivery_certificate
from vestibule.statements.store.table import (
    LIVE,
    SHOWN,
    journal,
    statement,
    store_chore,
    upload_part,
)

_s, _x = statement.c, upload_part.c
_c = delivery_certificate.c
# --- encrypting what was published before its owner wanted that ---------------------------------

IN_CLEAR: Final = (
    select(*SHOWN, _c.id.label("certificate_id"), _c.fingerprint, _c.expires_at, _c.data)
    .select_from(
        delivery_certificate.join(
            statement, and_(_s.account_id == _c.account_id, _s.encrypted_to.is_(None))
        )
    )
    .where(
        LIVE,
        _c.added_at > bindparam("since"),
        or_(_c.expires_at.is_(None), _c.expires_at > bindparam("now")),
        _s.purge_at > bindparam("now"),
        _s.id > bindparam("after"),
    )
    .order_by(_s.id)
    .limit(bindparam("most"))
)
ENCRYPTED: Final = (
    update(statement)
    .where(
        _s.id == bindparam("id_"),
        _s.object == bindparam("from_object"),
        _s.encrypted_to.is_(None),
        select(_c.id)
        .where(_c.account_id == _s.account_id, _c.id == bindparam("certificate_id"), LIVE)
        .exists(),
    )
    .values(
        object=bindparam("object"),
        stored_size=bindparam("stored_size"),
        encrypted_to=bindparam("encrypted_to"),
        **journal(),
    )
)

# --- what time takes away ----------------------------------------------------------------------

DUE: Final = (
    select(_s.id, _s.account_id, _s.kind, _s.period, _s.name, _s.object)
    .where(_s.purge_at <= bindparam("now"))
    .order_by(_s.purge_at)
    .limit(bindparam("most"))
)
PURGE: Final = delete(statement).where(
    _s.id == bindparam("id_"), _s.object == bindparam("object_"), _s.purge_at <= bindparam("now")
)
NAMED: Final = (
    select(_s.object)
    .where(_s.object.in_(NAMES))
    .union_all(select(_x.object).where(_x.object.in_(NAMES)))
)
# Whoever moves it does the chore; the others have it done.
FIRST_CHORE: Final = (
    insert(store_chore).values(name=bindparam("name"), at=bindparam("now")).on_conflict_do_nothing()
)
CHORE: Final = (
    update(store_chore)
    .where(store_chore.c.name == bindparam("name_"), store_chore.c.at <= bindparam("before"))
    .values(at=bindparam("now"))
)
