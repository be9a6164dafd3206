"""Who is to be told of which statements, and marking them: compare-and-set."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam, func, or_, select, update

from vestibule.statements.store.table import CERTIFIED, SHOWN, statement

_s = statement.c
# What waits to be encrypted cannot be fetched yet, and is told of when it can.
_UNTOLD: Final = and_(_s.told_at.is_(None), or_(_s.encrypted_to.is_not(None), ~CERTIFIED))

RIPE: Final = (
    select(_s.account_id)
    .where(_UNTOLD, _s.published_at <= bindparam("before"))
    .group_by(_s.account_id)
    .order_by(func.min(_s.published_at))
    .limit(bindparam("most"))
)
NEXT_RIPE: Final = select(func.min(_s.published_at).label("at")).where(_UNTOLD)
# Who marks it tells of it: nobody else finds it unmarked.
TELL: Final = (
    update(statement)
    .where(_s.account_id == bindparam("account_id_"), _UNTOLD)
    .values(told_at=bindparam("now"))
    .returning(_s.kind)
)
TOLD_AT: Final = (
    select(*SHOWN)
    .where(_s.account_id == bindparam("account_id"), _s.told_at == bindparam("told_at"))
    .order_by(_s.kind, _s.name_key)
)
SEEN_ALL: Final = (
    update(statement)
    .where(
        _s.account_id == bindparam("account_id_"),
        _s.published_at <= bindparam("upto"),
        _s.seen_at.is_(None),
    )
    .values(seen_at=bindparam("now"))
)
