"""What a notice told is undone when its reader says "this was not me", by link or by phone."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from vestibule.accounts import service as accounts
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.contacts import service as contacts
from vestibule.delivery import service as delivery
from vestibule.devices import service as devices
from vestibule.devices.rules import Enrollment
from vestibule.factors import service as factors
from vestibule.notifications import service as notifications
from vestibule.notifications.rules import NOT_ME_MS, TOLD, NotMe
from vestibule.recovery import store
from vestibule.recovery.service.reading import held_of
from vestibule.recovery.service.stopping import Stopped, stop, tell_stopped
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import EndReason

# What widens who may fetch statements, or in which form they lie there: to know which network or
# certificate was right before is its owner's, so until then nothing is handed out.
_SHUTS_DELIVERY: Final = frozenset(
    {
        "delivery.networks_changed",
        "delivery.certificate_set",
        "delivery.certificate_removed",
        "delivery.switched_on",
    }
)


class Undone(StrEnum):
    """What "not me" came to."""

    CASE_STOPPED = "case_stopped"
    PHONE_REMOVED = "phone_removed"
    FACTOR_REMOVED = "factor_removed"
    CONTACT_REMOVED = "contact_removed"
    KEY_REMOVED = "key_removed"
    DELIVERY_OFF = "delivery_off"
    SESSIONS_ENDED = "sessions_ended"
    NOTHING = "nothing"
    """It was over already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effect:
    undone: Undone
    stopped: Stopped = field(default_factory=Stopped)
    removed: str | None = None


def said_by_link(ctx: Context, token: str) -> NotMe:
    """What the link of a mail says. Raises Refused ``notice_unknown``."""
    said = notifications.open_not_me(ctx, token)
    if said is None:
        raise Refused("notice_unknown")
    return said


async def undo_by_link(ctx: Context, token: str, *, source: str) -> Undone:
    """Undo what the link of a mail is about. Raises Refused ``notice_unknown``."""
    said = said_by_link(ctx, token)
    return await _undo(ctx, said, actor="mail", source=source)


async def undo_by_phone(
    ctx: Context, enrollment: Enrollment, *, notice_id: int, source: str
) -> Undone:
    """Undo what a phone was told, also one that has retired.

    A phone may undo only what is younger than itself, and no phone that still rests may undo
    anything: else whoever linked one by stealth would remove its owner's with it. Raises Refused
    ``notice_unknown`` or ``enrollment_rests``.
    """
    now = ctx.clock.now()
    if enrollment.rests_until is not None and now < enrollment.rests_until:
        raise Refused("enrollment_rests", wait=-(-(enrollment.rests_until - now) // 1000))
    row = await ctx.db.one(
        store.EVENT, id_=notice_id, account_id_=enrollment.account_id, after=now - NOT_ME_MS
    )
    told = TOLD.get(row["event"]) if row is not None else None
    if row is None or told is None or not told.not_me or row["at"] < enrollment.created_at:
        raise Refused("notice_unknown")
    if row["subject"] == enrollment.id:
        raise Refused("notice_unknown")
    said = NotMe(
        account_id=enrollment.account_id,
        notice_id=notice_id,
        event=row["event"],
        subject=row["subject"] or "",
    )
    return await _undo(ctx, said, actor=f"phone:{enrollment.id}", source=source)


async def _undo(ctx: Context, said: NotMe, *, actor: str, source: str) -> Undone:
    effect = await ctx.db.write(lambda tx: _act(tx, ctx, said, actor=actor, source=source))
    tell_stopped(ctx, effect.stopped)
    if effect.removed is not None:
        ctx.wake.tell(f"enrollment:{effect.removed}", "removed")
    return effect.undone


async def _act(tx: Tx, ctx: Context, said: NotMe, *, actor: str, source: str) -> _Effect:
    await accounts.lock_account(tx, said.account_id)
    case = await _case_of(tx, said)
    if case is not None:
        stopped = await stop(tx, ctx, case["id"], actor=actor, source=source, reported=True)
        return _Effect(
            undone=Undone.CASE_STOPPED if stopped.done else Undone.NOTHING, stopped=stopped
        )
    if said.event.startswith("recovery."):
        return _Effect(undone=Undone.NOTHING)
    undone = await _remove(tx, ctx, said, actor=actor, source=source)
    if undone is not Undone.NOTHING:
        await _shut(tx, ctx, said, actor=actor, source=source)
    phone = said.subject if undone is Undone.PHONE_REMOVED else None
    return _Effect(undone=undone, removed=phone)


async def _case_of(tx: Tx, said: NotMe) -> Row | None:
    """The case that a notice is about: told of itself, or of the phone that came by it."""
    if said.event.startswith("recovery."):
        row = await tx.one(store.BY_ID, id_=said.subject)
        return row if row is not None and row["account_id"] == said.account_id else None
    if said.event != "enrollment.created":
        return None
    row = await tx.one(
        store.BY_ENROLLMENT, enrollment_id_=said.subject, account_id_=said.account_id
    )
    return row if row is not None and held_of(row).case.enrollment_id else None


async def _remove(tx: Tx, ctx: Context, said: NotMe, *, actor: str, source: str) -> Undone:
    if said.event == "enrollment.created":
        removed = await devices.revoke_in(
            tx,
            ctx,
            account_id=said.account_id,
            enrollment_id=said.subject,
            event="enrollment.disowned",
            actor=actor,
            source=source,
            end_sessions=True,
        )
        return Undone.PHONE_REMOVED if removed else Undone.NOTHING
    if said.event.startswith("factor.") and said.event != "factor.removed":
        removed = await factors.disown(
            tx,
            account_id=said.account_id,
            factor_id=said.subject,
            actor=actor,
            source=source,
            now=ctx.clock.now(),
        )
        return Undone.FACTOR_REMOVED if removed else Undone.NOTHING
    if said.event in {"contact.added", "contact.verified"}:
        removed = await contacts.disown(
            tx,
            account_id=said.account_id,
            contact_id=said.subject,
            actor=actor,
            source=source,
            now=ctx.clock.now(),
        )
        return Undone.CONTACT_REMOVED if removed else Undone.NOTHING
    if said.event.startswith("delivery."):
        return await _close_delivery(tx, ctx, said, actor=actor, source=source)
    # The rest cannot be taken back; that nobody goes on with it can.
    return Undone.SESSIONS_ENDED


async def _close_delivery(tx: Tx, ctx: Context, said: NotMe, *, actor: str, source: str) -> Undone:
    if said.event == "delivery.key_added":
        removed = await delivery.disown_key(
            tx,
            ctx,
            account_id=said.account_id,
            key_id=said.subject,
            actor=actor,
            source=source,
        )
        return Undone.KEY_REMOVED if removed else Undone.NOTHING
    if said.event in _SHUTS_DELIVERY:
        shut = await delivery.shut(tx, ctx, account_id=said.account_id, actor=actor, source=source)
        # Switched off by somebody else's hand since: the sessions of that hand end all the same.
        return Undone.DELIVERY_OFF if shut else Undone.SESSIONS_ENDED
    return Undone.SESSIONS_ENDED


async def _shut(tx: Tx, ctx: Context, said: NotMe, *, actor: str, source: str) -> None:
    """Somebody was in the account: every session ends, and the password is due."""
    now = ctx.clock.now()
    await sessions.end_others(
        tx,
        account_id=said.account_id,
        keep=None,
        reason=EndReason.REPORTED,
        actor=actor,
        source=source,
        now=now,
    )
    await accounts.mark_reported(tx, account_id=said.account_id, until=now + DAY)
