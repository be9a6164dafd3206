"""What pages show of attachments: the part of a form that adds them, and those that are there."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.base.context import Context
from vestibule.captures.table import REASONS
from vestibule.sessions.rules import Session
from vestibule.support.pages.taking import place_of
from vestibule.support.rules import Ticket
from vestibule.support.rules.attachments import MEGABYTE
from vestibule.support.service.looking import list_attachments, list_waiting
from vestibule.web.middleware import CAPTURE_POLICY
from vestibule.web.visitor import visitor


async def attach_view(
    request: Request, session: Session, *, once: str, ticket: Ticket | None
) -> dict[str, Any]:
    """What ``support/attach.html`` and ``support/attached.html`` read.

    ``attached`` maps the id of a message to what was sent with it. ``ticket`` is None where the
    conversation is only being written; ``once`` is the name of the form.
    """
    ctx: Context = request.app.state.ctx
    settings = ctx.settings
    if ticket is None:
        place = await place_of(request, session, once=once or "-")
        attached = {}
    else:
        place = await place_of(request, session, number=ticket.number)
        attached = await list_attachments(ctx, ticket)
    return {
        "attached": attached,
        "attaching": {
            "most": settings.attachment_megabytes * MEGABYTE,
            "capture_most": settings.capture_megabytes * MEGABYTE,
            "count": settings.attachments_per_message,
            "waiting": await list_waiting(ctx, place),
            "address": address_of(once=once, ticket=ticket),
            "browser": visitor(request).browser,
            "reasons": REASONS,
        },
    }


def address_of(*, once: str, ticket: Ticket | None) -> str:
    """Where files for this form are sent to."""
    return f"/messages/{ticket.number if ticket else f'new/{once}'}/attachments"


def with_captures(response: Response) -> Response:
    """Let a page have the worker in which recordings are made safe."""
    response.headers["content-security-policy"] = CAPTURE_POLICY
    return response
