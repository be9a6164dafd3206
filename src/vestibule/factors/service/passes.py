"""Temporary passes: a member of staff asks, an officer gives, and tells it to the client.

A pass stands beside the client's own password and never in its place: staff that knows one does
not get in by it.
"""

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from vestibule.accounts import service as accounts
from vestibule.base import audit
from vestibule.base.clock import HOUR
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.base.i18n import t
from vestibule.base.ids import new_id
from vestibule.factors import store
from vestibule.factors.rules import Kind, codes, passes
from vestibule.factors.rules.passes import Event, PassRequest, State
from vestibule.factors.service import records
from vestibule.protocol.encoding import b64u
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.staff.rules import Member, may_decide

_MOST: Final = 100
_ENDS: Final = {
    Event.REFUSE: "pass.refused",
    Event.WITHDRAW: "pass.withdrawn",
}


class PassState(msgspec.Struct, frozen=True):
    """What a pass remembers."""

    digest: str
    single: bool
    """Whether its first use spends it."""


_JOURNAL: Final = ("event", "event_at", "actor", "source", "result", "audit_detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A pass at the only moment at which it is known."""

    code: str
    """``ABCD-EFGH-JKMN``"""
    expires_at: int
    single: bool
    request: PassRequest


async def ask_pass(
    ctx: Context, *, member: Member, session: Session, username: str, reason: str, source: str
) -> None:
    """Ask for a pass for a client; an officer has to confirm it.

    Raises Refused ``step_up_needed``, ``pass_reason_invalid``, ``client_unknown``, ``pass_own``,
    ``pass_open`` or ``pass_in_a_row``.
    """
    sessions.demand(ctx, session)
    reason = passes.clean_reason(reason)
    client = await accounts.find_account(ctx, username=username)
    if client is None or client.disabled_at is not None:
        raise Refused("client_unknown")
    if client.id == member.account_id:
        raise Refused("pass_own")
    now = ctx.clock.now()

    async def body(tx: Tx) -> None:
        await accounts.lock_account(tx, client.id)
        if await tx.one(store.OPEN_REQUEST, account_id=client.id, now=now):
            raise Refused("pass_open")
        await _demand_not_in_a_row(tx, client.id, now=now)
        await tx.run(
            store.ASK,
            id=new_id(),
            account_id=client.id,
            state=State.OPEN.value,
            asked_by=member.account_id,
            reason=reason,
            asked_at=now,
            decided_by=None,
            decided_at=None,
            expires_at=now + passes.REQUEST_MS,
            factor_id=None,
            **audit.journal(
                event="pass.requested",
                actor=f"staff:{member.account_id}",
                source=source,
                at=now,
                detail={"reason": reason, "staff": member.username},
            ),
        )

    await ctx.db.write(body)


async def _demand_not_in_a_row(tx: Tx, account_id: str, *, now: int) -> None:
    last = await tx.one(store.LAST_PASS, account_id=account_id)
    at = last["at"] if last else None
    since = {"account_id": account_id, "since": at or 0}
    lasting = await tx.one(store.LASTING_FACTOR, **since) or await tx.one(
        store.LASTING_PHONE, **since
    )
    passes.demand_not_in_a_row(last_pass=at, lasting_since=lasting is not None, now=now)


async def list_requests(ctx: Context) -> list[PassRequest]:
    """The latest requests, whatever became of them."""
    now = ctx.clock.now()
    return [_request(row, now) for row in await ctx.db.all(store.REQUESTS, most=_MOST)]


async def confirm_pass(
    ctx: Context,
    *,
    member: Member,
    session: Session,
    id: str,  # noqa: A002  -- the record's own name for it
    source: str,
) -> Issued:
    """Give the pass that a colleague asked for. Former passes of the client are void.

    Raises Refused ``step_up_needed``, ``pass_unknown``, ``pass_second_member``, ``pass_decided``
    or ``pass_in_a_row``.
    """
    sessions.demand(ctx, session)
    now = ctx.clock.now()
    found = await _found(ctx, id, now)
    if not may_decide(member, asked_by=found.asked_by, client=found.account_id):
        raise Refused("pass_second_member")
    code = codes.spell(secrets.token_bytes(8), codes.PASS_LENGTH)
    single = ctx.settings.temporary_pass_single_use
    expires_at = now + ctx.settings.temporary_pass_hours * HOUR
    factor_id = new_id()
    client = await accounts.get_account(ctx, found.account_id)
    language = client.language or ctx.settings.default_language

    async def body(tx: Tx) -> None:
        await accounts.lock_account(tx, client.id)
        await _demand_not_in_a_row(tx, client.id, now=now)
        await _decide(tx, found, Event.CONFIRM, member, factor_id=factor_id, source=source, now=now)
        for row in await tx.all(store.LISTED, account_id=client.id):
            if row["kind"] == Kind.TEMPORARY_PASS:
                actor = f"staff:{member.account_id}"
                await records.revoke(tx, row, source=source, now=now, actor=actor)
        state = PassState(digest=_digest(ctx, factor_id, code), single=single)
        await tx.run(
            store.ADD,
            id=factor_id,
            account_id=client.id,
            kind=Kind.TEMPORARY_PASS.value,
            label=t("factors.kind.temporary_pass", language),
            secret=b"",
            state=msgspec.json.encode(state).decode(),
            version=1,
            created_at=now,
            confirmed_at=now,
            used_at=None,
            expires_at=expires_at,
            revoked_at=None,
            # The request's own event tells of it, in this transaction.
            **dict.fromkeys(_JOURNAL, None),
        )

    await ctx.db.write(body)
    return Issued(code=codes.shown(code), expires_at=expires_at, single=single, request=found)


async def refuse_pass(
    ctx: Context,
    *,
    member: Member,
    session: Session,
    id: str,  # noqa: A002  -- the record's own name for it
    source: str,
) -> State:
    """Refuse a request, or withdraw one's own; what became of it.

    Raises Refused ``step_up_needed``, ``pass_unknown``, ``pass_second_member``, ``pass_decided``.
    """
    sessions.demand(ctx, session)
    now = ctx.clock.now()
    found = await _found(ctx, id, now)
    own = found.asked_by == member.account_id
    if not own and not may_decide(member, asked_by=found.asked_by, client=found.account_id):
        raise Refused("pass_second_member")
    event = Event.WITHDRAW if own else Event.REFUSE
    await ctx.db.write(
        lambda tx: _decide(tx, found, event, member, factor_id=None, source=source, now=now)
    )
    return passes.move(State.OPEN, event)


async def _found(ctx: Context, id_: str, now: int) -> PassRequest:
    row = await ctx.db.one(store.REQUEST, id_=id_)
    if row is None:
        raise Refused("pass_unknown")
    return _request(row, now)


async def _decide(
    tx: Tx,
    found: PassRequest,
    event: Event,
    member: Member,
    *,
    factor_id: str | None,
    source: str,
    now: int,
) -> None:
    """Move a request on from open; of deciders side by side one wins. Raises ``pass_decided``."""
    state = passes.move(found.state, event)
    moved = await tx.run(
        store.DECIDE,
        id_=found.id,
        now=now,
        state_=state.value,
        decided_by_=member.account_id,
        factor_id_=factor_id,
        event_=_ENDS.get(event, "pass.confirmed"),
        actor_=f"staff:{member.account_id}",
        source_=source,
        detail=json.dumps({"reason": found.reason, "staff": member.username}),
    )
    if not moved:
        raise Refused("pass_decided")


def check(ctx: Context, row: Row, answer: str) -> PassState:
    """What is remembered after the right pass. Raises Refused ``factor_wrong``."""
    state = msgspec.json.decode(row["state"], type=PassState)
    code = codes.read(answer, codes.PASS_LENGTH)
    if code is None or not hmac.compare_digest(_digest(ctx, row["id"], code), state.digest):
        raise Refused("factor_wrong")
    return state


def _digest(ctx: Context, id_: str, code: str) -> str:
    return b64u(ctx.sealer.digest("temporary-pass", id_, code))


def _request(row: Row | Mapping[str, Any], now: int) -> PassRequest:
    return PassRequest(
        id=row["id"],
        account_id=row["account_id"],
        username=row["username"],
        display_name=row["display_name"],
        state=passes.state_of(State(row["state"]), expires_at=row["expires_at"], now=now),
        asked_by=row["asked_by"],
        asker=row["asker"],
        decider=row["decider"],
        reason=row["reason"],
        asked_at=row["asked_at"],
        decided_at=row["decided_at"],
        expires_at=row["expires_at"],
        pass_used_at=row["used_at"],
        pass_expires_at=row["pass_revoked_at"] or row["pass_expires_at"],
    )
