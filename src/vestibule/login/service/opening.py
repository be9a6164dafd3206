"""Beginning an attempt: from the typed password to the first round, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.accounts import rules as account_rules, service as accounts
from vestibule.base import audit, ids
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.login import store
from vestibule.login.service.checking import check_password, forgive, still_right
from vestibule.login.service.finding import Entrance, Found, find
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
    unknown names), `password_wait` or `source_wait` (with `wait`, seconds), `network_not_allowed`
    (after the right password only), and Unavailable `password_busy`.
    """
    entrance = Entrance(
        key=account_rules.username_key(username),
        visitor=visitor,
        known_digest=sessions.browser_digest(ctx, browser_secret),
        replaces=replaces,
    )
    found = await check_password(ctx, entrance, password)
    encoded = found.account["password_hash"] if found.account else None
    first = [found]

    async def body(tx: Tx) -> _Opened:
        # The first run uses what was read before the hash: that read's versions are part of
        # the attempt's condition, so a change since then is noticed and read again. Without
        # a phone there is no attempt and no condition.
        current = first.pop() if first else await find(tx, ctx, entrance)
        if current.ways.password_suffices and current.account is not None:
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
            announce(ctx, attempt=attempt, phone=phone, allowed=first_round.allowed)
    return opened.began


async def _open(
    tx: Tx, ctx: Context, entrance: Entrance, found: Found, *, encoded: str | None
) -> _Opened:
    """After a right password: an attempt, or for an account without a phone a session."""
    now = ctx.clock.now()
    account = still_right(found, encoded=encoded, address=entrance.visitor.address, now=now)
    name_version = await forgive(tx, found, now=now)
    if entrance.replaces is not None:
        await _replace(tx, ctx, entrance.replaces, visitor=entrance.visitor, now=now)
    if found.ways.password_suffices:
        return await _open_by_password(tx, ctx, entrance, account, known=found.known, now=now)
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
        way=first.way,
        several=len(found.ways.all) > 1,
        now=now,
        why_no_push=first.allowed.why,
    )
    return _Opened(began=Began(session=None, secret=secret, view=view), first=first)


async def _open_by_password(
    tx: Tx, ctx: Context, entrance: Entrance, account: Row, *, known: bool, now: int
) -> _Opened:
    opened = await sessions.open_session(
        tx,
        ctx,
        account_id=account["account_id"],
        attempt_id=None,
        proof=Proof.PASSWORD,
        enrollment_id=None,
        browser_digest=entrance.known_digest,
        known=known,
        renew_at=account["renew_at"],
        timezone=account["timezone"],
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
