"""Files of a conversation, for its client: adding with a script, taking back, downloading.

Whatever a file is called and whatever it holds, a browser never opens it as one of our pages: it
is saved, of no type, in a sandbox. Only a picture whose first bytes prove one is shown.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.errors import Refused
from vestibule.sessions.rules import Session
from vestibule.support.pages.visit import ONCE, place_of, session_of
from vestibule.support.service.attaching import Place
from vestibule.support.service.looking import Opened, open_attachment
from vestibule.support.uploads.scripts import routes_at
from vestibule.web import downloads


async def _door(request: Request) -> tuple[Session, Place]:
    """A client, and the conversation that an address names or that a form has yet to begin."""
    session = await session_of(request)
    once = request.path_params.get("once", "")
    if once and not ONCE.fullmatch(once):
        raise Refused("not_found")
    number = request.path_params.get("number", "")
    return session, await place_of(request, session, number=number, once=once)


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
    _, place = await _door(request)
    return await open_attachment(request.app.state.ctx, place, request.path_params["id"])


_OF_TICKET: Final = "/messages/{number}/attachments"
routes = [
    *routes_at("/messages/new/{once}/attachments", _door),
    *routes_at(_OF_TICKET, _door),
    Route(f"{_OF_TICKET}/{{id}}", download, methods=["GET"]),
    Route(f"{_OF_TICKET}/{{id}}/picture", picture, methods=["GET"]),
]
