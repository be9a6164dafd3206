"""What the phone sends to the desk (specification, section 7)."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.devices import service as devices
from vestibule.protocol.encoding import parse_json_as
from vestibule.support.rules.diagnoses import BODY_MOST
from vestibule.support.service.diagnosing import send_diagnosis
from vestibule.web import forms
from vestibule.web.problems import json_answer
from vestibule.web.visitor import visitor


class _Diagnosis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str


async def diagnosis(request: Request) -> Response:
    """POST /device/diagnosis: what the app knows of its own state, for its owner to attach."""
    ctx: Context = request.app.state.ctx
    raw = await forms.raw_json(request, most=BODY_MOST)
    query = request.url.query
    enrollment = await devices.prove(
        ctx,
        authorization=request.headers.get("authorization"),
        method=request.method,
        path=f"{request.url.path}?{query}" if query else request.url.path,
        body=raw,
    )
    sent = parse_json_as(raw, _Diagnosis)
    kept = await send_diagnosis(ctx, enrollment, sent.text, source=visitor(request).address)
    return json_answer(ctx, reference=kept.reference, kept_until=kept.expires_at)


routes = [Route("/device/diagnosis", diagnosis, methods=["POST"])]
