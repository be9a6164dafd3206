"""The message centre: all conversations of a client, and what is new in them."""

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from vestibule.base.context import Context
from vestibule.support import service
from vestibule.support.pages.visit import STREAM_MS, session_of
from vestibule.support.rules import Ticket, next_step
from vestibule.web import sse
from vestibule.web.rendering import render

_OPEN, _CLOSED = "open", "closed"


async def centre(request: Request) -> Response:
    """GET /messages?show=: open conversations, or those that are over."""
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    tickets = await service.list_tickets(ctx, session.account_id)
    if session.unread_message and not any(ticket.unread for ticket in tickets):
        await service.refresh_mark(ctx, session)
    over = [ticket for ticket in tickets if ticket.over]
    going_on = [ticket for ticket in tickets if not ticket.over]
    show = _CLOSED if request.query_params.get("show") == _CLOSED else _OPEN
    now, targets = ctx.clock.now(), service.targets_of(ctx)
    return render(
        request,
        "support/centre.html",
        session=session,
        show=show,
        counts={_OPEN: len(going_on), _CLOSED: len(over)},
        tickets=[
            (ticket, next_step(ticket, now=now, targets=targets))
            for ticket in (over if show == _CLOSED else _unread_first(going_on))
        ],
        mark=_mark(tickets),
        days=ctx.settings.closed_ticket_days,
    )


def _unread_first(tickets: list[Ticket]) -> list[Ticket]:
    return sorted(tickets, key=lambda ticket: not ticket.unread)


def _mark(tickets: list[Ticket]) -> str:
    """Another one when a client can see something new; what only staff sees does not change it."""
    seen = ",".join(f"{ticket.id}{ticket.version}{ticket.unread}" for ticket in tickets)
    return sha256(seen.encode()).hexdigest()[:16]


async def _events(scope: Scope) -> tuple[str, sse.Looker, int]:
    request = Request(scope)
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    shown = request.query_params.get("mark", "")

    async def look(_message: str | None) -> sse.Look:
        nonlocal shown
        mark = _mark(await service.list_tickets(ctx, session.account_id))
        if mark == shown:
            return sse.Look()
        shown = mark
        return sse.Look(sse.frame("news"))

    ends_at = min(session.expires_at, ctx.clock.now() + STREAM_MS)
    return service.topic_of_account(session.account_id), look, ends_at


routes = [
    Route("/messages", centre, methods=["GET"]),
    Route("/messages/events", sse.Stream(_events), methods=["GET"]),
]
