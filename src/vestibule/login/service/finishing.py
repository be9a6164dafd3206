"""What an answered attempt comes to: a session, or a session that has been proven again."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.login.rules import Attempt, Kind
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof, Session
from vestibule.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """An attempt that somebody has answered, and how."""

    kind: Kind
    id: str
    account_id: str
    session_id: str | None
    proof: Proof
    enrollment_id: str | None
    factor_id: str | None
    known: bool
    known_digest: bytes | None
    timezone: str | None
    renew_at: int | None


def proven_of(row: Row, attempt: Attempt, proof: Proof) -> Proven:
    """From an attempt and the row that it was read from."""
    return Proven(
        kind=attempt.kind,
        id=attempt.id,
        account_id=attempt.account_id,
        session_id=attempt.session_id,
        proof=proof,
        enrollment_id=attempt.enrollment_id,
        factor_id=attempt.factor_id,
        known=attempt.known,
        known_digest=row["known_digest"],
        timezone=row["timezone"],
        renew_at=row["renew_at"],
    )


async def finish(
    tx: Tx, ctx: Context, proven: Proven, *, session: Session | None, visitor: Visitor, now: int
) -> str | None:
    """Open the session, or raise `session`; the new session's cookie, None where there is none.

    A step-up counts for the session that began it and for no other. Raises Refused
    `not_collectable`, which undoes the whole transaction.
    """
    if proven.kind is Kind.STEP_UP:
        if session is None or (session.id, session.account_id) != (
            proven.session_id,
            proven.account_id,
        ):
            raise Refused("not_collectable")
        await sessions.prove_again(
            tx,
            ctx,
            session=session,
            proof=proven.proof,
            enrollment_id=proven.enrollment_id,
            factor_id=proven.factor_id,
            visitor=visitor,
            now=now,
        )
        return None
    if proven.kind is Kind.TERMINAL:
        # What comes of it is not a browser's: the terminal's own journey opens it.
        return None
    if proven.kind is not Kind.SIGN_IN:
        raise Refused("not_collectable")
    opened = await sessions.open_session(
        tx,
        ctx,
        account_id=proven.account_id,
        attempt_id=proven.id,
        proof=proven.proof,
        enrollment_id=proven.enrollment_id,
        factor_id=proven.factor_id,
        browser_digest=proven.known_digest,
        known=proven.known,
        timezone=proven.timezone,
        renew_at=proven.renew_at,
        visitor=visitor,
        now=now,
    )
    return opened.cookie
