"""Nudges: a push that says "look", carries nothing else, and may get lost without harm.

A nudge is sent beside the request that caused it and never awaited: a push service that hangs
delays nobody's page (specification section 10). Two ways lead to a phone, and both are taken: the
push service of its browser's maker, and a topic at the house's own ntfy server.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Final

import structlog

from vestibule.base.clock import HOUR
from vestibule.base.context import Context, PushOutcome
from vestibule.base.i18n import t
from vestibule.base.sealing import Unsealable
from vestibule.devices import service as devices
from vestibule.notifications import store
from vestibule.notifications.rules import RECEIPT_WRITTEN_MS, Kind

_TOPIC_LENGTH: Final = 32
_REMEMBERED: Final = 10_000
_OPENS: Final = {Kind.SIGN_IN: "/", Kind.NOTICE: "/?open=notices", Kind.TEST: "/?open=test"}

_log = structlog.get_logger("vestibule.notifications")
# The loop holds tasks weakly; without this set one could vanish before it ran.
_running: set[asyncio.Task[None]] = set()
# When this process last wrote down a phone's delivery, so that most receipts write nothing.
_written: dict[str, int] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudge:
    """One nudge of one phone."""

    enrollment_id: str
    subscription: bytes | None
    """The sealed column; None: its browser takes no pushes."""
    ntfy_topic: bytes | None
    """The sealed column; None: the second way is off."""
    kind: Kind
    about: str
    """The id of what it is about: 22 characters, or a notice's number."""
    language: str
    life_s: int
    words: str = ""
    """The last part of its text's key; empty: the kind's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What became of a nudge on each way; None: the way is not there."""

    push: PushOutcome | None
    second: PushOutcome | None

    @property
    def sent(self) -> bool:
        """Whether any service took it."""
        return PushOutcome.SENT in (self.push, self.second)


def nudge(
    ctx: Context,
    *,
    enrollment_id: str,
    subscription: bytes | None,
    about: str,
    life_s: int,
    language: str | None,
    ntfy_topic: bytes | None = None,
) -> None:
    """Start telling a phone to look at a request; returns at once.

    `subscription` and `ntfy_topic` are the sealed columns, `about` is the attempt's id,
    `language` the account's.
    """
    one = Nudge(
        enrollment_id=enrollment_id,
        subscription=subscription,
        ntfy_topic=ntfy_topic,
        kind=Kind.SIGN_IN,
        about=about,
        language=language or ctx.settings.default_language,
        life_s=life_s,
    )
    running(asyncio.get_running_loop().create_task(_ask(ctx, one)))


def running(task: asyncio.Task[None]) -> None:
    """Hold a task that nobody awaits until it is done."""
    _running.add(task)
    task.add_done_callback(_running.discard)


async def settle() -> None:
    """Wait for the nudges under way: on shutdown, and in tests."""
    while _running:
        await asyncio.gather(*_running, return_exceptions=True)


async def _ask(ctx: Context, one: Nudge) -> None:
    outcomes = await deliver(ctx, one)
    if not outcomes.sent:
        ctx.wake.tell(f"login:{one.about}", "undelivered", linger=True)


async def deliver(ctx: Context, one: Nudge) -> Outcomes:
    """Send a nudge by every way that leads to the phone. Never raises."""
    push, second = await asyncio.gather(_push(ctx, one), _second(ctx, one))
    _log.debug("push.sent", enrollment=one.enrollment_id, push=push, second=second)
    return Outcomes(push=push, second=second)


async def _push(ctx: Context, one: Nudge) -> PushOutcome | None:
    if one.subscription is None:
        return None
    try:
        outcome = await ctx.push.send(
            devices.push_target(ctx, one.enrollment_id, one.subscription),
            payload(ctx, one),
            topic=one.about[:_TOPIC_LENGTH],
            life_s=one.life_s,
        )
        if outcome is PushOutcome.GONE:
            await devices.drop_subscription(
                ctx, enrollment_id=one.enrollment_id, sealed=one.subscription
            )
    except Unsealable:
        _log.warning("push.subscription_unsealable", enrollment=one.enrollment_id)
    except Exception:  # noqa: BLE001
        # Nobody awaits this task: what is not logged here is never seen.
        _log.exception("push.failed", enrollment=one.enrollment_id)
    else:
        return outcome
    return PushOutcome.FAILED


async def _second(ctx: Context, one: Nudge) -> PushOutcome | None:
    if one.ntfy_topic is None or ctx.second_push is None:
        return None
    try:
        return await ctx.second_push.send(
            devices.open_topic(ctx, one.enrollment_id, one.ntfy_topic),
            title=ctx.settings.organisation,
            text=_text(one),
            click=f"{ctx.settings.phone_url}{_OPENS[one.kind]}",
            urgent=one.kind is not Kind.NOTICE,
        )
    except Exception:  # noqa: BLE001
        # As above: whatever it is, the first way must not suffer from it.
        _log.exception("second_push.failed", enrollment=one.enrollment_id)
        return PushOutcome.FAILED


def payload(ctx: Context, one: Nudge) -> bytes:
    """The nudge's plaintext: names no account, holds no secret; the sender pads it to one length.

    It is at once a declarative push (`web_push` 8030), which iOS shows without running code.
    """
    message = {
        "web_push": 8030,
        "kind": one.kind.value,
        "notification": {
            "title": ctx.settings.organisation,
            "body": _text(one),
            "navigate": f"{ctx.settings.phone_url}{_OPENS[one.kind]}",
            "tag": f"vestibule-{one.kind.value}",
        },
        "id": receipt_id(ctx, one),
    }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _text(one: Nudge) -> str:
    words = one.words or one.kind.value
    return t(f"notifications.push.{words}", one.language)


# --- receipts ------------------------------------------------------------------------------------


def receipt_id(ctx: Context, one: Nudge) -> str:
    """The opaque id in a nudge: good for a delivery receipt of this nudge, and for no more."""
    # A number of a notice is as long as an id, so that no length tells which kind it is.
    said = f"{one.kind.value:<7}{one.about:<22}{one.enrollment_id}"
    return ctx.sealer.token("receipt", said.encode("ascii"), expires_at=ctx.clock.now() + HOUR)


async def delivered(ctx: Context, receipt: str) -> bool:
    """Take a delivery receipt: tell the waiting page, remember it; False if it is none of ours."""
    now = ctx.clock.now()
    opened = ctx.sealer.untoken("receipt", receipt, now=now)
    if opened is None:
        return False
    said = opened.decode("ascii")
    kind, about, enrollment_id = said[:7].strip(), said[7:29].strip(), said[29:]
    if kind == Kind.SIGN_IN:
        ctx.wake.tell(f"login:{about}", "delivered", linger=True)
    elif kind == Kind.TEST:
        await ctx.db.run(store.TEST_DELIVERED, id_=about, now=now)
    if now - _written.get(enrollment_id, 0) >= RECEIPT_WRITTEN_MS:
        if len(_written) >= _REMEMBERED:
            _written.clear()
        _written[enrollment_id] = now
        await devices.note_delivery(
            ctx, enrollment_id=enrollment_id, now=now, before=now - RECEIPT_WRITTEN_MS
        )
    return True
