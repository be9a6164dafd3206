"""Which way: nothing is sent before the choice."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.login import service
from vestibule.login.pages.holding import held_by, hold, to
from vestibule.login.rules import Step
from vestibule.web import forms
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor


async def chooser(request: Request) -> Response:
    """GET /login/choose: which phone; nothing has been sent yet."""
    held = held_by(request)
    view, phones = await service.look(request.app.state.ctx, held.mine)
    if view.step not in (Step.CHOOSE, Step.WAIT, Step.RESUME):
        return to("/login/next")
    return render(request, "login/choose.html", bound=held.mine.secret, view=view, phones=phones)


async def choose(request: Request) -> Response:
    """POST /login/choose: send the request to this phone."""
    ctx: Context = request.app.state.ctx
    held = held_by(request)
    sent = await forms.read(request, "phone", bound=held.mine.secret)
    view = await service.choose(ctx, held.mine, phone_id=sent["phone"], visitor=visitor(request))
    response = to("/login/wait")
    hold(ctx, response, held.mine.secret, view)
    return response


routes = [
    Route("/login/choose", chooser, methods=["GET"]),
    Route("/login/choose", choose, methods=["POST"]),
]
