"""What a browser does with its attempt: look, choose, ask again, give up, collect."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vestibule.base import audit, limits
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Lost, Refused
from vestibule.login import store
from vestibule.login.rules import Attempt, Event, Kind, State, Step, move, next_step, renewal_needed
from vestibule.login.service.pushing import PushAllowed, allow_push, announce
from vestibule.login.service.round import Phone, Shown, attempt_of, make_round, phones_of
from vestibule.login.service.telling_apart import ask_for_numbers, tell_changed
from vestibule.login.service.view import Mine, View, browser_digest, view_of
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof
from vestibule.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    attempt: Attempt
    phones: tuple[Phone, ...]
    row: Row


async def look(ctx: Context, mine: Mine) -> tuple[View, tuple[Phone, ...]]:
    """The attempt as it stands, and the phones to choose from. Raises Refused `attempt_unknown`."""
    loaded = await ctx.db.read(lambda tx: _load(tx, ctx, mine))
    return _view(loaded, loaded.attempt, ctx.clock.now()), loaded.phones


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """What a next round came to, for what is to be told after the commit."""

    loaded: _Loaded
    attempt: Attempt
    phone: Phone
    allowed: PushAllowed
    changed: tuple[Attempt, ...] = ()


async def glance(ctx: Context, mine: Mine) -> Attempt:
    """Only the attempt: what a waiting page asks when it connects. Raises as `look`."""
    row = await ctx.db.one(
        store.MINE, id_=mine.id, browser_digest_=browser_digest(ctx, mine.secret)
    )
    if row is None:
        raise Refused("attempt_unknown")
    return attempt_of(row)


async def choose(ctx: Context, mine: Mine, *, phone_id: str | None, visitor: Visitor) -> View:
    """Send the request to this phone; the attempt stays the same when minds are changed.

    None stands for the phone last used. Raises Refused `phone_unknown`.
    """
    return await _next_round(ctx, mine, Event.CHOOSE, phone_id=phone_id, visitor=visitor)


async def send_again(ctx: Context, mine: Mine, *, visitor: Visitor) -> View:
    """Nudge the phone once more; with a new request where the old one has run out, or nearly."""
    return await _next_round(ctx, mine, Event.AGAIN, phone_id=None, visitor=visitor)


async def _next_round(
    ctx: Context, mine: Mine, event: Event, *, phone_id: str | None, visitor: Visitor
) -> View:
    async def body(tx: Tx) -> _Turn:
        loaded = await _load(tx, ctx, mine)
        now = ctx.clock.now()
        attempt = loaded.attempt
        move(attempt.state, event)
        if next_step(attempt, now=now) is Step.EXPIRED:
            raise Refused("attempt_expired")
        wanted = phone_id or attempt.enrollment_id
        # The last used comes first.
        phone = next((p for p in loaded.phones if wanted in {None, p.id}), None)
        if phone is None:
            raise Refused("phone_unknown")
        slot = limits.Slot.of(
            f"account:{attempt.account_id}",
            loaded.row["account_version"],
            loaded.row["account_state"],
        )
        allowed = await allow_push(tx, loaded.row, slot, phone=phone, phones=loaded.phones, now=now)
        entry = audit.journal(
            event="login.sent_again" if event is Event.AGAIN else "login.phone_chosen",
            actor="browser",
            source=visitor.address,
            at=now,
            detail={"push": allowed.push},
        )
        if attempt.enrollment_id == phone.id and not renewal_needed(attempt, now=now):
            await tx.run(store.NUDGED, id_=attempt.id, push=allowed.push, **entry)
            nudged = replace(attempt, push=allowed.push)
            return _Turn(loaded=loaded, attempt=nudged, phone=phone, allowed=allowed)
        renewed, changed = await _renew(
            tx, ctx, loaded, phone, push=allowed.push, entry=entry, now=now
        )
        return _Turn(loaded=loaded, attempt=renewed, phone=phone, allowed=allowed, changed=changed)

    turn = await ctx.db.write(body)
    before, phone = turn.loaded.attempt.enrollment_id, turn.phone
    if before is not None and before != phone.id:
        ctx.wake.tell(f"enrollment:{before}", "change")
    tell_changed(ctx, turn.changed)
    announce(ctx, attempt=turn.attempt, phone=phone, push=turn.allowed.push)
    ctx.wake.tell(f"login:{turn.attempt.id}", "changed")
    return _view(turn.loaded, turn.attempt, ctx.clock.now(), why_no_push=turn.allowed.why)


async def _renew(
    tx: Tx,
    ctx: Context,
    loaded: _Loaded,
    phone: Phone,
    *,
    push: bool,
    entry: dict[str, str | int],
    now: int,
) -> tuple[Attempt, tuple[Attempt, ...]]:
    attempt, others = loaded.attempt, int(loaded.row["others"])
    shown = Shown(
        account=loaded.row["username"],
        browser=attempt.browser,
        place=attempt.place,
        address=attempt.address,
        known=attempt.known,
        others=others,
        kind=attempt.kind,
        detail=attempt.detail,
    )
    made = make_round(
        ctx,
        attempt_id=attempt.id,
        phone_id=phone.id,
        shown=shown,
        # Once asked for, the number stays asked for.
        number=True if attempt.number else None,
        until=attempt.expires_at,
        now=now,
    )
    renewed = replace(
        attempt,
        state=State.WAITING,
        round=attempt.round + 1,
        enrollment_id=phone.id,
        push=push,
        number=made.number,
        challenge=made.challenge,
        tries=0,
        request=made.request,
        request_expires_at=made.request_expires_at,
        challenge_expires_at=made.challenge_expires_at,
    )
    if not await tx.run(store.NEXT_ROUND, **store.round_of(attempt, renewed), **entry):
        raise Lost
    changed: tuple[Attempt, ...] = ()
    if others:
        changed = await ask_for_numbers(
            tx, ctx, renewed, username=loaded.row["username"], others=others, now=now
        )
    return renewed, changed


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


async def collect(ctx: Context, mine: Mine, *, visitor: Visitor) -> str:
    """Make a session of an approved attempt, once; returns the session cookie's value.

    Raises Refused `not_collectable`: nothing was approved, or it was collected before.
    """
    now = ctx.clock.now()
    digest = browser_digest(ctx, mine.secret)

    async def body(tx: Tx) -> tuple[str, str]:
        row = await tx.one(
            store.COLLECT,
            id_=mine.id,
            kind_=Kind.SIGN_IN.value,
            browser_digest_=digest,
            now=now,
            **audit.journal(
                event="login.collected", actor="browser", source=visitor.address, at=now
            ),
        )
        if row is None:
            raise Refused("not_collectable")
        opened = await sessions.open_session(
            tx,
            ctx,
            account_id=row["account_id"],
            attempt_id=mine.id,
            proof=Proof(row["proof"]),
            enrollment_id=row["enrollment_id"],
            browser_digest=row["known_digest"],
            visitor=visitor,
            now=now,
        )
        return opened.cookie, row["enrollment_id"]

    cookie, phone_id = await ctx.db.write(body)
    ctx.wake.tell(f"enrollment:{phone_id}", f"outcome {mine.id} signed_in")
    return cookie


async def _load(tx: Tx, ctx: Context, mine: Mine) -> _Loaded:
    rows = await tx.all(
        store.FOR_ROUND,
        id_=mine.id,
        browser_digest_=browser_digest(ctx, mine.secret),
        now=ctx.clock.now(),
    )
    if not rows:
        raise Refused("attempt_unknown")
    return _Loaded(attempt=attempt_of(rows[0]), phones=phones_of(rows, "phone_id"), row=rows[0])


def _view(loaded: _Loaded, attempt: Attempt, now: int, why_no_push: str = "") -> View:
    phone = next((p for p in loaded.phones if p.id == attempt.enrollment_id), None)
    return view_of(
        attempt,
        phone=phone.label if phone else "",
        several=len(loaded.phones) > 1,
        now=now,
        why_no_push=why_no_push or ("" if loaded.row["seamless"] else "seamless_off"),
    )


async def sweep_attempts(ctx: Context) -> int:
    """Delete attempts that ended a day ago: a late report can still reach a day's sign-ins."""
    return await ctx.db.run(store.SWEEP, before=ctx.clock.now() - DAY)
