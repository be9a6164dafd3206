"""What a client's pages show of attachments: those that are there, and the part that adds more."""

from typing import Any

from starlette.requests import Request

from vestibule.sessions.rules import Session
from vestibule.support.pages.diagnoses import offered_to
from vestibule.support.pages.visit import place_of
from vestibule.support.rules import Ticket
from vestibule.support.service.looking import list_attachments
from vestibule.support.uploads.showing import attaching_view


async def attach_view(
    request: Request, session: Session, *, once: str, ticket: Ticket | None
) -> dict[str, Any]:
    """What ``support/attach.html``, ``support/attached.html`` and ``support/diagnoses.html`` read.

    ``attached`` maps the id of a message to what was sent with it. ``ticket`` is None where the
    conversation is only being written; ``once`` is the name of the form.
    """
    if ticket is None:
        place = await place_of(request, session, once=once or "-")
        attached = {}
    else:
        place = await place_of(request, session, number=ticket.number)
        attached = await list_attachments(request.app.state.ctx, ticket)
    address = address_of(once=once, ticket=ticket)
    return {
        "attached": attached,
        "attaching": await attaching_view(request, place, address),
        "diagnoses": await offered_to(request, session),
    }


def address_of(*, once: str, ticket: Ticket | None) -> str:
    """Where files for this form are sent to."""
    return f"/messages/{ticket.number if ticket else f'new/{once}'}/attachments"
