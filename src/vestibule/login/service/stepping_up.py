"""A session proves again that its owner is there: never a new session, and by no weaker means.

The attempt is like a sign-in's, with the same phones, numbers, responses and factors; it belongs
to the session that began it.
"""

from __future__ import annotations

from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.factors import rules as factor_rules
from vestibule.login import store
from vestibule.login.rules import PHONE, SMS, Kind, NumberEntry, Way
from vestibule.login.service.asking import Asked, open_choice
from vestibule.login.service.choosing import choose
from vestibule.login.service.ways import Ways, ways_of
from vestibule.sessions.rules import Assurance, Proof, Session, assurance_of
from vestibule.web.visitor import Visitor


async def step_up_ways(ctx: Context, session: Session, *, least: Assurance) -> Ways:
    """By what the session's owner can prove it; `all` holds what reaches the level."""
    now = ctx.clock.now()
    rows = await ctx.db.all(store.WAYS_OF, account_id=session.account_id, now=now)
    ways = ways_of(ctx, rows, now=now)
    enough = tuple(way for way in ways.all if reached_by(ctx, way) >= least)
    return Ways(phones=ways.phones, all=enough, password_suffices=ways.password_suffices)


def reached_by(ctx: Context, way: Way) -> Assurance:
    """The level that a step-up by this way can reach."""
    if way.kind == SMS:
        return assurance_of(Proof.SMS)
    if way.kind != PHONE:
        return assurance_of(factor_rules.proof_of(factor_rules.Kind(way.kind)))
    never = NumberEntry(ctx.settings.number_entry) is NumberEntry.NEVER
    return assurance_of(Proof.PUSH if never else Proof.NUMBER)


async def begin_step_up(
    ctx: Context,
    session: Session,
    *,
    way_id: str,
    least: Assurance,
    detail: str,
    visitor: Visitor,
) -> Asked:
    """Ask this way; `detail` says on a phone what for. Raises Refused as `choose` does."""
    ways = await step_up_ways(ctx, session, least=least)
    if ways.find(way_id) is None:
        raise Refused("phone_unknown")
    mine = await open_choice(
        ctx,
        account_id=session.account_id,
        kind=Kind.STEP_UP,
        detail=detail,
        visitor=visitor,
        known_digest=None,
        # A browser that is signed in is as known as one can be.
        known=True,
        session_id=session.id,
    )
    view = await choose(ctx, mine, way_id=way_id, visitor=visitor)
    return Asked(mine=mine, view=view)
