"""Signing in by scanning: a page shows a rotating code, and the phone that reads it claims it.

Nothing is stored for a code. It is a MAC over the attempt and the number of its two-second turn,
so any worker can draw it and any can judge it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from typing import Final, NoReturn

from vestibule.accounts import rules as account_rules
from vestibule.base import audit, ids, limits
from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Lost, Refused
from vestibule.devices import rules as device_rules
from vestibule.devices.rules import Enrollment
from vestibule.login import store
from vestibule.login.rules import Attempt, State, claimable
from vestibule.login.service.round import Shown, asks_nobody, attempt_of, make_round
from vestibule.login.service.telling_apart import ask_for_numbers, tell_changed
from vestibule.login.service.view import Began, Mine, browser_digest, view_of
from vestibule.outside.places import THIS_NETWORK
from vestibule.protocol.claim_link import parse_claim
from vestibule.protocol.encoding import b64u, b64u_decode
from vestibule.sessions import service as sessions
from vestibule.web.visitor import Visitor

TURN_MS: Final = 2 * SECOND
"""Another code each two seconds..."""
_TURNS_GOOD: Final = 3
"""...and each is accepted during three of these: for six seconds."""
# What somebody may have been tricked into is worth a line in the account's history.
_TOLD: Final = frozenset({"claim_far", "claim_taken", "claim_other_account"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What a page shows now, and for how long (ms)."""

    text: str
    """Attempt and token, as the link carries them."""
    for_ms: int


def code_now(ctx: Context, attempt_id: str, *, now: int) -> Code:
    """The code of an attempt at `now`."""
    turn, since = divmod(now + _phase(attempt_id), TURN_MS)
    token = b64u(_token(ctx, attempt_id, turn))
    return Code(text=f"{attempt_id}.{token}", for_ms=TURN_MS - since)


def _phase(attempt_id: str) -> int:
    # A thousand pages must not all ask for their next code in the same millisecond.
    return int.from_bytes(b64u_decode(attempt_id, 16)[:4], "big") % TURN_MS


def _token(ctx: Context, attempt_id: str, turn: int) -> bytes:
    return ctx.sealer.digest("claim", attempt_id, turn.to_bytes(8, "big"))[:16]


def _token_holds(ctx: Context, attempt_id: str, token: bytes, *, now: int) -> bool:
    turn = (now + _phase(attempt_id)) // TURN_MS
    return any(
        hmac.compare_digest(token, _token(ctx, attempt_id, turn - back))
        for back in range(_TURNS_GOOD)
    )


# --- the page ---------------------------------------------------------------------------------


async def open_unclaimed(
    ctx: Context, *, visitor: Visitor, browser_secret: str, replaces: Mine | None = None
) -> Began:
    """Begin a sign-in without a username: whose it will be, the phone that scans it says.

    Raises Refused `source_wait` (with `wait`, seconds).
    """
    now, secret = ctx.clock.now(), ids.new_secret()
    attempt = asks_nobody(ctx, visitor, state=State.UNCLAIMED, now=now)

    async def body(tx: Tx) -> None:
        slot = await limits.load(tx, f"source:{visitor.source}")
        if (wait := slot.limits.opening_wait(now=now)) > 0:
            raise Refused("source_wait", wait=-(-wait // SECOND))
        await limits.save(tx, slot, slot.limits.opened(now=now))
        if replaces is not None:
            await tx.run(
                store.CANCEL,
                id_=replaces.id,
                browser_digest_=browser_digest(ctx, replaces.secret),
                **_entry("login.replaced", visitor, now),
            )
        await tx.run(
            store.INSERT,
            **store.values_of(attempt),
            browser_digest=browser_digest(ctx, secret),
            known_digest=sessions.browser_digest(ctx, browser_secret),
            proof=None,
            opened_at=now,
            **_entry("login.code_shown", visitor, now),
        )

    await ctx.db.write(body)
    return Began(
        session=None, secret=secret, view=view_of(attempt, way=None, several=False, now=now)
    )


def _entry(event: str, visitor: Visitor, now: int) -> dict[str, str | int]:
    return audit.journal(event=event, actor="browser", source=visitor.address, at=now)


# --- the phone --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claimed:
    """What a claim came to: the request, and who else is to be told."""

    request: str
    before: str | None = None
    changed: tuple[Attempt, ...] = ()


async def claim_login(ctx: Context, *, claimant: Enrollment, claim: str, visitor: Visitor) -> str:
    """Bind the sign-in whose code a phone has scanned to that phone; returns the request.

    The first claim wins, and the same phone may repeat its own. Nothing is approved by it.
    Raises Refused `claim_over`, `claim_taken`, `claim_other_account`, `claim_far`,
    `network_not_allowed`, `too_many_requests` (with `wait`, seconds), those of a phone that may not
    approve, and ProtocolFault `message_malformed`.
    """
    attempt_id, token = parse_claim(claim)

    async def body(tx: Tx) -> _Claimed:
        now = ctx.clock.now()
        slot = await limits.load(tx, f"source:{visitor.source}")
        if (wait := slot.limits.claim_wait(now=now)) > 0:
            raise Refused("too_many_requests", wait=-(-wait // SECOND))
        row = await _read(tx, ctx, claimant, attempt_id, now=now)
        holds = _token_holds(ctx, attempt_id, token, now=now)
        return await _claim(tx, ctx, row, token_holds=holds, visitor=visitor, now=now)

    try:
        claimed = await ctx.db.write(body)
    except Refused as refused:
        await _note(ctx, refused, claimant, attempt_id, visitor)
    ctx.wake.tell(f"login:{attempt_id}", "claimed")
    for phone in {claimant.id, claimed.before or claimant.id}:
        ctx.wake.tell(f"enrollment:{phone}", "change")
    tell_changed(ctx, claimed.changed)
    return claimed.request


async def _read(tx: Tx, ctx: Context, claimant: Enrollment, attempt_id: str, *, now: int) -> Row:
    row = await tx.one(
        store.TO_CLAIM,
        id_=attempt_id,
        enrollment_id=claimant.id,
        known_since=sessions.known_since(ctx, now),
        now=now,
    )
    if row is None:
        raise Refused("enrollment_unknown")
    if row["revoked_at"] is not None or row["disabled_at"] is not None:
        raise Refused("enrollment_revoked")
    device_rules.demand_able(rests_until=row["rests_until"], retires_at=row["retires_at"], now=now)
    if row["id"] is None:
        raise Refused("claim_over")
    return row


async def _claim(
    tx: Tx, ctx: Context, row: Row, *, token_holds: bool, visitor: Visitor, now: int
) -> _Claimed:
    attempt = attempt_of(row)
    account_id, phone_id = row["phone_account_id"], row["phone_id"]
    fresh = claimable(
        attempt, account_id=account_id, enrollment_id=phone_id, token_holds=token_holds, now=now
    )
    if not fresh:
        return _Claimed(request=attempt.request or "")
    account_rules.demand_network(account_rules.networks_of(row["networks"]), attempt.address)
    far = _far(attempt.place, visitor.place)
    if far and attempt.passwordless:
        raise Refused("claim_far")
    others = int(row["others"])
    shown = Shown(
        account=row["username"],
        browser=attempt.browser,
        place=attempt.place,
        address=attempt.address,
        known=bool(row["known_here"]),
        others=others,
        far=far,
    )
    claimed = _asked(ctx, attempt, shown, account_id=account_id, phone_id=phone_id, now=now)
    won = await tx.run(
        store.CLAIM,
        **store.round_of(attempt, claimed),
        account_id=account_id,
        known=shown.known,
        now=now,
        **audit.journal(
            event="login.claimed",
            actor=f"phone:{phone_id}",
            source=visitor.address,
            at=now,
            detail={"passwordless": attempt.passwordless, "known": shown.known, "far": far},
        ),
    )
    if not won:
        raise Lost
    changed: tuple[Attempt, ...] = ()
    if others:
        changed = await ask_for_numbers(
            tx, ctx, claimed, username=row["username"], others=others, now=now
        )
    return _Claimed(request=claimed.request or "", before=attempt.enrollment_id, changed=changed)


def _asked(
    ctx: Context, attempt: Attempt, shown: Shown, *, account_id: str, phone_id: str, now: int
) -> Attempt:
    """The attempt as it is once this phone is asked."""
    made = make_round(
        ctx,
        attempt_id=attempt.id,
        phone_id=phone_id,
        shown=shown,
        # The scan has tied this phone to that page already, which is all that the number does.
        number=False,
        until=attempt.expires_at,
        now=now,
    )
    # Without a password there is no response that could be typed after the request is over.
    until = made.request_expires_at if attempt.passwordless else made.challenge_expires_at
    return replace(
        attempt,
        state=State.WAITING,
        round=attempt.round + 1,
        account_id=account_id,
        enrollment_id=phone_id,
        known=shown.known,
        push=True,
        number=False,
        challenge=made.challenge,
        tries=0,
        request=made.request,
        request_expires_at=made.request_expires_at,
        challenge_expires_at=until,
        claimed=True,
    )


def _far(browser: str, phone: str) -> bool:
    """Whether both countries are known and differ."""
    countries = {_country(browser), _country(phone)}
    return "" not in countries and len(countries) == 2


def _country(place: str) -> str:
    return "" if place == THIS_NETWORK else place.rpartition(", ")[2]


async def _note(
    ctx: Context, refused: Refused, claimant: Enrollment, attempt_id: str, visitor: Visitor
) -> NoReturn:
    """Count a code that was not good; write down what its owner should know of."""
    code, now = refused.code.name, ctx.clock.now()

    async def body(tx: Tx) -> None:
        if code == "claim_over":
            slot = await limits.load(tx, f"source:{visitor.source}")
            await limits.save(tx, slot, slot.limits.claim_failed(now=now))
        if code in _TOLD:
            await audit.record(
                tx,
                event="login.claim_refused",
                account_id=claimant.account_id,
                subject=attempt_id,
                actor=f"phone:{claimant.id}",
                source=visitor.address,
                result=code,
                at=now,
            )

    await ctx.db.write(body)
    raise refused
