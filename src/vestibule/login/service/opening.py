"""Beginning an attempt: from the typed password to the first round, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from vestibule.accounts import rules as account_rules, service as accounts
from vestibule.base import audit, ids, limits
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.login import store
from vestibule.login.service.finding import Entrance, Found, demand_patience, find
from vestibule.login.service.first_round import FirstRound, open_attempt
from vestibule.login.service.pushing import announce
from vestibule.login.service.telling_apart import tell_changed
from vestibule.login.service.view import Began, Mine, browser_digest, view_of
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof
from vestibule.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """What to answer the browser, and the phone that is to be asked, if any."""

    began: Began
    first: FirstRound | None = None


async def begin_login(
    ctx: Context,
    *,
    username: str,
    password: str,
    visitor: Visitor,
    browser_secret: str,
    replaces: Mine | None = None,
) -> Began:
    """Check a password; open a session, or an attempt that a phone must answer.

    `browser_secret` is the known-browser cookie; `replaces` an attempt that this browser began
    before and gives up now. Raises Refused `username_invalid`, `wrong_credentials` (the same for
    unknown names), `password_wait` or `source_wait` (with `wait`, seconds), and Unavailable
    `password_busy`.
    """
    entrance = Entrance(
        key=account_rules.username_key(username),
        visitor=visitor,
        known_digest=sessions.browser_digest(ctx, browser_secret),
        replaces=replaces,
    )
    found = await ctx.db.read(lambda tx: find(tx, ctx, entrance))
    demand_patience(found, now=ctx.clock.now())
    encoded = found.account["password_hash"] if found.account else None
    right = await ctx.passwords.verify(encoded, password)
    if not right or found.account is None or found.account["disabled_at"] is not None:
        await _refuse(ctx, entrance, right=right)
    first = [found]

    async def body(tx: Tx) -> _Opened:
        # The first run uses what was read before the hash: that read's versions are part of
        # the attempt's condition, so a change since then is noticed and read again. Without
        # a phone there is no attempt and no condition.
        current = first.pop() if first else await find(tx, ctx, entrance)
        if not current.phones and current.account is not None:
            # Whoever links a phone takes the same lock: a password alone opens nothing once a
            # phone is there.
            await accounts.lock_account(tx, current.account["account_id"])
            current = await find(tx, ctx, entrance)
        return await _open(tx, ctx, entrance, current, encoded=encoded)

    opened = await ctx.db.write(body)
    if first_round := opened.first:
        tell_changed(ctx, first_round.changed)
        attempt, phone = first_round.attempt, first_round.phone
        if phone is not None:
            announce(ctx, attempt=attempt, phone=phone, push=attempt.push)
    return opened.began


async def _open(
    tx: Tx, ctx: Context, entrance: Entrance, found: Found, *, encoded: str | None
) -> _Opened:
    """After a right password: an attempt, or for an account without a phone a session."""
    now = ctx.clock.now()
    demand_patience(found, now=now)
    account = found.account
    if account is None or account["password_hash"] != encoded:
        raise Refused("wrong_credentials")
    name_version = await _forgive(tx, found, now=now)
    if entrance.replaces is not None:
        await _replace(tx, ctx, entrance.replaces, visitor=entrance.visitor, now=now)
    if not found.phones:
        return await _open_by_password(tx, ctx, entrance, account, now=now)
    secret = ids.new_secret()
    first = await open_attempt(
        tx,
        ctx,
        entrance,
        found,
        account,
        secret=secret,
        name_version=name_version,
        now=now,
    )
    view = view_of(
        first.attempt,
        phone=first.phone.label if first.phone else "",
        several=len(found.phones) > 1,
        now=now,
        why_no_push=first.allowed.why,
    )
    return _Opened(began=Began(session=None, secret=secret, view=view), first=first)


async def _refuse(ctx: Context, entrance: Entrance, *, right: bool) -> NoReturn:
    """Count a wrong password and refuse. What is counted and said is the same for every name."""

    async def body(tx: Tx) -> None:
        found = await find(tx, ctx, entrance)
        now = ctx.clock.now()
        # Beyond the limit nothing is said of the password, so guesses sent side by side
        # learn no more than guesses sent one after the other.
        demand_patience(found, now=now)
        for slot in (found.name, found.source):
            await limits.save(tx, slot, slot.limits.password_failed(now=now))
        await audit.record(
            tx,
            event="login.password_refused",
            account_id=found.account["account_id"] if found.account else None,
            actor="browser",
            source=entrance.visitor.address,
            result="account_disabled" if right else "wrong_credentials",
            at=now,
        )

    await ctx.db.write(body)
    raise Refused("wrong_credentials")


async def _forgive(tx: Tx, found: Found, *, now: int) -> int:
    """Clear the name's failures after a right password; the version of its limits then."""
    cleared = found.name.limits.password_right(now=now)
    if cleared == found.name.limits:
        return found.name.version
    await limits.save(tx, found.name, cleared)
    return found.name.version + 1


async def _open_by_password(
    tx: Tx, ctx: Context, entrance: Entrance, account: Row, *, now: int
) -> _Opened:
    opened = await sessions.open_session(
        tx,
        ctx,
        account_id=account["account_id"],
        attempt_id=None,
        proof=Proof.PASSWORD,
        enrollment_id=None,
        browser_digest=entrance.known_digest,
        visitor=entrance.visitor,
        now=now,
    )
    return _Opened(began=Began(session=opened.cookie, secret="", view=None))


async def _replace(tx: Tx, ctx: Context, old: Mine, *, visitor: Visitor, now: int) -> None:
    await tx.run(
        store.CANCEL,
        id_=old.id,
        browser_digest_=browser_digest(ctx, old.secret),
        **audit.journal(event="login.replaced", actor="browser", source=visitor.address, at=now),
    )
