"""Beginning: a right username and password open a case, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vestibule.base import audit
from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Malformed
from vestibule.base.ids import ID_LENGTH, new_id
from vestibule.devices import rules as device_rules
from vestibule.login import service as login
from vestibule.protocol.encoding import b64u_decode
from vestibule.protocol.errors import ProtocolFault
from vestibule.recovery import rules, store
from vestibule.recovery.rules import Case, Facts, State, Way
from vestibule.recovery.service.reading import facts_of, token_of, ways_of
from vestibule.web.visitor import Visitor

_PLATFORM_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What the app is told of its new case."""

    token: str
    case: Case
    username: str
    facts: Facts
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The phone that comes, as it says of itself."""

    id: str
    label: str
    platform: str
    former: str | None
    """The enrollment that it held for the account, if it remembers one."""


async def open_case(
    ctx: Context, *, username: str, password: str, device: Device, visitor: Visitor
) -> Opened:
    """Open a case for a device that comes with credentials.

    Unknown names are refused like wrong passwords, with the same statements and in the same time.
    Raises as `login.check_credentials`, Refused ``device_name_invalid`` and Malformed.
    """
    device = _demand_good(device)
    account = await login.check_credentials(
        ctx, username=username, password=password, visitor=visitor
    )
    case_id = new_id()

    async def body(tx: Tx) -> tuple[Case, Facts]:
        facts = await facts_of(tx, ctx, account.id)
        case = _case(ctx, case_id, account.id, device, facts=facts, visitor=visitor)
        values = {name: getattr(case, name) for name in Case.__dataclass_fields__}
        values |= {"state": case.state.value, "situation": case.situation.value, "asked": None}
        entry = audit.journal(
            event="recovery.opened",
            actor="phone",
            source=visitor.address,
            at=case.opened_at,
            detail={"label": case.label, "situation": case.situation.value},
        )
        await tx.run(store.OPEN, **values, **entry)
        return case, facts

    case, facts = await ctx.db.write(body)
    return Opened(
        token=token_of(ctx, case),
        case=case,
        username=account.username,
        facts=facts,
        ways=ways_of(ctx, case, facts),
    )


def _case(
    ctx: Context, id_: str, account_id: str, device: Device, *, facts: Facts, visitor: Visitor
) -> Case:
    now = ctx.clock.now()
    return Case(
        id=id_,
        account_id=account_id,
        device_id=device.id,
        label=device.label,
        platform=device.platform,
        former=device.former,
        state=State.OPEN,
        situation=rules.situation(facts, device_id=device.id, former=device.former),
        way=None,
        replaces="",
        rests=False,
        tries=0,
        ticket_id=None,
        enrollment_id=None,
        replaced="",
        rests_until=None,
        opened_at=now,
        expires_at=now + ctx.settings.case_seconds * SECOND,
        browser=visitor.browser,
        address=visitor.address,
        place=visitor.place,
        version=1,
    )


def _demand_good(device: Device) -> Device:
    """The device with its name cleaned."""
    for id_ in (device.id, device.former):
        _demand_id(id_)
    if not 1 <= len(device.platform) <= _PLATFORM_MAX or not device.platform.isprintable():
        raise Malformed("message_malformed")
    return replace(device, label=device_rules.clean_label(device.label))


def _demand_id(id_: str | None) -> None:
    try:
        fits = id_ is None or (len(id_) == ID_LENGTH and bool(b64u_decode(id_, 16)))
    except ProtocolFault:
        fits = False
    if not fits:
        raise Malformed("message_malformed")
