"""Ending sessions: by their owner, by what happens to a phone or a password, and by time."""

import json

from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.sessions import store
from vestibule.sessions.rules import EndReason, Proof, Session
from vestibule.sessions.service.browsers import known_since
from vestibule.sessions.service.holding import session_id


def _ending(reason: EndReason, *, actor: str, source: str, now: int) -> dict[str, str | int]:
    return {
        "reason": reason.value,
        "actor_": actor,
        "source_": source,
        "now": now,
        "detail": json.dumps({"reason": reason.value}),
    }


async def end_session(
    ctx: Context,
    *,
    id: str,  # noqa: A002  -- the record's own name for it
    account_id: str,
    reason: EndReason,
    source: str,
) -> bool:
    """End one session of the account; False if it was over or is not the account's."""
    ending = _ending(reason, actor="browser", source=source, now=ctx.clock.now())
    return bool(await ctx.db.run(store.END, id_=id, account_id_=account_id, **ending))


async def end_exposed(ctx: Context, *, cookie: str, source: str) -> bool:
    """End the session of a cookie that was found where others may have read it.

    Whoever's it is: who has the cookie could sign it out as well. False where it opens nothing.
    """
    id_ = session_id(ctx, cookie)
    row = await ctx.db.one(store.BY_ID, id_=id_)
    if row is None:
        return False
    ending = _ending(EndReason.EXPOSED, actor="browser", source=source, now=ctx.clock.now())
    return bool(await ctx.db.run(store.END, id_=id_, account_id_=row["account_id"], **ending))


async def end_other_sessions(ctx: Context, *, session: Session, source: str) -> int:
    """End all sessions of the account but this one; the number of those ended."""
    now = ctx.clock.now()
    return await ctx.db.write(
        lambda tx: end_others(
            tx,
            account_id=session.account_id,
            keep=session.id,
            reason=EndReason.ENDED,
            actor="browser",
            source=source,
            now=now,
        )
    )


async def end_others(
    tx: Tx,
    *,
    account_id: str,
    keep: str | None,
    reason: EndReason,
    actor: str,
    source: str,
    now: int,
    proof: Proof | None = None,
    enrollment_id: str | None = None,
) -> int:
    """End all sessions of the account but `keep`, inside the caller's transaction.

    `proof` and `enrollment_id` narrow it to sessions opened with that proof or phone.
    """
    return await tx.run(
        store.END_OTHERS,
        account_id_=account_id,
        keep=keep or "",
        only_proof=proof.value if proof else "",
        only_phone=enrollment_id or "",
        **_ending(reason, actor=actor, source=source, now=now),
    )


async def outgrow(tx: Tx, session_id: str) -> None:
    """Its account has a second factor from now on: from then on `demand` asks this session too.

    A session that a password opened goes on, but no longer as one whose account has nothing
    stronger to show.
    """
    await tx.run(store.OUTGROW, id_=session_id)


async def end_session_of_attempt(
    tx: Tx, *, attempt_id: str, reason: EndReason, actor: str, source: str, now: int
) -> int:
    """End the session that came of a sign-in which was reported later."""
    ending = _ending(reason, actor=actor, source=source, now=now)
    return await tx.run(store.END_OF_ATTEMPT, attempt_id_=attempt_id, **ending)


async def sweep_sessions(ctx: Context) -> int:
    """Delete what is neither live nor the memory of a known browser any more."""
    now = ctx.clock.now()
    return await ctx.db.run(store.SWEEP, before=known_since(ctx, now), now=now)
