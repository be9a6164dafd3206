"""What the owner is shown: live sessions, past sign-ins, and the journal."""

import json
from typing import Final

from vestibule.base.clock import MINUTE
from vestibule.base.context import Context
from vestibule.base.database import Row
from vestibule.sessions import store
from vestibule.sessions.rules import Happening, Kind, Proof, SessionView

_NO_EVENT_YET: Final = 2**62


async def list_sessions(ctx: Context, account_id: str) -> list[SessionView]:
    """The account's live sessions, the latest used first."""
    now = ctx.clock.now()
    idle_since = now - ctx.settings.session_idle_minutes * MINUTE
    rows = await ctx.db.all(store.LIVE_OF, account_id=account_id, now=now, idle_since=idle_since)
    return [_view(row) for row in rows]


async def list_sign_ins(ctx: Context, account_id: str, *, most: int) -> list[SessionView]:
    """The account's latest sign-ins, over or not."""
    rows = await ctx.db.all(store.HISTORY, account_id=account_id, most=most)
    return [_view(row) for row in rows]


def _view(row: Row) -> SessionView:
    return SessionView(
        id=row["id"],
        kind=Kind(row["kind"]),
        proof=Proof(row["proof"]),
        proved_at=row["proved_at"],
        enrollment_id=row["enrollment_id"],
        browser=row["browser"],
        address=row["address"],
        place=row["place"],
        opened_at=row["opened_at"],
        seen_at=row["seen_at"],
        expires_at=row["expires_at"],
    )


async def list_happenings(
    ctx: Context, account_id: str, *, before: int | None, most: int
) -> list[Happening]:
    """What the audit journal says of the account, the latest first, older than event `before`."""
    rows = await ctx.db.all(
        store.EVENTS, account_id=account_id, before=before or _NO_EVENT_YET, most=most
    )
    return [
        Happening(
            id=row["id"],
            at=row["at"],
            event=row["event"],
            source=row["source"],
            result=row["result"],
            detail=json.loads(row["detail"]),
        )
        for row in rows
    ]
