"""Publishers, and how a statement comes to be listed."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam, select, update

from vestibule.accounts.store import account
from vestibule.base.database import insert
from vestibule.delivery.store import delivery_certificate
from vestibule.statements.store.table import LIVE, journal, publisher, statement

_s, _p = statement.c, publisher.c
_c = delivery_certificate.c

# --- publishers --------------------------------------------------------------------------------

_PUBLISHER: Final = (_p.id, _p.name, _p.created_at, _p.used_at, _p.revoked_at)
ADD_PUBLISHER: Final = insert(publisher).values({c.name: bindparam(c.name) for c in _p})
PUBLISHERS: Final = select(*_PUBLISHER).order_by(_p.revoked_at.is_not(None), _p.name)
PUBLISHER_BY_DIGEST: Final = select(*_PUBLISHER).where(
    _p.token_digest == bindparam("token_digest_"), _p.revoked_at.is_(None)
)
REVOKE: Final = (
    update(publisher)
    .where(_p.name == bindparam("name_"), _p.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"), **journal())
)
USED: Final = update(publisher).where(_p.id == bindparam("id_")).values(used_at=bindparam("now"))

# --- what is there -----------------------------------------------------------------------------

_THERE: Final = account.outerjoin(
    statement,
    and_(
        _s.account_id == account.c.id,
        _s.kind == bindparam("kind_"),
        _s.name_key == bindparam("name_key_"),
    ),
)
_DECIDED_BY: Final = (
    _s.id.label("statement_id"),
    _s.object,
    _s.event_at,
    _s.sha256,
    _s.size,
    _c.id.label("certificate_id"),
    _c.fingerprint,
    _c.expires_at,
    _c.data,
)
_WITH_CERTIFICATE: Final = _THERE.outerjoin(
    delivery_certificate, and_(_c.account_id == account.c.id, LIVE)
)
# One statement for everything that a publisher's call is decided by; no row: no such account.
TARGET: Final = (
    select(account.c.id.label("account_id"), *_DECIDED_BY)
    .select_from(_WITH_CERTIFICATE)
    .where(account.c.username_key == bindparam("username_key_"))
)
PRESENT: Final = (
    select(account.c.id, _s.sha256)
    .select_from(_THERE)
    .where(account.c.username_key == bindparam("username_key_"))
)
# The same as TARGET for an account that is known, inside the transaction that decides.
HELD: Final = (
    select(*_DECIDED_BY)
    .select_from(_WITH_CERTIFICATE)
    .where(account.c.id == bindparam("account_id_"))
)

# --- publishing --------------------------------------------------------------------------------

ADD: Final = insert(statement).values({c.name: bindparam(c.name) for c in _s})
# Over the content that was read: it may have been purged or encrypted meanwhile.
REPLACE: Final = (
    update(statement)
    .where(_s.id == bindparam("id_"), _s.object == bindparam("from_object"))
    .values(
        {
            column.name: bindparam(column.name)
            for column in _s
            if column.name not in {"id", "account_id", "kind"}
        }
    )
)
