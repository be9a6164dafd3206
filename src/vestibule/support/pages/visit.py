"""What every page of this room begins with: whose session it is, and what its forms send."""

import re
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request

from vestibule.base.clock import MINUTE
from vestibule.base.context import Context
from vestibule.base.errors import Fault, Malformed
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.support import service
from vestibule.support.service.attaching import Place
from vestibule.support.service.diagnosing import attach_diagnosis, delete_diagnosis
from vestibule.support.uploads import taking
from vestibule.web import cookies
from vestibule.web.visitor import visitor

FORM_MOST: Final = 128 * 1024
"""Bytes of a form: the longest text, in a script that takes nine bytes to a character."""
STREAM_MS: Final = 10 * MINUTE
"""How long a page is told what is new before it has to ask again."""
ONCE: Final = re.compile(r"[A-Za-z0-9_-]{22}")
"""The name that a form brings along."""
_ATTACH: Final = "diagnosis.attach:"
_DELETE: Final = "diagnosis.delete:"
"""The buttons beside a diagnosis, each with its reference."""


async def session_of(request: Request) -> Session:
    """Whose page it is. Raises Refused ``not_signed_in``, ``network_not_allowed``."""
    ctx: Context = request.app.state.ctx
    return await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )


async def place_of(
    request: Request, session: Session, *, number: str = "", once: str = ""
) -> Place:
    """Where a client attaches: to a conversation, or to the one that a form has yet to begin.

    Raises Refused ``not_found`` for a number that is not the client's, Malformed for neither.
    """
    ctx: Context = request.app.state.ctx
    here = visitor(request)
    if number:
        ticket_id = (await service.get_ticket(ctx, session, number, source=here.source)).id
    elif once:
        ticket_id = service.ticket_id_of(ctx, session, once)
    else:
        raise Malformed("bad_field", field="once")
    return Place(
        ticket_id=ticket_id,
        account_id=session.account_id,
        added_by=session.account_id,
        source=here.address,
    )


async def sent_by(request: Request, session: Session, *fields: str) -> dict[str, str]:
    """The fields of a form of this room, `once` among them: the form's own name, or empty.

    Files that come along wait for the message from then on; `taking.paused` says whether the page
    is to be shown again before it is sent.
    """

    async def where(sent: Mapping[str, str]) -> Place:
        number = request.path_params.get("number", "")
        return await place_of(request, session, number=number, once=sent.get("once", ""))

    sent = await taking.read_form(request, session, *fields, "once", most=FORM_MOST, where=where)
    if (act := sent[taking.ACT]).startswith((_ATTACH, _DELETE)):
        try:
            await _with_diagnosis(request, act, await where(sent))
        except Fault as fault:
            taking.stop(request, fault)
    return sent | {"once": sent["once"] if ONCE.fullmatch(sent["once"]) else ""}


async def _with_diagnosis(request: Request, act: str, place: Place) -> None:
    """Do what a button beside a diagnosis asks for; the page is shown again."""
    request.state.paused = True
    ctx: Context = request.app.state.ctx
    if act.startswith(_ATTACH):
        await attach_diagnosis(ctx, place, act.removeprefix(_ATTACH))
    else:
        reference = act.removeprefix(_DELETE)
        await delete_diagnosis(ctx, place.account_id, reference, source=place.source)
