"""The table diagnosis and its statements.

Every statement that reads one names its account, and there is none for staff: a diagnosis that
was not attached is its owner's alone.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    Table,
    Text,
    bindparam,
    delete,
    select,
    update,
)

from vestibule.base.audit import JOURNAL
from vestibule.base.database import insert, metadata

diagnosis: Final = Table(
    "diagnosis",
    metadata,
    # Derived from its phone and its text: sent again, it is the same one.
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("enrollment_id", Text, nullable=False),
    # What the phone was called then; it may be removed before anybody reads this.
    Column("label", Text, nullable=False),
    Column("reference", Text, nullable=False, unique=True),
    # None once it is attached, deleted or over.
    Column("text", LargeBinary),
    Column("state", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    *JOURNAL(),
    Index("diagnosis_account", "account_id", "at"),
)

_d = diagnosis.c
_JOURNAL: Final = ("event", "event_at", "actor", "source", "result", "audit_detail")

ADD: Final = insert(diagnosis).values({c.name: bindparam(c.name) for c in _d})
_SHOWN: Final = select(_d.id, _d.account_id, _d.label, _d.reference, _d.state, _d.at, _d.expires_at)
FIND: Final = _SHOWN.where(_d.id == bindparam("id_"), _d.account_id == bindparam("account_id_"))
SENT_AT: Final = select(_d.at).where(
    _d.account_id == bindparam("account_id_"), _d.at > bindparam("since")
)
_OWN: Final = (
    _d.account_id == bindparam("account_id_"),
    _d.state == "kept",
    _d.expires_at > bindparam("now"),
)
KEPT: Final = _SHOWN.where(*_OWN).order_by(_d.at.desc(), _d.id).limit(bindparam("most"))
OPEN: Final = _SHOWN.add_columns(_d.text).where(*_OWN, _d.reference == bindparam("reference_"))
# A compare-and-set; whatever comes of it, the text goes with it.
END: Final = (
    update(diagnosis)
    .where(_d.id == bindparam("id_"), _d.state == bindparam("from_state"))
    .values(state=bindparam("to_state"), text=None, **{name: bindparam(name) for name in _JOURNAL})
)
DUE: Final = _SHOWN.where(_d.state == "kept", _d.expires_at <= bindparam("now")).limit(
    bindparam("most")
)
# Those of a day are counted, so their rows stay for it.
SWEEP: Final = delete(diagnosis).where(
    _d.state != "kept", _d.event_at < bindparam("before"), _d.at < bindparam("before")
)
