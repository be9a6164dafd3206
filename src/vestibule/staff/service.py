"""Members of staff: named by the operator, known by their session."""

from collections.abc import Mapping
from typing import Any

from vestibule.accounts import service as accounts
from vestibule.accounts.rules import Account
from vestibule.base import audit
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.sessions.rules import Assurance, Session
from vestibule.staff import store
from vestibule.staff.rules import Ability, Member, Role, approved, demand


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


async def at_desk(ctx: Context, session: Session, ability: Ability) -> Member:
    """The member whose session this is, approved on the phone and able to do this.

    Raises Refused ``not_found`` for clients, as for an address that there is not; for a session
    that no phone has approved ``staff_phone_needed`` while its account has nothing but a
    password, else ``step_up_needed``; ``staff_role`` where the role does not include it.
    """
    member = await get_member(ctx, session)
    if not approved(session.proof):
        if session.assurance is Assurance.PASSWORD and not session.outgrown:
            raise Refused("staff_phone_needed")
        # The strongest that a phone can show here: a typed code would lead back to this refusal.
        bare = ctx.settings.number_entry == "never"
        raise Refused("step_up_needed", level=int(Assurance.STANDARD if bare else Assurance.HIGH))
    demand(member, ability)
    return member


async def list_members(ctx: Context) -> list[Member]:
    """Everybody of the staff, by name."""
    return [_member(row) for row in await ctx.db.all(store.ALL)]


async def list_active(ctx: Context) -> list[Member]:
    """Those of the staff whose accounts are open, by name."""
    return [_member(row) for row in await ctx.db.all(store.ACTIVE)]


async def add_member(ctx: Context, account: Account, *, role: Role) -> None:
    """Make an account a member of staff, or give a member another role: the operator's act."""
    now = ctx.clock.now()

    async def body(tx: Tx) -> None:
        await tx.run(store.PUT, account_id=account.id, role=role.value, since=now)
        await accounts.mark_staff(tx, account.id, since=now)
        await _record(tx, "staff.added", account, now=now, detail={"role": role.value})

    await ctx.db.write(body)


async def remove_member(ctx: Context, account: Account) -> bool:
    """Make a member a client again; False if the account was none."""
    now = ctx.clock.now()

    async def body(tx: Tx) -> bool:
        removed = await tx.run(store.REMOVE, account_id_=account.id)
        if removed:
            await accounts.mark_staff(tx, account.id, since=None)
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
