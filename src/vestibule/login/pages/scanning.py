"""The rotating QR code: instead of a notification, or instead of username and password."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.errors import Fault, Refused
from vestibule.login import service
from vestibule.login.pages.entrance import browser_secret, entrance_form
from vestibule.login.pages.holding import held_by, hold, to
from vestibule.login.rules import Kind, Step, next_step
from vestibule.login.service import Mine
from vestibule.protocol.claim_link import VERSION
from vestibule.web import forms, sse
from vestibule.web.problems import problem_of
from vestibule.web.rendering import render
from vestibule.web.rotating_qr import RotatingCode, rotating_code
from vestibule.web.routing import own_path
from vestibule.web.visitor import visitor

_TEXT_LENGTH: Final = 22 + 1 + 22
_SHOWN_IN: Final = frozenset({Step.SHOW_CODE, Step.CHOOSE, Step.WAIT})


def _codes(ctx: Context) -> tuple[str, int]:
    return f"{ctx.settings.phone_url}/claim#{VERSION}.", _TEXT_LENGTH


async def begin(request: Request) -> Response:
    """POST /login/qr: begin without a username."""
    ctx: Context = request.app.state.ctx
    browser = browser_secret(request)
    if browser is None:
        raise Refused("cookies_needed")
    sent = await forms.read(request, "then", bound=browser)
    then = own_path(sent["then"] or "/")
    try:
        before: Mine | None = held_by(request).mine
    except Refused:
        before = None
    try:
        began = await service.open_unclaimed(
            ctx, visitor=visitor(request), browser_secret=browser, replaces=before
        )
    except Fault as fault:
        problem = problem_of(fault, request.state.reference)
        return entrance_form(request, browser=browser, then=then, problem=problem)
    if began.view is None:
        raise Refused("attempt_unknown")
    response = to("/login/qr")
    hold(ctx, response, began.secret, began.view, then)
    return response


async def scan(request: Request) -> Response:
    """GET /login/qr: the code of this browser's sign-in.

    Without script the page loads itself anew, and each time holds a code that is still good.
    """
    ctx: Context = request.app.state.ctx
    try:
        held = held_by(request)
    except Refused:
        return to("/login")
    view, _ = await service.look(ctx, held.mine)
    if view.step not in _SHOWN_IN or view.claimed or view.kind is not Kind.SIGN_IN:
        return to("/login/next")
    codes = await rotating_code(*_codes(ctx))
    code = service.code_now(ctx, view.id, now=ctx.clock.now())
    response = render(
        request,
        "login/scan.html",
        bound=held.mine.secret,
        code=codes.svg(code.text),
        passwordless=view.passwordless,
        waiting=view.step is Step.WAIT,
    )
    hold(ctx, response, held.mine.secret, view, held.then)
    return response


async def _events(scope: Scope) -> tuple[str, sse.Looker, int]:
    request = Request(scope)
    ctx: Context = request.app.state.ctx
    held = held_by(request)
    codes = await rotating_code(*_codes(ctx))

    async def look(message: str | None) -> sse.Look:
        now = ctx.clock.now()
        if message != sse.BEAT:
            attempt = await service.glance(ctx, held.mine)
            if attempt.claimed or next_step(attempt, now=now) not in _SHOWN_IN:
                return sse.Look(sse.frame("go", {"to": "/login/next"}), done=True)
        return _shown(ctx, codes, held.mine.id, now=now)

    return f"login:{held.mine.id}", look, held.view.expires_at


def _shown(ctx: Context, codes: RotatingCode, attempt_id: str, *, now: int) -> sse.Look:
    code = service.code_now(ctx, attempt_id, now=now)
    # A little late rather than early: a page that is woken early would show the same code twice.
    again_s = (code.for_ms + 5) / SECOND
    return sse.Look(sse.frame("code", codes.sent(code.text)), again_s=again_s)


routes = [
    Route("/login/qr", scan, methods=["GET"]),
    Route("/login/qr", begin, methods=["POST"]),
    Route("/login/qr/events", sse.Stream(_events), methods=["GET"]),
]
