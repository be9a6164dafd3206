"""Answers of factors that are no phone: judged by their own room, counted and spent here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vestibule.base import audit, limits
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Lost, Refused
from vestibule.contacts import service as contacts
from vestibule.contacts.rules import SENDS, By, Code
from vestibule.contacts.service import Checked, Sent
from vestibule.factors import service as factors
from vestibule.login import store
from vestibule.login.rules import (
    PASSKEY,
    SMS,
    Attempt,
    Event,
    Step,
    Way,
    move,
    next_step,
    provable,
    wrong_proof,
)
from vestibule.login.service.finishing import finish, proven_of
from vestibule.login.service.following import glance, load
from vestibule.login.service.round import attempt_of
from vestibule.login.service.view import Mine, View, browser_digest
from vestibule.login.service.ways import number_of
from vestibule.sessions.rules import Proof, Session
from vestibule.web.visitor import Visitor

# What was wrong with an answer is not said: the same words for every factor.
_WRONG = frozenset({"factor_wrong", "factor_code_used", "passkey_copied"})
_WRONG_CODE = frozenset({"sms_code_wrong", "sms_code_spent"})
_ASKING = frozenset({"code_card", PASSKEY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the page asks for."""

    view: View
    way: Way
    indexes: tuple[int, ...] = ()
    """The two cells of a code card."""
    options: dict[str, Any] | None = None
    """Of a passkey (WebAuthn)."""
    sent: Sent | None = None
    """The code under way to a number; None: nothing was sent yet."""


async def question(ctx: Context, mine: Mine) -> Question | None:
    """What the chosen factor is asked; None where something else is due (`/login/next` knows).

    Raises Refused `attempt_unknown`, `factor_unknown`.
    """
    loaded = await ctx.db.read(lambda tx: load(tx, ctx, mine))
    attempt, now = loaded.attempt, ctx.clock.now()
    if next_step(attempt, now=now) is not Step.PROVE:
        return None
    way = loaded.ways.find(attempt.factor_id or "")
    if way is None:
        raise Refused("factor_unknown")
    view = loaded.view(attempt, now=now)
    if way.kind == SMS:
        code = await contacts.code_under_way(ctx, mine.id)
        return Question(view=view, way=way, sent=_sent(code) if code else None)
    if way.kind not in _ASKING:
        return Question(view=view, way=way)
    usable = await ctx.db.read(lambda tx: factors.usable(tx, ctx, attempt.account_id, now))
    factor = next((factor for factor in usable if factor.id == way.id), None)
    if factor is None:
        raise Refused("factor_unknown")
    asked = await factors.challenge(ctx, factor, mine.id, attempt.challenge)
    indexes = tuple(asked.get("indexes", ()))
    return Question(view=view, way=way, indexes=indexes, options=asked.get("options"))


def _sent(code: Code) -> Sent:
    return Sent(resend_at=code.resend_at, expires_at=code.expires_at, sends_left=SENDS - code.sends)


async def send_number_code(
    ctx: Context, mine: Mine, *, by: By, language: str, visitor: Visitor
) -> Sent:
    """Send a code to the number that was chosen, by text or by a call.

    Raises Refused `factor_unknown`, `code_wait` and the other refusals of `contacts.send_code`.
    """
    attempt = await glance(ctx, mine)
    contact_id = number_of(provable(attempt, now=ctx.clock.now()))
    if contact_id is None:
        raise Refused("factor_unknown")
    number = await contacts.get_contact(ctx, account_id=attempt.account_id, contact_id=contact_id)
    return await contacts.send_code(
        ctx,
        contact=number,
        subject=mine.id,
        purpose="sign_in",
        by=by,
        language=language,
        source=visitor.source,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What an answer came to: a session's cookie, a step-up, or fewer tries."""

    left: int | None = None
    cookie: str | None = None


async def prove(
    ctx: Context, mine: Mine, *, answer: str, visitor: Visitor, session: Session | None = None
) -> str | None:
    """Take an answer to `question`, and finish; the session's cookie, None after a step-up.

    Raises Refused `answer_wrong` (with `left`; 0: the attempt is over), `responses_blocked` (with
    `wait`, seconds), `attempt_expired`, `attempt_unknown`, `already_answered`, `factor_unknown`,
    `factor_spent`, or those of codes by text message.
    """
    checked: Checked | None = None
    wrong_code = False
    if number_of((await glance(ctx, mine)).factor_id):
        try:
            checked = await contacts.check_code(
                ctx, subject=mine.id, code=answer, source=visitor.source
            )
        except Refused as refused:
            if refused.code.name not in _WRONG_CODE:
                raise
            wrong_code = True
    digest = browser_digest(ctx, mine.secret)

    async def body(tx: Tx) -> _Judged:
        row = await tx.one(store.TO_PROVE, id_=mine.id, browser_digest_=digest)
        if row is None:
            raise Refused("attempt_unknown")
        if wrong_code:
            # Its own room has counted it for the account already.
            return await _wrong(tx, row, visitor, counted=True, now=ctx.clock.now())
        return await _judge(tx, ctx, row, answer, checked, session=session, visitor=visitor)

    judged = await ctx.db.write(body)
    if judged.left is not None:
        ctx.wake.tell(f"login:{mine.id}", "changed")
        raise Refused("answer_wrong", left=judged.left)
    ctx.wake.tell(f"login:{mine.id}", "responded")
    return judged.cookie


async def _judge(
    tx: Tx,
    ctx: Context,
    row: Row,
    answer: str,
    checked: Checked | None,
    *,
    session: Session | None,
    visitor: Visitor,
) -> _Judged:
    now, attempt = ctx.clock.now(), attempt_of(row)
    factor_id = provable(attempt, now=now)
    slot = _slot(row, attempt)
    # What cannot be guessed is not counted with what can: a passkey opens also when codes rest.
    if row["other_kind"] != PASSKEY and (wait := slot.limits.response_wait(now=now)) > 0:
        raise Refused("responses_blocked", wait=-(-wait // 1000))
    try:
        proof = await _verify(
            tx,
            ctx,
            attempt,
            factor_id=factor_id,
            answer=answer,
            checked=checked,
            at=visitor,
            now=now,
        )
    except Refused as refused:
        if refused.code.name not in _WRONG:
            raise
        counted = row["other_kind"] == PASSKEY
        return await _wrong(tx, row, visitor, counted=counted, now=now)
    entry = audit.journal(
        event="login.proved",
        actor="browser",
        source=visitor.address,
        at=now,
        detail={"proof": proof.value},
    )
    await _move(tx, attempt, slot, Event.PROVE, proofs=attempt.proofs, proof=proof, entry=entry)
    await limits.save(tx, slot, slot.limits.signed_in())
    proven = proven_of(row, attempt, proof)
    cookie = await finish(tx, ctx, proven, session=session, visitor=visitor, now=now)
    return _Judged(cookie=cookie)


async def _verify(
    tx: Tx,
    ctx: Context,
    attempt: Attempt,
    *,
    factor_id: str,
    answer: str,
    checked: Checked | None,
    at: Visitor,
    now: int,
) -> Proof:
    """What the answer proves, spent in this transaction. A code was judged before it."""
    if checked is not None:
        await contacts.spend_code(tx, checked, now=now)
        return Proof.SMS
    # The way of a number is no factor: unknown there, so an unchecked code opens nothing.
    return await factors.verify(
        tx,
        ctx,
        factor_id=factor_id,
        account_id=attempt.account_id,
        answer=answer,
        attempt_id=attempt.id,
        challenge=attempt.challenge,
        now=now,
        source=at.address,
    )


async def _wrong(tx: Tx, row: Row, visitor: Visitor, *, counted: bool, now: int) -> _Judged:
    """Count a wrong answer: for the attempt, which ends with the third, and for the account."""
    attempt = attempt_of(row)
    provable(attempt, now=now)
    slot = _slot(row, attempt)
    event, left = wrong_proof(attempt)
    entry = audit.journal(
        # Its own word where it ends the attempt, as with the phone's.
        event="login.answer_refused" if left else "login.answers_spent",
        actor="browser",
        source=visitor.address,
        result="answer_wrong",
        at=now,
        detail={"left": left},
    )
    await _move(tx, attempt, slot, event, proofs=attempt.proofs + 1, proof=None, entry=entry)
    if not counted:
        await limits.save(tx, slot, slot.limits.response_failed(now=now))
    return _Judged(left=left)


def _slot(row: Row, attempt: Attempt) -> limits.Slot:
    return limits.Slot.of(
        f"account:{attempt.account_id}", row["account_version"], row["account_state"]
    )


async def _move(
    tx: Tx,
    attempt: Attempt,
    slot: limits.Slot,
    event: Event,
    *,
    proofs: int,
    proof: Proof | None,
    entry: dict[str, str | int],
) -> None:
    won = await tx.run(
        store.PROVE,
        id_=attempt.id,
        from_round=attempt.round,
        from_proofs=attempt.proofs,
        factor_id_=attempt.factor_id,
        account_subject=slot.subject,
        account_version=slot.version,
        to_state=move(attempt.state, event).value,
        to_proofs=proofs,
        proof=proof.value if proof else None,
        **entry,
    )
    if not won:
        raise Lost
