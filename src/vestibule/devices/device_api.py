"""The phone's calls about its own enrollment (specification, section 7)."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.devices import service
from vestibule.devices.rules import Enrollment
from vestibule.protocol.encoding import b64u_decode, parse_json_as
from vestibule.protocol.messages import PushSubscription
from vestibule.web import forms
from vestibule.web.problems import json_answer
from vestibule.web.visitor import visitor


class _Subscription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    push: PushSubscription | None


class _Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    label: str


class _Knowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    nonce: str
    proof: str


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


async def _caller(request: Request, body: bytes) -> Enrollment:
    """The enrollment whose proof comes with this call."""
    query = request.url.query
    return await service.prove(
        request.app.state.ctx,
        authorization=request.headers.get("authorization"),
        method=request.method,
        path=f"{request.url.path}?{query}" if query else request.url.path,
        body=body,
    )


async def subscription(request: Request) -> Response:
    """PUT /device/subscription: where to nudge this phone, or that it cannot be."""
    ctx: Context = request.app.state.ctx
    raw = await forms.raw_json(request)
    enrollment = await _caller(request, raw)
    sent = parse_json_as(raw, _Subscription)
    await service.set_subscription(ctx, enrollment, push=sent.push, source=visitor(request).address)
    return json_answer(ctx)


async def label(request: Request) -> Response:
    """PUT /device/label: what this phone is called."""
    ctx: Context = request.app.state.ctx
    raw = await forms.raw_json(request)
    enrollment = await _caller(request, raw)
    sent = parse_json_as(raw, _Label)
    await service.rename_by_phone(
        ctx, enrollment, label=sent.label, source=visitor(request).address
    )
    return json_answer(ctx)


async def removal(request: Request) -> Response:
    """POST /device/removal: end this enrollment."""
    ctx: Context = request.app.state.ctx
    raw = await forms.raw_json(request)
    enrollment = await _caller(request, raw)
    parse_json_as(raw, _Nothing)
    await service.remove_by_phone(ctx, enrollment, source=visitor(request).address)
    return json_answer(ctx)


async def knowledge(request: Request) -> Response:
    """POST /device/knowledge: whether the PIN that was typed is the right one."""
    ctx: Context = request.app.state.ctx
    raw = await forms.raw_json(request)
    sent = parse_json_as(raw, _Knowledge)
    await service.check_knowledge(
        ctx,
        authorization=request.headers.get("authorization"),
        path=request.url.path,
        body=raw,
        nonce=b64u_decode(sent.nonce),
        proof=sent.proof,
        source=visitor(request).address,
    )
    return json_answer(ctx, ok=True)


routes = [
    Route("/device/subscription", subscription, methods=["PUT"]),
    Route("/device/label", label, methods=["PUT"]),
    Route("/device/knowledge", knowledge, methods=["POST"]),
    Route("/device/removal", removal, methods=["POST"]),
]
