"""The door to every page of staff: who comes, how they proved it, and what their role includes."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from vestibule.base.context import Context
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.staff import service as staff
from vestibule.staff.rules import Ability, Member
from vestibule.web import cookies
from vestibule.web.visitor import visitor

HOME: Final = "/staff"
QUEUE: Final = "/staff/tickets"
WAITING: Final = "/staff/waiting"
CANNED: Final = "/staff/canned"
FORM_MOST: Final = 160 * 1024
"""Bytes of a form with two texts, each character of which may take twelve."""


async def at_desk(request: Request, ability: Ability) -> tuple[Session, Member]:
    """The member of staff who asks, in a session that a phone has approved.

    Raises Refused ``not_signed_in``, and as `staff.service.at_desk` does.
    """
    ctx: Context = request.app.state.ctx
    session = await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )
    return session, await staff.at_desk(ctx, session, ability)


def to(path: str) -> Response:
    """Go on to a page after a form."""
    return RedirectResponse(path, status_code=303)
