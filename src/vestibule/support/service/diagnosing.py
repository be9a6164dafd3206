"""What a phone says of itself: kept for its owner, until the owner attaches it to a message.

    id    := derived from the enrollment and the text: sent again, it is the same one
    text  := sealed under the master key, bound to the id

There is no call for staff. Attached, it is a file like any other, and nothing is left here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from vestibule.accounts import service as accounts
from vestibule.base import audit
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Duplicate, Refused, Unavailable
from vestibule.base.ids import new_reference
from vestibule.base.sealing import Unsealable
from vestibule.devices.rules import Enrollment
from vestibule.support.rules import diagnoses as rules, number_from, number_of
from vestibule.support.rules.diagnoses import Diagnosis, Event, State
from vestibule.support.service.attaching import Place, attach
from vestibule.support.service.looking import remove_attachment
from vestibule.support.service.records import derived_id
from vestibule.support.store import diagnoses as store

_PURPOSE: Final = "diagnosis"
_SHOWN: Final = 5
"""Most of them that a form offers, the newest first."""
_REFERENCES_TRIED: Final = 4
_AT_A_TIME: Final = 100


async def send_diagnosis(
    ctx: Context, enrollment: Enrollment, text: str, *, source: str
) -> Diagnosis:
    """Keep what a phone says of itself. The same text of the same phone is kept once.

    Raises Malformed ``diagnosis_text`` or ``body_too_large``, Refused ``diagnoses_many`` or
    ``diagnosis_unavailable``.
    """
    if not (ctx.settings.diagnosis_days and ctx.settings.attachments_per_message):
        raise Refused("diagnosis_unavailable")
    rules.demand_text(text)
    id_ = derived_id(ctx, _PURPOSE, enrollment.id, text)

    async def body(tx: Tx) -> Diagnosis:
        own = enrollment.account_id
        await accounts.lock_account(tx, own)
        known = await tx.one(store.FIND, id_=id_, account_id_=own)
        if known is not None:
            return _diagnosis_of(known)
        now = ctx.clock.now()
        sent = await tx.all(store.SENT_AT, account_id_=own, since=now - DAY)
        rules.demand_room([row["at"] for row in sent], now)
        values = _new(ctx, enrollment, id_, text)
        await tx.run(
            store.ADD,
            **values,
            **audit.journal(
                event="support.diagnosis_sent",
                actor=f"phone:{enrollment.id}",
                source=source,
                at=now,
                detail={"reference": values["reference"], "size": len(text.encode())},
            ),
        )
        return _diagnosis_of(values)

    for left in reversed(range(_REFERENCES_TRIED)):
        try:
            return await ctx.db.write(body)
        except Duplicate:
            # Its reference is taken: one in 2^40, and then another one will do.
            if not left:
                raise
    raise AssertionError


def _new(ctx: Context, enrollment: Enrollment, id_: str, text: str) -> dict[str, Any]:
    now = ctx.clock.now()
    return {
        "id": id_,
        "account_id": enrollment.account_id,
        "enrollment_id": enrollment.id,
        "label": enrollment.label,
        "reference": number_of(new_reference()),
        "text": ctx.sealer.seal(_PURPOSE, text.encode(), id_.encode()),
        "state": State.KEPT.value,
        "at": now,
        "expires_at": now + ctx.settings.diagnosis_days * DAY,
    }


# --- its owner's ------------------------------------------------------------------------------


async def list_diagnoses(ctx: Context, account_id: str) -> list[Diagnosis]:
    """Those that an account may still attach, the newest first."""
    rows = await ctx.db.all(store.KEPT, account_id_=account_id, now=ctx.clock.now(), most=_SHOWN)
    return [_diagnosis_of(row) for row in rows]


async def read_diagnosis(ctx: Context, account_id: str, reference: str) -> tuple[Diagnosis, str]:
    """One of an account's own, and its text.

    Raises Refused ``diagnosis_unknown``: also for somebody else's, and for what is over.
    """
    row = await _own(ctx, account_id, reference)
    return _diagnosis_of(row), _text_of(ctx, row)


async def attach_diagnosis(ctx: Context, place: Place, reference: str) -> None:
    """Make it a file that waits for its owner's next message there.

    Raises as `attach`, and Refused ``diagnosis_unknown``.
    """
    row = await _own(ctx, place.added_by, reference)
    found = _diagnosis_of(row)
    kept = await attach(ctx, place, found.file_name, _whole(_text_of(ctx, row)))
    # The file first: what fails in between leaves one too many, which its owner sees, and not none.
    if not await _end(ctx, found, Event.ATTACH, "support.diagnosis_attached", place.source):
        await remove_attachment(ctx, place, kept.attachment.id)
        raise Refused("diagnosis_unknown")


async def delete_diagnosis(ctx: Context, account_id: str, reference: str, *, source: str) -> None:
    """Delete it at once. Raises Refused ``diagnosis_unknown``."""
    found = _diagnosis_of(await _own(ctx, account_id, reference))
    if not await _end(ctx, found, Event.DELETE, "support.diagnosis_deleted", source):
        raise Refused("diagnosis_unknown")


async def _own(ctx: Context, account_id: str, reference: str) -> Row:
    row = await ctx.db.one(
        store.OPEN,
        account_id_=account_id,
        reference_=number_from(reference) or "",
        now=ctx.clock.now(),
    )
    if row is None:
        raise Refused("diagnosis_unknown")
    return row


def _text_of(ctx: Context, row: Row) -> str:
    try:
        return ctx.sealer.open(_PURPOSE, row["text"], row["id"].encode()).decode()
    except Unsealable as fault:
        raise Unavailable("attachment_damaged", reason=str(fault)) from fault


async def _whole(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


async def _end(ctx: Context, found: Diagnosis, event: Event, told: str, source: str) -> bool:
    """End it, unless it has ended meanwhile."""
    happened = audit.journal(
        event=told,
        actor="system" if event is Event.EXPIRE else "browser",
        source=source,
        at=ctx.clock.now(),
        detail={"reference": found.reference},
    )
    ended = await ctx.db.run(
        store.END,
        id_=found.id,
        from_state=found.state.value,
        to_state=rules.move(found.state, event).value,
        **happened,
    )
    return bool(ended)


# --- its time ---------------------------------------------------------------------------------


async def sweep_diagnoses(ctx: Context) -> None:
    """Delete the texts whose time is over, each with its event, and rows that nothing needs."""
    while True:
        now = ctx.clock.now()
        due = await ctx.db.all(store.DUE, now=now, most=_AT_A_TIME)
        for row in due:
            await _end(ctx, _diagnosis_of(row), Event.EXPIRE, "support.diagnosis_gone", "")
        if len(due) < _AT_A_TIME:
            break
    await ctx.db.run(store.SWEEP, before=now - DAY)


def _diagnosis_of(row: Row | Mapping[str, Any]) -> Diagnosis:
    return Diagnosis(
        id=row["id"],
        account_id=row["account_id"],
        label=row["label"],
        reference=row["reference"],
        state=State(row["state"]),
        at=row["at"],
        expires_at=row["expires_at"],
    )
