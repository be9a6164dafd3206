"""What the owner says on the portal about a terminal that shows a code."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.accounts import rules as account_rules
from vestibule.base import audit, limits
from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Refused
from vestibule.login import service as login
from vestibule.login.rules import Kind
from vestibule.login.service import View
from vestibule.relying import rules, store
from vestibule.relying.rules import Grant, State
from vestibule.relying.service.settling import (
    approve,
    grant_of,
    mine_of,
    seal_secret,
    settle,
    user_digest,
)
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A grant, and the attempt in which a phone is asked about it, if it still is."""

    grant: Grant
    view: View | None


async def find_by_user_code(
    ctx: Context, *, session: Session, typed: str, visitor: Visitor
) -> Grant:
    """The terminal that shows this code just now.

    Wrong codes are counted for the source and for the account. Raises Refused
    `user_code_unknown`, `user_code_over` and `too_many_requests` (with `wait`, seconds).
    """
    now = ctx.clock.now()
    subjects = (f"source:{visitor.source}", f"account:{session.account_id}")

    async def body(tx: Tx) -> Grant | None:
        slots = [await limits.load(tx, subject) for subject in subjects]
        if (wait := max(slot.limits.claim_wait(now=now) for slot in slots)) > 0:
            raise Refused("too_many_requests", wait=-(-wait // SECOND))
        row = await tx.one(store.BY_USER_CODE, user_digest_=_digest(ctx, typed))
        if row is None:
            for slot in slots:
                await limits.save(tx, slot, slot.limits.claim_failed(now=now))
            return None
        return grant_of(row)

    grant = await ctx.db.write(body)
    if grant is None or _of_somebody_else(grant, session):
        raise Refused("user_code_unknown")
    rules.demand_open(grant, now=now)
    return grant


def _digest(ctx: Context, typed: str) -> bytes:
    try:
        return user_digest(ctx, rules.parse_user_code(typed))
    except Refused:  # no code at all: counted like a wrong one
        return b""


def _of_somebody_else(grant: Grant, session: Session) -> bool:
    return grant.account_id not in (None, session.account_id)


async def get_grant(ctx: Context, *, session: Session, grant_id: str) -> Grant:
    """The grant that a page of this session is about. Raises Refused `user_code_unknown`."""
    row = await ctx.db.one(store.BY_ID, id_=grant_id)
    grant = grant_of(row) if row else None
    if grant is None or _of_somebody_else(grant, session):
        raise Refused("user_code_unknown")
    return grant


async def confirm(ctx: Context, *, session: Session, grant_id: str, visitor: Visitor) -> Wait:
    """Ask the owner's phone about exactly this terminal.

    An account without a phone confirms with the session, freshly proven by whatever it has.
    Raises Refused `user_code_over`, `step_up_needed`, `network_not_allowed`.
    """
    grant = await get_grant(ctx, session=session, grant_id=grant_id)
    rules.demand_open(grant, now=ctx.clock.now())
    account_rules.demand_network(session.networks, grant.address)
    try:
        asked = await login.ask_phone(
            ctx,
            account_id=session.account_id,
            kind=Kind.TERMINAL,
            detail=grant.name,
            visitor=visitor,
        )
    except Refused as refused:
        if refused.code.name != "phone_unknown":
            raise
        sessions.demand(ctx, session, first=True)
        await approve(
            ctx, grant, proof=session.proof, enrollment_id=None, account_id=session.account_id
        )
        return await look(ctx, session=session, grant_id=grant_id)
    now = ctx.clock.now()
    before = mine_of(ctx, grant)
    won = await ctx.db.run(
        store.ASK,
        id_=grant.id,
        account_id=session.account_id,
        attempt_id=asked.mine.id,
        held=seal_secret(ctx, grant.id, asked.mine),
        **_entry("terminal.confirmed", grant, visitor, now),
    )
    if not won:
        await login.cancel(ctx, asked.mine, visitor=visitor)
        raise Refused("user_code_over")
    if before is not None:
        await login.cancel(ctx, before, visitor=visitor)
    return await look(ctx, session=session, grant_id=grant_id)


async def deny(ctx: Context, *, session: Session, grant_id: str, visitor: Visitor) -> None:
    """Refuse the terminal for good. Raises Refused `user_code_unknown`."""
    grant = await get_grant(ctx, session=session, grant_id=grant_id)
    await ctx.db.run(
        store.DENY,
        id_=grant.id,
        account_id=session.account_id,
        attempt_id_="",
        **_entry("terminal.denied", grant, visitor, ctx.clock.now(), result="access_denied"),
    )
    if (mine := mine_of(ctx, grant)) is not None:
        await login.cancel(ctx, mine, visitor=visitor)


async def look(ctx: Context, *, session: Session, grant_id: str) -> Wait:
    """The grant as it stands after the phone's answer, if there is one."""
    grant = await settle(ctx, await get_grant(ctx, session=session, grant_id=grant_id))
    mine = mine_of(ctx, grant) if grant.state is State.ASKED else None
    view = (await login.look(ctx, mine))[0] if mine else None
    return Wait(grant=grant, view=view)


def _entry(
    event: str, grant: Grant, visitor: Visitor, now: int, result: str = "ok"
) -> dict[str, str | int]:
    return audit.journal(
        event=event,
        actor="browser",
        source=visitor.address,
        result=result,
        at=now,
        detail={"name": grant.name, "address": grant.address},
    )
