"""Nudges: a push that says "look", carries nothing else, and may get lost without harm.

A nudge is sent beside the request that caused it and never awaited: a push service that hangs
delays nobody's page (specification section 10).
"""

import asyncio
import json
from typing import Final

import structlog

from vestibule.base.clock import HOUR
from vestibule.base.context import Context, PushOutcome
from vestibule.base.sealing import Unsealable
from vestibule.devices import service as devices

_TOPIC_LENGTH: Final = 32
_TAG: Final = "vestibule-sign-in"

_log = structlog.get_logger("vestibule.notifications")
# The loop holds tasks weakly; without this set one could vanish before it ran.
_running: set[asyncio.Task[None]] = set()


def nudge(
    ctx: Context, *, enrollment_id: str, subscription: bytes, attempt_id: str, life_s: int
) -> None:
    """Start telling a phone to look; returns at once. `subscription` is the sealed column."""
    task = asyncio.get_running_loop().create_task(
        _send(
            ctx,
            enrollment_id=enrollment_id,
            subscription=subscription,
            attempt_id=attempt_id,
            life_s=life_s,
        )
    )
    _running.add(task)
    task.add_done_callback(_running.discard)


async def settle() -> None:
    """Wait for the nudges under way: on shutdown, and in tests."""
    while _running:
        await asyncio.gather(*_running, return_exceptions=True)


def receipt_id(ctx: Context, attempt_id: str) -> str:
    """The opaque id in a nudge: good for a delivery receipt of this attempt, and for no more."""
    return ctx.sealer.token(
        "receipt", attempt_id.encode("ascii"), expires_at=ctx.clock.now() + HOUR
    )


def payload(ctx: Context, attempt_id: str) -> bytes:
    """The nudge's plaintext: names no account, holds no secret, and is the same length always.

    It is at once a declarative push (`web_push` 8030), which iOS shows without running code.
    """
    notification = {
        "title": ctx.settings.organisation,
        "body": "Somebody is signing in. Open to see whether it is you.",
        "navigate": f"{ctx.settings.phone_url}/",
        "tag": _TAG,
    }
    message = {
        "web_push": 8030,
        "notification": notification,
        "id": receipt_id(ctx, attempt_id),
    }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


async def _send(
    ctx: Context, *, enrollment_id: str, subscription: bytes, attempt_id: str, life_s: int
) -> None:
    try:
        outcome = await ctx.push.send(
            devices.push_target(ctx, enrollment_id, subscription),
            payload(ctx, attempt_id),
            topic=attempt_id[:_TOPIC_LENGTH],
            life_s=life_s,
        )
        if outcome is PushOutcome.GONE:
            await devices.drop_subscription(ctx, enrollment_id=enrollment_id, sealed=subscription)
    except Unsealable:
        _log.warning("push.subscription_unsealable", enrollment=enrollment_id)
    except Exception:  # noqa: BLE001
        # Nobody awaits this task: what is not logged here is never seen.
        _log.exception("push.failed", enrollment=enrollment_id)
    else:
        _log.debug("push.sent", enrollment=enrollment_id, outcome=outcome.value)
        if outcome is not PushOutcome.SENT:
            ctx.wake.tell(f"login:{attempt_id}", "undelivered", linger=True)


def delivered(ctx: Context, receipt: str) -> bool:
    """Pass a delivery receipt on to the waiting page; False if it is none of ours."""
    opened = ctx.sealer.untoken("receipt", receipt, now=ctx.clock.now())
    if opened is None:
        return False
    ctx.wake.tell(f"login:{opened.decode('ascii')}", "delivered", linger=True)
    return True
