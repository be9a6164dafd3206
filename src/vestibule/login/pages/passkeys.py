"""A passkey as a sign-in of its own: its page is the sign-in form, with a script's help."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Fault, Refused
from vestibule.login import service
from vestibule.login.pages.entrance import browser_secret, entrance_form
from vestibule.login.pages.holding import sign_in, to
from vestibule.web import csrf, forms
from vestibule.web.problems import json_answer, problem_of
from vestibule.web.visitor import visitor

_IN_THE_FORM = frozenset({"passkey_wrong", "passkey_late", "source_wait"})


async def options(request: Request) -> Response:
    """GET /login/passkey/options: what a passkey is to sign, made when it is needed."""
    ctx: Context = request.app.state.ctx
    csrf.demand_same_site(request, ctx.settings.portal_url)
    browser = browser_secret(request)
    if browser is None:
        raise Refused("cookies_needed")
    made = service.passkey_options(ctx, browser_secret=browser)
    return json_answer(ctx, options=made.options, token=made.token)


async def answer(request: Request) -> Response:
    """POST /login/passkey: what it signed."""
    ctx: Context = request.app.state.ctx
    browser = browser_secret(request)
    if browser is None:
        raise Refused("cookies_needed")
    sent = await forms.read(request, "credential", "token", bound=browser)
    try:
        cookie = await service.sign_in_by_passkey(
            ctx,
            response=sent["credential"],
            token=sent["token"],
            browser_secret=browser,
            visitor=visitor(request),
        )
    except Fault as fault:
        if fault.code.name not in _IN_THE_FORM:
            raise
        problem = problem_of(fault, request.state.reference)
        return entrance_form(request, browser=browser, problem=problem)
    return sign_in(to("/"), cookie)


routes = [
    Route("/login/passkey/options", options, methods=["GET"]),
    Route("/login/passkey", answer, methods=["POST"]),
]
