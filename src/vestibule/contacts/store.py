"""The tables contact and contact_code, and their statements."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    bindparam,
    case,
    delete,
    or_,
    select,
    update,
)

from vestibule.base.audit import JOURNAL
from vestibule.base.database import insert, metadata

contact: Final = Table(
    "contact",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("verified_at", BigInteger),
    Column("added_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    Column("preferred", Boolean, nullable=False),
    *JOURNAL(),
    Index("contact_account", "account_id", "state"),
)
_c = contact.c
# Once on the list, whatever raced.
Index(
    "contact_once",
    _c.account_id,
    _c.kind,
    _c.address,
    unique=True,
    sqlite_where=_c.removed_at.is_(None),
    postgresql_where=_c.removed_at.is_(None),
)

contact_code: Final = Table(
    "contact_code",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("contact_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("code_digest", LargeBinary, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sends", Integer, nullable=False),
    Column("resend_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("used_at", BigInteger),
    Index("contact_code_expires", "expires_at"),
)
_k = contact_code.c

SHOWN: Final = (
    _c.id,
    _c.account_id,
    _c.kind,
    _c.address,
    _c.state,
    _c.verified_at,
    _c.added_at,
    _c.removed_at,
    _c.preferred,
)
_JOURNAL: Final = {
    "event": bindparam("event_"),
    "event_at": bindparam("now"),
    "actor": bindparam("actor_"),
    "source": bindparam("source_"),
    "result": "ok",
    "audit_detail": bindparam("detail"),
}
_HERE: Final = _c.removed_at.is_(None)

ADD: Final = insert(contact).values({c.name: bindparam(c.name) for c in contact.c})

# Numbers before addresses, the preferred one first.
OF_ACCOUNT: Final = (
    select(*SHOWN)
    .where(_c.account_id == bindparam("account_id"), _HERE)
    .order_by(_c.kind.desc(), _c.preferred.desc(), _c.added_at, _c.id)
)
BY_ID: Final = select(*SHOWN).where(_c.id == bindparam("id_"))

# Verified ones, and those removed after `since` that had been verified: they are told as well.
TO_TELL: Final = (
    select(*SHOWN)
    .where(
        _c.account_id == bindparam("account_id"),
        _c.verified_at.is_not(None),
        or_(_HERE, _c.removed_at > bindparam("since")),
    )
    .order_by(_c.removed_at.is_not(None), _c.preferred.desc(), _c.added_at, _c.id)
)

# A compare-and-set like every move. The first verified number of an account is preferred.
VERIFY: Final = (
    update(contact)
    .where(_c.id == bindparam("id_"), _c.state == "new")
    .values(
        state="verified",
        verified_at=bindparam("now"),
        preferred=bindparam("preferred_"),
        **_JOURNAL,
    )
)
REMOVE: Final = (
    update(contact)
    .where(_c.id == bindparam("id_"), _c.account_id == bindparam("account_id_"), _HERE)
    .values(state="removed", removed_at=bindparam("now"), preferred=False, **_JOURNAL)
)
# One statement, so that there never are two. The journal is written for the one preferred now.
PREFER: Final = (
    update(contact)
    .where(
        _c.account_id == bindparam("account_id_"),
        _c.kind == bindparam("kind_"),
        _HERE,
        or_(
            and_(_c.id == bindparam("id_"), _c.state == "verified", _c.preferred.is_(False)),
            and_(_c.id != bindparam("id_"), _c.preferred.is_(True)),
        ),
    )
    .values(preferred=case((_c.id == bindparam("id_"), True), else_=False))
)

CODE: Final = (
    select(*contact_code.c, _c.account_id, _c.kind, _c.address, _c.state)
    .join(contact, _c.id == _k.contact_id)
    .where(_k.subject == bindparam("subject_"))
)
NEW_CODE: Final = (
    insert(contact_code)
    .values({c.name: bindparam(c.name) for c in contact_code.c})
    .on_conflict_do_nothing()
)
# Over the code that was read: of two messages asked for at once, one is sent.
RENEW_CODE: Final = (
    update(contact_code)
    .where(
        _k.subject == bindparam("subject_"),
        _k.sends == bindparam("sends_"),
        _k.resend_at == bindparam("resend_at_"),
    )
    .values(
        contact_id=bindparam("contact_id"),
        purpose=bindparam("purpose"),
        code_digest=bindparam("code_digest"),
        tries=bindparam("tries"),
        sends=bindparam("sends"),
        resend_at=bindparam("resend_at"),
        expires_at=bindparam("expires_at"),
        by=bindparam("by"),
        used_at=None,
    )
)
TRIED: Final = (
    update(contact_code)
    .where(
        _k.subject == bindparam("subject_"),
        _k.code_digest == bindparam("code_digest_"),
        _k.tries == bindparam("tries_"),
        _k.used_at.is_(None),
    )
    .values(tries=_k.tries + 1)
)
SPEND: Final = (
    update(contact_code)
    .where(
        _k.subject == bindparam("subject_"),
        _k.code_digest == bindparam("code_digest_"),
        _k.used_at.is_(None),
        _k.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
)

SWEEP_CODES: Final = delete(contact_code).where(_k.expires_at < bindparam("before"))
SWEEP_REMOVED: Final = delete(contact).where(_c.removed_at < bindparam("before"))
SWEEP_UNVERIFIED: Final = delete(contact).where(
    _c.state == "new", _c.added_at < bindparam("before")
)
