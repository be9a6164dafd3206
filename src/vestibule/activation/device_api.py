"""The phone's calls before it is enrolled (specification, section 6)."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.activation import service
from vestibule.base.context import Context
from vestibule.base.errors import Malformed
from vestibule.web import forms, platforms
from vestibule.web.problems import json_answer
from vestibule.web.visitor import visitor


class _Ticket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    link: str | None = None
    code: str | None = None


class _Response(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    response: str


async def open_ticket(request: Request) -> Response:
    """POST /device/tickets: the enrol-request of a link or a typed code."""
    ctx: Context = request.app.state.ctx
    # Before the code is looked at: it stays good for a phone that may be linked.
    platforms.demand_current(request)
    sent = await forms.read_json(request, _Ticket)
    if (sent.link is None) == (sent.code is None):
        raise Malformed("json_malformed")
    source = visitor(request).source
    found = await service.open_ticket(ctx, link=sent.link, code=sent.code, source=source)
    # Not in the signed request: who altered it would gain nothing, for the server looks again.
    return json_answer(ctx, request=found, attested=ctx.settings.attestation == "required")


async def redeem_ticket(request: Request) -> Response:
    """POST /device/enrollments: a new enrollment for its ticket."""
    ctx: Context = request.app.state.ctx
    platforms.demand_current(request)
    sent = await forms.read_json(request, _Response)
    enrolled = await service.redeem_ticket(
        ctx, response=sent.response, source=visitor(request).address
    )
    return json_answer(
        ctx,
        enrollment=enrolled.enrollment_id,
        account=enrolled.username,
        portal=ctx.settings.portal_url,
        seamless=enrolled.seamless,
    )


routes = [
    Route("/device/tickets", open_ticket, methods=["POST"]),
    Route("/device/enrollments", redeem_ticket, methods=["POST"]),
]
