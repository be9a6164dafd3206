"""Tickets as phones see them first: opened, which uses nothing up."""

import hmac
from dataclasses import dataclass

from vestibule.activation import rules, store
from vestibule.activation.rules import State
from vestibule.activation.service.issuing import (
    SECRET_BYTES,
    code_digest,
    link_digest,
    ticket_event,
)
from vestibule.base import audit, limits
from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Lost, Refused
from vestibule.base.ids import new_id
from vestibule.protocol import messages
from vestibule.protocol.encoding import b64u, b64u_decode
from vestibule.protocol.keys import jwk_of, kid_of, public_bytes
from vestibule.protocol.messages import (
    Argon2idFloor,
    EnrolRequest,
    Pbkdf2Floor,
    Policy,
    ServerKeys,
)
from vestibule.protocol.typed_code import parse_typed_code


@dataclass(frozen=True, slots=True, kw_only=True)
class _No:
    """A refusal that has something to be committed first."""

    code: str
    facts: dict[str, int]


async def open_ticket(
    ctx: Context, *, link: str | None = None, code: str | None = None, source: str
) -> str:
    """The enrol-request for a link's secret or a typed code; it uses nothing up.

    ``source`` is the subject of limits. Raises Refused ``ticket_unknown`` (with ``left`` where a
    ticket was hit), ``ticket_used``, ``ticket_expired``, ``ticket_withdrawn``,
    ``ticket_exhausted`` or ``too_many_requests``, and ProtocolFault for what is no code or link.
    """
    typed = parse_typed_code(code) if code is not None else None
    secret = b64u_decode(link or "", SECRET_BYTES) if typed is None else b""
    now = ctx.clock.now()

    async def body(tx: Tx) -> Row | _No:
        slot = await limits.load(tx, f"source:{source}")
        if wait := slot.limits.ticket_wait(now=now):
            return _No(code="too_many_requests", facts={"wait": -(-wait // SECOND)})
        if typed is None:
            row = await tx.one(store.BY_LINK, link_digest=link_digest(ctx, secret))
            right = row is not None
        else:
            row = await tx.one(store.BY_LOCATOR, locator=typed.locator)
            right = row is not None and hmac.compare_digest(
                row["code_digest"], code_digest(ctx, typed)
            )
        if row is None or not right:
            await limits.save(tx, slot, slot.limits.ticket_failed(now=now))
            return await _wrong(tx, ctx, row, source=source, now=now)
        no = refusal_of(row, now=now)
        await _record(tx, "ticket.opened", row, source=source, result=no or "ok", now=now)
        return _No(code=no, facts={}) if no else row

    found = await ctx.db.write(body)
    if isinstance(found, _No):
        raise Refused(found.code, **found.facts)
    ctx.wake.tell(f"ticket:{found['id']}", "opened", linger=True)
    return enrol_request(ctx, found, now=now)


async def _wrong(tx: Tx, ctx: Context, row: Row | None, *, source: str, now: int) -> _No:
    """Count a secret that fits nothing: for its source, and for the ticket whose locator it has."""
    if row is None or refusal_of(row, now=now):
        await _record(tx, "ticket.opened", row, source=source, result="ticket_unknown", now=now)
        return _No(code="ticket_unknown", facts={})
    event, left = rules.wrong_code(row["tries"], most=ctx.settings.ticket_tries)
    code = "ticket_unknown" if left else "ticket_exhausted"
    told = "ticket.wrong_code" if left else "ticket.exhausted"
    won = await tx.run(
        store.WRONG_CODE,
        id_=row["id"],
        from_tries=row["tries"],
        to_state=rules.move(State(row["state"]), event).value,
        **ticket_event(told, "phone", source, result=code, now=now),
    )
    if not won:
        raise Lost
    return _No(code=code, facts={"left": left})


def refusal_of(row: Row, *, now: int) -> str | None:
    """Why the ticket of a row cannot be redeemed; a case's ticket is none of these."""
    if row["case_id"] is not None:
        return "ticket_unknown"
    return rules.refusal(
        state=State(row["state"]),
        expires_at=row["expires_at"],
        session_ended=row["session_ended_at"] is not None or row["disabled_at"] is not None,
        now=now,
    )


def enrol_request(ctx: Context, row: Row, *, now: int) -> str:
    """The signed offer of a ticket (specification section 6), as long as the ticket lives."""
    settings, keys = ctx.settings, ctx.keys
    sign = public_bytes(keys.signing)
    request = EnrolRequest(
        iss=settings.portal_url,
        aud="phone",
        iat=now // SECOND,
        exp=row["expires_at"] // SECOND,
        jti=new_id(),
        ticket=row["id"],
        account=rules.masked(row["username"]),
        organisation=settings.organisation,
        application=settings.application,
        keys=ServerKeys(sign=jwk_of(sign), encrypt=jwk_of(public_bytes(keys.encryption))),
        policy=Policy(
            pin_min=settings.pin_min,
            pin_max=settings.pin_max,
            suite="OCRA-1:HOTP-SHA256-8:C-QN06",
            argon2id=Argon2idFloor(
                m=settings.kdf_argon2id_memory_kib, t=settings.kdf_argon2id_passes
            ),
            pbkdf2=Pbkdf2Floor(rounds=settings.kdf_pbkdf2_rounds),
        ),
        vapid=b64u(public_bytes(keys.vapid)),
    )
    return messages.sign(request, key=keys.signing, kid=kid_of(sign))


async def _record(
    tx: Tx, event: str, row: Row | None, *, source: str, result: str, now: int
) -> None:
    await audit.record(
        tx,
        event=event,
        account_id=row["account_id"] if row else None,
        subject=row["id"] if row else None,
        actor="phone",
        source=source,
        result=result,
        at=now,
    )
