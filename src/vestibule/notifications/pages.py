"""The list of notifications in the portal."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Malformed
from vestibule.notifications import service
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.web import cookies, forms
from vestibule.web.language import language_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_A_PAGE: Final = 30
_DIGITS: Final = 18


async def _session(request: Request) -> Session:
    return await sessions.get_session(
        request.app.state.ctx,
        cookies.read(request, cookies.SESSION),
        address=visitor(request).address,
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None


async def listing(request: Request) -> Response:
    """GET /notifications?before=: what the account was told of, the newest first."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    page = await service.list_notices(
        ctx,
        session.account_id,
        language=language_of(request, session.language),
        before=_number(request.query_params.get("before", "")),
        most=_A_PAGE,
    )
    return render(
        request,
        "notifications/notifications.html",
        session=session,
        page=page,
        done=request.query_params.get("done") == "read",
    )


async def read(request: Request) -> Response:
    """POST /notifications/read: mark all as read, up to the newest that the page showed."""
    session = await _session(request)
    sent = await forms.read(request, "upto", bound=session.id)
    upto = _number(sent["upto"])
    if upto is None:
        raise Malformed("bad_field", field="upto")
    await service.mark_read(request.app.state.ctx, session.account_id, upto=upto)
    return RedirectResponse("/notifications?done=read", status_code=303)


routes = [
    Route("/notifications", listing, methods=["GET"]),
    Route("/notifications/read", read, methods=["POST"]),
]
