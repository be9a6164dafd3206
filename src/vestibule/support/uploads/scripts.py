"""Files that a page's script sends while the message is still being written.

The same three addresses for each who attaches: add, see what waits, take back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Malformed
from vestibule.sessions.rules import Session
from vestibule.support.rules.attachments import Attachment
from vestibule.support.service.attaching import Place, attach
from vestibule.support.service.looking import list_waiting, remove_attachment
from vestibule.support.uploads.taking import a_body, body_most
from vestibule.web import bodies, csrf, forms
from vestibule.web.problems import problem_json, problem_of

TOKEN: Final = "x-form-token"  # noqa: S105  -- the name of a header
"""Carries the page's form token, where the body is the file itself."""
_NAME_MOST: Final = 1000
_STRANGERS: Final = frozenset({401, 403})
"""To whom nobody listens any longer."""

Door = Callable[[Request], Awaitable[tuple[Session, Place]]]
"""Who comes, and where they attach. Raises Refused."""


def routes_at(address: str, door: Door) -> list[Route]:
    """The addresses below ``address`` (``…/attachments``), for whoever the door lets in."""
    return [
        Route(address, _answered(partial(_add, door)), methods=["POST"]),
        Route(address, _answered(partial(_waiting, door)), methods=["GET"]),
        Route(f"{address}/remove", partial(_remove, door), methods=["POST"]),
    ]


_Call = Callable[[Request], Awaitable[Response]]


def _answered(call: _Call) -> _Call:
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


async def _add(door: Door, request: Request) -> Response:
    """POST …/attachments?name=: the body is the file; it waits for the message."""
    ctx: Context = request.app.state.ctx
    csrf.demand_same_site(request, ctx.settings.portal_url)
    session, place = await door(request)
    csrf.demand_token(ctx, request.headers.get(TOKEN, ""), session.id)
    name = request.query_params.get("name", "")
    if len(name) > _NAME_MOST:
        raise Malformed("bad_field", field="name")
    body = request.state.body = bodies.paced(request)
    with a_body(request, session):
        kept = await attach(ctx, place, name, body, length=bodies.announced(request))
    told = _told(kept.attachment) | {"signed_out": kept.signed_out}
    if kept.attachment.capture:
        told["report"] = msgspec.Raw(kept.report)
    return _json(told, status=201)


async def _waiting(door: Door, request: Request) -> Response:
    """GET …/attachments: what waits for the message."""
    _, place = await door(request)
    there = await list_waiting(request.app.state.ctx, place)
    return _json({"attachments": [_told(one) for one in there]})


async def _remove(door: Door, request: Request) -> Response:
    """POST …/attachments/remove: take one back, by a form or by a script."""
    session, place = await door(request)
    sent = await forms.read(request, "id", bound=session.id)
    await remove_attachment(request.app.state.ctx, place, sent["id"])
    if "application/json" in request.headers.get("accept", ""):
        return Response(status_code=204)
    page = request.url.path.rpartition("/attachments")[0]
    return RedirectResponse(page, status_code=303)


def _told(one: Attachment) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "size": one.size,
        "kind": one.kind.value,
        "entries": one.entries,
        "details": one.details.value,
    }


def _json(told: dict[str, Any], *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(told), status_code=status, media_type="application/json")
