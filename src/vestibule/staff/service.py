"""Members of staff: named by the operator, known by their session."""

from collections.abc import Mapping
from typing import Any

from vestibule.accounts.rules import Account
from vestibule.base import audit
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.sessions.rules import Session
from vestibule.staff import store
from vestibule.staff.rules import Member, Role


async def member_of(ctx: Context, session: Session) -> Member | None:
    """The member of staff whose session this is, or None: a client."""
    row = await ctx.db.one(store.BY_ACCOUNT, account_id=session.account_id)
    return _member(row) if row else None


async def get_member(ctx: Context, session: Session) -> Member:
    """The member of staff whose session this is.

    Raises Refused ``not_found``: a client does not even learn that there is such a page.
    """
    member = await member_of(ctx, session)
    if member is None:
        raise Refused("not_found")
    return member


async def list_members(ctx: Context) -> list[Member]:
    """Everybody of the staff, by name."""
    return [_member(row) for row in await ctx.db.all(store.ALL)]


async def add_member(ctx: Context, account: Account, *, role: Role) -> None:
    """Make an account a member of staff, or give a member another role: the operator's act."""
    now = ctx.clock.now()

    async def body(tx: Tx) -> None:
        await tx.run(store.PUT, account_id=account.id, role=role.value, since=now)
        await _record(tx, "staff.added", account, now=now, detail={"role": role.value})

    await ctx.db.write(body)


async def remove_member(ctx: Context, account: Account) -> bool:
    """Make a member a client again; False if the account was none."""
    now = ctx.clock.now()

    async def body(tx: Tx) -> bool:
        removed = await tx.run(store.REMOVE, account_id_=account.id)
        if removed:
            await _record(tx, "staff.removed", account, now=now, detail={})
        return bool(removed)

    return await ctx.db.write(body)


async def _record(
    tx: Tx, event: str, account: Account, *, now: int, detail: Mapping[str, str]
) -> None:
    await audit.record(
        tx,
        event=event,
        account_id=account.id,
        subject=account.id,
        actor="system",
        at=now,
        detail=detail,
    )


def _member(row: Row | Mapping[str, Any]) -> Member:
    return Member(
        account_id=row["account_id"],
        username=row["username"],
        display_name=row["display_name"],
        role=Role(row["role"]),
        since=row["since"],
    )
