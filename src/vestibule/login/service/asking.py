"""Asking a phone on behalf of another journey: a step-up, a migration, a terminal."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vestibule.base import audit, ids
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.login import store
from vestibule.login.rules import Kind, State
from vestibule.login.service.choosing import choose
from vestibule.login.service.round import asks_nobody
from vestibule.login.service.view import Mine, View, browser_digest
from vestibule.sessions.rules import Proof
from vestibule.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An attempt that a phone is to answer. `mine` is the hold on it: keep its secret."""

    mine: Mine
    view: View


async def ask_phone(
    ctx: Context,
    *,
    account_id: str,
    kind: Kind,
    detail: str,
    visitor: Visitor,
    enrollment_id: str | None = None,
) -> Asked:
    """Ask a phone of the account: that one, or with None the one last used.

    `detail` says on the phone what it is for. `view.number` tells whether `view.challenge` has to
    be shown, to be typed on the phone. Follow it with `glance`, spend the answer with `take`.
    Raises Refused `phone_unknown`.
    """
    mine = await open_choice(
        ctx, account_id=account_id, kind=kind, detail=detail, visitor=visitor, known_digest=None
    )
    view = await choose(ctx, mine, way_id=enrollment_id, visitor=visitor)
    return Asked(mine=mine, view=view)


async def open_choice(
    ctx: Context,
    *,
    account_id: str,
    kind: Kind,
    detail: str,
    visitor: Visitor,
    known_digest: bytes | None,
    known: bool = False,
    session_id: str | None = None,
) -> Mine:
    """Store an attempt that nobody is asked about yet."""
    now, secret = ctx.clock.now(), ids.new_secret()
    attempt = replace(
        asks_nobody(ctx, visitor, state=State.CHOOSING, now=now),
        kind=kind,
        account_id=account_id,
        session_id=session_id,
        detail=detail,
        known=known,
    )
    await ctx.db.run(
        store.INSERT,
        **store.values_of(attempt),
        browser_digest=browser_digest(ctx, secret),
        known_digest=known_digest,
        proof=None,
        opened_at=now,
        **audit.journal(
            event="login.began",
            actor="browser",
            source=visitor.address,
            at=now,
            detail={"kind": kind.value},
        ),
    )
    return Mine(id=attempt.id, secret=secret)


async def take(ctx: Context, mine: Mine) -> Proof:
    """Spend an approval that is no sign-in, once: approved becomes collected, without a session.

    Raises Refused `not_collectable`: nothing was approved, or it was taken before.
    """
    now = ctx.clock.now()

    async def body(tx: Tx) -> Row | None:
        return await tx.one(
            store.TAKE,
            id_=mine.id,
            browser_digest_=browser_digest(ctx, mine.secret),
            now=now,
            **audit.journal(event="login.collected", actor="browser", source="", at=now),
        )

    row = await ctx.db.write(body)
    if row is None:
        raise Refused("not_collectable")
    ctx.wake.tell(f"enrollment:{row['enrollment_id']}", f"outcome {mine.id} approved")
    return Proof(row["proof"])
