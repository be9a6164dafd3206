"""Step-up: a session proves again that its owner is there, and goes back to where it was needed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.i18n import t
from vestibule.login import service
from vestibule.login.pages.holding import hold, to
from vestibule.login.rules import Step, twins
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Assurance, Session
from vestibule.web import cookies, forms
from vestibule.web.language import language_of
from vestibule.web.rendering import render, settings_page
from vestibule.web.routing import own_path
from vestibule.web.visitor import visitor


async def _session(request: Request) -> Session:
    cookie = cookies.read(request, cookies.SESSION)
    return await sessions.get_session(
        request.app.state.ctx, cookie, address=visitor(request).address
    )


def _least(asked: str) -> Assurance:
    """The level that was missing; the usual one where the address does not say."""
    return Assurance(int(asked)) if asked in {"2", "3", "4"} else Assurance.STANDARD


async def form(request: Request) -> Response:
    """GET /login/step-up?then=&level=: by what; nothing has been sent yet."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    asked = request.query_params
    least = _least(asked.get("level", ""))
    ways = await service.step_up_ways(ctx, session, least=least)
    return render(
        request,
        "login/step_up.html",
        session=session,
        ways=ways.all,
        twins=twins(ways.all),
        bare=ways.password_suffices,
        then=own_path(asked.get("then", "/")),
        level=int(least),
    )


async def begin(request: Request) -> Response:
    """POST /login/step-up: ask this way."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = await forms.read(request, "way", "then", "level", bound=session.id)
    then = own_path(sent["then"])
    begun = await service.begin_step_up(
        ctx,
        session,
        way_id=sent["way"],
        least=_least(sent["level"]),
        detail=_detail(session.language or language_of(request), then),
        visitor=visitor(request),
    )
    view = begun.view
    response = to("/login/prove" if view.step is Step.PROVE else "/login/wait")
    hold(ctx, response, begun.mine.secret, view, then)
    return response


def _detail(language: str, then: str) -> str:
    """What it is for, in words for the phone."""
    page = settings_page(then)
    return t(page, language) if page else t("login.step_up.detail", language)


routes = [
    Route("/login/step-up", form, methods=["GET"]),
    Route("/login/step-up", begin, methods=["POST"]),
]
