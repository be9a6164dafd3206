"""Whether a phone may be nudged, and how it is asked once the attempt is stored."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.accounts import rules as account_rules
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


def push_slot(row: Row, account_id: str | None, *, known: bool) -> limits.Slot:
    """Against which count a notification goes."""
    kind = "known" if known else "account"
    return limits.Slot.of(f"{kind}:{account_id}", row[f"{kind}_version"], row[f"{kind}_state"])


async def allow_push(
    tx: Tx,
    account: Row,
    slot: limits.Slot,
    *,
    phone: Phone,
    phones: tuple[Phone, ...],
    known: bool,
    now: int,
) -> PushAllowed:
    """Decide about a notification and count it in the same transaction."""
    if not account["seamless"]:
        return PushAllowed(push=False, why="seamless_off")
    if (account["pushes_stopped_until"] or 0) > now:
        return PushAllowed(push=False, why="reported")
    if not known and account_rules.quiet(
        account["quiet_from"], account["quiet_until"], account["timezone"], now=now
    ):
        # Nobody is woken by a browser that never was let in. The request still waits in the app.
        return PushAllowed(push=True, why="quiet")
    if not phone.nudgeable:
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


def announce(ctx: Context, *, attempt: Attempt, phone: Phone, allowed: PushAllowed) -> None:
    """After the commit: wake an open app, and nudge a closed one."""
    ctx.wake.tell(f"enrollment:{phone.id}", "change")
    if allowed.push and not allowed.why and phone.nudgeable:
        notifications.nudge(
            ctx,
            enrollment_id=phone.id,
            subscription=phone.subscription,
            ntfy_topic=phone.ntfy_topic,
            about=attempt.id,
            life_s=ctx.settings.login_request_seconds,
            language=phone.language,
        )
