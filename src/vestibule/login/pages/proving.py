"""A factor that is no phone: what it is asked, and its answer."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Fault, Refused
from vestibule.contacts.rules import By
from vestibule.login import service
from vestibule.login.pages.holding import Held, arrive, held_by, session_for, to
from vestibule.web import forms
from vestibule.web.language import language_of
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_BY: dict[str, By] = {"sms": "sms", "voice": "voice"}
# What can be mended on the page, or got round from it by another way.
_ON_THE_PAGE = frozenset(
    {
        "answer_wrong",
        "responses_blocked",
        "factor_spent",
        "code_wait",
        "way_unavailable",
        "sms_code_expired",
        "sms_codes_blocked",
    }
)


async def prove(request: Request) -> Response:
    """GET /login/prove: the question."""
    return await _page(request, held_by(request))


async def _page(request: Request, held: Held, problem: Problem | None = None) -> Response:
    ctx: Context = request.app.state.ctx
    asked = await service.question(ctx, held.mine)
    if asked is None:
        return to("/login/next")
    return render(
        request,
        "login/prove.html",
        status=problem.code.status if problem else 200,
        bound=held.mine.secret,
        view=asked.view,
        way=asked.way,
        indexes=asked.indexes,
        options=json.dumps(asked.options) if asked.options else "",
        sent=asked.sent,
        voice="voice" in ctx.text.ways,
        problem=problem,
    )


async def answer(request: Request) -> Response:
    """POST /login/prove: the answer."""
    ctx: Context = request.app.state.ctx
    held = held_by(request)
    sent = await forms.read(request, "answer", "credential", bound=held.mine.secret)
    try:
        cookie = await service.prove(
            ctx,
            held.mine,
            answer=sent["credential"] or sent["answer"],
            visitor=visitor(request),
            session=await session_for(request, held),
        )
    except Fault as fault:
        name = fault.code.name
        if name == "already_answered" or (name == "answer_wrong" and not fault.facts["left"]):
            return to("/login/next")
        if name not in _ON_THE_PAGE:
            raise
        return await _page(request, held, problem_of(fault, request.state.reference))
    return arrive(held, cookie)


async def send(request: Request) -> Response:
    """POST /login/prove/send: a code to the number, by text or by a call."""
    ctx: Context = request.app.state.ctx
    held = held_by(request)
    sent = await forms.read(request, "by", bound=held.mine.secret)
    by = _BY.get(sent["by"])
    if by is None:
        raise Refused("bad_field", field="by")
    try:
        await service.send_number_code(
            ctx, held.mine, by=by, language=language_of(request), visitor=visitor(request)
        )
    except Fault as fault:
        if fault.code.name not in _ON_THE_PAGE:
            raise
        return await _page(request, held, problem_of(fault, request.state.reference))
    return to("/login/prove")


routes = [
    Route("/login/prove", prove, methods=["GET"]),
    Route("/login/prove", answer, methods=["POST"]),
    Route("/login/prove/send", send, methods=["POST"]),
]
