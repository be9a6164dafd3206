"""The attempt that an accepted password opens, and what it means for others under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vestibule.base import audit, ids
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Lost
from vestibule.login import store
from vestibule.login.rules import PHONE, Attempt, Kind, State, Way, taken_at_once
from vestibule.login.service.finding import Entrance, Found
from vestibule.login.service.pushing import PushAllowed, allow_push
from vestibule.login.service.round import (
    Phone,
    Round,
    Shown,
    make_round,
    other_round,
)
from vestibule.login.service.telling_apart import ask_for_numbers
from vestibule.login.service.view import browser_digest

_UNANSWERED: Final = Round(
    number=False, challenge="", request="", request_expires_at=0, challenge_expires_at=0
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRound:
    """A new attempt, whom it asks, and the other attempts that it changed."""

    attempt: Attempt
    way: Way | None
    phone: Phone | None
    allowed: PushAllowed
    changed: tuple[Attempt, ...]


async def open_attempt(
    tx: Tx,
    ctx: Context,
    entrance: Entrance,
    found: Found,
    account: Row,
    *,
    secret: str,
    name_version: int,
    now: int,
) -> FirstRound:
    """Store a new attempt, inside the caller's transaction; what needs no choice is asked at once.

    Raises Lost when somebody failed under this name since `name_version` was read.
    """
    way = taken_at_once(found.ways.all)
    phone = found.ways.phone(way.id) if way else None
    allowed = PushAllowed(push=False)
    if phone is not None:
        allowed = await allow_push(
            tx,
            account,
            found.pushes,
            phone=phone,
            phones=found.ways.phones,
            known=found.known,
            now=now,
        )
    attempt = _attempt(ctx, entrance, found, account, way=way, push=allowed.push, now=now)
    entry = audit.journal(
        event="login.began",
        actor="browser",
        source=entrance.visitor.address,
        at=now,
        detail={"known": found.known, "push": attempt.push, "phones": len(found.ways.phones)},
    )
    if not await tx.run(
        store.OPEN,
        **store.values_of(attempt),
        browser_digest=browser_digest(ctx, secret),
        known_digest=entrance.known_digest,
        proof=None,
        opened_at=now,
        name_subject=found.name.subject,
        name_version=name_version,
        **entry,
    ):
        raise Lost
    changed: tuple[Attempt, ...] = ()
    if found.others:
        changed = await ask_for_numbers(
            tx, ctx, attempt, username=account["username"], others=found.others, now=now
        )
    return FirstRound(attempt=attempt, way=way, phone=phone, allowed=allowed, changed=changed)


def _attempt(
    ctx: Context,
    entrance: Entrance,
    found: Found,
    account: Row,
    *,
    way: Way | None,
    push: bool,
    now: int,
) -> Attempt:
    id_, visitor = ids.new_id(), entrance.visitor
    until = now + ctx.settings.attempt_seconds * 1000
    made = _UNANSWERED if way is None else other_round(until)
    by_phone = way is not None and way.kind == PHONE
    if way is not None and by_phone:
        made = make_round(
            ctx,
            attempt_id=id_,
            phone_id=way.id,
            shown=_shown(entrance, found, account),
            number=None,
            until=until,
            now=now,
        )
    return Attempt(
        id=id_,
        kind=Kind.SIGN_IN,
        account_id=account["account_id"],
        session_id=None,
        detail="",
        enrollment_id=way.id if way and by_phone else None,
        factor_id=way.id if way and not by_phone else None,
        state=State.WAITING if way else State.CHOOSING,
        round=1,
        known=found.known,
        push=push,
        number=made.number,
        challenge=made.challenge,
        tries=0,
        proofs=0,
        resync_counter=None,
        request=made.request or None,
        request_expires_at=made.request_expires_at,
        challenge_expires_at=made.challenge_expires_at,
        expires_at=until,
        browser=visitor.browser,
        address=visitor.address,
        place=visitor.place,
    )


def _shown(entrance: Entrance, found: Found, account: Row) -> Shown:
    return Shown(
        account=account["username"],
        browser=entrance.visitor.browser,
        place=entrance.visitor.place,
        address=entrance.visitor.address,
        known=found.known,
        others=found.others,
    )
