"""Portal sessions: opened by a sign-in, looked up by every page, ended by people or by time.

The cookie holds 32 random bytes; the database holds their digest under the house's master key,
so neither a dump nor a log opens a session.
"""

import json
from dataclasses import dataclass
from typing import Final

from vestibule.base import audit
from vestibule.base.clock import DAY, HOUR, MINUTE
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.base.ids import new_secret
from vestibule.protocol.encoding import b64u, b64u_decode
from vestibule.protocol.errors import ProtocolFault
from vestibule.sessions import rules, store
from vestibule.sessions.rules import EndReason, Happening, KnownBrowser, Proof, Session, SessionView
from vestibule.web.visitor import Visitor

_COOKIE_LENGTH: Final = 43
_NO_EVENT_YET: Final = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """What `open_session` made: the only moment at which the cookie's value is known."""

    id: str
    cookie: str
    expires_at: int


def session_id(ctx: Context, cookie: str) -> str:
    """The id under which a cookie's session is stored."""
    return b64u(ctx.sealer.digest("session", cookie))


def browser_digest(ctx: Context, browser_secret: str) -> bytes:
    """The mark of a known browser. Signing in asks for it together with the account's id.

    It is the same for every account of one browser: the sign-in's single read has to look it up
    before the account is known.
    """
    return ctx.sealer.digest("browser", browser_secret)


def browser_id(ctx: Context, browser_secret: str) -> str:
    """The id under which `list_known_browsers` lists the browser with this secret."""
    return b64u(browser_digest(ctx, browser_secret))


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
) -> NewSession:
    """Store a new session inside the caller's transaction (one statement).

    `attempt_id` is unique over all sessions: a second collection of one sign-in cannot commit.
    """
    cookie = new_secret()
    new = NewSession(
        id=session_id(ctx, cookie),
        cookie=cookie,
        expires_at=now + ctx.settings.session_hours * HOUR,
    )
    await tx.run(
        store.OPEN,
        id=new.id,
        account_id=account_id,
        attempt_id=attempt_id,
        browser_digest=browser_digest,
        proof=proof.value,
        enrollment_id=enrollment_id,
        browser=visitor.browser,
        address=visitor.address,
        place=visitor.place,
        opened_at=now,
        seen_at=now,
        expires_at=new.expires_at,
        ended_at=None,
        end_reason=None,
        **audit.journal(
            event="session.opened",
            actor="browser",
            source=visitor.address,
            result="ok",
            detail={"proof": proof.value, "browser": visitor.browser, "place": visitor.place},
            at=now,
        ),
    )
    return new


async def session_of(ctx: Context, cookie: str | None) -> Session | None:
    """The session of a cookie, or None: one read, and at most one write a minute."""
    if not cookie or len(cookie) != _COOKIE_LENGTH or not cookie.isascii():
        return None
    now = ctx.clock.now()
    id_ = session_id(ctx, cookie)
    row = await ctx.db.one(store.BY_ID, id_=id_)
    if row is None or not rules.alive(
        ended_at=row["ended_at"],
        expires_at=row["expires_at"],
        seen_at=row["seen_at"],
        disabled=row["disabled_at"] is not None,
        now=now,
        idle_ms=ctx.settings.session_idle_minutes * MINUTE,
    ):
        return None
    before = now - rules.TOUCH_MS
    if row["seen_at"] < before:
        await ctx.db.run(store.TOUCH, id_=id_, before=before, now=now)
    return Session(
        id=id_,
        account_id=row["account_id"],
        username=row["username"],
        display_name=row["display_name"],
        seamless=bool(row["seamless"]),
        password_change_needed=bool(row["password_change_needed"]),
        proof=Proof(row["proof"]),
        enrollment_id=row["enrollment_id"],
        opened_at=row["opened_at"],
        expires_at=row["expires_at"],
    )


async def get_session(ctx: Context, cookie: str | None) -> Session:
    """The session of a cookie. Raises Refused ``not_signed_in``: pages then lead to sign-in."""
    session = await session_of(ctx, cookie)
    if session is None:
        raise Refused("not_signed_in")
    return session


async def list_sessions(ctx: Context, account_id: str) -> list[SessionView]:
    """The account's live sessions, the latest used first."""
    now = ctx.clock.now()
    idle_since = now - ctx.settings.session_idle_minutes * MINUTE
    rows = await ctx.db.all(store.LIVE_OF, account_id=account_id, now=now, idle_since=idle_since)
    return [_view(row) for row in rows]


async def list_sign_ins(ctx: Context, account_id: str, *, most: int) -> list[SessionView]:
    """The account's latest sign-ins, over or not."""
    rows = await ctx.db.all(store.HISTORY, account_id=account_id, most=most)
    return [_view(row) for row in rows]


def _view(row: Row) -> SessionView:
    return SessionView(
        id=row["id"],
        proof=Proof(row["proof"]),
        enrollment_id=row["enrollment_id"],
        browser=row["browser"],
        address=row["address"],
        place=row["place"],
        opened_at=row["opened_at"],
        seen_at=row["seen_at"],
        expires_at=row["expires_at"],
    )


async def list_happenings(
    ctx: Context, account_id: str, *, before: int | None, most: int
) -> list[Happening]:
    """What the audit journal says of the account, the latest first, older than event `before`."""
    rows = await ctx.db.all(
        store.EVENTS, account_id=account_id, before=before or _NO_EVENT_YET, most=most
    )
    return [
        Happening(
            id=row["id"],
            at=row["at"],
            event=row["event"],
            source=row["source"],
            result=row["result"],
            detail=json.loads(row["detail"]),
        )
        for row in rows
    ]


def _ending(reason: EndReason, *, actor: str, source: str, now: int) -> dict[str, str | int]:
    return {
        "reason": reason.value,
        "actor_": actor,
        "source_": source,
        "now": now,
        "detail": json.dumps({"reason": reason.value}),
    }


async def end_session(
    ctx: Context,
    *,
    id: str,  # noqa: A002  -- the record's own name for it
    account_id: str,
    reason: EndReason,
    source: str,
) -> bool:
    """End one session of the account; False if it was over or is not the account's."""
    ending = _ending(reason, actor="browser", source=source, now=ctx.clock.now())
    return bool(await ctx.db.run(store.END, id_=id, account_id_=account_id, **ending))


async def end_other_sessions(ctx: Context, *, session: Session, source: str) -> int:
    """End all sessions of the account but this one; the number of those ended."""
    now = ctx.clock.now()
    return await ctx.db.write(
        lambda tx: end_others(
            tx,
            account_id=session.account_id,
            keep=session.id,
            reason=EndReason.ENDED,
            actor="browser",
            source=source,
            now=now,
        )
    )


async def end_others(
    tx: Tx,
    *,
    account_id: str,
    keep: str | None,
    reason: EndReason,
    actor: str,
    source: str,
    now: int,
    proof: Proof | None = None,
    enrollment_id: str | None = None,
) -> int:
    """End all sessions of the account but `keep`, inside the caller's transaction.

    `proof` and `enrollment_id` narrow it to sessions opened with that proof or phone.
    """
    return await tx.run(
        store.END_OTHERS,
        account_id_=account_id,
        keep=keep or "",
        only_proof=proof.value if proof else "",
        only_phone=enrollment_id or "",
        **_ending(reason, actor=actor, source=source, now=now),
    )


async def end_session_of_attempt(
    tx: Tx, *, attempt_id: str, reason: EndReason, actor: str, source: str, now: int
) -> int:
    """End the session that came of a sign-in which was reported later."""
    ending = _ending(reason, actor=actor, source=source, now=now)
    return await tx.run(store.END_OF_ATTEMPT, attempt_id_=attempt_id, **ending)


async def list_known_browsers(ctx: Context, account_id: str) -> list[KnownBrowser]:
    """Browsers from which the account may sign in without typing a number."""
    since = known_since(ctx, ctx.clock.now())
    found: dict[str, KnownBrowser] = {}
    for row in await ctx.db.all(store.KNOWN_BROWSERS, account_id=account_id, since=since):
        id_ = b64u(row["browser_digest"])
        # Rows come latest first: that sign-in says what the browser is called now.
        found.setdefault(
            id_,
            KnownBrowser(
                id=id_,
                browser=row["browser"],
                place=row["place"],
                signed_in_at=row["opened_at"],
            ),
        )
    return list(found.values())


def known_since(ctx: Context, now: int) -> int:
    """Sign-ins before this moment no longer make a browser known."""
    return now - ctx.settings.known_browser_days * DAY


async def forget_browser(
    ctx: Context, *, account_id: str, browser_id: str | None, source: str
) -> bool:
    """Forget one known browser, or all with None: the next sign-in from it asks for the number."""
    try:
        digest = b64u_decode(browser_id, 32) if browser_id else None
    except ProtocolFault:
        return False
    now = ctx.clock.now()

    async def body(tx: Tx) -> int:
        if digest is None:
            changed = await tx.run(store.FORGET_ALL, account_id_=account_id)
        else:
            changed = await tx.run(store.FORGET, account_id_=account_id, browser_digest_=digest)
        if changed:
            await audit.record(
                tx,
                event="session.browser_forgotten",
                account_id=account_id,
                subject=account_id,
                actor="browser",
                source=source,
                result="ok",
                at=now,
            )
        return changed

    return bool(await ctx.db.write(body))


async def forget_reported(tx: Tx, *, account_id: str, browser_digest: bytes | None) -> None:
    """Forget the browser of a reported sign-in, inside the caller's transaction.

    Else the report itself would leave it known: it may have opened a session before.
    """
    if browser_digest is not None:
        await tx.run(store.FORGET, account_id_=account_id, browser_digest_=browser_digest)


async def sweep_sessions(ctx: Context) -> int:
    """Delete what is neither live nor the memory of a known browser any more."""
    now = ctx.clock.now()
    return await ctx.db.run(store.SWEEP, before=known_since(ctx, now), now=now)
