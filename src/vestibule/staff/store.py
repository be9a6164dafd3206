"""The staff_member table and its statements."""

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, delete, select

from vestibule.accounts.store import account
from vestibule.base.database import insert, metadata

staff_member: Final = Table(
    "staff_member",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
)

_m = staff_member.c
_MEMBERS: Final = select(
    _m.account_id, _m.role, _m.since, account.c.username, account.c.display_name
).join(account, account.c.id == _m.account_id)

BY_ACCOUNT: Final = _MEMBERS.where(
    _m.account_id == bindparam("account_id"), account.c.disabled_at.is_(None)
)
ALL: Final = _MEMBERS.order_by(account.c.username_key)
ACTIVE: Final = ALL.where(account.c.disabled_at.is_(None))

_VALUES: Final[dict[str, Any]] = {c.name: bindparam(c.name) for c in staff_member.c}
PUT: Final = (
    insert(staff_member)
    .values(_VALUES)
    .on_conflict_do_update(index_elements=["account_id"], set_={"role": bindparam("role")})
)
REMOVE: Final = delete(staff_member).where(_m.account_id == bindparam("account_id_"))
