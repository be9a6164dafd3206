"""Which way: nothing is sent before the choice."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.login import service
from vestibule.login.pages.holding import held_by, hold, to
from vestibule.login.rules import PHONE, Step, twins
from vestibule.web import forms
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_CHOOSABLE = frozenset({Step.CHOOSE, Step.WAIT, Step.PROVE, Step.RESUME})


async def chooser(request: Request) -> Response:
    """GET /login/choose: which way; nothing has been sent yet, or nothing more."""
    held = held_by(request)
    view, ways = await service.look(request.app.state.ctx, held.mine)
    if view.step not in _CHOOSABLE or view.passwordless:
        return to("/login/next")
    return render(
        request,
        "login/choose.html",
        bound=held.mine.secret,
        view=view,
        ways=ways.all,
        twins=twins(ways.all),
        scannable=any(way.kind == PHONE for way in ways.all) and held.view.kind == "sign-in",
    )


async def choose(request: Request) -> Response:
    """POST /login/choose: send the request to this phone, or ask for this factor."""
    ctx: Context = request.app.state.ctx
    held = held_by(request)
    sent = await forms.read(request, "way", bound=held.mine.secret)
    view = await service.choose(ctx, held.mine, way_id=sent["way"], visitor=visitor(request))
    response = to("/login/prove" if view.step is Step.PROVE else "/login/wait")
    hold(ctx, response, held.mine.secret, view, held.then)
    return response


routes = [
    Route("/login/choose", chooser, methods=["GET"]),
    Route("/login/choose", choose, methods=["POST"]),
]
