"""What a browser does with its attempt beside answering: look, give up, collect."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.base import audit
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.login import store
from vestibule.login.rules import Attempt, Kind
from vestibule.login.service.finishing import Proven, finish
from vestibule.login.service.round import attempt_of
from vestibule.login.service.view import Mine, View, browser_digest, view_of
from vestibule.login.service.ways import Ways, ways_of
from vestibule.sessions.rules import Proof, Session
from vestibule.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An attempt as stored, and everything that could answer it."""

    attempt: Attempt
    ways: Ways
    row: Row

    def view(self, attempt: Attempt, *, now: int, why_no_push: str = "") -> View:
        """The attempt, as it was read or has become since, for its browser."""
        chosen = self.ways.find(attempt.enrollment_id or attempt.factor_id or "")
        return view_of(
            attempt,
            way=chosen,
            several=len(self.ways.all) > 1,
            now=now,
            why_no_push=why_no_push or ("" if self.row["seamless"] else "seamless_off"),
        )


async def load(tx: Tx, ctx: Context, mine: Mine) -> Loaded:
    """Read an attempt and its ways in one statement. Raises Refused `attempt_unknown`."""
    now = ctx.clock.now()
    rows = await tx.all(
        store.FOR_ROUND, id_=mine.id, browser_digest_=browser_digest(ctx, mine.secret), now=now
    )
    if not rows:
        raise Refused("attempt_unknown")
    return Loaded(attempt=attempt_of(rows[0]), ways=ways_of(ctx, rows, now=now), row=rows[0])


async def look(ctx: Context, mine: Mine) -> tuple[View, Ways]:
    """The attempt as it stands, and the ways to choose from. Raises Refused `attempt_unknown`."""
    loaded = await ctx.db.read(lambda tx: load(tx, ctx, mine))
    return loaded.view(loaded.attempt, now=ctx.clock.now()), loaded.ways


async def glance(ctx: Context, mine: Mine) -> Attempt:
    """Only the attempt: what a waiting page asks when it connects. Raises as `look`."""
    row = await ctx.db.one(
        store.MINE, id_=mine.id, browser_digest_=browser_digest(ctx, mine.secret)
    )
    if row is None:
        raise Refused("attempt_unknown")
    return attempt_of(row)


async def cancel(ctx: Context, mine: Mine, *, visitor: Visitor) -> None:
    """Give the attempt up; a phone that shows it is told."""
    entry = audit.journal(
        event="login.cancelled", actor="browser", source=visitor.address, at=ctx.clock.now()
    )
    digest = browser_digest(ctx, mine.secret)

    async def body(tx: Tx) -> Row | None:
        return await tx.one(store.CANCEL, id_=mine.id, browser_digest_=digest, **entry)

    row = await ctx.db.write(body)
    if row is not None and row["enrollment_id"] is not None:
        ctx.wake.tell(f"enrollment:{row['enrollment_id']}", f"outcome {mine.id} cancelled")


async def collect(
    ctx: Context,
    mine: Mine,
    *,
    visitor: Visitor,
    kind: Kind = Kind.SIGN_IN,
    session: Session | None = None,
) -> str | None:
    """Make of an approved attempt what it was begun for, once: see `finish`.

    The session's cookie; None after a step-up, which `session` must have begun. Raises Refused
    `not_collectable`: nothing was approved, it was collected before, or it was for another thing.
    """
    now = ctx.clock.now()
    digest = browser_digest(ctx, mine.secret)

    async def body(tx: Tx) -> tuple[str | None, str]:
        row = await tx.one(
            store.COLLECT,
            id_=mine.id,
            kind_=kind.value,
            browser_digest_=digest,
            now=now,
            **audit.journal(
                event="login.collected", actor="browser", source=visitor.address, at=now
            ),
        )
        if row is None:
            raise Refused("not_collectable")
        proven = Proven(
            kind=kind,
            id=mine.id,
            account_id=row["account_id"],
            session_id=row["session_id"],
            proof=Proof(row["proof"]),
            enrollment_id=row["enrollment_id"],
            factor_id=None,
            known=bool(row["known"]),
            known_digest=row["known_digest"],
            timezone=row["timezone"],
            renew_at=row["renew_at"],
        )
        cookie = await finish(tx, ctx, proven, session=session, visitor=visitor, now=now)
        return cookie, row["enrollment_id"]

    cookie, phone_id = await ctx.db.write(body)
    result = "signed_in" if kind is Kind.SIGN_IN else "approved"
    ctx.wake.tell(f"enrollment:{phone_id}", f"outcome {mine.id} {result}")
    return cookie


async def sweep_attempts(ctx: Context) -> int:
    """Delete attempts that ended a day ago: a late report can still reach a day's sign-ins."""
    return await ctx.db.run(store.SWEEP, before=ctx.clock.now() - DAY)
