"""Tickets as phones see them at last: redeemed, once."""

from dataclasses import dataclass

from vestibule.accounts import service as accounts
from vestibule.activation import rules, store
from vestibule.activation.rules import State
from vestibule.activation.service.issuing import ticket_event
from vestibule.activation.service.offering import refusal_of
from vestibule.base.clock import HOUR, SECOND
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Duplicate, Lost, Refused
from vestibule.devices import service as devices
from vestibule.devices.rules import Enrollment
from vestibule.protocol import messages
from vestibule.protocol.keys import public_bytes
from vestibule.protocol.messages import Enrolment
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Assurance, EndReason, Proof, assurance_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What the phone is told of its new enrollment."""

    enrollment_id: str
    username: str
    seamless: bool
    replaced: str | None = None
    """The enrollment whose place it took, which is over now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An enrol-response that is well formed, with the credential in it checked."""

    message: Enrolment
    credential: str | None


def open_response(ctx: Context, response: str) -> Opened:
    """Open an enrol-response.

    Raises Refused ``assertion_wrong`` or ``attestation_missing``, and ProtocolFault.
    """
    message = messages.open_enrol_response(
        response,
        sign_key=public_bytes(ctx.keys.signing),
        encrypt_key=ctx.keys.encryption,
        issuer=ctx.settings.portal_url,
        now=ctx.clock.now() / SECOND,
    )
    claims = message.response
    credential = None
    devices.demand_attested(ctx, claims.webauthn)
    if claims.webauthn is not None:
        credential = devices.credential_of(
            ctx, registration=claims.webauthn, request=claims.request
        )
    return Opened(message=message, credential=credential)


async def redeem_ticket(ctx: Context, *, response: str, source: str) -> Enrolled:
    """Make the enrollment of an enrol-response (specification section 6): one winner per ticket.

    A refusal leaves the ticket as it was. Raises Refused ``ticket_used``, ``ticket_expired``,
    ``ticket_unknown``, ``ticket_withdrawn``, ``ticket_exhausted``, ``enrollment_exists``,
    ``already_enrolled_elsewhere``, ``assertion_wrong`` or ``device_name_invalid``, and
    ProtocolFault.
    """
    now = ctx.clock.now()
    opened = open_response(ctx, response)

    async def body(tx: Tx) -> Enrolled:
        return await _redeem(tx, ctx, opened, source=source, now=now)

    try:
        enrolled = await ctx.db.write(body)
    except Duplicate:
        # Its key or its device is enrolled already, by another ticket that was quicker.
        raise Refused("enrollment_exists") from None
    ctx.wake.tell(f"ticket:{opened.message.request.ticket}", "linked")
    if enrolled.replaced is not None:
        ctx.wake.tell(f"enrollment:{enrolled.replaced}", "removed")
    return enrolled


async def _redeem(tx: Tx, ctx: Context, opened: Opened, *, source: str, now: int) -> Enrolled:
    message = opened.message
    row = await tx.one(store.BY_ID, id_=message.request.ticket)
    if row is None:
        raise Refused("ticket_unknown")
    account_id: str = row["account_id"]
    # Two tickets of one account queue up here: "the first phone" can happen only once.
    await accounts.lock_account(tx, account_id)
    phones = await devices.active_enrollments(tx, account_id)
    replaced = next((phone for phone in phones if phone.id == row["replaces"]), None)
    proof = _demand_fit(row, message, phones, replaced, now=now)
    await _spend(tx, row, message, source=source, now=now)
    actor = f"phone:{message.id}"
    if replaced is not None:
        await devices.revoke_in(
            tx,
            ctx,
            account_id=account_id,
            enrollment_id=replaced.id,
            event="enrollment.replaced",
            actor=actor,
            source=source,
            label=replaced.label,
        )
    label = replaced.label if replaced else None
    await _enroll(tx, ctx, opened, row, label=label, source=source, now=now)
    if not phones:
        keep = row["session_id"]
        await close_password_sessions(
            tx, account_id=account_id, keep=keep, actor=actor, source=source, now=now
        )
        if keep:
            await sessions.outgrow(tx, keep)
    elif assurance_of(proof) is Assurance.BASIC:
        # The account was recovered with what can be copied, and without a phone's word.
        until = now + ctx.settings.cool_down_hours * HOUR
        await accounts.guard(tx, account_id=account_id, until=until)
    return _enrolled(row, message, replaced=replaced.id if replaced else None)


def _demand_fit(
    row: Row,
    message: Enrolment,
    phones: list[Enrollment],
    replaced: Enrollment | None,
    *,
    now: int,
) -> Proof:
    """What the ticket's session was opened with, where the ticket may link this phone."""
    others = [phone for phone in phones if phone is not replaced]
    if any(rules.same_device(phone, message.response.device) for phone in others):
        # Also where this very code did it: then the phone is linked, and nothing is wrong.
        raise Refused("enrollment_exists")
    if no := refusal_of(row, now=now):
        raise Refused(no)
    proof = Proof(row["proof"]) if row["proof"] is not None else Proof.PASSWORD
    if not rules.may_add_phone(has_phone=bool(phones), strong=proof is not Proof.PASSWORD):
        raise Refused("already_enrolled_elsewhere")
    if row["replaces"] is not None and replaced is None:
        # It was removed meanwhile, and with it went the reason to bring another one.
        raise Refused("ticket_withdrawn")
    return proof


async def redeem_in_case(
    tx: Tx,
    ctx: Context,
    opened: Opened,
    *,
    case_id: str,
    label: str | None,
    rests_until: int | None,
    source: str,
    now: int,
) -> Enrolled:
    """Redeem a case's ticket inside the transaction that moves the case.

    The caller has locked the account and made room. Raises Refused as `redeem_ticket`, and
    Duplicate where the account is active on this device.
    """
    row = await tx.one(store.BY_ID, id_=opened.message.request.ticket)
    if row is None or row["case_id"] != case_id:
        raise Refused("ticket_unknown")
    if no := rules.refusal(
        state=State(row["state"]),
        expires_at=row["expires_at"],
        session_ended=row["disabled_at"] is not None,
        now=now,
    ):
        raise Refused(no)
    await _spend(tx, row, opened.message, source=source, now=now)
    await _enroll(
        tx, ctx, opened, row, label=label, rests_until=rests_until, source=source, now=now
    )
    return _enrolled(row, opened.message, replaced=None)


async def _spend(tx: Tx, row: Row, message: Enrolment, *, source: str, now: int) -> None:
    won = await tx.run(
        store.REDEEM,
        id_=row["id"],
        now=now,
        enrollment_id_=message.id,
        **ticket_event("ticket.redeemed", f"phone:{message.id}", source, now=now),
    )
    if not won:
        raise Lost


async def _enroll(
    tx: Tx,
    ctx: Context,
    opened: Opened,
    row: Row,
    *,
    label: str | None,
    rests_until: int | None = None,
    source: str,
    now: int,
) -> None:
    await devices.enroll(
        tx,
        ctx,
        account_id=row["account_id"],
        message=opened.message,
        credential=opened.credential,
        source=source,
        ticket_id=row["id"],
        label=label,
        rests_until=rests_until,
        in_case=row["case_id"] is not None,
        now=now,
    )


def _enrolled(row: Row, message: Enrolment, *, replaced: str | None) -> Enrolled:
    return Enrolled(
        enrollment_id=message.id,
        username=row["username"],
        seamless=bool(row["seamless"]),
        replaced=replaced,
    )


async def close_password_sessions(
    tx: Tx, *, account_id: str, keep: str | None, actor: str, source: str, now: int
) -> None:
    """From the first phone on a password alone opens nothing; what it opened before is closed."""
    await sessions.end_others(
        tx,
        account_id=account_id,
        keep=keep,
        reason=EndReason.PHONE_LINKED,
        actor=actor,
        source=source,
        now=now,
        proof=Proof.PASSWORD,
    )
