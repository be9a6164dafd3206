"""What a terminal asks for: a code to be typed on the portal, or a challenge."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from vestibule.base import audit, ids, limits
from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Duplicate, Refused
from vestibule.login import service as login
from vestibule.login.rules import Kind
from vestibule.login.service import Asked
from vestibule.relying import rules, store
from vestibule.relying.rules import State, Way
from vestibule.relying.service.settling import device_digest, seal_secret, user_digest
from vestibule.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a terminal shows, and the secret with which it asks for its token."""

    device_code: str
    user_code: str
    expires_in_s: int
    interval_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What a terminal shows after username and password."""

    device_code: str
    challenge: str
    number: bool
    """Whether the phone wants the challenge typed before it can approve."""
    phone: str
    push: bool
    expires_in_s: int
    interval_s: int


async def begin_device(ctx: Context, *, name: str, visitor: Visitor) -> Opened:
    """Open a grant that somebody is to confirm on the portal (RFC 8628 section 3.2).

    Raises Refused `too_many_requests` (with `wait`, seconds).
    """
    now, device_code = ctx.clock.now(), ids.new_secret()
    expires_at = now + ctx.settings.terminal_grant_seconds * SECOND

    async def body(tx: Tx) -> str:
        await _count(tx, visitor, now=now)
        code = rules.make_user_code(secrets.token_bytes(16))
        await tx.run(
            store.OPEN,
            **_values(ctx, device_code, visitor, name=name, now=now),
            way=Way.DEVICE.value,
            account_id=None,
            state=State.PENDING.value,
            user_digest=user_digest(ctx, code),
            id=ids.new_id(),
            attempt_id=None,
            held=None,
            expires_at=expires_at,
            **_entry("terminal.code_shown", visitor, now),
        )
        return code

    for _ in range(3):
        try:
            code = await ctx.db.write(body)
        except Duplicate:  # another terminal shows this code just now
            continue
        return Opened(
            device_code=device_code,
            user_code=code,
            expires_in_s=ctx.settings.terminal_grant_seconds,
            interval_s=rules.INTERVAL_S,
        )
    raise Refused("too_many_requests")


async def begin_challenge(
    ctx: Context, *, username: str, password: str, name: str, visitor: Visitor
) -> Challenge:
    """Check username and password, ask the phone, and give a challenge for the way without one.

    The password alone opens nothing, also for an account without a phone. Raises as
    `login.check_credentials`, and Refused `terminal_needs_phone`.
    """
    account = await login.check_credentials(
        ctx, username=username, password=password, visitor=visitor
    )
    shown = rules.clean_name(name)
    try:
        asked = await login.ask_phone(
            ctx, account_id=account.id, kind=Kind.TERMINAL, detail=shown, visitor=visitor
        )
    except Refused as refused:
        if refused.code.name != "phone_unknown":
            raise
        raise Refused("terminal_needs_phone") from None
    now, device_code, id_ = ctx.clock.now(), ids.new_secret(), ids.new_id()
    view = asked.view
    expires_at = max(view.request_expires_at, view.challenge_expires_at)
    await ctx.db.run(
        store.OPEN,
        **_values(ctx, device_code, visitor, name=name, now=now),
        **_of_attempt(ctx, id_, asked),
        way=Way.CHALLENGE.value,
        account_id=account.id,
        state=State.ASKED.value,
        user_digest=None,
        expires_at=expires_at,
        **_entry("terminal.asked", visitor, now),
    )
    return Challenge(
        device_code=device_code,
        challenge=view.challenge,
        number=view.number and view.push,
        phone=view.phone,
        push=view.push,
        expires_in_s=(expires_at - now) // SECOND,
        interval_s=rules.INTERVAL_S,
    )


async def _count(tx: Tx, visitor: Visitor, *, now: int) -> None:
    slot = await limits.load(tx, f"source:{visitor.source}")
    if (wait := slot.limits.opening_wait(now=now)) > 0:
        raise Refused("too_many_requests", wait=-(-wait // SECOND))
    await limits.save(tx, slot, slot.limits.opened(now=now))


def _values(
    ctx: Context, device_code: str, visitor: Visitor, *, name: str, now: int
) -> dict[str, str | int | bytes | None]:
    return {
        "device_digest": device_digest(ctx, device_code),
        "name": rules.clean_name(name),
        "address": visitor.address,
        "place": visitor.place,
        "proof": None,
        "enrollment_id": None,
        "interval_s": rules.INTERVAL_S,
        "polled_at": 0,
        "opened_at": now,
    }


def _of_attempt(ctx: Context, id_: str, asked: Asked) -> dict[str, str | bytes]:
    return {
        "id": id_,
        "attempt_id": asked.mine.id,
        "held": seal_secret(ctx, id_, asked.mine),
    }


def _entry(event: str, visitor: Visitor, now: int) -> dict[str, str | int]:
    return audit.journal(event=event, actor="terminal", source=visitor.address, at=now)
