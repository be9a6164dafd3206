"""What a page shows of the files that wait for its message, and what it needs to add more."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.base.context import Context
from vestibule.captures.table import REASONS
from vestibule.support.rules.attachments import MEGABYTE
from vestibule.support.service.attaching import Place
from vestibule.support.service.looking import list_waiting
from vestibule.web.middleware import CAPTURE_POLICY
from vestibule.web.visitor import visitor


async def attaching_view(request: Request, place: Place, address: str) -> dict[str, Any]:
    """What ``support/attach.html`` reads; files are sent to ``address``."""
    ctx: Context = request.app.state.ctx
    settings = ctx.settings
    return {
        "most": settings.attachment_megabytes * MEGABYTE,
        "capture_most": settings.capture_megabytes * MEGABYTE,
        "count": settings.attachments_per_message,
        "waiting": await list_waiting(ctx, place),
        "address": address,
        "browser": visitor(request).browser,
        "reasons": REASONS,
    }


def with_captures(response: Response) -> Response:
    """Let a page have the worker in which recordings are made safe."""
    response.headers["content-security-policy"] = CAPTURE_POLICY
    return response
