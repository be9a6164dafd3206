"""The account table and its statements."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    Table,
    Text,
    bindparam,
    insert,
    or_,
    select,
    update,
)

from vestibule.base.database import metadata

account: Final = Table(
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("username", Text, nullable=False),
    Column("username_key", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("seamless", Boolean, nullable=False),
    Column("password_change_needed", Boolean, nullable=False),
    Column("pushes_stopped_until", BigInteger),
    Column("language", Text),
    Column("timezone", Text),
    Column("networks", Text),
    Column("quiet_from", Integer),
    Column("quiet_until", Integer),
    Column("renew_at", Integer),
    Column("guarded_until", BigInteger),
    # The latest notice that its owner has not seen; set by the trigger that makes notices.
    Column("unread_notice", BigInteger),
    # When the desk answered something that its owner has not read yet.
    Column("unread_message", BigInteger),
    Column("disabled_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    # Whether its pages lead to those of staff; what a member may do says `staff_member`.
    Column("staff_since", BigInteger),
)

_a = account.c
PERSON: Final = tuple(c for c in account.c if c.name not in ("username_key", "password_hash"))

CREATE: Final = insert(account).values(
    {
        c.name: bindparam(c.name)
        for c in account.c
        if c.name not in ("staff_since", "unread_message")
    }
)

BY_KEY: Final = select(*PERSON, _a.password_hash).where(
    _a.username_key == bindparam("username_key")
)
BY_ID: Final = select(*PERSON, _a.password_hash).where(_a.id == bindparam("id_"))
ALL: Final = select(*PERSON).order_by(_a.username_key)

# Whoever changes what an account may do next takes this lock first, so that two at once queue up.
LOCK: Final = select(_a.id, _a.disabled_at).where(_a.id == bindparam("id_")).with_for_update()

SET_SEAMLESS: Final = (
    update(account)
    .where(_a.id == bindparam("id_"), _a.seamless != bindparam("seamless_"))
    .values(seamless=bindparam("seamless_"))
)
SET_PASSWORD: Final = (
    update(account)
    .where(_a.id == bindparam("id_"), _a.password_hash == bindparam("old_hash"))
    .values(
        password_hash=bindparam("new_hash"),
        password_change_needed=bindparam("change_needed"),
        # Whoever knew the old one is out: a report's silence is over.
        pushes_stopped_until=None,
    )
)
SET_DISABLED: Final = (
    update(account).where(_a.id == bindparam("id_")).values(disabled_at=bindparam("disabled_at_"))
)
ALLOW_PUSHES: Final = (
    update(account).where(_a.id == bindparam("id_")).values(pushes_stopped_until=None)
)
# Only what was seen: a notice that came meanwhile stays marked.
NOTICES_SEEN: Final = (
    update(account)
    .where(_a.id == bindparam("id_"), _a.unread_notice <= bindparam("upto"))
    .values(unread_notice=None)
)
MARK_MESSAGES: Final = (
    update(account).where(_a.id == bindparam("id_")).values(unread_message=bindparam("at"))
)
REPORTED: Final = (
    update(account)
    .where(_a.id == bindparam("id_"))
    .values(pushes_stopped_until=bindparam("until"), password_change_needed=True)
)
MARK_STAFF: Final = (
    update(account).where(_a.id == bindparam("id_")).values(staff_since=bindparam("since"))
)
# Its columns are the parameters of each call.
CHANGE: Final = update(account).where(_a.id == bindparam("id_"))
GUARD: Final = (
    update(account)
    .where(
        _a.id == bindparam("id_"),
        or_(_a.guarded_until.is_(None), _a.guarded_until < bindparam("until")),
    )
    .values(guarded_until=bindparam("until"))
)
