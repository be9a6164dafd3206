"""The phone's delivery receipt (specification, section 7)."""

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.notifications import service
from vestibule.web import forms
from vestibule.web.problems import json_answer


class _Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Annotated[str, msgspec.Meta(max_length=512)]


async def delivered(request: Request) -> Response:
    """POST /device/delivered: a nudge arrived. A receipt of nothing changes nothing."""
    ctx: Context = request.app.state.ctx
    sent = await forms.read_json(request, _Receipt)
    service.delivered(ctx, sent.id)
    return json_answer(ctx)


routes = [Route("/device/delivered", delivered, methods=["POST"])]
