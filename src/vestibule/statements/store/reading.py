"""What an account may fetch."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, or_, select, update

from vestibule.statements.store.table import CERTIFIED, SHOWN, statement

_s = statement.c

OF_ACCOUNT: Final = (
    select(*SHOWN, CERTIFIED.label("certified"))
    .where(_s.account_id == bindparam("account_id"), _s.purge_at > bindparam("now"))
    .order_by(_s.period.desc(), _s.kind, _s.name_key)
)
# In clear only where its owner wants it so: the same condition as for the listing.
ONE: Final = select(*SHOWN).where(
    _s.id == bindparam("id_"),
    _s.account_id == bindparam("account_id"),
    _s.purge_at > bindparam("now"),
    or_(_s.encrypted_to.is_not(None), ~CERTIFIED),
)
SEEN: Final = (
    update(statement)
    .where(
        _s.id == bindparam("id_"),
        _s.account_id == bindparam("account_id_"),
        _s.seen_at.is_(None),
    )
    .values(seen_at=bindparam("now"))
)
