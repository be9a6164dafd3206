"""The activation banner: a QR code, the code to type below it, and word when a phone is linked."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from vestibule.activation import service
from vestibule.activation.rules import State
from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.devices import service as devices
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.web import cookies, forms, sse
from vestibule.web.qr import qr_svg
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_NEW_PIN: Final = "/activation/new-pin?phone="


async def banner(
    request: Request, session: Session, *, replaces: str | None = None
) -> dict[str, Any]:
    """What ``activation/banner.html`` shows, on whichever page includes it.

    ``replaces`` is a phone that is to get a new PIN. Raises Refused ``activation_needs_phone``,
    ``enrollment_unknown`` or ``step_up_needed``.
    """
    ctx: Context = request.app.state.ctx
    ticket = await service.ticket_to_show(
        ctx, session=session, source=visitor(request).source, replaces=replaces
    )
    live = ticket.live(ctx.clock.now())
    return {
        "ticket": ticket,
        "live": live,
        "qr": await qr_svg(ticket.link) if live else None,
        "phone_address": ctx.settings.phone_url,
    }


async def another(request: Request) -> Response:
    """GET /activation: bring another phone."""
    ctx: Context = request.app.state.ctx
    session = await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )
    return render(
        request,
        "activation/another.html",
        session=session,
        back="/activation",
        **await banner(request, session),
    )


async def new_pin(request: Request) -> Response:
    """GET /activation/new-pin?phone=: link a phone again, whose PIN is forgotten."""
    ctx: Context = request.app.state.ctx
    session = await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )
    wanted = request.query_params.get("phone", "")
    phones = [phone.enrollment for phone in await devices.list_phones(ctx, session.account_id)]
    phone = next((phone for phone in phones if phone.id == wanted), None)
    if phone is None:
        raise Refused("enrollment_unknown")
    return render(
        request,
        "activation/new_pin.html",
        session=session,
        phone=phone,
        back=f"{_NEW_PIN}{phone.id}",
        **await banner(request, session, replaces=phone.id),
    )


async def renew(request: Request) -> Response:
    """POST /activation/new: withdraw the code and make a new one."""
    ctx: Context = request.app.state.ctx
    session = await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )
    sent = await forms.read(request, "back", bound=session.id)
    replaces = sent["back"].removeprefix(_NEW_PIN) if sent["back"].startswith(_NEW_PIN) else None
    await service.issue_ticket(
        ctx, session=session, source=visitor(request).source, replaces=replaces
    )
    if replaces is not None:
        back = f"{_NEW_PIN}{replaces}"
    else:
        back = "/activation" if sent["back"] == "/activation" else "/"
    return RedirectResponse(back, status_code=303)


async def _wait(scope: Scope) -> tuple[str, sse.Looker, int]:
    """GET /activation/wait: "a phone has opened it", then "it is linked", as events."""
    request = Request(scope)
    ctx: Context = request.app.state.ctx
    session = await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )
    ticket = await service.current_ticket(ctx, session)
    if ticket is None:
        raise Refused("ticket_unknown")

    async def look(message: str | None) -> sse.Look:
        if message == "opened":
            return sse.Look(sse.frame("step", {"name": "scan"}))
        state, label = await service.glance(ctx, ticket.id)
        if state is State.REDEEMED:
            text = {"part": "linked", "text": {"label": label}, "last": True}
            return sse.Look(sse.frame("show", text), done=True)
        if state is not State.OPEN or ctx.clock.now() >= ticket.expires_at:
            return sse.Look(sse.frame("show", {"part": "over", "last": True}), done=True)
        return sse.Look()

    return f"ticket:{ticket.id}", look, ticket.expires_at


routes = [
    Route("/activation", another, methods=["GET"]),
    Route("/activation/new-pin", new_pin, methods=["GET"]),
    Route("/activation/new", renew, methods=["POST"]),
    Route("/activation/wait", sse.Stream(_wait), methods=["GET"]),
]
