"""Reading: a case by its token or id, and what its account has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from vestibule.base import audit
from vestibule.base.clock import HOUR
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx, Value
from vestibule.base.errors import Lost, Refused
from vestibule.contacts import service as contacts
from vestibule.contacts.rules import Kind as ContactKind
from vestibule.devices import service as devices
from vestibule.factors import service as factors
from vestibule.login.service import Mine
from vestibule.recovery import rules, store
from vestibule.recovery.rules import Case, Event, Facts, Situation, State, Way

_PURPOSE: Final = "case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A case as read, and what of its row is nobody else's business."""

    case: Case
    asked: bytes | None
    event_at: int
    """When it last moved (ms)."""


def token_of(ctx: Context, case: Case) -> str:
    """What the app holds: good for this case on this device, until the wait may be over."""
    life = ctx.settings.case_seconds * 1000 + ctx.settings.recovery_wait_hours * HOUR
    return ctx.sealer.token(
        _PURPOSE,
        f"{case.id} {case.device_id}".encode("ascii"),
        expires_at=case.opened_at + life,
    )


async def held_by(tx: Tx, ctx: Context, token: str) -> Held:
    """The case of a token. Raises Refused ``case_unknown``."""
    opened = ctx.sealer.untoken(_PURPOSE, token, now=ctx.clock.now())
    if opened is None:
        raise Refused("case_unknown")
    id_, device_id = opened.decode("ascii").split(" ")
    held = await find(tx, id_)
    if held is None or held.case.device_id != device_id:
        raise Refused("case_unknown")
    return held


async def find(tx: Tx, case_id: str) -> Held | None:
    """The case of an id."""
    row = await tx.one(store.BY_ID, id_=case_id)
    return held_of(row) if row is not None else None


def held_of(row: Row | Mapping[str, Any]) -> Held:
    """The case in a row that has the table's columns."""
    values = {name: row[name] for name in Case.__dataclass_fields__}
    values |= {
        "state": State(row["state"]),
        "situation": Situation(row["situation"]),
        "rests": bool(row["rests"]),
    }
    return Held(case=Case(**values), asked=row["asked"], event_at=row["event_at"])


async def facts_of(tx: Tx, ctx: Context, account_id: str) -> Facts:
    """What the account has now, that another phone may be linked by."""
    phones = await devices.active_phones(tx, account_id)
    return Facts(
        phones=tuple(phone.enrollment for phone in phones),
        used_at={phone.enrollment.id: phone.used_at for phone in phones},
        numbers=tuple(await contacts.verified(tx, account_id, kind=ContactKind.NUMBER)),
        factors=tuple(await factors.usable(tx, ctx, account_id, ctx.clock.now())),
    )


def ways_of(ctx: Context, case: Case, facts: Facts) -> tuple[Way, ...]:
    """What this case may be proved by."""
    texts = ctx.text.ways if ctx.settings.sms_activation else ()
    return rules.ways(
        facts,
        device_id=case.device_id,
        former=case.former,
        by_text="sms" in texts,
        by_voice="voice" in texts,
        trust_ms=ctx.settings.number_trust_hours * HOUR,
        now=ctx.clock.now(),
    )


async def change(
    tx: Tx,
    held: Held,
    event: Event,
    *,
    told: str,
    actor: str,
    source: str,
    now: int,
    result: str = "ok",
    detail: audit.Detail | None = None,
    **changes: Value,
) -> None:
    """Move a case from exactly what was read. Raises Lost, and Refused ``case_over``."""
    case = held.case
    values: dict[str, Value] = {
        name: held.asked if name == "asked" else getattr(case, name) for name in store.CHANGING
    }
    values["situation"] = case.situation.value
    won = await tx.run(
        store.MOVE,
        id_=case.id,
        from_version=case.version,
        from_state=case.state.value,
        to_state=rules.move(case.state, event).value,
        **{**values, **changes},
        **audit.journal(
            event=told,
            actor=actor,
            source=source,
            result=result,
            at=now,
            detail={"label": case.label, "situation": str(values["situation"]), **(detail or {})},
        ),
    )
    if not won:
        raise Lost


def seal_asked(ctx: Context, case_id: str, mine: Mine) -> bytes:
    """The column that keeps the hold on the old phone's answer."""
    said = json.dumps({"id": mine.id, "secret": mine.secret}).encode("ascii")
    return ctx.sealer.seal("case-asked", said, case_id.encode("ascii"))


def open_asked(ctx: Context, held: Held) -> Mine | None:
    """The hold on the old phone's answer, if one was asked."""
    if held.asked is None:
        return None
    said = json.loads(ctx.sealer.open("case-asked", held.asked, held.case.id.encode("ascii")))
    return Mine(id=said["id"], secret=said["secret"])
