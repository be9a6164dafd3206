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
from vestibule.web.routing import own_path
from vestibule.web.visitor import visitor

_BROWSER_DAYS = 400
_SECRET_LENGTH = 43
# What a person can mend in the form itself is said there, not on a page of its own.
_IN_THE_FORM = frozenset(
    {"wrong_credentials", "username_invalid", "password_wait", "source_wait", "password_busy"}
)


def browser_secret(request: Request) -> str | None:
    """The known-browser cookie, if it is one of ours."""
    value = cookies.read(request, cookies.BROWSER)
    return value if value and len(value) == _SECRET_LENGTH and value.isascii() else None


async def form(request: Request) -> Response:
    """GET /login: username and password."""
    ctx: Context = request.app.state.ctx
    try:
        cookie = cookies.read(request, cookies.SESSION)
        if await sessions.session_of(ctx, cookie, address=visitor(request).address):
            return to("/")
    except Refused:
        # Signed in, but from where it does not count: the form says so after a right password.
        pass
    then = own_path(request.query_params.get("then", "/"))
    return entrance_form(request, browser=browser_secret(request) or ids.new_secret(), then=then)


def entrance_form(
    request: Request,
    *,
    browser: str,
    then: str = "/",
    username: str = "",
    problem: Problem | None = None,
) -> Response:
    """The sign-in form, with what was wrong the last time; `then` is where it leads in the end."""
    draw = partial(render, request, "login/sign_in.html", bound=browser, problem=problem)
    if problem is None:
        response = draw(own={"then": then}, username="")
    else:
        response = draw(status=problem.code.status, username=username, then=then)
    cookies.put(response, cookies.BROWSER, browser, max_age_s=_BROWSER_DAYS * 86_400)
    return response


_FIRST = {Step.CHOOSE: "/login/choose", Step.PROVE: "/login/prove"}


async def begin(request: Request) -> Response:
    """POST /login: check the password and begin."""
    ctx: Context = request.app.state.ctx
    browser = browser_secret(request)
    if browser is None:
        raise Refused("cookies_needed")
    sent = await forms.read(request, "username", "password", "then", bound=browser)
    then = own_path(sent["then"] or "/")
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
        typed = sent["username"][:64]
        return entrance_form(request, browser=browser, then=then, username=typed, problem=problem)
    if began.session is not None:
        return sign_in(to(then), began.session)
    if began.view is None:
        raise Refused("attempt_unknown")
    response = to(_FIRST.get(began.view.step, "/login/wait"))
    hold(ctx, response, began.secret, began.view, then)
    return response


routes = [
    Route("/login", form, methods=["GET"]),
    Route("/login", begin, methods=["POST"]),
]
