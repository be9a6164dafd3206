"""Files that a member attaches to an answer: added by the page's script, or by its form."""

from typing import Final

from starlette.requests import Request

from vestibule.base.context import Context
from vestibule.sessions.rules import Session
from vestibule.staff.rules import Ability, Member
from vestibule.support.admin.gate import QUEUE, at_desk
from vestibule.support.rules import Ticket
from vestibule.support.service import answering, reading
from vestibule.support.service.attaching import Place
from vestibule.support.uploads.scripts import routes_at
from vestibule.web.visitor import visitor

_ADDRESS: Final = f"{QUEUE}/{{number}}/attachments"


def address_of(ticket: Ticket) -> str:
    """Where the script sends files for an answer."""
    return _ADDRESS.format(number=ticket.number)


async def place_of(request: Request, member: Member) -> Place:
    """The conversation that the address names. Raises Refused ``staff_role``, ``not_found``."""
    ctx: Context = request.app.state.ctx
    ticket = await reading.find(ctx, member, request.path_params["number"])
    return answering.place_of(member, ticket, source=visitor(request).address)


async def _door(request: Request) -> tuple[Session, Place]:
    session, member = await at_desk(request, Ability.ANSWER)
    return session, await place_of(request, member)


routes = routes_at(_ADDRESS, _door)
