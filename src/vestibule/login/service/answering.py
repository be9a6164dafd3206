"""The phone's side: what waits for it, and its answers (specification, sections 7 and 8)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from vestibule.accounts import service as accounts
from vestibule.base import audit, limits
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Lost, Malformed, Refused
from vestibule.devices import rules as device_rules, service as devices
from vestibule.login import store
from vestibule.login.rules import Attempt, Event, State, answerable, move, wrong_proof
from vestibule.login.service.round import attempt_of
from vestibule.protocol import keys, messages
from vestibule.protocol.messages import Approval, Unverified
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import EndReason, Proof

_EVENT = {"approve": Event.APPROVE, "deny": Event.DENY, "report": Event.REPORT}
_RESULT = {"approve": "approved", "deny": "denied", "report": "reported"}
_REPORT_STOPS_PUSHES_MS = DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for one enrollment: requests signed by the house, ready to be shown."""

    account: str
    seamless: bool
    label: str
    push: str
    requests: tuple[str, ...]
    rests_until: int | None
    """Before this (ms) it cannot approve."""
    retires_at: int | None
    """From this on (ms) it can only deny and report."""


async def waiting_for(
    ctx: Context, *, authorization: str | None, method: str, path: str, body: bytes
) -> Waiting:
    """The pending requests of the enrollment that asks: one read. Raises as `devices.prove`."""
    message = devices.parse_proof(authorization)
    rows = await ctx.db.all(store.WAITING_FOR, enrollment_id=message.kid, now=ctx.clock.now())
    row = rows[0] if rows else None
    devices.check_proof(ctx, row, message, method=method, path=path, body=body)
    if row is None:  # never: check_proof refused it
        raise Refused("enrollment_unknown")
    return Waiting(
        account=row["username"],
        seamless=bool(row["seamless"]),
        label=row["label"],
        push=row["push_health"],
        requests=tuple(each["request"] for each in rows if each["request"] is not None),
        rests_until=row["rests_until"],
        retires_at=row["retires_at"],
    )


async def answer_login(ctx: Context, *, text: str, source: str) -> str:
    """Take an approval, denial or report; returns `approved`, `denied` or `reported`.

    Raises ProtocolFault and Refused with the codes of specification section 8.
    """
    message = messages.parse(text, Approval)
    row = await _read(ctx.db, message)
    message.verify(row["public_key"])
    for _ in range(20):
        decided = await _decide(ctx, message, row, source=source)
        if decided is not None:
            await _note_permission(ctx, message.claims, row, source=source)
            return decided
        row = await _read(ctx.db, message)
    raise Refused("already_answered")


async def _note_permission(ctx: Context, claims: Approval, row: Row, *, source: str) -> None:
    """What the answer says of the phone's permission to notify, where that is news."""
    was_denied, is_denied = row["push_health"] == "denied", claims.push == "denied"
    if is_denied != was_denied and claims.push != "unavailable":
        await devices.note_permission(
            ctx, enrollment_id=row["phone_id"], denied=is_denied, source=source
        )


async def _read(tx: Tx, message: Unverified[Approval]) -> Row:
    row = await tx.one(store.TO_ANSWER, enrollment_id=message.kid, id_=message.claims.request)
    if row is None:
        raise Refused("enrollment_unknown")
    return row


async def _decide(
    ctx: Context, message: Unverified[Approval], row: Row, *, source: str
) -> str | None:
    """Check and write one answer; None when another write came between, so read again."""
    claims = message.claims
    now = ctx.clock.now()
    attempt = _check(ctx, message, row, now=now)
    phone = limits.Slot.of(f"device:{row['device_id']}", row["phone_version"], row["phone_state"])
    event = _EVENT[claims.act]
    if event is Event.APPROVE:
        device_rules.demand_able(
            rests_until=row["rests_until"], retires_at=row["retires_at"], now=now
        )
        if (wait := phone.limits.knowledge_wait(now=now)) > 0:
            raise Refused("approvals_blocked", wait=-(-wait // 1000))
        if phone.limits.knowledge_locked and claims.assertion is None:
            raise Refused("pin_locked")
        if attempt.number and not hmac.compare_digest(claims.number, attempt.challenge):
            await _wrong_number(ctx, attempt, phone, source=source, now=now)
            return None
        if not _proven(ctx, row, claims, attempt):
            await _wrong_proof(ctx, attempt, phone, source=source, now=now)
            return None
    return await _settle(ctx, row, attempt, phone, claims, source=source, now=now)


def _check(ctx: Context, message: Unverified[Approval], row: Row, *, now: int) -> Attempt:
    """Everything that comes before the proofs, in the specification's order."""
    claims = message.claims
    if row["revoked_at"] is not None:
        raise Refused("enrollment_revoked")
    if claims.iss != message.kid or claims.aud != ctx.settings.portal_url:
        raise Malformed("message_malformed")
    if row["id"] is None or row["enrollment_id"] != message.kid or row["request"] is None:
        raise Refused("request_unknown")
    attempt = attempt_of(row)
    answerable(attempt, _EVENT[claims.act], now=now)
    request = row["request"]
    if not hmac.compare_digest(claims.hash, messages.message_hash(request)):
        raise Refused("request_changed")
    messages.check_times(claims, now=now / 1000, life=messages.APPROVAL_LIFE_S)
    return attempt


def _proven(ctx: Context, row: Row, claims: Approval, attempt: Attempt) -> bool:
    if claims.assertion is not None:
        return devices.assertion_holds(
            ctx, credential=row["credential"], assertion=claims.assertion, request=row["request"]
        )
    key = devices.open_knowledge_key(ctx, row["phone_id"], row["knowledge_key"])
    return hmac.compare_digest(claims.proof, keys.approval_proof(key, attempt.request or ""))


def _proof_of(attempt: Attempt) -> Proof:
    """What an approval shows: that this phone saw that page, or only that it was asked."""
    if attempt.claimed:
        return Proof.QR
    return Proof.NUMBER if attempt.number else Proof.PUSH


def _change(
    attempt: Attempt, event: Event, phone: limits.Slot, *, now: int
) -> dict[str, str | int]:
    """The compare-and-set of one answer: from exactly what was read."""
    return {
        "id_": attempt.id,
        "enrollment_id_": attempt.enrollment_id or "",
        "from_state": attempt.state.value,
        "from_round": attempt.round,
        "from_proofs": attempt.proofs,
        "to_state": move(attempt.state, event).value,
        "phone_subject": phone.subject,
        "phone_version": phone.version,
        "now": now,
    }


async def _settle(
    ctx: Context,
    row: Row,
    attempt: Attempt,
    phone: limits.Slot,
    claims: Approval,
    *,
    source: str,
    now: int,
) -> str | None:
    event, result = _EVENT[claims.act], _RESULT[claims.act]
    values = {
        **_change(attempt, event, phone, now=now),
        "proof": _proof_of(attempt).value,
        "to_proofs": attempt.proofs,
        **audit.journal(
            event=f"login.{result}",
            actor=f"phone:{attempt.enrollment_id}",
            source=source,
            at=now,
            detail={"by": "biometrics" if claims.assertion else "pin"}
            if event is Event.APPROVE
            else None,
        ),
    }
    cleared = (
        phone.limits.knowledge_right(by=row["phone_id"])
        if event is Event.APPROVE and claims.assertion is None
        else phone.limits
    )
    if event is Event.REPORT or cleared != phone.limits:

        async def body(tx: Tx) -> int:
            won = await tx.run(store.ANSWER, **values)
            if won and event is Event.REPORT:
                await _report(tx, attempt, row["known_digest"], source=source, now=now)
            elif won:
                await limits.save(tx, phone, cleared)
            return won

        won = await ctx.db.write(body)
    else:
        won = await ctx.db.run(store.ANSWER, **values)
    if not won:
        return None
    _tell(ctx, attempt, result)
    return result


async def _report(
    tx: Tx, attempt: Attempt, known_digest: bytes | None, *, source: str, now: int
) -> None:
    """Somebody knows the password: no more notifications, no session of it, a new password."""
    await accounts.mark_reported(
        tx, account_id=attempt.account_id, until=now + _REPORT_STOPS_PUSHES_MS
    )
    await sessions.forget_reported(tx, account_id=attempt.account_id, browser_digest=known_digest)
    if attempt.state is State.COLLECTED:
        await sessions.end_session_of_attempt(
            tx,
            attempt_id=attempt.id,
            reason=EndReason.REPORTED,
            actor=f"phone:{attempt.enrollment_id}",
            source=source,
            now=now,
        )


async def _wrong_number(
    ctx: Context, attempt: Attempt, phone: limits.Slot, *, source: str, now: int
) -> None:
    won = await ctx.db.run(
        store.ANSWER,
        **_change(attempt, Event.WRONG_NUMBER, phone, now=now),
        proof=None,
        to_proofs=attempt.proofs,
        **audit.journal(
            event="login.number_refused",
            actor=f"phone:{attempt.enrollment_id}",
            source=source,
            result="number_wrong",
            at=now,
        ),
    )
    if won:
        _tell(ctx, attempt, "failed")
        raise Refused("number_wrong")


async def _wrong_proof(
    ctx: Context, attempt: Attempt, phone: limits.Slot, *, source: str, now: int
) -> None:
    event, left = wrong_proof(attempt)

    async def body(tx: Tx) -> int:
        won = await tx.run(
            store.ANSWER,
            **_change(attempt, event, phone, now=now),
            proof=None,
            to_proofs=attempt.proofs + 1,
            **audit.journal(
                # Its own word where it ends the attempt: two events of one name could fall into
                # one millisecond, and the journal's guard would see a move that nobody told of.
                event="login.proof_refused" if left else "login.proofs_spent",
                actor=f"phone:{attempt.enrollment_id}",
                source=source,
                result="proof_wrong",
                at=now,
                detail={"left": left},
            ),
        )
        if won:
            await limits.save(
                tx, phone, phone.limits.knowledge_failed(by=attempt.enrollment_id or "", now=now)
            )
        return won

    try:
        won = await ctx.db.write(body)
    except Lost:
        won = 0
    if won:
        if not left:
            _tell(ctx, attempt, "failed")
        raise Refused("proof_wrong", left=left)


def _tell(ctx: Context, attempt: Attempt, result: str) -> None:
    ctx.wake.tell(f"login:{attempt.id}", result, linger=result == "approved")
    ctx.wake.tell(f"enrollment:{attempt.enrollment_id}", f"outcome {attempt.id} {result}")
