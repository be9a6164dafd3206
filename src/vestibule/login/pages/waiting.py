"""Waiting for the phone, and the typed response beside it."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from vestibule.base.clock import MINUTE
from vestibule.base.context import Context
from vestibule.base.errors import Fault
from vestibule.login import service
from vestibule.login.pages.holding import Held, arrive, held_by, hold, session_for, to
from vestibule.login.rules import RESPONSE_TRIES, Kind, Step, next_step
from vestibule.login.service import View
from vestibule.web import cookies, forms, sse
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import grouped, render
from vestibule.web.visitor import visitor

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


async def wait(request: Request) -> Response:
    """GET /login/wait: what happens now, and the other way; drawn from the cookie alone."""
    held = held_by(request)
    if held.view.step is not Step.WAIT:
        return to("/login/next")
    return _waiting(request, held)


def _waiting(request: Request, held: Held, problem: Problem | None = None) -> Response:
    ctx: Context = request.app.state.ctx
    view = held.view
    if view.claimed:
        return _claimed(request, held)
    own: dict[str, str | int] = {
        "challenge": grouped(view.challenge, 3),
        "phone": view.phone,
        "minutes": (view.request_expires_at - ctx.clock.now()) // MINUTE + 1,
        "memory": f"{view.id}.{view.round}",
        "request_expires_at": view.request_expires_at,
        "challenge_expires_at": view.challenge_expires_at,
    }
    draw = partial(
        render,
        request,
        "login/wait.html",
        bound=held.mine.secret,
        kind=view.kind.value,
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


def _claimed(request: Request, held: Held) -> Response:
    """After the scan: the phone that did it is the one to look at."""
    ctx: Context = request.app.state.ctx
    view = held.view
    return render(
        request,
        "login/claimed.html",
        bound=held.mine.secret,
        phone=view.phone,
        number=view.number,
        challenge=grouped(view.challenge, 3),
        minutes=(view.request_expires_at - ctx.clock.now()) // MINUTE + 1,
        request_expires_at=view.request_expires_at,
    )


async def again(request: Request) -> Response:
    """POST /login/again: nudge once more, or resume with a new request."""
    ctx: Context = request.app.state.ctx
    held = held_by(request)
    await forms.read(request, bound=held.mine.secret)
    view = await service.send_again(ctx, held.mine, visitor=visitor(request))
    response = to(_after(view))
    hold(ctx, response, held.mine.secret, view, held.then)
    return response


def _after(view: View) -> str:
    if view.step is Step.PROVE:
        return "/login/prove"
    return "/login/wait" if view.push else "/login/wait?respond"


async def cancel(request: Request) -> Response:
    """POST /login/cancel: give up and begin again."""
    ctx: Context = request.app.state.ctx
    held = held_by(request)
    await forms.read(request, bound=held.mine.secret)
    await service.cancel(ctx, held.mine, visitor=visitor(request))
    response = to("/login" if held.view.kind is Kind.SIGN_IN else "/")
    cookies.drop(response, cookies.LOGIN)
    return response


async def respond(request: Request) -> Response:
    """POST /login/response: eight digits from the phone."""
    ctx: Context = request.app.state.ctx
    held = held_by(request)
    sent = await forms.read(request, "response", bound=held.mine.secret)
    try:
        cookie = await service.respond(
            ctx,
            held.mine,
            typed=sent["response"],
            visitor=visitor(request),
            session=await session_for(request, held),
        )
    except Fault as fault:
        if fault.code.name == "already_answered":
            return to("/login/next")
        if fault.code.name not in _IN_THE_WAITING:
            raise
        problem = problem_of(fault, request.state.reference)
        view, _ = await service.look(ctx, held.mine)
        response = _waiting(request, Held(held.mine, view, held.then), problem)
        hold(ctx, response, held.mine.secret, view, held.then)
        return response
    return arrive(held, cookie)


async def _events(scope: Scope) -> tuple[str, sse.Looker, int]:
    request = Request(scope)
    ctx: Context = request.app.state.ctx
    held = held_by(request)
    ends_at = max(held.view.request_expires_at, held.view.challenge_expires_at)
    # Without a notification nothing is expected: an approval in the open app is heard (it
    # lingers for who comes late), and nothing is read for it.
    calm = held.view.why_no_push == "seamless_off"

    async def look(message: str | None) -> sse.Look:
        if calm and message is None and ctx.clock.now() < ends_at:
            return sse.Look()
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

    return f"login:{held.mine.id}", look, ends_at


routes = [
    Route("/login/wait", wait, methods=["GET"]),
    Route("/login/wait/events", sse.Stream(_events), methods=["GET"]),
    Route("/login/again", again, methods=["POST"]),
    Route("/login/cancel", cancel, methods=["POST"]),
    Route("/login/response", respond, methods=["POST"]),
]
