"""The one read of a sign-in, and whether its limits let the password be looked at."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.base import limits
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.login import store
from vestibule.login.service.pushing import push_slot
from vestibule.login.service.view import Mine
from vestibule.login.service.ways import Ways, ways_of
from vestibule.sessions import service as sessions
from vestibule.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """Who stands at the door: a name, a browser, and the attempt that it gives up for this one."""

    key: str
    visitor: Visitor
    known_digest: bytes
    replaces: Mine | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the read brought: the account if there is one, what could answer, and the limits."""

    account: Row | None
    ways: Ways
    name: limits.Slot
    source: limits.Slot
    pushes: limits.Slot
    """Of the account; of its known browsers apart, so that a stranger who has the password
    cannot use up what its owner may send."""
    known: bool
    others: int


async def find(tx: Tx, ctx: Context, entrance: Entrance) -> Found:
    """Read everything that beginning a sign-in depends on, in one statement."""
    now = ctx.clock.now()
    name, source = _name_subject(ctx, entrance.key), f"source:{entrance.visitor.source}"
    rows = await tx.all(
        store.SIGN_IN,
        username_key=entrance.key,
        name_subject=name,
        source_subject=source,
        known_digest=entrance.known_digest,
        not_id=entrance.replaces.id if entrance.replaces else "",
        now=now,
        known_since=sessions.known_since(ctx, now),
    )
    row = rows[0]
    known = bool(row["known"])
    return Found(
        account=row if row["account_id"] is not None else None,
        ways=ways_of(ctx, rows, now=now),
        name=limits.Slot.of(name, row["name_version"], row["name_state"]),
        source=limits.Slot.of(source, row["source_version"], row["source_state"]),
        pushes=push_slot(row, row["account_id"], known=known),
        known=known,
        others=int(row["others"] or 0),
    )


def _name_subject(ctx: Context, key: str) -> str:
    # Counted by name, not by account: whether the account exists must not show in the limit.
    return "name:" + ctx.sealer.digest("limit-name", key).hex()[:32]


def demand_patience(found: Found, *, now: int) -> None:
    """Refuse a password before it is looked at. Raises Refused `password_wait`, `source_wait`."""
    for slot, code in ((found.name, "password_wait"), (found.source, "source_wait")):
        wait = slot.limits.password_wait(now=now)
        if wait > 0:
            raise Refused(code, wait=-(-wait // 1000))
