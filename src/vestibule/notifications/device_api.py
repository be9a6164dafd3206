"""What the phone asks about notifications (specification, section 7)."""

from dataclasses import asdict
from typing import Annotated, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Malformed
from vestibule.devices import service as devices
from vestibule.devices.rules import Enrollment
from vestibule.notifications import service
from vestibule.notifications.service import Told
from vestibule.protocol.encoding import parse_json_as
from vestibule.web import forms
from vestibule.web.problems import json_answer
from vestibule.web.visitor import visitor

_A_PAGE: Final = 50
_DIGITS: Final = 18


class _Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Annotated[str, msgspec.Meta(max_length=512)]


class _Upto(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    upto: Annotated[int, msgspec.Meta(ge=0)]


class _Switch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    on: bool


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


async def _caller(request: Request, body: bytes) -> Enrollment:
    """The enrollment whose proof comes with this call."""
    query = request.url.query
    return await devices.prove(
        request.app.state.ctx,
        authorization=request.headers.get("authorization"),
        method=request.method,
        path=f"{request.url.path}?{query}" if query else request.url.path,
        body=body,
    )


def _line(told: Told) -> dict[str, Any]:
    notice = told.notice
    return {
        "id": notice.id,
        "event": notice.event,
        "at": notice.at,
        "title": told.title,
        "text": told.text,
        "place": told.place,
        "weight": notice.weight.value,
        "not_me": told.not_me_url is not None,
        "not_me_url": told.not_me_url,
        "read": notice.read,
    }


async def notices(request: Request) -> Response:
    """GET /device/notices?after=: what the account was told of, in its language."""
    ctx: Context = request.app.state.ctx
    enrollment = await _caller(request, b"")
    after = request.query_params.get("after", "0")
    if not (after.isascii() and after.isdecimal()) or len(after) > _DIGITS:
        raise Malformed("bad_field", field="after")
    page = await service.list_notices(
        ctx,
        enrollment.account_id,
        language=await service.language_of(ctx, enrollment),
        after=int(after),
        most=_A_PAGE,
    )
    return json_answer(ctx, unread=page.unread, notices=[_line(told) for told in page.notices])


async def read(request: Request) -> Response:
    """POST /device/notices/read: its owner has seen them, up to this one."""
    ctx: Context = request.app.state.ctx
    raw = await forms.raw_json(request)
    enrollment = await _caller(request, raw)
    sent = parse_json_as(raw, _Upto)
    await service.mark_read(ctx, enrollment.account_id, upto=sent.upto)
    return json_answer(ctx)


async def start_test(request: Request) -> Response:
    """POST /device/test-push: send this phone a push by every way that leads to it."""
    ctx: Context = request.app.state.ctx
    raw = await forms.raw_json(request)
    enrollment = await _caller(request, raw)
    parse_json_as(raw, _Nothing)
    return json_answer(ctx, id=await service.start_test(ctx, enrollment))


async def show_test(request: Request) -> Response:
    """GET /device/test-push?id=: how far it has come."""
    ctx: Context = request.app.state.ctx
    enrollment = await _caller(request, b"")
    test = await service.find_test(ctx, enrollment, request.query_params.get("id", "")[:64])
    return json_answer(ctx, **asdict(test))


async def second_push(request: Request) -> Response:
    """PUT /device/second-push: switch the way over the house's ntfy server on or off."""
    ctx: Context = request.app.state.ctx
    raw = await forms.raw_json(request)
    enrollment = await _caller(request, raw)
    sent = parse_json_as(raw, _Switch)
    way = await service.set_second_way(ctx, enrollment, on=sent.on, source=visitor(request).address)
    return json_answer(ctx, topic_url=way.topic_url, subscribe=way.subscribe)


async def health(request: Request) -> Response:
    """GET /device/health: what the server knows, for the app's self-test."""
    ctx: Context = request.app.state.ctx
    enrollment = await _caller(request, b"")
    return json_answer(ctx, **asdict(await service.health(ctx, enrollment)))


async def delivered(request: Request) -> Response:
    """POST /device/delivered: a nudge arrived. A receipt of nothing changes nothing."""
    ctx: Context = request.app.state.ctx
    sent = await forms.read_json(request, _Receipt)
    await service.delivered(ctx, sent.id)
    return json_answer(ctx)


routes = [
    Route("/device/notices", notices, methods=["GET"]),
    Route("/device/notices/read", read, methods=["POST"]),
    Route("/device/test-push", start_test, methods=["POST"]),
    Route("/device/test-push", show_test, methods=["GET"]),
    Route("/device/second-push", second_push, methods=["PUT"]),
    Route("/device/health", health, methods=["GET"]),
    Route("/device/delivered", delivered, methods=["POST"]),
]
