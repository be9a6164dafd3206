"""The calls of an app that comes with credentials, and of a phone that says "not me".

Specification, section 12.
"""

from typing import Annotated, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.devices import service as devices
from vestibule.protocol.encoding import parse_json_as
from vestibule.recovery import service
from vestibule.recovery.service import Device, Opened
from vestibule.web import forms, platforms
from vestibule.web.problems import json_answer
from vestibule.web.visitor import visitor

TOKEN: Final = "vestibule-case"  # noqa: S105  -- the name of a header

_Text = Annotated[str, msgspec.Meta(max_length=512)]


class _Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    username: _Text
    password: Annotated[str, msgspec.Meta(max_length=4096)]
    device: _Text
    label: _Text
    platform: _Text
    former: _Text | None = None


class _Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case: _Text
    way: _Text
    replaces: _Text = ""


class _Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case: _Text
    code: _Text


class _Response(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case: _Text
    response: str


class _Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case: _Text


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


async def opening(request: Request) -> Response:
    """POST /device/cases: a right username and password open a case."""
    ctx: Context = request.app.state.ctx
    platforms.demand_current(request)
    sent = await forms.read_json(request, _Credentials)
    opened = await service.open_case(
        ctx,
        username=sent.username,
        password=sent.password,
        device=Device(id=sent.device, label=sent.label, platform=sent.platform, former=sent.former),
        visitor=visitor(request),
    )
    return json_answer(
        ctx,
        case=opened.token,
        situation=opened.case.situation.value,
        organisation=ctx.settings.organisation,
        application=ctx.settings.application,
        account=opened.username,
        phones=_phones(opened),
        ways=[
            {"id": way.id, "kind": way.kind.value, "label": way.label, "rests": way.rests}
            for way in opened.ways
        ],
    )


def _phones(opened: Opened) -> list[dict[str, Any]]:
    facts = opened.facts
    return [
        {
            "id": phone.id,
            "label": phone.label,
            "platform": phone.platform,
            "used_at": facts.used_at[phone.id],
        }
        for phone in facts.phones
    ]


async def choosing(request: Request) -> Response:
    """POST /device/cases/way: send a code, or ask another phone."""
    ctx: Context = request.app.state.ctx
    sent = await forms.read_json(request, _Way)
    chosen = await service.choose_way(
        ctx, sent.case, way_id=sent.way, replaces=sent.replaces, visitor=visitor(request)
    )
    return json_answer(
        ctx,
        situation=chosen.situation.value,
        rests=chosen.rests,
        resend_at=chosen.resend_at,
        sends_left=chosen.sends_left,
        number=chosen.number,
        expires_at=chosen.expires_at,
    )


async def typing(request: Request) -> Response:
    """POST /device/cases/code: the code that was sent, or one from the printed sheet."""
    ctx: Context = request.app.state.ctx
    sent = await forms.read_json(request, _Code)
    granted = await service.type_code(
        ctx, sent.case, code=sent.code, source=visitor(request).address
    )
    return json_answer(
        ctx,
        request=granted.request,
        rests_until=granted.rests_until,
        attested=ctx.settings.attestation == "required",
    )


async def outcome(request: Request) -> Response:
    """GET /device/cases/outcome: what became of the case."""
    ctx: Context = request.app.state.ctx
    found = await service.look(ctx, request.headers.get(TOKEN, ""), source=visitor(request).address)
    return json_answer(
        ctx,
        state=found.state,
        request=found.request,
        rests_until=found.rests_until,
        attested=ctx.settings.attestation == "required",
    )


async def enrolling(request: Request) -> Response:
    """POST /device/cases/enrollments: link the phone of a granted case."""
    ctx: Context = request.app.state.ctx
    sent = await forms.read_json(request, _Response)
    enrolled = await service.enrol(
        ctx, sent.case, response=sent.response, source=visitor(request).address
    )
    return json_answer(
        ctx,
        enrollment=enrolled.enrollment_id,
        account=enrolled.username,
        portal=ctx.settings.portal_url,
        seamless=enrolled.seamless,
        rests_until=enrolled.rests_until,
    )


async def ending(request: Request) -> Response:
    """POST /device/cases/end: the person changed their mind."""
    ctx: Context = request.app.state.ctx
    sent = await forms.read_json(request, _Case)
    await service.end_case(ctx, sent.case, source=visitor(request).address)
    return json_answer(ctx)


async def not_me(request: Request) -> Response:
    """POST /device/notices/{id}/not-me: undo what a notice told."""
    ctx: Context = request.app.state.ctx
    raw = await forms.raw_json(request)
    enrollment = await devices.prove(
        ctx,
        authorization=request.headers.get("authorization"),
        method="POST",
        path=request.url.path,
        body=raw,
    )
    parse_json_as(raw, _Nothing)
    named = request.path_params["id"]
    if not named.isdecimal() or not named.isascii() or len(named) > 18:
        raise Refused("notice_unknown")
    undone = await service.undo_by_phone(
        ctx, enrollment, notice_id=int(named), source=visitor(request).address
    )
    return json_answer(ctx, done=undone.value)


routes = [
    Route("/device/cases", opening, methods=["POST"]),
    Route("/device/cases/way", choosing, methods=["POST"]),
    Route("/device/cases/code", typing, methods=["POST"]),
    Route("/device/cases/outcome", outcome, methods=["GET"]),
    Route("/device/cases/enrollments", enrolling, methods=["POST"]),
    Route("/device/cases/end", ending, methods=["POST"]),
    Route("/device/notices/{id}/not-me", not_me, methods=["POST"]),
]
