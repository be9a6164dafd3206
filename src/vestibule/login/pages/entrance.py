"""The entrance: username and password."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base import ids
from vestibule.base.context import Context
from vestibule.base.errors import Fault, Refused
from vestibule.login import service
from vestibule.login.pages.holding import held_by, hold, sign_in, to
from vestibule.login.rules import Step
from vestibule.login.service import Mine
from vestibule.sessions import service as sessions
from vestibule.web import cookies, forms
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_BROWSER_DAYS = 400
_SECRET_LENGTH = 43
# What a person can mend in the form itself is said there, not on a page of its own.
_IN_THE_FORM = frozenset(
    {"wrong_credentials", "username_invalid", "password_wait", "source_wait", "password_busy"}
)


def _browser_secret(request: Request) -> str | None:
    value = cookies.read(request, cookies.BROWSER)
    return value if value and len(value) == _SECRET_LENGTH and value.isascii() else None


async def form(request: Request) -> Response:
    """GET /login: username and password."""
    ctx: Context = request.app.state.ctx
    if await sessions.session_of(ctx, cookies.read(request, cookies.SESSION)):
        return to("/")
    return _form(request, browser=_browser_secret(request) or ids.new_secret())


def _form(
    request: Request, *, browser: str, username: str = "", problem: Problem | None = None
) -> Response:
    draw = partial(render, request, "login/sign_in.html", bound=browser, problem=problem)
    if problem is None:
        response = draw(own={}, username="")
    else:
        response = draw(status=problem.code.status, username=username)
    cookies.put(response, cookies.BROWSER, browser, max_age_s=_BROWSER_DAYS * 86_400)
    return response


async def begin(request: Request) -> Response:
    """POST /login: check the password and begin."""
    ctx: Context = request.app.state.ctx
    browser = _browser_secret(request)
    if browser is None:
        raise Refused("cookies_needed")
    sent = await forms.read(request, "username", "password", bound=browser)
    try:
        before: Mine | None = held_by(request).mine
    except Refused:
        before = None
    try:
        began = await service.begin_login(
            ctx,
            username=sent["username"],
            password=sent["password"],
            visitor=visitor(request),
            browser_secret=browser,
            replaces=before,
        )
    except Fault as fault:
        if fault.code.name not in _IN_THE_FORM:
            raise
        problem = problem_of(fault, request.state.reference)
        return _form(request, browser=browser, username=sent["username"][:64], problem=problem)
    if began.session is not None:
        return sign_in(to("/"), began.session)
    if began.view is None:
        raise Refused("attempt_unknown")
    response = to("/login/choose" if began.view.step is Step.CHOOSE else "/login/wait")
    hold(ctx, response, began.secret, began.view)
    return response


routes = [
    Route("/login", form, methods=["GET"]),
    Route("/login", begin, methods=["POST"]),
]
