"""Where a phone is nudged: push subscriptions, sealed at rest."""

import json
import secrets
from urllib.parse import urlsplit

from vestibule.base.context import Context, PushTarget
from vestibule.base.errors import Refused
from vestibule.devices import store
from vestibule.devices.rules import Enrollment, PushHealth
from vestibule.protocol.encoding import b64u, b64u_decode, parse_json_as, render_json
from vestibule.protocol.messages import PushSubscription


async def set_subscription(
    ctx: Context, enrollment: Enrollment, *, push: PushSubscription | None, source: str
) -> None:
    """Store or clear where a phone is nudged; the same one again changes nothing.

    Raises Refused ``subscription_refused`` for an address that is no push service's.
    """
    if push and not allowed(ctx, push):
        raise Refused("subscription_refused")
    row = await ctx.db.one(store.TO_PROVE, id_=enrollment.id)
    if row is None or _opened(ctx, enrollment.id, row["subscription"]) == push:
        return
    health = PushHealth.OK if push else PushHealth.UNAVAILABLE
    event = "enrollment.push_on" if push else "enrollment.push_off"
    await ctx.db.run(
        store.SUBSCRIBE,
        id_=enrollment.id,
        sealed=seal_subscription(ctx, enrollment.id, push) if push else None,
        health=health.value,
        **event_values(ctx, event, f"phone:{enrollment.id}", source),
    )


async def drop_subscription(ctx: Context, *, enrollment_id: str, sealed: bytes) -> None:
    """Forget a subscription that its push service says has ended."""
    await ctx.db.run(
        store.UNSUBSCRIBE,
        id_=enrollment_id,
        sealed=sealed,
        **event_values(ctx, "enrollment.push_gone", "system", ""),
    )


async def note_permission(ctx: Context, *, enrollment_id: str, denied: bool, source: str) -> None:
    """Remember what the phone says of its permission to notify (specification section 8)."""
    await ctx.db.run(
        store.PERMIT,
        id_=enrollment_id,
        health=(PushHealth.DENIED if denied else PushHealth.OK).value,
        **event_values(
            ctx,
            "enrollment.push_off" if denied else "enrollment.push_on",
            f"phone:{enrollment_id}",
            source,
        ),
    )


async def note_delivery(ctx: Context, *, enrollment_id: str, now: int, before: int) -> None:
    """Remember that a push arrived, unless one was remembered after ``before`` (ms)."""
    await ctx.db.run(store.DELIVERED, id_=enrollment_id, now=now, before=before)


async def set_topic(ctx: Context, enrollment: Enrollment, *, on: bool, source: str) -> None:
    """Switch the second push way on, with a topic that nobody can guess, or off."""
    topic = b64u(secrets.token_bytes(16)).encode("ascii")
    await ctx.db.run(
        store.LISTEN,
        id_=enrollment.id,
        on=on,
        topic=ctx.sealer.seal("ntfy-topic", topic, enrollment.id.encode("ascii")) if on else None,
        **event_values(
            ctx,
            "enrollment.second_push_on" if on else "enrollment.second_push_off",
            f"phone:{enrollment.id}",
            source,
        ),
    )


def open_topic(ctx: Context, enrollment_id: str, sealed: bytes) -> str:
    """The topic in the sealed column."""
    return ctx.sealer.open("ntfy-topic", sealed, enrollment_id.encode("ascii")).decode("ascii")


def push_target(ctx: Context, enrollment_id: str, sealed: bytes) -> PushTarget:
    """Where to send, from the sealed column."""
    subscription = _opened(ctx, enrollment_id, sealed)
    if subscription is None:
        raise ValueError("no subscription")
    return PushTarget(
        endpoint=subscription.endpoint,
        p256dh=b64u_decode(subscription.p256dh, 65),
        auth=b64u_decode(subscription.auth, 16),
    )


def allowed(ctx: Context, push: PushSubscription) -> bool:
    """Whether this is a push service's address: a phone must not make us call anything else."""
    address = urlsplit(push.endpoint)
    return address.scheme == "https" and ctx.settings.push_host_allowed(address.hostname or "")


def seal_subscription(ctx: Context, enrollment_id: str, push: PushSubscription) -> bytes:
    """The column's content; it opens for this enrollment only."""
    return ctx.sealer.seal("subscription", render_json(push), enrollment_id.encode("ascii"))


def _opened(ctx: Context, enrollment_id: str, sealed: bytes | None) -> PushSubscription | None:
    if sealed is None:
        return None
    plain = ctx.sealer.open("subscription", sealed, enrollment_id.encode("ascii"))
    return parse_json_as(plain, PushSubscription)


def event_values(
    ctx: Context, event: str, actor: str, source: str, **detail: str | int | bool
) -> dict[str, str | int]:
    """The journal parameters of `store`'s statements about an enrollment."""
    return {
        "event_": event,
        "now": ctx.clock.now(),
        "actor_": actor,
        "source_": source,
        "detail": json.dumps(detail, ensure_ascii=False),
    }
