"""A passkey as a sign-in of its own: no username, no password, and nothing that can be relayed.

The browser answers only for the portal's own address, so a page that imitates it gets nothing.
"""

from __future__ import annotations

from vestibule.accounts import rules as account_rules
from vestibule.base import audit, ids, limits
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Fault, Refused
from vestibule.factors import service as factors
from vestibule.factors.service import LoginOptions
from vestibule.login import store
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof
from vestibule.web.visitor import Visitor

_WRONG = frozenset({"factor_wrong", "factor_code_used", "passkey_copied", "factor_unknown"})


def passkey_options(ctx: Context, *, browser_secret: str) -> LoginOptions:
    """What the sign-in page asks any passkey of this house; the answer counts in this browser."""
    return factors.login_options(ctx, bound=browser_secret)


async def sign_in_by_passkey(
    ctx: Context, *, response: str, token: str, browser_secret: str, visitor: Visitor
) -> str:
    """Judge a passkey's answer and open the session; its cookie.

    Raises Refused `passkey_wrong` (the same for unknown passkeys, and for accounts that may not
    sign in), `passkey_late`, `source_wait` (with `wait`, seconds), `network_not_allowed`.
    """

    async def body(tx: Tx) -> str | Fault:
        now = ctx.clock.now()
        source = await limits.load(tx, f"source:{visitor.source}")
        if (wait := source.limits.password_wait(now=now)) > 0:
            raise Refused("source_wait", wait=-(-wait // 1000))
        try:
            account_id, factor_id = await factors.verify_passkey_login(
                tx,
                ctx,
                response=response,
                token=token,
                bound=browser_secret,
                now=now,
                source=visitor.address,
            )
        except Refused as refused:
            if refused.code.name not in _WRONG:
                raise
            await limits.save(tx, source, source.limits.password_failed(now=now))
            return await _refused(tx, None, refused.code.name, visitor, now)
        known_digest = sessions.browser_digest(ctx, browser_secret)
        return await _open(
            tx, ctx, account_id, factor_id, known_digest=known_digest, visitor=visitor, now=now
        )

    outcome = await ctx.db.write(body)
    if isinstance(outcome, Fault):
        # It left the transaction by its result: raised inside, it would undo the count.
        raise outcome
    return outcome


async def _open(
    tx: Tx,
    ctx: Context,
    account_id: str,
    factor_id: str,
    *,
    known_digest: bytes,
    visitor: Visitor,
    now: int,
) -> str | Fault:
    """The session's cookie, where the account may sign in from here."""
    row = await tx.one(
        store.BY_ACCOUNT,
        account_id=account_id,
        known_digest=known_digest,
        known_since=sessions.known_since(ctx, now),
    )
    if row is None or row["disabled_at"] is not None:
        return await _refused(tx, account_id, "account_disabled", visitor, now)
    if not account_rules.within(account_rules.networks_of(row["networks"]), visitor.address):
        await _refused(tx, account_id, "network_not_allowed", visitor, now)
        return Refused("network_not_allowed", address=visitor.address)
    opened = await sessions.open_session(
        tx,
        ctx,
        account_id=account_id,
        attempt_id=ids.new_id(),
        proof=Proof.PASSKEY,
        enrollment_id=None,
        factor_id=factor_id,
        browser_digest=known_digest,
        known=bool(row["known"]),
        timezone=row["timezone"],
        renew_at=row["renew_at"],
        visitor=visitor,
        now=now,
    )
    return opened.cookie


async def _refused(
    tx: Tx, account_id: str | None, result: str, visitor: Visitor, now: int
) -> Fault:
    await audit.record(
        tx,
        event="login.passkey_refused",
        account_id=account_id,
        actor="browser",
        source=visitor.address,
        result=result,
        at=now,
    )
    return Refused("passkey_wrong")
