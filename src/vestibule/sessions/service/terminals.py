"""Sessions of programs: their secret is a bearer token, and never opens a page."""

from typing import Final

from vestibule.accounts import rules as account_rules
from vestibule.base import audit
from vestibule.base.clock import HOUR
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.ids import new_secret
from vestibule.sessions import rules, store
from vestibule.sessions.rules import EndReason, Kind, Proof, Session
from vestibule.sessions.service.ending import end_session
from vestibule.sessions.service.holding import NewSession, session_id, session_in
from vestibule.web.visitor import Visitor

_PREFIX: Final = "vst_"
"""Says what it is where it was left lying about; and makes it longer than any cookie of ours."""
_TOKEN_LENGTH: Final = len(_PREFIX) + 43


async def open_terminal_session(
    tx: Tx,
    ctx: Context,
    *,
    account_id: str,
    attempt_id: str | None,
    proof: Proof,
    enrollment_id: str | None,
    name: str,
    visitor: Visitor,
    now: int,
) -> NewSession:
    """Store a terminal's session inside the caller's transaction; `cookie` is its token.

    `name` is what the owner sees in the list of sessions.
    """
    token = _PREFIX + new_secret()
    new = NewSession(
        id=session_id(ctx, token),
        cookie=token,
        expires_at=now + ctx.settings.terminal_session_hours * HOUR,
    )
    await tx.run(
        store.OPEN,
        id=new.id,
        kind=Kind.TERMINAL.value,
        account_id=account_id,
        attempt_id=attempt_id,
        browser_digest=None,
        proof=proof.value,
        proved_at=now,
        enrollment_id=enrollment_id,
        outgrown=False,
        factor_id=None,
        browser=name,
        address=visitor.address,
        place=visitor.place,
        opened_at=now,
        seen_at=now,
        expires_at=new.expires_at,
        ended_at=None,
        end_reason=None,
        **audit.journal(
            event="session.opened",
            actor="terminal",
            source=visitor.address,
            at=now,
            detail=_told(proof, name, visitor),
        ),
    )
    return new


def _told(proof: Proof, name: str, visitor: Visitor) -> dict[str, str | bool]:
    place = visitor.place
    return {
        "proof": proof.value, "browser": name, "place": place, "known": False, "terminal": True
    }  # fmt: skip


async def terminal_session_of(ctx: Context, token: str, *, address: str) -> Session | None:
    """The session of a bearer token, or None. Raises Refused ``network_not_allowed``."""
    if len(token) != _TOKEN_LENGTH or not token.startswith(_PREFIX) or not token.isascii():
        return None
    now = ctx.clock.now()
    row = await ctx.db.one(store.BY_ID, id_=session_id(ctx, token))
    if row is None or row["kind"] != Kind.TERMINAL:
        return None
    if not rules.alive(
        ended_at=row["ended_at"],
        expires_at=row["expires_at"],
        seen_at=now,
        disabled=row["disabled_at"] is not None,
        now=now,
        idle_ms=1,
    ):
        return None
    session = session_in(row)
    account_rules.demand_network(session.networks, address)
    before = now - rules.TOUCH_MS
    if row["seen_at"] < before:
        await ctx.db.run(store.TOUCH, id_=session.id, before=before, now=now)
    return session


async def end_terminal_session(ctx: Context, token: str, *, address: str) -> None:
    """End the session of a bearer token; of one that is over or unknown nothing is said."""
    row = await ctx.db.one(store.BY_ID, id_=session_id(ctx, token))
    if row is not None and row["kind"] == Kind.TERMINAL:
        await end_session(
            ctx,
            id=row["id"],
            account_id=row["account_id"],
            reason=EndReason.SIGNED_OUT,
            source=address,
        )
