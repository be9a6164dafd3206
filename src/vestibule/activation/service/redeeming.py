"""Tickets as phones see them: opened, which uses nothing up, and redeemed, once."""

import hmac
from dataclasses import dataclass

from vestibule.accounts import service as accounts
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
from vestibule.base.errors import Duplicate, Lost, Refused
from vestibule.base.ids import new_id
from vestibule.devices import service as devices
from vestibule.protocol import messages
from vestibule.protocol.encoding import b64u, b64u_decode
from vestibule.protocol.keys import jwk_of, kid_of, public_bytes
from vestibule.protocol.messages import (
    Argon2idFloor,
    Enrolment,
    EnrolRequest,
    Pbkdf2Floor,
    Policy,
    ServerKeys,
)
from vestibule.protocol.typed_code import parse_typed_code
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import EndReason, Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What the phone is told of its new enrollment."""

    enrollment_id: str
    username: str
    seamless: bool


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
        no = _refusal(row, now=now)
        await _record(tx, "ticket.opened", row, source=source, result=no or "ok", now=now)
        return _No(code=no, facts={}) if no else row

    found = await ctx.db.write(body)
    if isinstance(found, _No):
        raise Refused(found.code, **found.facts)
    ctx.wake.tell(f"ticket:{found['id']}", "opened", linger=True)
    return _enrol_request(ctx, found, now=now)


async def _wrong(tx: Tx, ctx: Context, row: Row | None, *, source: str, now: int) -> _No:
    """Count a secret that fits nothing: for its source, and for the ticket whose locator it has."""
    if row is None or _refusal(row, now=now):
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


def _refusal(row: Row, *, now: int) -> str | None:
    return rules.refusal(
        state=State(row["state"]),
        expires_at=row["expires_at"],
        session_ended=row["session_ended_at"] is not None or row["disabled_at"] is not None,
        now=now,
    )


def _enrol_request(ctx: Context, row: Row, *, now: int) -> str:
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


async def redeem_ticket(ctx: Context, *, response: str, source: str) -> Enrolled:
    """Make the enrollment of an enrol-response (specification section 6): one winner per ticket.

    A refusal leaves the ticket as it was. Raises Refused ``ticket_used``, ``ticket_expired``,
    ``ticket_unknown``, ``ticket_withdrawn``, ``ticket_exhausted``, ``enrollment_exists``,
    ``activation_needs_phone``, ``assertion_wrong`` or ``device_name_invalid``, and ProtocolFault.
    """
    now = ctx.clock.now()
    message = messages.open_enrol_response(
        response,
        sign_key=public_bytes(ctx.keys.signing),
        encrypt_key=ctx.keys.encryption,
        issuer=ctx.settings.portal_url,
        now=now / SECOND,
    )
    claims = message.response
    credential = None
    if claims.webauthn is not None:
        credential = devices.credential_of(
            ctx, registration=claims.webauthn, request=claims.request
        )

    async def body(tx: Tx) -> Enrolled:
        return await _redeem(tx, ctx, message, credential, source=source, now=now)

    try:
        enrolled = await ctx.db.write(body)
    except Duplicate:
        # Its key or its device is enrolled already, by another ticket that was quicker.
        raise Refused("enrollment_exists") from None
    ctx.wake.tell(f"ticket:{message.request.ticket}", "linked")
    return enrolled


async def _redeem(
    tx: Tx, ctx: Context, message: Enrolment, credential: str | None, *, source: str, now: int
) -> Enrolled:
    row = await tx.one(store.BY_ID, id_=message.request.ticket)
    if row is None:
        raise Refused("ticket_unknown")
    if no := _refusal(row, now=now):
        raise Refused(no)
    account_id: str = row["account_id"]
    # Two tickets of one account queue up here: "the first phone" can happen only once.
    await accounts.lock_account(tx, account_id)
    phones = await devices.active_enrollments(tx, account_id)
    if any(phone.device_id == message.response.device for phone in phones):
        raise Refused("enrollment_exists")
    strong = row["proof"] is not None and Proof(row["proof"]) is not Proof.PASSWORD
    if not rules.may_add_phone(has_phone=bool(phones), strong=strong):
        raise Refused("activation_needs_phone")
    actor = f"phone:{message.id}"
    won = await tx.run(
        store.REDEEM,
        id_=row["id"],
        now=now,
        enrollment_id_=message.id,
        **ticket_event("ticket.redeemed", actor, source, now=now),
    )
    if not won:
        raise Lost
    await devices.enroll(
        tx,
        ctx,
        account_id=account_id,
        message=message,
        credential=credential,
        source=source,
        ticket_id=row["id"],
        now=now,
    )
    if not phones:
        await _close_password_sessions(tx, row, actor=actor, source=source, now=now)
    return Enrolled(
        enrollment_id=message.id, username=row["username"], seamless=bool(row["seamless"])
    )


async def _close_password_sessions(
    tx: Tx, ticket: Row, *, actor: str, source: str, now: int
) -> None:
    """From the first phone on a password alone opens nothing; what it opened before is closed."""
    await sessions.end_others(
        tx,
        account_id=ticket["account_id"],
        keep=ticket["session_id"],
        reason=EndReason.PHONE_LINKED,
        actor=actor,
        source=source,
        now=now,
        proof=Proof.PASSWORD,
    )


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
