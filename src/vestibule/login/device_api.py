"""The phone's calls about sign-ins (specification, sections 7 and 8)."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from vestibule.base.context import Context
from vestibule.devices import service as devices
from vestibule.login import service
from vestibule.protocol import messages
from vestibule.protocol.encoding import parse_json_as
from vestibule.web import forms, platforms, sse
from vestibule.web.problems import json_answer
from vestibule.web.visitor import visitor

_HOUR_MS = 3_600_000


class _Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    claim: str


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    answer: str


async def attempts(request: Request) -> Response:
    """GET /device/attempts: what waits for this enrollment."""
    ctx: Context = request.app.state.ctx
    waiting = await service.waiting_for(
        ctx,
        authorization=request.headers.get("authorization"),
        method="GET",
        path=_path(request.scope),
        body=b"",
    )
    return json_answer(
        ctx,
        account=waiting.account,
        seamless=waiting.seamless,
        label=waiting.label,
        push=waiting.push,
        rests_until=waiting.rests_until,
        retires_at=waiting.retires_at,
        requests=waiting.requests,
    )


async def answers(request: Request) -> Response:
    """POST /device/answers: an approval, denial or report; it is its own proof."""
    ctx: Context = request.app.state.ctx
    sent = await forms.read_json(request, _Answer)
    # Denying and reporting are for everybody, with whatever phone they have.
    if platforms.judged(ctx.settings) and _approves(sent.answer):
        platforms.demand_current(request)
    result = await service.answer_login(ctx, text=sent.answer, source=visitor(request).address)
    return json_answer(ctx, result=result)


def _approves(answer: str) -> bool:
    return messages.parse(answer, messages.Approval).claims.act == "approve"


async def claims(request: Request) -> Response:
    """POST /device/claims: the sign-in whose rotating code was scanned."""
    ctx: Context = request.app.state.ctx
    raw = await forms.raw_json(request)
    claimant = await devices.prove(
        ctx,
        authorization=request.headers.get("authorization"),
        method="POST",
        path=_path(request.scope),
        body=raw,
    )
    sent = parse_json_as(raw, _Claim)
    asked = await service.claim_login(
        ctx, claimant=claimant, claim=sent.claim, visitor=visitor(request)
    )
    return json_answer(ctx, request=asked)


async def _stream(scope: Scope) -> tuple[str, sse.Looker, int]:
    request = Request(scope)
    ctx: Context = request.app.state.ctx
    enrollment = await devices.prove(
        ctx,
        authorization=request.headers.get("authorization"),
        method="GET",
        path=_path(scope),
        body=b"",
    )

    async def look(message: str | None) -> sse.Look:
        if message is None:
            return sse.Look()
        kind, *rest = message.split(" ")
        if kind == "outcome":
            told = sse.frame("outcome", {"request": rest[0], "result": rest[1]})
            return sse.Look(told + sse.frame("change"))
        return sse.Look(sse.frame("change"), done=kind == "removed")

    # An hour at most: then the phone proves again that it is what it was.
    return f"enrollment:{enrollment.id}", look, ctx.clock.now() + _HOUR_MS


def _path(scope: Scope) -> str:
    """The path with its query, as the phone signed it."""
    query = scope["query_string"].decode("ascii")
    path: str = scope.get("raw_path", scope["path"].encode()).decode("ascii")
    return f"{path}?{query}" if query else path


routes = [
    Route("/device/attempts", attempts, methods=["GET"]),
    Route("/device/claims", claims, methods=["POST"]),
    Route("/device/answers", answers, methods=["POST"]),
    Route("/device/stream", sse.Stream(_stream), methods=["GET"]),
]
