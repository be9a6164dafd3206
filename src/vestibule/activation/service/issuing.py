"""Tickets as signed-in browsers see them: issued, shown again, withdrawn."""

import secrets
from typing import Final

import msgspec

from vestibule.accounts import service as accounts
from vestibule.activation import rules, store
from vestibule.activation.rules import Authority, State, Ticket
from vestibule.base import audit
from vestibule.base.clock import DAY, SECOND
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Duplicate, Refused, Unavailable
from vestibule.base.ids import new_id
from vestibule.devices import service as devices
from vestibule.protocol.activation_link import ActivationLink, render_link
from vestibule.protocol.encoding import b64u, b64u_decode
from vestibule.protocol.typed_code import TypedCode, make_typed_code, parse_typed_code
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Assurance, Session

SECRET_BYTES: Final = 16
_LOCATOR_TRIES: Final = 8
_KEPT_MS: Final = DAY
"""An old ticket is kept this long, to say what became of it."""


class _Secrets(msgspec.Struct, frozen=True):
    """The sealed column: what is needed to show the ticket again."""

    link: str
    code: str


async def issue_ticket(
    ctx: Context, *, session: Session, source: str, replaces: str | None = None
) -> Ticket:
    """A fresh ticket; the session's former one is withdrawn.

    ``replaces`` is the enrollment whose place the new one is to take: a new PIN for that phone.
    Raises Refused ``activation_needs_phone`` where a phone is linked and the session was opened
    without one, and for a replacement ``enrollment_unknown`` and ``step_up_needed``.
    """
    if replaces is not None:
        # Whoever finds an open session must not take a phone away with it.
        sessions.demand(ctx, session, assurance=Assurance.BASIC)
    for _ in range(_LOCATOR_TRIES):
        code = make_typed_code(secrets.token_bytes(8))
        fresh = _Secrets(link=b64u(secrets.token_bytes(SECRET_BYTES)), code=str(code))
        try:
            return await _issue(ctx, session, fresh, source, replaces)
        except Duplicate:
            # One locator in a million per ticket kept: the next draw is another.
            continue
    raise Unavailable("busy", reason="no free locator")


async def _issue(
    ctx: Context, session: Session, fresh: _Secrets, source: str, replaces: str | None
) -> Ticket:
    now = ctx.clock.now()
    id_ = new_id()
    code = parse_typed_code(fresh.code)
    expires_at = now + ctx.settings.ticket_seconds * SECOND
    issued = {
        "id": id_,
        "account_id": session.account_id,
        "session_id": session.id,
        "locator": code.locator,
        "code_digest": code_digest(ctx, code),
        "link_digest": link_digest(ctx, b64u_decode(fresh.link)),
        "sealed": ctx.sealer.seal("ticket", msgspec.json.encode(fresh), id_.encode("ascii")),
        "state": State.OPEN.value,
        "tries": 0,
        "opened_at": now,
        "expires_at": expires_at,
        "enrollment_id": None,
        "authority": Authority.SESSION.value,
        "replaces": replaces,
        "case_id": None,
        **audit.journal(event="ticket.issued", actor="browser", source=source, at=now),
    }

    async def body(tx: Tx) -> None:
        await accounts.lock_account(tx, session.account_id)
        phones = await devices.active_enrollments(tx, session.account_id)
        if not rules.may_add_phone(has_phone=bool(phones), strong=session.strong):
            raise Refused("activation_needs_phone")
        if phones:
            # Whoever finds an open session must not bring a phone of their own with it.
            sessions.demand(ctx, session, assurance=Assurance.BASIC)
        if replaces is not None and replaces not in {phone.id for phone in phones}:
            raise Refused("enrollment_unknown")
        await _withdraw(tx, session.id, source=source, now=now)
        await tx.run(store.ISSUE, **issued)

    await ctx.db.write(body)
    return _ticket(
        ctx,
        fresh,
        id=id_,
        state=State.OPEN,
        expires_at=expires_at,
        label=None,
        replaces=replaces,
    )


async def _withdraw(tx: Tx, session_id: str, *, source: str, now: int) -> None:
    await tx.run(
        store.WITHDRAW,
        session_id_=session_id,
        **ticket_event("ticket.withdrawn", "browser", source, now=now),
    )


async def current_ticket(ctx: Context, session: Session) -> Ticket | None:
    """The session's latest ticket with its code and link, whatever became of it."""
    row = await ctx.db.one(store.LATEST, session_id=session.id)
    if row is None:
        return None
    shown = msgspec.json.decode(
        ctx.sealer.open("ticket", row["sealed"], row["id"].encode("ascii")), type=_Secrets
    )
    return _ticket(
        ctx,
        shown,
        id=row["id"],
        state=State(row["state"]),
        expires_at=row["expires_at"],
        label=row["label"],
        replaces=row["replaces"],
    )


async def ticket_to_show(
    ctx: Context, *, session: Session, source: str, replaces: str | None = None
) -> Ticket:
    """The session's ticket for the page: the live one again, else a fresh one.

    One that was typed wrong too often is shown as that, so that its owner hears of it. Raises as
    `issue_ticket`.
    """
    ticket = await current_ticket(ctx, session)
    now = ctx.clock.now()
    for_this = ticket is not None and ticket.replaces == replaces and now < ticket.expires_at
    if ticket and for_this and ticket.state in (State.OPEN, State.EXHAUSTED):
        return ticket
    return await issue_ticket(ctx, session=session, source=source, replaces=replaces)


async def glance(ctx: Context, ticket_id: str) -> tuple[State, str | None]:
    """A ticket's state and the name of the phone that redeemed it."""
    row = await ctx.db.one(store.GLANCE, id_=ticket_id)
    if row is None:
        return State.WITHDRAWN, None
    return State(row["state"]), row["label"]


def _ticket(
    ctx: Context,
    shown: _Secrets,
    *,
    id: str,  # noqa: A002  -- the record's own name for it
    state: State,
    expires_at: int,
    label: str | None,
    replaces: str | None,
) -> Ticket:
    link = ActivationLink(
        address=ctx.settings.phone_url,
        secret=b64u_decode(shown.link),
        server=ctx.keys.signing_id,
    )
    return Ticket(
        id=id,
        state=state,
        code=parse_typed_code(shown.code).shown,
        link=render_link(link),
        expires_at=expires_at,
        label=label,
        replaces=replaces,
    )


async def sweep_tickets(ctx: Context) -> int:
    """Delete tickets that have been over for a day."""
    return await ctx.db.run(store.SWEEP, before=ctx.clock.now() - _KEPT_MS)


def code_digest(ctx: Context, code: TypedCode) -> bytes:
    """What a typed code is compared with."""
    return ctx.sealer.digest("ticket-code", code.locator, code.secret)


def link_digest(ctx: Context, secret: bytes) -> bytes:
    """What a link is found by."""
    return ctx.sealer.digest("ticket-link", secret)


def ticket_event(
    event: str, actor: str, source: str, *, result: str = "ok", now: int
) -> dict[str, str | int]:
    """The journal parameters of `store`'s updates."""
    values = audit.journal(event=event, actor=actor, source=source, result=result, at=now)
    return {f"{name}_": value for name, value in values.items()}
