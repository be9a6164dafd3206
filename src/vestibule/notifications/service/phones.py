"""What a phone asks about its notifications: a test push, the second way, its health."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from vestibule.base.context import Context, PushOutcome
from vestibule.base.database import Row
from vestibule.base.errors import Refused
from vestibule.base.i18n import zone_of
from vestibule.base.ids import new_id
from vestibule.devices import service as devices
from vestibule.devices.rules import Enrollment
from vestibule.notifications import store
from vestibule.notifications.rules import TESTS, TESTS_WITHIN_MS, Kind, quiet_of
from vestibule.notifications.service.nudging import Nudge, deliver, running

_SENDING: Final = "sending"
_NONE: Final = "none"
_TEST_LIFE_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondWay:
    """The second push way of one phone."""

    on: bool
    topic_url: str | None
    subscribe: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the server knows of notifying a phone. Times are milliseconds since the epoch."""

    seamless: bool
    push: str
    push_stopped_until: int | None
    quiet: bool
    quiet_until: int | None
    last_delivered_at: int | None
    second: SecondWay | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A test push as far as it has come."""

    sent_at: int
    outcome: str
    second: str
    delivered_at: int | None


async def start_test(ctx: Context, enrollment: Enrollment) -> str:
    """Send a test push; returns its id at once. Raises Refused ``too_many_requests``."""
    now = ctx.clock.now()
    row = await _row(ctx, enrollment)
    id_ = new_id()
    second = row["ntfy_topic"] is not None and ctx.second_push is not None
    if not await ctx.db.run(
        store.TEST,
        id=id_,
        enrollment_id=enrollment.id,
        sent_at=now,
        outcome=_SENDING if row["subscription"] is not None else _NONE,
        second=_SENDING if second else _NONE,
        since=now - TESTS_WITHIN_MS,
        most=TESTS,
    ):
        raise Refused("too_many_requests", wait=TESTS_WITHIN_MS // 1000)
    one = Nudge(
        enrollment_id=enrollment.id,
        subscription=row["subscription"],
        ntfy_topic=row["ntfy_topic"],
        kind=Kind.TEST,
        about=id_,
        language=row["language"] or ctx.settings.default_language,
        life_s=_TEST_LIFE_S,
    )
    running(asyncio.get_running_loop().create_task(_run_test(ctx, one)))
    return id_


async def _run_test(ctx: Context, one: Nudge) -> None:
    outcomes = await deliver(ctx, one)
    await ctx.db.run(
        store.TESTED,
        id_=one.about,
        outcome_=_said(outcomes.push),
        second_=_said(outcomes.second),
    )


def _said(outcome: PushOutcome | None) -> str:
    return _NONE if outcome is None else outcome.value


async def find_test(ctx: Context, enrollment: Enrollment, id_: str) -> Test:
    """How far a test push of this phone has come. Raises Refused ``not_found``."""
    row = await ctx.db.one(store.TEST_OF, id_=id_, enrollment_id_=enrollment.id)
    if row is None:
        raise Refused("not_found")
    return Test(
        sent_at=row["sent_at"],
        outcome=row["outcome"],
        second=row["second"],
        delivered_at=row["delivered_at"],
    )


async def set_second_way(
    ctx: Context, enrollment: Enrollment, *, on: bool, source: str
) -> SecondWay:
    """Switch the second way on or off. Raises Refused ``second_push_unavailable``."""
    if on and ctx.second_push is None:
        raise Refused("second_push_unavailable")
    await devices.set_topic(ctx, enrollment, on=on, source=source)
    way = _second(ctx, enrollment.id, (await _row(ctx, enrollment))["ntfy_topic"])
    return way or SecondWay(on=False, topic_url=None, subscribe=None)


def _second(ctx: Context, enrollment_id: str, sealed: bytes | None) -> SecondWay | None:
    if ctx.second_push is None:
        return None
    if sealed is None:
        return SecondWay(on=False, topic_url=None, subscribe=None)
    topic = devices.open_topic(ctx, enrollment_id, sealed)
    return SecondWay(
        on=True,
        topic_url=ctx.second_push.address(topic),
        subscribe=ctx.second_push.subscribe(topic),
    )


async def health(ctx: Context, enrollment: Enrollment) -> Health:
    """What the server knows of notifying this phone."""
    row = await _row(ctx, enrollment)
    now = ctx.clock.now()
    quiet = quiet_of(row["quiet_from"], row["quiet_until"], zone_of(row["timezone"]))
    until = quiet.until(now) if quiet else None
    stopped = row["pushes_stopped_until"]
    return Health(
        seamless=bool(row["seamless"]),
        push=row["push_health"],
        push_stopped_until=stopped if stopped and stopped > now else None,
        quiet=until is not None,
        quiet_until=until,
        last_delivered_at=row["last_delivered_at"],
        second=_second(ctx, enrollment.id, row["ntfy_topic"]),
    )


async def language_of(ctx: Context, enrollment: Enrollment) -> str:
    """The language of the account that the phone approves for."""
    language: str | None = (await _row(ctx, enrollment))["language"]
    return language or ctx.settings.default_language


async def _row(ctx: Context, enrollment: Enrollment) -> Row:
    row = await ctx.db.one(store.HEALTH, id_=enrollment.id)
    if row is None:
        raise Refused("enrollment_unknown")
    return row
