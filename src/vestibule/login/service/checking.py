"""Whether a username and a password are right: the same for every name, and for every use."""

from __future__ import annotations

from typing import NoReturn

from vestibule.accounts import rules as account_rules, service as accounts
from vestibule.accounts.rules import Account
from vestibule.base import audit, limits
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.login.service.finding import Entrance, Found, demand_patience, find
from vestibule.web.visitor import Visitor

_NO_BROWSER = bytes(32)


async def check_credentials(
    ctx: Context, *, username: str, password: str, visitor: Visitor
) -> Account:
    """The account of a right username and password; it opens nothing.

    With the limits of a sign-in, and the same refusals: see `begin_login`.
    """
    entrance = Entrance(
        key=account_rules.username_key(username),
        visitor=visitor,
        known_digest=_NO_BROWSER,
        replaces=None,
    )
    found = await check_password(ctx, entrance, password)
    encoded = found.account["password_hash"] if found.account else None

    async def body(tx: Tx) -> Account:
        current = await find(tx, ctx, entrance)
        now = ctx.clock.now()
        account = still_right(current, encoded=encoded, address=visitor.address, now=now)
        await forgive(tx, current, now=now)
        return accounts.account_of(account)

    return await ctx.db.write(body)


async def check_password(ctx: Context, entrance: Entrance, password: str) -> Found:
    """What was read about a name whose password is right, and which may come from here.

    Raises as `begin_login` does. An account that may not sign in is refused like a wrong
    password; only where the account's networks forbid it, that is said, for the password is right.
    """
    found = await ctx.db.read(lambda tx: find(tx, ctx, entrance))
    demand_patience(found, now=ctx.clock.now())
    account = found.account
    right = await ctx.passwords.verify(account["password_hash"] if account else None, password)
    if account is None or not right:
        await _refuse(ctx, entrance, "wrong_credentials")
    elif account["disabled_at"] is not None:
        await _refuse(ctx, entrance, "account_disabled")
    elif not account_rules.within(
        account_rules.networks_of(account["networks"]), entrance.visitor.address
    ):
        await _refuse(ctx, entrance, "network_not_allowed")
    return found


def still_right(found: Found, *, encoded: str | None, address: str, now: int) -> Row:
    """The account as read again: nothing that was checked before the hash has changed."""
    demand_patience(found, now=now)
    account = found.account
    if account is None or account["password_hash"] != encoded:
        raise Refused("wrong_credentials")
    if account["disabled_at"] is not None:
        raise Refused("wrong_credentials")
    account_rules.demand_network(account_rules.networks_of(account["networks"]), address)
    return account


async def forgive(tx: Tx, found: Found, *, now: int) -> int:
    """Clear the name's failures after a right password; the version of its limits then."""
    cleared = found.name.limits.password_right(now=now)
    if cleared == found.name.limits:
        return found.name.version
    await limits.save(tx, found.name, cleared)
    return found.name.version + 1


async def _refuse(ctx: Context, entrance: Entrance, result: str) -> NoReturn:
    """Count a wrong password and refuse. What is counted and said is the same for every name."""

    async def body(tx: Tx) -> None:
        found = await find(tx, ctx, entrance)
        now = ctx.clock.now()
        # Beyond the limit nothing is said of the password, so guesses sent side by side
        # learn no more than guesses sent one after the other.
        demand_patience(found, now=now)
        if result != "network_not_allowed":
            for slot in (found.name, found.source):
                await limits.save(tx, slot, slot.limits.password_failed(now=now))
        await audit.record(
            tx,
            event="login.password_refused",
            account_id=found.account["account_id"] if found.account else None,
            actor="browser",
            source=entrance.visitor.address,
            result=result,
            at=now,
        )

    await ctx.db.write(body)
    if result == "network_not_allowed":
        raise Refused("network_not_allowed", address=entrance.visitor.address)
    raise Refused("wrong_credentials")
