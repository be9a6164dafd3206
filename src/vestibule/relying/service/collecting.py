"""The terminal asks whether it may come in, and gets its token once."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.base import audit
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Refused
from vestibule.login import service as login
from vestibule.relying import rules, store
from vestibule.relying.rules import Grant, State, Turn, Way, turn_of
from vestibule.relying.service.settling import (
    approve,
    device_digest,
    grant_of,
    mine_of,
    settle,
)
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof
from vestibule.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token, and how its owner was recognised."""

    token: str
    proof: Proof
    expires_at: int


async def collect_token(
    ctx: Context, *, device_code: str, visitor: Visitor
) -> tuple[Turn, Token | None]:
    """One call of a waiting terminal (RFC 8628 section 3.4): what it is told, and its token."""
    row = await ctx.db.one(store.BY_DEVICE_CODE, device_digest_=device_digest(ctx, device_code))
    if row is None:
        return Turn.SPENT, None
    grant = grant_of(row)
    now = ctx.clock.now()
    turn = turn_of(grant, now=now)
    if turn not in (Turn.PENDING, Turn.TOKEN, Turn.SLOW_DOWN):
        return turn, None
    interval = grant.interval_s + (rules.SLOWER_S if turn is Turn.SLOW_DOWN else 0)
    noted = await ctx.db.run(
        store.POLLED, id_=grant.id, from_polled_at=grant.polled_at, now=now, interval_s=interval
    )
    # Two calls at once: one of them came too soon, whichever it is.
    if turn is Turn.SLOW_DOWN or not noted:
        return Turn.SLOW_DOWN, None
    return await _collect(ctx, await settle(ctx, grant), visitor)


async def _collect(ctx: Context, grant: Grant, visitor: Visitor) -> tuple[Turn, Token | None]:
    if grant.state is not State.APPROVED:
        told = {State.DENIED: Turn.DENIED, State.COLLECTED: Turn.SPENT}
        return told.get(grant.state, Turn.PENDING), None
    now = ctx.clock.now()

    async def body(tx: Tx) -> Token | None:
        won = await tx.one(
            store.COLLECT,
            id_=grant.id,
            now=now,
            **audit.journal(
                event="terminal.collected",
                actor="terminal",
                source=visitor.address,
                at=now,
                detail={"name": grant.name},
            ),
        )
        if won is None:
            return None
        proof = Proof(won["proof"])
        opened = await sessions.open_terminal_session(
            tx,
            ctx,
            account_id=won["account_id"],
            attempt_id=won["attempt_id"],
            proof=proof,
            enrollment_id=won["enrollment_id"],
            name=grant.name,
            visitor=visitor,
            now=now,
        )
        return Token(token=opened.cookie, proof=proof, expires_at=opened.expires_at)

    token = await ctx.db.write(body)
    return (Turn.TOKEN, token) if token else (Turn.SPENT, None)


async def respond(
    ctx: Context, *, device_code: str, typed: str, visitor: Visitor
) -> tuple[Turn, Token | None]:
    """Accept the eight digits from the phone in place of its approval.

    Raises as `login.respond`; `response_again` brings the new `challenge`. `expired_token` and
    `invalid_grant` are told as for a call.
    """
    row = await ctx.db.one(store.BY_DEVICE_CODE, device_digest_=device_digest(ctx, device_code))
    grant = grant_of(row) if row else None
    mine = mine_of(ctx, grant) if grant else None
    if grant is None or mine is None or grant.way is not Way.CHALLENGE:
        return Turn.SPENT, None
    if ctx.clock.now() >= grant.expires_at:
        return Turn.EXPIRED, None
    if grant.state is State.ASKED:
        attempt = await login.glance(ctx, mine)
        try:
            await login.respond(ctx, mine, typed=typed, visitor=visitor)
        except Refused as refused:
            if refused.code.name == "response_again":
                challenge = (await login.glance(ctx, mine)).challenge
                raise Refused("response_again", challenge=challenge) from None
            # The phone was faster: what it said counts.
            if refused.code.name != "already_answered":
                raise
            return await _collect(ctx, await settle(ctx, grant), visitor)
        await approve(ctx, grant, proof=Proof.RESPONSE, enrollment_id=attempt.enrollment_id)
        row = await ctx.db.one(store.BY_ID, id_=grant.id)
        grant = grant_of(row) if row else grant
    return await _collect(ctx, grant, visitor)
