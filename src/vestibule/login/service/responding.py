"""Eight digits typed in the browser: challenge and response (specification, section 9)."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.base import audit, ids, limits
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Lost, Refused
from vestibule.devices import rules as device_rules, service as devices
from vestibule.login import store
from vestibule.login.rules import RESPONSE_TRIES, Attempt, Event, Kind, move, respondable
from vestibule.login.service.finishing import finish, proven_of
from vestibule.login.service.round import attempt_of
from vestibule.login.service.view import Mine, browser_digest
from vestibule.protocol import ocra
from vestibule.protocol.encoding import drop_separators, fold_digits
from vestibule.sessions.rules import Proof, Session
from vestibule.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What a response was worth: the counter it stands for, and whether that suffices."""

    counter: int | None
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What a response came to; without a phone it was not accepted."""

    cookie: str | None = None
    again: bool = False
    left: int = 0
    enrollment_id: str | None = None
    kind: Kind = Kind.SIGN_IN


async def respond(
    ctx: Context, mine: Mine, *, typed: str, visitor: Visitor, session: Session | None = None
) -> str | None:
    """Accept a response and finish; the session's cookie, None after a step-up (see `finish`).

    Raises Refused `response_invalid` (not eight digits: counts for nothing), `response_wrong`
    (with `left`), `response_again` (the counter had run ahead: one more, to a new challenge),
    `challenge_expired`, `challenge_spent`, `responses_blocked` (with `wait`, seconds),
    `already_answered`, `attempt_unknown`, `enrollment_revoked`.
    """
    digits = fold_digits(drop_separators(typed))
    if len(digits) != 8 or not (digits.isascii() and digits.isdecimal()):
        raise Refused("response_invalid")
    digest = browser_digest(ctx, mine.secret)

    async def body(tx: Tx) -> _Outcome:
        row = await tx.one(store.TO_RESPOND, id_=mine.id, browser_digest_=digest)
        if row is None:
            raise Refused("attempt_unknown")
        return await _weigh(tx, ctx, row, digits, session=session, visitor=visitor)

    outcome = await ctx.db.write(body)
    accepted = outcome.enrollment_id is not None
    ctx.wake.tell(f"login:{mine.id}", "responded" if accepted else "changed")
    if outcome.again:
        raise Refused("response_again")
    if not accepted:
        raise Refused("response_wrong", left=outcome.left)
    result = "signed_in" if outcome.kind is Kind.SIGN_IN else "approved"
    ctx.wake.tell(f"enrollment:{outcome.enrollment_id}", f"outcome {mine.id} {result}")
    return outcome.cookie


async def _weigh(
    tx: Tx, ctx: Context, row: Row, digits: str, *, session: Session | None, visitor: Visitor
) -> _Outcome:
    now = ctx.clock.now()
    attempt = attempt_of(row)
    respondable(attempt, now=now)
    if row["revoked_at"] is not None:
        raise Refused("enrollment_revoked")
    device_rules.demand_able(rests_until=row["rests_until"], retires_at=row["retires_at"], now=now)
    slot = limits.Slot.of(
        f"account:{attempt.account_id}", row["account_version"], row["account_state"]
    )
    phone = limits.Slot.of(f"device:{row['device_id']}", row["phone_version"], row["phone_state"])
    if phone.limits.knowledge_locked:
        raise Refused("pin_locked")
    # One PIN serves every account on a phone: what was tried through another one counts here.
    if wait := max(slot.limits.response_wait(now=now), phone.limits.knowledge_wait(now=now)):
        raise Refused("responses_blocked", wait=-(-wait // 1000))
    key = devices.open_response_key(ctx, row["phone_id"], row["response_key"])
    verdict = _judge(key, attempt, digits, last=row["counter"])
    if verdict.counter is None:
        return await _wrong(tx, attempt, slot, phone, visitor=visitor, now=now)
    if not verdict.accepted:
        return await _again(
            tx, ctx, attempt, slot, counter=verdict.counter, visitor=visitor, now=now
        )
    return await _accept(
        tx,
        ctx,
        row,
        attempt=attempt,
        slot=slot,
        phone=phone,
        counter=verdict.counter,
        session=session,
        visitor=visitor,
        now=now,
    )


def _judge(key: bytes, attempt: Attempt, digits: str, *, last: int) -> _Verdict:
    if attempt.resync_counter is not None:
        expected = attempt.resync_counter + 1
        fits = expected > last and ocra.response(key, attempt.challenge, expected) == digits
        return _Verdict(counter=expected if fits else None, accepted=fits)
    match = ocra.find_counter(key, attempt.challenge, digits, last)
    return _Verdict(counter=match.counter if match else None, accepted=bool(match and match.near))


async def _move(
    tx: Tx,
    attempt: Attempt,
    slot: limits.Slot,
    event: Event,
    *,
    changes: dict[str, str | int | None],
    entry: dict[str, str | int],
) -> None:
    won = await tx.run(
        store.RESPOND,
        **{
            "id_": attempt.id,
            "from_round": attempt.round,
            "from_tries": attempt.tries,
            "account_subject": slot.subject,
            "account_version": slot.version,
            "to_state": move(attempt.state, event).value,
            "to_tries": attempt.tries,
            "challenge": attempt.challenge,
            "challenge_expires_at": attempt.challenge_expires_at,
            "resync_counter": attempt.resync_counter,
            "proof": None,
            **changes,
            **entry,
        },
    )
    if not won:
        raise Lost


async def _accept(
    tx: Tx,
    ctx: Context,
    row: Row,
    *,
    attempt: Attempt,
    slot: limits.Slot,
    phone: limits.Slot,
    counter: int,
    session: Session | None,
    visitor: Visitor,
    now: int,
) -> _Outcome:
    phone_id: str = row["phone_id"]
    if not await devices.advance_counter(tx, enrollment_id=phone_id, counter=counter, now=now):
        raise Lost
    entry = audit.journal(
        event="login.responded",
        actor="browser",
        source=visitor.address,
        at=now,
        detail={"resynchronised": attempt.resync_counter is not None},
    )
    changes: dict[str, str | int | None] = {"proof": Proof.RESPONSE.value}
    await _move(tx, attempt, slot, Event.RESPOND, changes=changes, entry=entry)
    await limits.save(tx, slot, slot.limits.signed_in())
    await limits.save(tx, phone, phone.limits.knowledge_right(by=phone_id))
    proven = proven_of(row, attempt, Proof.RESPONSE)
    cookie = await finish(tx, ctx, proven, session=session, visitor=visitor, now=now)
    return _Outcome(cookie=cookie, enrollment_id=phone_id, kind=attempt.kind)


async def _again(
    tx: Tx,
    ctx: Context,
    attempt: Attempt,
    slot: limits.Slot,
    *,
    counter: int,
    visitor: Visitor,
    now: int,
) -> _Outcome:
    changes: dict[str, str | int | None] = {
        "resync_counter": counter,
        "challenge": ids.new_challenge(),
        "challenge_expires_at": min(
            now + ctx.settings.challenge_seconds * 1000, attempt.expires_at
        ),
        "to_tries": 0,
    }
    entry = audit.journal(
        event="login.response_again",
        actor="browser",
        source=visitor.address,
        result="response_again",
        at=now,
    )
    await _move(tx, attempt, slot, Event.RESPOND_AGAIN, changes=changes, entry=entry)
    return _Outcome(again=True, left=RESPONSE_TRIES)


async def _wrong(
    tx: Tx,
    attempt: Attempt,
    slot: limits.Slot,
    phone: limits.Slot,
    *,
    visitor: Visitor,
    now: int,
) -> _Outcome:
    left = RESPONSE_TRIES - attempt.tries - 1
    entry = audit.journal(
        event="login.response_refused",
        actor="browser",
        source=visitor.address,
        result="response_wrong",
        at=now,
        detail={"left": left},
    )
    # A wrong second response ends the resynchronisation too: which one was wrong is not said.
    changes: dict[str, str | int | None] = {
        "to_tries": attempt.tries + 1,
        "resync_counter": None,
    }
    await _move(tx, attempt, slot, Event.WRONG_RESPONSE, changes=changes, entry=entry)
    await limits.save(tx, slot, slot.limits.response_failed(now=now))
    failed = phone.limits.knowledge_failed(by=attempt.enrollment_id or "", sent=False, now=now)
    await limits.save(tx, phone, failed)
    return _Outcome(left=left)
