"""Accounts: made, found, changed, locked and limited."""

from collections.abc import Mapping
from typing import Any

from vestibule.accounts import rules, store
from vestibule.accounts.rules import Account
from vestibule.base import audit, limits
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Duplicate, Refused
from vestibule.base.ids import new_id


def account_of(row: Row | Mapping[str, Any]) -> Account:
    """The account in a row that has the columns of ``store.PERSON``."""
    return Account(
        id=row["id"],
        username=row["username"],
        display_name=row["display_name"],
        seamless=bool(row["seamless"]),
        password_change_needed=bool(row["password_change_needed"]),
        pushes_stopped_until=row["pushes_stopped_until"],
        language=row["language"],
        timezone=row["timezone"],
        networks=rules.networks_of(row["networks"]),
        quiet_from=row["quiet_from"],
        quiet_until=row["quiet_until"],
        renew_at=row["renew_at"],
        guarded_until=row["guarded_until"],
        disabled_at=row["disabled_at"],
        created_at=row["created_at"],
    )


async def create_account(
    ctx: Context,
    *,
    username: str,
    password: str,
    display_name: str = "",
    seamless: bool = True,
    password_change_needed: bool = False,
    language: str | None = None,
) -> Account:
    """Make an account.

    Raises Refused ``username_invalid``, ``username_taken``, ``password_too_short``,
    ``password_too_long`` or ``password_common``.
    """
    key = rules.username_key(username)
    name = username.strip()
    rules.demand_good_password(password, username=key)
    values: dict[str, Any] = {
        "id": new_id(),
        "username": name,
        "username_key": key,
        "display_name": rules.display_name(display_name, username=name),
        "password_hash": await ctx.passwords.hash(password),
        "seamless": seamless,
        "password_change_needed": password_change_needed,
        "pushes_stopped_until": None,
        "language": language,
        "timezone": None,
        "networks": None,
        "quiet_from": None,
        "quiet_until": None,
        "renew_at": None,
        "guarded_until": None,
        "unread_notice": None,
        "disabled_at": None,
        "created_at": ctx.clock.now(),
    }

    async def body(tx: Tx) -> None:
        await tx.run(store.CREATE, **values)
        await record_event(tx, ctx, "account.created", values["id"], actor="system")

    try:
        await ctx.db.write(body)
    except Duplicate:
        raise Refused("username_taken") from None
    return account_of(values)


async def find_account(ctx: Context, *, username: str) -> Account | None:
    """The account of that name, however it is written."""
    try:
        key = rules.username_key(username)
    except Refused:
        return None
    row = await ctx.db.one(store.BY_KEY, username_key=key)
    return account_of(row) if row else None


async def get_account(ctx: Context, account_id: str) -> Account:
    """The account of that id; KeyError if there is none (ids come from our own records)."""
    row = await ctx.db.one(store.BY_ID, id_=account_id)
    if row is None:
        raise KeyError(account_id)
    return account_of(row)


async def list_accounts(ctx: Context) -> list[Account]:
    """All accounts by name: for the operator's command line."""
    return [account_of(row) for row in await ctx.db.all(store.ALL)]


async def set_seamless(ctx: Context, *, account_id: str, on: bool, source: str) -> bool:
    """Switch seamless authentication; True if that changed anything."""

    async def body(tx: Tx) -> bool:
        changed = await tx.run(store.SET_SEAMLESS, id_=account_id, seamless_=on)
        if changed:
            event = "account.seamless_on" if on else "account.seamless_off"
            await record_event(tx, ctx, event, account_id, actor="browser", source=source)
        return bool(changed)

    return await ctx.db.write(body)


async def mark_staff(tx: Tx, account_id: str, *, since: int | None) -> None:
    """Have the account's pages lead to those of staff, or no longer (None)."""
    await tx.run(store.MARK_STAFF, id_=account_id, since=since)


async def mark_reported(tx: Tx, *, account_id: str, until: int) -> None:
    """Somebody else knows the password: no nudges until then (ms), and a new password is due."""
    await tx.run(store.REPORTED, id_=account_id, until=until)


async def notices_seen(tx: Tx, *, account_id: str, upto: int) -> None:
    """Take back the unread mark of every page, unless there is a later notice than ``upto``."""
    await tx.run(store.NOTICES_SEEN, id_=account_id, upto=upto)


async def mark_messages(tx: Tx, *, account_id: str, at: int | None) -> None:
    """Mark every page: the desk answered at ``at`` (ms); None: everything is read.

    In the caller's transaction, which has locked the account.
    """
    await tx.run(store.MARK_MESSAGES, id_=account_id, at=at)


async def lock_account(tx: Tx, account_id: str) -> bool:
    """Queue up behind whoever changes this account's phones; False if it may not sign in."""
    row = await tx.one(store.LOCK, id_=account_id)
    return row is not None and row["disabled_at"] is None


async def set_disabled(ctx: Context, *, account_id: str, disabled: bool) -> None:
    """Disable or enable an account. Its sessions end with it: each request looks here."""

    async def body(tx: Tx) -> None:
        at = ctx.clock.now() if disabled else None
        await tx.run(store.SET_DISABLED, id_=account_id, disabled_at_=at)
        event = "account.disabled" if disabled else "account.enabled"
        await record_event(tx, ctx, event, account_id, actor="system")

    await ctx.db.write(body)


async def unlock_account(ctx: Context, *, account_id: str) -> None:
    """Lift every limit of an account: failures, blocked responses, stopped nudges."""

    async def body(tx: Tx) -> None:
        slot = await limits.load(tx, f"account:{account_id}")
        await limits.save(tx, slot, limits.Limits())
        await tx.run(store.ALLOW_PUSHES, id_=account_id)
        await record_event(tx, ctx, "account.unlocked", account_id, actor="system")

    await ctx.db.write(body)


async def record_event(
    tx: Tx, ctx: Context, event: str, account_id: str, *, actor: str, source: str = ""
) -> None:
    """Write an event about an account that moves no journalled record."""
    await audit.record(
        tx,
        event=event,
        account_id=account_id,
        subject=account_id,
        actor=actor,
        source=source,
        result="ok",
        at=ctx.clock.now(),
    )
