"""What became of the phone's answer: looked at by whoever comes first, the terminal or the page."""

from __future__ import annotations

from typing import Final

from vestibule.base import audit
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row
from vestibule.base.errors import Refused
from vestibule.login import service as login
from vestibule.login.rules import State as AttemptState
from vestibule.login.service import Mine
from vestibule.relying import store
from vestibule.relying.rules import Event, Grant, State, Way, move
from vestibule.sessions.rules import Proof

_REFUSED: Final = frozenset(
    {AttemptState.DENIED, AttemptState.REPORTED, AttemptState.FAILED, AttemptState.CANCELLED}
)


def device_digest(ctx: Context, device_code: str) -> bytes:
    """How a device code is stored."""
    return ctx.sealer.digest("terminal-device", device_code)


def user_digest(ctx: Context, user_code: str) -> bytes:
    """How a user code is stored: 34 bits, which without the master key cannot be searched."""
    return ctx.sealer.digest("terminal-user", user_code)


def seal_secret(ctx: Context, grant_id: str, mine: Mine) -> bytes:
    """The hold on the attempt, as the grant keeps it."""
    return ctx.sealer.seal("terminal", mine.secret.encode("ascii"), grant_id.encode("ascii"))


def mine_of(ctx: Context, grant: Grant) -> Mine | None:
    """The hold on the attempt in which a phone is asked; None where none is."""
    if grant.attempt_id is None or grant.held is None:
        return None
    secret = ctx.sealer.open("terminal", grant.held, grant.id.encode("ascii"))
    return Mine(id=grant.attempt_id, secret=secret.decode("ascii"))


def grant_of(row: Row) -> Grant:
    """The stored row as a value."""
    return Grant(
        id=row["id"],
        way=Way(row["way"]),
        account_id=row["account_id"],
        state=State(row["state"]),
        name=row["name"],
        address=row["address"],
        place=row["place"],
        attempt_id=row["attempt_id"],
        held=row["held"],
        proof=row["proof"],
        enrollment_id=row["enrollment_id"],
        interval_s=row["interval_s"],
        polled_at=row["polled_at"],
        opened_at=row["opened_at"],
        expires_at=row["expires_at"],
    )


async def settle(ctx: Context, grant: Grant) -> Grant:
    """The grant after a look at the phone's answer, which is taken where there is one."""
    mine = mine_of(ctx, grant) if grant.state is State.ASKED else None
    if mine is None:
        return grant
    attempt = await login.glance(ctx, mine)
    if attempt.state is AttemptState.APPROVED:
        try:
            proof = await login.take(ctx, mine)
        except Refused:  # the other one was faster, or its time is over
            return await _reload(ctx, grant)
        await approve(ctx, grant, proof=proof, enrollment_id=attempt.enrollment_id)
        return await _reload(ctx, grant)
    if attempt.state in _REFUSED:
        await ctx.db.run(
            store.DENY,
            id_=grant.id,
            account_id=grant.account_id,
            attempt_id_=mine.id,
            **_entry("terminal.denied", grant, ctx.clock.now(), result="access_denied"),
        )
        return await _reload(ctx, grant)
    return grant


async def approve(
    ctx: Context,
    grant: Grant,
    *,
    proof: Proof,
    enrollment_id: str | None,
    account_id: str | None = None,
) -> bool:
    """Let the terminal have a token; False where something else came first."""
    move(grant.state, Event.APPROVE)
    won = await ctx.db.run(
        store.APPROVE,
        id_=grant.id,
        from_state=grant.state.value,
        account_id=account_id or grant.account_id,
        attempt_id_=grant.attempt_id or "",
        proof=proof.value,
        enrollment_id=enrollment_id,
        **_entry("terminal.approved", grant, ctx.clock.now()),
    )
    return bool(won)


def _entry(event: str, grant: Grant, now: int, result: str = "ok") -> dict[str, str | int]:
    return audit.journal(
        event=event,
        actor="terminal",
        source=grant.address,
        result=result,
        at=now,
        detail={"name": grant.name},
    )


async def _reload(ctx: Context, grant: Grant) -> Grant:
    row = await ctx.db.one(store.BY_ID, id_=grant.id)
    return grant_of(row) if row else grant


async def sweep_grants(ctx: Context) -> int:
    """Delete grants that ended a day ago."""
    return await ctx.db.run(store.SWEEP, before=ctx.clock.now() - DAY)
