"""Whether a phone may be nudged, and how it is asked once the attempt is stored."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.base import limits
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.login.rules import Attempt
from vestibule.login.service.round import Phone
from vestibule.notifications import service as notifications


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAllowed:
    """Whether the phone is to be asked now, and if not, or not by a notification, why."""

    push: bool
    why: str = ""


async def allow_push(
    tx: Tx, account: Row, slot: limits.Slot, *, phone: Phone, phones: tuple[Phone, ...], now: int
) -> PushAllowed:
    """Decide about a notification and count it in the same transaction."""
    if not account["seamless"]:
        return PushAllowed(push=False, why="seamless_off")
    if (account["pushes_stopped_until"] or 0) > now:
        return PushAllowed(push=False, why="reported")
    if phone.subscription is None:
        # Nothing is sent, so nothing is counted: the request waits in the app.
        return PushAllowed(push=True, why="not_subscribed")
    before = slot.limits
    # A sign-in since the last push starts the count afresh. It is noticed here, where the row
    # is written anyway, so that signing in need not write it.
    if max(phone.used_at or 0 for phone in phones) > before.pushes.last:
        before = before.signed_in()
    if before.push_wait(now=now) > 0:
        return PushAllowed(push=False, why="limit")
    await limits.save(tx, slot, before.pushed(now=now))
    return PushAllowed(push=True)


def announce(ctx: Context, *, attempt: Attempt, phone: Phone, push: bool) -> None:
    """After the commit: wake an open app, and nudge a closed one."""
    ctx.wake.tell(f"enrollment:{phone.id}", "change")
    if push and phone.subscription is not None:
        notifications.nudge(
            ctx,
            enrollment_id=phone.id,
            subscription=phone.subscription,
            attempt_id=attempt.id,
            life_s=ctx.settings.login_request_seconds,
        )
