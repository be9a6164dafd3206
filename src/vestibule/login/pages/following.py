"""The one place that decides where the browser goes, from stored state."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.login import service
from vestibule.login.pages.holding import held_by, hold, sign_in, to
from vestibule.login.rules import Step
from vestibule.web import cookies
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor


async def following(request: Request) -> Response:
    """GET /login/next: the one place that decides where the browser goes."""
    ctx: Context = request.app.state.ctx
    held = held_by(request)
    # The page that was told of an approval says so, which spares a question; a wrong word
    # changes nothing, for collecting is itself a compare-and-set.
    if "approved" in request.query_params:
        try:
            cookie = await service.collect(ctx, held.mine, visitor=visitor(request))
        except Refused:
            return to("/login/next")
        return sign_in(to("/"), cookie)
    view, _ = await service.look(ctx, held.mine)
    if view.step is Step.COLLECT:
        cookie = await service.collect(ctx, held.mine, visitor=visitor(request))
        return sign_in(to("/"), cookie)
    if view.step is Step.DONE:
        return to("/")
    if view.step in (Step.WAIT, Step.CHOOSE):
        response: Response = to("/login/wait" if view.step is Step.WAIT else "/login/choose")
        hold(ctx, response, held.mine.secret, view)
        return response
    response = render(request, "login/ended.html", bound=held.mine.secret, view=view)
    if view.step is not Step.RESUME:
        cookies.drop(response, cookies.LOGIN)
    return response


routes = [Route("/login/next", following, methods=["GET"])]
