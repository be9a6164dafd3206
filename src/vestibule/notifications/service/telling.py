"""The second half of telling: carrying deliveries out, each at least once and normally once.

Whoever takes a delivery moves its time by a lease (compare-and-set), sends, and ends it. A process
that dies in between leaves it to whoever looks next, when the lease is over. So a crash before
the message left loses nothing, and one just after it tells twice.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from vestibule.base.context import Context, EncryptedFile, MessageOutcome, PushOutcome
from vestibule.base.database import Row
from vestibule.notifications import store
from vestibule.notifications.rules import LEASE_MS, Kind, Notice, Way, next_try
from vestibule.notifications.service import wording
from vestibule.notifications.service.nudging import Nudge, deliver
from vestibule.notifications.service.planning import notice_of, plan_untold

_AT_ONCE: Final = 8
_A_ROUND: Final = 40
_POLL_S: Final = 30.0
_GATHER_S: Final = 0.2
_PUSH_LIFE_S: Final = 24 * 3600
_GONE: Final = "gone"
_PUSHED_NEWS: Final = "news"

_log = structlog.get_logger("vestibule.notifications")


class Bell:
    """Rung after every commit of this process: there may be something to tell."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """There may be something; costs next to nothing."""
        self._rung.set()

    async def wait(self, patience_s: float) -> None:
        """Until it rings, or until that many seconds are over."""
        try:
            async with asyncio.timeout(patience_s):
                await self._rung.wait()
        except TimeoutError:
            return
        # Commits come in swarms: one look serves them all.
        await asyncio.sleep(_GATHER_S)
        self._rung.clear()


async def tell_for_ever(ctx: Context, bell: Bell) -> None:
    """Tell what is to be told: at once, when something was committed, and every half minute.

    The half minute is for what another process wrote, or left undone when it died.
    """
    while True:
        patience_s = _POLL_S
        try:
            due_at = await tell_due(ctx)
        except Exception:  # noqa: BLE001
            # The database is away, perhaps; nothing is lost, for it is written there.
            _log.exception("telling.failed")
        else:
            if due_at is not None:
                patience_s = min(_POLL_S, max(0.0, (due_at - ctx.clock.now()) / 1000))
        await bell.wait(patience_s)


async def tell_due(ctx: Context) -> int | None:
    """Carry out every delivery that is due; when the next one is (ms), as far as that is known.

    Safe to run in any number of processes at once.
    """
    while await plan_untold(ctx):
        pass
    turn = asyncio.Semaphore(_AT_ONCE)
    while True:
        rows = await ctx.db.all(store.DUE, now=ctx.clock.now(), most=_A_ROUND)
        if not rows:
            break
        await asyncio.gather(*(_carry_out(ctx, row, turn) for row in rows))
    following = await ctx.db.one(store.NEXT_DUE)
    return following["at"] if following is not None else None


async def _carry_out(ctx: Context, due: Row, turn: asyncio.Semaphore) -> None:
    async with turn:
        now = ctx.clock.now()
        this = {"notice_id_": due["notice_id"], "way_": due["way"], "target_": due["target"]}
        lease = now + LEASE_MS
        if not await ctx.db.run(store.LEASE, **this, from_=due["next_try_at"], until=lease):
            return  # somebody else has it
        row = await ctx.db.one(store.TO_DELIVER, **this)
        way, tries = Way(due["way"]), due["tries"] + 1
        outcome = _GONE if row is None else await _send(ctx, row, way, due["target"])
        now = ctx.clock.now()
        again = next_try(way, tries, now) if outcome == MessageOutcome.FAILED else None
        if again is None:
            await ctx.db.run(store.END, **this, from_=lease, outcome_=outcome, now=now)
        else:
            await ctx.db.run(store.AGAIN, **this, from_=lease, outcome_=outcome, until=again)
        if outcome != MessageOutcome.SENT:
            _log.info("notice.not_told", way=way.value, outcome=outcome, tries=tries)


async def _send(ctx: Context, row: Row, way: Way, target: str) -> str:
    """Send one message; what became of it: `failed` may be tried again."""
    try:
        async with asyncio.timeout(LEASE_MS / 2000):
            return await _by(ctx, row, notice_of(row), way, target)
    except Exception:  # noqa: BLE001
        # A text that cannot be rendered must not hold up the others.
        _log.exception("notice.failed", way=way.value)
        return MessageOutcome.FAILED.value


async def _by(ctx: Context, row: Row, notice: Notice, way: Way, target: str) -> str:
    language = row["language"] or ctx.settings.default_language
    if way is Way.MAIL:
        message = wording.mail(
            ctx,
            notice,
            to=row["address"],
            username=row["username"],
            language=language,
            timezone=row["timezone"],
            enclosed=await _enclosed(ctx, notice),
            quoted=await _quoted(ctx, notice),
        )
        return (await ctx.mail.send(message)).value
    if way is Way.TEXT:
        text = wording.text_message(ctx, notice, language=language)
        return (await ctx.text.send(row["address"], text, by="sms", language=language)).value
    if notice.read:
        return "read"  # in the portal or on another phone, before this one was told
    if row["subscription"] is None and row["ntfy_topic"] is None:
        return _GONE
    outcomes = await deliver(
        ctx,
        Nudge(
            enrollment_id=target,
            subscription=row["subscription"],
            ntfy_topic=row["ntfy_topic"],
            kind=Kind.NOTICE,
            about=str(notice.id),
            language=language,
            life_s=_PUSH_LIFE_S,
            words=_PUSHED_NEWS if notice.by_choice else "",
        ),
    )
    if outcomes.sent:
        return PushOutcome.SENT.value
    failed = PushOutcome.FAILED in (outcomes.push, outcomes.second)
    return (PushOutcome.FAILED if failed else PushOutcome.GONE).value


async def _enclosed(ctx: Context, notice: Notice) -> tuple[EncryptedFile, ...]:
    if not notice.encloses or ctx.enclosing is None:
        return ()
    return await ctx.enclosing(
        ctx, account_id=notice.account_id, at=notice.at, detail=notice.detail
    )


async def _quoted(ctx: Context, notice: Notice) -> str:
    if not notice.quotes or ctx.quoting is None:
        return ""
    return await ctx.quoting(ctx, account_id=notice.account_id, detail=notice.detail)
