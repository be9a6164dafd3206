"""Whether mails about answers carry the answer."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Malformed
from vestibule.contacts import service as contacts
from vestibule.contacts.rules import Kind
from vestibule.support import service
from vestibule.support.pages.visit import session_of
from vestibule.web import forms
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_PAGE: Final = "/messages/notices"
_SECURE, _TEXT = "secure", "text"


async def notices(request: Request) -> Response:
    """GET /messages/notices: the choice; unless somebody chose otherwise, mails carry nothing."""
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    reached = await contacts.list_contacts(ctx, session.account_id)
    chosen = await service.text_in_mails(ctx, session.account_id)
    return render(
        request,
        "support/notices.html",
        session=session,
        chosen=_TEXT if chosen else _SECURE,
        choices=(_SECURE, _TEXT),
        reachable=any(one.kind is Kind.MAIL and one.verified_at is not None for one in reached),
        done=request.query_params.get("done") == "saved",
    )


async def save(request: Request) -> Response:
    """POST /messages/notices: it holds for whatever is answered from now on."""
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    sent = await forms.read(request, "mails", bound=session.id)
    if sent["mails"] not in (_SECURE, _TEXT):
        raise Malformed("bad_field", field="mails")
    await service.set_text_in_mails(
        ctx, session, chosen=sent["mails"] == _TEXT, source=visitor(request).address
    )
    return RedirectResponse(f"{_PAGE}?done=saved", status_code=303)


routes = [
    Route(_PAGE, notices, methods=["GET"]),
    Route(_PAGE, save, methods=["POST"]),
]
