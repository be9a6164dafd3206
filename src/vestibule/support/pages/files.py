"""Files of a conversation, for its client: adding with a script, taking back, downloading.

Whatever a file is called and whatever it holds, a browser never opens it as one of our pages: it
is saved, of no type, in a sandbox. Only a picture whose first bytes prove one is shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Malformed, Refused
from vestibule.sessions.rules import Session
from vestibule.support.pages.taking import a_body, body_most, place_of
from vestibule.support.pages.visit import ONCE, session_of
from vestibule.support.rules.attachments import Attachment
from vestibule.support.service.attaching import Place, attach
from vestibule.support.service.looking import (
    Opened,
    list_waiting,
    open_attachment,
    remove_attachment,
)
from vestibule.web import bodies, csrf, downloads, forms
from vestibule.web.problems import problem_json, problem_of

TOKEN: Final = "x-form-token"  # noqa: S105  -- the name of a header
"""Carries the page's form token, where the body is the file itself."""
_NAME_MOST: Final = 1000
_STRANGERS: Final = frozenset({401, 403})
"""To whom nobody listens any longer."""


async def _where(request: Request, session: Session) -> Place:
    once = request.path_params.get("once", "")
    if once and not ONCE.fullmatch(once):
        raise Refused("not_found")
    number = request.path_params.get("number", "")
    return await place_of(request, session, number=number, once=once)


def _answered(call: Callable[[Request], Awaitable[Response]]) -> Callable[..., Any]:
    """The call, whose refusals are problem details (RFC 9457): a script reads them."""

    async def guarded(request: Request) -> Response:
        try:
            return await call(request)
        except Exception as fault:  # noqa: BLE001  -- told as JSON too: no page for scripts
            problem = problem_of(fault, request.state.reference)
            if problem.code.status not in _STRANGERS:
                await _read_over(request)
            response = problem_json(request, problem)
            response.headers["connection"] = "close"
            return response

    return guarded


async def _read_over(request: Request) -> None:
    """A browser hears an answer only once it has sent everything."""
    rest = getattr(request.state, "body", None) or bodies.paced(request)
    await bodies.drain(rest, most=body_most(request.app.state.ctx))


# --- adding and taking back -------------------------------------------------------------------


async def add(request: Request) -> Response:
    """POST …/attachments?name=: the body is the file; it waits for the message."""
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    csrf.demand_same_site(request, ctx.settings.portal_url)
    csrf.demand_token(ctx, request.headers.get(TOKEN, ""), session.id)
    name = request.query_params.get("name", "")
    if len(name) > _NAME_MOST:
        raise Malformed("bad_field", field="name")
    place = await _where(request, session)
    body = request.state.body = bodies.paced(request)
    with a_body(request, session):
        kept = await attach(ctx, place, name, body, length=bodies.announced(request))
    told = _told(kept.attachment) | {"signed_out": kept.signed_out}
    if kept.report:
        told["report"] = msgspec.Raw(kept.report)
    return _json(told, status=201)


async def waiting(request: Request) -> Response:
    """GET …/attachments: what waits for the message."""
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    there = await list_waiting(ctx, await _where(request, session))
    return _json({"attachments": [_told(one) for one in there]})


async def remove(request: Request) -> Response:
    """POST …/attachments/remove: take one back, by a form or by a script."""
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    sent = await forms.read(request, "id", bound=session.id)
    await remove_attachment(ctx, await _where(request, session), sent["id"])
    if "application/json" in request.headers.get("accept", ""):
        return Response(status_code=204)
    return RedirectResponse(f"/messages/{request.path_params['number']}", status_code=303)


def _told(one: Attachment) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "size": one.size,
        "kind": one.kind.value,
        "entries": one.entries,
    }


def _json(told: dict[str, Any], *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(told), status_code=status, media_type="application/json")


# --- downloading ------------------------------------------------------------------------------


async def download(request: Request) -> Response:
    """GET and HEAD /messages/{number}/attachments/{id}: the file, to be saved."""
    return downloads.download(request, (await _opened(request)).as_download())


async def picture(request: Request) -> Response:
    """GET /messages/{number}/attachments/{id}/picture: shown in a page, if it is a picture."""
    opened = await _opened(request)
    one = opened.attachment
    return downloads.picture(await opened.picture(), name=one.name, media=one.media)


async def _opened(request: Request) -> Opened:
    session = await session_of(request)
    place = await _where(request, session)
    return await open_attachment(request.app.state.ctx, place, request.path_params["id"])


_OF_TICKET: Final = "/messages/{number}/attachments"
_OF_NEW: Final = "/messages/new/{once}/attachments"
routes = [
    Route(_OF_NEW, _answered(add), methods=["POST"]),
    Route(_OF_NEW, _answered(waiting), methods=["GET"]),
    Route(f"{_OF_NEW}/remove", _answered(remove), methods=["POST"]),
    Route(_OF_TICKET, _answered(add), methods=["POST"]),
    Route(_OF_TICKET, _answered(waiting), methods=["GET"]),
    Route(f"{_OF_TICKET}/remove", remove, methods=["POST"]),
    Route(f"{_OF_TICKET}/{{id}}", download, methods=["GET"]),
    Route(f"{_OF_TICKET}/{{id}}/picture", picture, methods=["GET"]),
]
