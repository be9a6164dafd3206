"""The one place that decides where the browser goes, from stored state."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.login import service
from vestibule.login.pages.holding import Held, arrive, held_by, hold, session_for, to
from vestibule.login.rules import Step
from vestibule.sessions import service as sessions
from vestibule.web import cookies
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_WHERE = {
    Step.SHOW_CODE: "/login/qr",
    Step.CHOOSE: "/login/choose",
    Step.WAIT: "/login/wait",
    Step.PROVE: "/login/prove",
}


async def following(request: Request) -> Response:
    """GET /login/next: the one place that decides where the browser goes."""
    ctx: Context = request.app.state.ctx
    try:
        held = held_by(request)
    except Refused:
        return await _without(request)
    # The page that was told of an approval says so, which spares a question; a wrong word
    # changes nothing, for collecting is itself a compare-and-set.
    if "approved" in request.query_params:
        try:
            return await _collect(request, held)
        except Refused:
            return to("/login/next")
    view, _ = await service.look(ctx, held.mine)
    if view.step is Step.COLLECT:
        return await _collect(request, held)
    if view.step is Step.DONE:
        return arrive(held, None)
    if view.step in _WHERE:
        response: Response = to(_WHERE[view.step])
        hold(ctx, response, held.mine.secret, view, held.then)
        return response
    response = render(
        request, "login/ended.html", bound=held.mine.secret, view=view, then=held.then
    )
    if view.step is not Step.RESUME:
        cookies.drop(response, cookies.LOGIN)
    return response


async def _collect(request: Request, held: Held) -> Response:
    cookie = await service.collect(
        request.app.state.ctx,
        held.mine,
        visitor=visitor(request),
        kind=held.view.kind,
        session=await session_for(request, held),
    )
    return arrive(held, cookie)


async def _without(request: Request) -> Response:
    """No attempt: somebody who is signed in has come back to an old page."""
    cookie = cookies.read(request, cookies.SESSION)
    address = visitor(request).address
    if await sessions.session_of(request.app.state.ctx, cookie, address=address):
        return to("/")
    raise Refused("attempt_unknown")


routes = [Route("/login/next", following, methods=["GET"])]
