"""The session behind a cookie: opened by a sign-in, looked up by every page, proven anew."""

import json
from dataclasses import dataclass
from typing import Final

from vestibule.accounts import rules as account_rules
from vestibule.base import audit
from vestibule.base.clock import HOUR, MINUTE, SECOND
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.base.ids import new_secret
from vestibule.protocol.encoding import b64u
from vestibule.sessions import rules, store
from vestibule.sessions.rules import Assurance, Kind, Proof, Session, assurance_of
from vestibule.web.visitor import Visitor

_COOKIE_LENGTH: Final = 43


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """What `open_session` made: the only moment at which the cookie's value is known."""

    id: str
    cookie: str
    expires_at: int


def session_id(ctx: Context, cookie: str) -> str:
    """The id under which a cookie's session is stored."""
    return b64u(ctx.sealer.digest("session", cookie))


async def open_session(
    tx: Tx,
    ctx: Context,
    *,
    account_id: str,
    attempt_id: str | None,
    proof: Proof,
    enrollment_id: str | None,
    browser_digest: bytes | None,
    visitor: Visitor,
    now: int,
    factor_id: str | None = None,
    renew_at: int | None = None,
    timezone: str | None = None,
    known: bool = False,
) -> NewSession:
    """Store a new session inside the caller's transaction (one statement).

    `known` says that the browser was, before this: its owner is told of one that was not.
    `attempt_id` is unique over all sessions: a second collection of one sign-in cannot commit.
    """
    cookie = new_secret()
    new = NewSession(
        id=session_id(ctx, cookie),
        cookie=cookie,
        expires_at=account_rules.session_ends(
            now + ctx.settings.session_hours * HOUR, renew_at=renew_at, timezone=timezone, now=now
        ),
    )
    await tx.run(
        store.OPEN,
        id=new.id,
        kind=Kind.BROWSER.value,
        account_id=account_id,
        attempt_id=attempt_id,
        browser_digest=browser_digest,
        proof=proof.value,
        proved_at=now,
        enrollment_id=enrollment_id,
        factor_id=factor_id,
        outgrown=False,
        browser=visitor.browser,
        address=visitor.address,
        place=visitor.place,
        opened_at=now,
        seen_at=now,
        expires_at=new.expires_at,
        ended_at=None,
        end_reason=None,
        **_opened(proof, visitor, known=known, at=now),
    )
    return new


def _opened(proof: Proof, visitor: Visitor, *, known: bool, at: int) -> dict[str, str | int]:
    detail = {
        "proof": proof.value,
        "browser": visitor.browser,
        "place": visitor.place,
        "known": known,
    }
    return audit.journal(
        event="session.opened", actor="browser", source=visitor.address, detail=detail, at=at
    )


async def session_of(
    ctx: Context, cookie: str | None, *, address: str | None = None
) -> Session | None:
    """The session of a cookie, or None: one read, and at most one write a minute.

    Raises Refused ``network_not_allowed`` where the account has networks and ``address`` (the
    visitor's; None: not known) lies in none of them.
    """
    if not cookie or len(cookie) != _COOKIE_LENGTH or not cookie.isascii():
        return None
    now = ctx.clock.now()
    id_ = session_id(ctx, cookie)
    row = await ctx.db.one(store.BY_ID, id_=id_)
    if (
        row is None
        or row["kind"] != Kind.BROWSER
        or not rules.alive(
            ended_at=row["ended_at"],
            expires_at=row["expires_at"],
            seen_at=row["seen_at"],
            disabled=row["disabled_at"] is not None,
            now=now,
            idle_ms=ctx.settings.session_idle_minutes * MINUTE,
        )
    ):
        return None
    session = session_in(row)
    account_rules.demand_network(session.networks, address)
    before = now - rules.TOUCH_MS
    if row["seen_at"] < before:
        await ctx.db.run(store.TOUCH, id_=id_, before=before, now=now)
    return session


def session_in(row: Row) -> Session:
    """The session that a row describes."""
    return Session(
        id=row["id"],
        account_id=row["account_id"],
        username=row["username"],
        display_name=row["display_name"],
        seamless=bool(row["seamless"]),
        password_change_needed=bool(row["password_change_needed"]),
        proof=Proof(row["proof"]),
        proved_at=row["proved_at"],
        enrollment_id=row["enrollment_id"],
        factor_id=row["factor_id"],
        outgrown=bool(row["outgrown"]),
        language=row["language"],
        timezone=row["timezone"],
        networks=account_rules.networks_of(row["networks"]),
        guarded_until=row["guarded_until"],
        renew_at=row["renew_at"],
        unread=row["unread_notice"] is not None,
        unread_message=row["unread_message"] is not None,
        staff=row["staff_since"] is not None,
        opened_at=row["opened_at"],
        expires_at=row["expires_at"],
    )


async def get_session(ctx: Context, cookie: str | None, *, address: str | None = None) -> Session:
    """The session of a cookie. Raises Refused ``not_signed_in``: pages then lead to sign-in.

    ``address`` and its refusal are those of `session_of`.
    """
    session = await session_of(ctx, cookie, address=address)
    if session is None:
        raise Refused("not_signed_in")
    return session


def demand(
    ctx: Context,
    session: Session,
    *,
    assurance: Assurance = Assurance.STANDARD,
    within_s: int | None = None,
    first: bool = False,
) -> None:
    """Refuse a session that is too weak, or whose last proof is older than ``within_s`` seconds.

    Raises Refused ``step_up_needed``: its page leads to ``/login/step-up`` and back. None stands
    for the setting ``step_up_seconds``. ``first`` lets a password suffice for as long as
    its account has nothing stronger to show (`outgrow` ends that).
    """
    if first and session.assurance is Assurance.PASSWORD and not session.outgrown:
        return
    seconds = ctx.settings.step_up_seconds if within_s is None else within_s
    rules.demand(session, assurance=assurance, within_ms=seconds * SECOND, now=ctx.clock.now())


async def prove_again(
    tx: Tx,
    ctx: Context,
    *,
    session: Session,
    proof: Proof,
    enrollment_id: str | None,
    factor_id: str | None,
    visitor: Visitor,
    now: int,
) -> None:
    """Raise a session by a proof shown within it, in the caller's transaction (one statement).

    Never a new session. Who shows a second factor need not sign in again today: the session then
    lasts as long as a new one would. Raises Refused ``not_signed_in`` when it has ended meanwhile.
    """
    fresh_ms = ctx.settings.step_up_seconds * SECOND
    if not rules.risen(session, proof, fresh_ms=fresh_ms, now=now):
        return
    ends = session.expires_at
    if assurance_of(proof) >= Assurance.STANDARD:
        ends = max(
            ends,
            account_rules.session_ends(
                now + ctx.settings.session_hours * HOUR,
                renew_at=session.renew_at,
                timezone=session.timezone,
                now=now,
            ),
        )
    changed = await tx.run(
        store.PROVED,
        expires_at_=ends,
        id_=session.id,
        account_id_=session.account_id,
        proof_=proof.value,
        enrollment_id_=enrollment_id,
        factor_id_=factor_id,
        source_=visitor.address,
        now=now,
        detail=json.dumps({"proof": proof.value}),
    )
    if not changed:
        raise Refused("not_signed_in")
