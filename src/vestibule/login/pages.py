"""The sign-in's pages. No step knows another: each returns to `/login/next`, which decides.

The browser's hold on its attempt is a sealed cookie: the attempt's id, the secret that proves
whose it is, and what the waiting page shows. So that page is drawn without a question to the
database; it asks once when its event stream connects, and is told the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from vestibule.base import ids
from vestibule.base.clock import MINUTE
from vestibule.base.context import Context
from vestibule.base.errors import Fault, Refused
from vestibule.login import service
from vestibule.login.rules import RESPONSE_TRIES, Step, next_step
from vestibule.login.service import Mine, View
from vestibule.sessions import service as sessions
from vestibule.web import cookies, forms, sse
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import grouped, render
from vestibule.web.visitor import visitor

_BROWSER_DAYS = 400
_SECRET_LENGTH = 43
# What a person can mend in the form itself is said there, not on a page of its own.
_IN_THE_FORM = frozenset(
    {"wrong_credentials", "username_invalid", "password_wait", "source_wait", "password_busy"}
)
_IN_THE_WAITING = frozenset(
    {
        "response_invalid",
        "response_wrong",
        "response_again",
        "responses_blocked",
        "challenge_spent",
        "challenge_expired",
    }
)


class _Hold(msgspec.Struct, frozen=True, kw_only=True):
    """What the sealed cookie carries."""

    secret: str
    view: View


@dataclass(frozen=True, slots=True)
class _Held:
    mine: Mine
    view: View


def _held(request: Request) -> _Held:
    """The attempt that this browser holds. Raises Refused `attempt_unknown`."""
    ctx: Context = request.app.state.ctx
    token = cookies.read(request, cookies.LOGIN)
    opened = ctx.sealer.untoken("login", token, now=ctx.clock.now()) if token else None
    if opened is None:
        raise Refused("attempt_unknown")
    hold = msgspec.json.decode(opened, type=_Hold)
    return _Held(Mine(id=hold.view.id, secret=hold.secret), hold.view)


def _hold(ctx: Context, response: Response, secret: str, view: View) -> None:
    data = msgspec.json.encode(_Hold(secret=secret, view=view))
    cookies.put(
        response,
        cookies.LOGIN,
        ctx.sealer.token("login", data, expires_at=view.expires_at),
    )


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, status_code=303)


def _sign_in(response: Response, cookie: str) -> Response:
    cookies.put(response, cookies.SESSION, cookie)
    cookies.drop(response, cookies.LOGIN)
    return response


def _browser_secret(request: Request) -> str | None:
    value = cookies.read(request, cookies.BROWSER)
    return value if value and len(value) == _SECRET_LENGTH and value.isascii() else None


# --- the password -----------------------------------------------------------------------------


async def form(request: Request) -> Response:
    """GET /login: username and password."""
    ctx: Context = request.app.state.ctx
    if await sessions.session_of(ctx, cookies.read(request, cookies.SESSION)):
        return _to("/")
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
        before: Mine | None = _held(request).mine
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
        return _sign_in(_to("/"), began.session)
    if began.view is None:
        raise Refused("attempt_unknown")
    response = _to("/login/choose" if began.view.step is Step.CHOOSE else "/login/wait")
    _hold(ctx, response, began.secret, began.view)
    return response


# --- the phone --------------------------------------------------------------------------------


async def chooser(request: Request) -> Response:
    """GET /login/choose: which phone; nothing has been sent yet."""
    held = _held(request)
    view, phones = await service.look(request.app.state.ctx, held.mine)
    if view.step not in (Step.CHOOSE, Step.WAIT, Step.RESUME):
        return _to("/login/next")
    return render(request, "login/choose.html", bound=held.mine.secret, view=view, phones=phones)


async def choose(request: Request) -> Response:
    """POST /login/choose: send the request to this phone."""
    ctx: Context = request.app.state.ctx
    held = _held(request)
    sent = await forms.read(request, "phone", bound=held.mine.secret)
    view = await service.choose(ctx, held.mine, phone_id=sent["phone"], visitor=visitor(request))
    response = _to("/login/wait")
    _hold(ctx, response, held.mine.secret, view)
    return response


async def wait(request: Request) -> Response:
    """GET /login/wait: what happens now, and the other way; drawn from the cookie alone."""
    held = _held(request)
    if held.view.step is not Step.WAIT:
        return _to("/login/next")
    return _waiting(request, held)


def _waiting(request: Request, held: _Held, problem: Problem | None = None) -> Response:
    ctx: Context = request.app.state.ctx
    view = held.view
    own: dict[str, str | int] = {
        "challenge": grouped(view.challenge, 3),
        "phone": view.phone,
        "minutes": (view.request_expires_at - ctx.clock.now()) // MINUTE + 1,
        "request_expires_at": view.request_expires_at,
        "challenge_expires_at": view.challenge_expires_at,
    }
    draw = partial(
        render,
        request,
        "login/wait.html",
        bound=held.mine.secret,
        push=view.push,
        why_no_push=view.why_no_push,
        number=view.number,
        several=view.several,
        can_respond=view.tries_left > 0,
        problem=problem,
        phone_host=urlsplit(ctx.settings.phone_url).netloc,
    )
    if problem is not None:
        return draw(status=problem.code.status, respond=True, **dict[str, Any](own))
    return draw(own=own, respond="respond" in request.query_params or not view.push)


async def again(request: Request) -> Response:
    """POST /login/again: nudge once more, or resume with a new request."""
    ctx: Context = request.app.state.ctx
    held = _held(request)
    await forms.read(request, bound=held.mine.secret)
    view = await service.send_again(ctx, held.mine, visitor=visitor(request))
    response = _to("/login/wait" if view.push else "/login/wait?respond")
    _hold(ctx, response, held.mine.secret, view)
    return response


async def cancel(request: Request) -> Response:
    """POST /login/cancel: give up and begin again."""
    ctx: Context = request.app.state.ctx
    held = _held(request)
    await forms.read(request, bound=held.mine.secret)
    await service.cancel(ctx, held.mine, visitor=visitor(request))
    response = _to("/login")
    cookies.drop(response, cookies.LOGIN)
    return response


async def respond(request: Request) -> Response:
    """POST /login/response: eight digits from the phone."""
    ctx: Context = request.app.state.ctx
    held = _held(request)
    sent = await forms.read(request, "response", bound=held.mine.secret)
    try:
        cookie = await service.respond(
            ctx, held.mine, typed=sent["response"], visitor=visitor(request)
        )
    except Fault as fault:
        if fault.code.name == "already_answered":
            return _to("/login/next")
        if fault.code.name not in _IN_THE_WAITING:
            raise
        problem = problem_of(fault, request.state.reference)
        view, _ = await service.look(ctx, held.mine)
        response = _waiting(request, _Held(held.mine, view), problem)
        _hold(ctx, response, held.mine.secret, view)
        return response
    return _sign_in(_to("/"), cookie)


async def following(request: Request) -> Response:
    """GET /login/next: the one place that decides where the browser goes."""
    ctx: Context = request.app.state.ctx
    held = _held(request)
    # The page that was told of an approval says so, which spares a question; a wrong word
    # changes nothing, for collecting is itself a compare-and-set.
    if "approved" in request.query_params:
        try:
            cookie = await service.collect(ctx, held.mine, visitor=visitor(request))
        except Refused:
            return _to("/login/next")
        return _sign_in(_to("/"), cookie)
    view, _ = await service.look(ctx, held.mine)
    if view.step is Step.COLLECT:
        cookie = await service.collect(ctx, held.mine, visitor=visitor(request))
        return _sign_in(_to("/"), cookie)
    if view.step is Step.DONE:
        return _to("/")
    if view.step in (Step.WAIT, Step.CHOOSE):
        response: Response = _to("/login/wait" if view.step is Step.WAIT else "/login/choose")
        _hold(ctx, response, held.mine.secret, view)
        return response
    response = render(request, "login/ended.html", bound=held.mine.secret, view=view)
    if view.step is not Step.RESUME:
        cookies.drop(response, cookies.LOGIN)
    return response


# --- waiting ----------------------------------------------------------------------------------


async def _events(scope: Scope) -> tuple[str, sse.Looker, int]:
    request = Request(scope)
    ctx: Context = request.app.state.ctx
    held = _held(request)

    async def look(message: str | None) -> sse.Look:
        if message == "delivered":
            return sse.Look(sse.frame("step", {"name": "sent"}))
        if message == "undelivered":
            return sse.Look(sse.frame("show", {"part": "undelivered"}))
        if message == "approved":
            return sse.Look(sse.frame("go", {"to": "/login/next?approved"}), done=True)
        if message == "responded":
            return sse.Look(sse.frame("go", {"to": "/login/next"}), done=True)
        now = ctx.clock.now()
        attempt = await service.glance(ctx, held.mine)
        step = next_step(attempt, now=now)
        if step is Step.COLLECT:
            return sse.Look(sse.frame("go", {"to": "/login/next?approved"}), done=True)
        if step is not Step.WAIT or (attempt.round, attempt.tries) != (
            held.view.round,
            RESPONSE_TRIES - held.view.tries_left,
        ):
            return sse.Look(sse.frame("go", {"to": "/login/next"}), done=True)
        if attempt.number and attempt.push and not held.view.number:
            text = {"challenge": f"{attempt.challenge[:3]} {attempt.challenge[3:]}"}
            return sse.Look(sse.frame("show", {"part": "number", "text": text}))
        return sse.Look()

    ends_at = max(held.view.request_expires_at, held.view.challenge_expires_at)
    return f"login:{held.mine.id}", look, ends_at


routes = [
    Route("/login", form, methods=["GET"]),
    Route("/login", begin, methods=["POST"]),
    Route("/login/choose", chooser, methods=["GET"]),
    Route("/login/choose", choose, methods=["POST"]),
    Route("/login/wait", wait, methods=["GET"]),
    Route("/login/wait/events", sse.Stream(_events), methods=["GET"]),
    Route("/login/next", following, methods=["GET"]),
    Route("/login/again", again, methods=["POST"]),
    Route("/login/cancel", cancel, methods=["POST"]),
    Route("/login/response", respond, methods=["POST"]),
]
