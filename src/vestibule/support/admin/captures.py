"""Files and browser recordings of clients, for staff: every look is written down.

A recording is looked at here, so that nobody has to carry it to another program: the list comes
from the index that was made with it, one request from its own bytes. Nothing in it is trusted: it
is shown as text, and its addresses are no links.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.base.i18n import t, took
from vestibule.captures.table import REASONS
from vestibule.sessions.rules import Session
from vestibule.staff.rules import Ability, Member
from vestibule.support.admin.gate import QUEUE, at_desk
from vestibule.support.admin.listing import parts_of
from vestibule.support.rules import Ticket
from vestibule.support.rules.recordings import (
    GROUPS,
    Asked,
    Listed,
    Order,
    Page,
    Piece,
    Type,
    asked_from,
    page_of,
    phases_of,
    pieces_of,
    removed_in,
)
from vestibule.support.service import reading
from vestibule.support.service.looking import Opened, list_requests, open_for_staff, read_request
from vestibule.web import downloads
from vestibule.web.language import language_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

A_PAGE: Final = 100
_HOSTS_SHOWN: Final = 20
_TEXT_MOST: Final = 200_000
"""Characters of a body on a page."""
_MESSAGES_SHOWN: Final = 200
_QUERY: Final = ("order", "host", "type", "group", "find", "page")


async def _opened(request: Request, how: str) -> tuple[Session, Member, Ticket, Opened]:
    """What is looked at, by whom; the look is written down. Raises Refused."""
    ctx: Context = request.app.state.ctx
    session, member = await at_desk(request, Ability.READ)
    ticket = await reading.find(ctx, member, request.path_params["number"])
    opened = await open_for_staff(
        ctx,
        member,
        ticket,
        request.path_params["id"],
        how=how,
        source=visitor(request).address,
    )
    return session, member, ticket, opened


async def download(request: Request) -> Response:
    """GET /staff/tickets/<number>/attachments/<id>: the file, to be saved."""
    _, _, _, opened = await _opened(request, "download")
    return downloads.download(request, opened.as_download())


async def picture(request: Request) -> Response:
    """GET /staff/tickets/<number>/attachments/<id>/picture: shown, if it is a picture."""
    _, _, _, opened = await _opened(request, "shown")
    one = opened.attachment
    return downloads.picture(await opened.picture(), name=one.name, media=one.media)


# --- the list ---------------------------------------------------------------------------------


async def recording(request: Request) -> Response:
    """GET /staff/tickets/<number>/captures/<id>?order=&host=&type=&group=&find=&page=."""
    session, member, ticket, opened = await _opened(request, "listed")
    try:
        listed = await list_requests(opened)
    finally:
        opened.close()
    asked = asked_from(**{name: request.query_params.get(name, "") for name in _QUERY})
    page = page_of(listed, asked, most=A_PAGE)
    spoken = language_of(request, session.language)
    here = _address(ticket, opened)
    return render(
        request,
        "support/staff/recording.html",
        session=session,
        parts=parts_of(member),
        ticket=ticket,
        one=opened.attachment,
        page=page,
        asked=asked,
        choices=_choices(page, asked, spoken),
        report=_report(opened),
        hosts_shown=_HOSTS_SHOWN,
        here=here,
        query=_query(asked),
        pieces=_pieces,
        earlier=f"{here}?{_query(asked, page=page.page - 1)}" if page.newer else "",
        later=f"{here}?{_query(asked, page=page.page + 1)}" if page.older else "",
        took=partial(took, language=spoken),
    )


def _pieces(text: object) -> list[Piece]:
    return pieces_of(str(text), REASONS)


def _address(ticket: Ticket, opened: Opened) -> str:
    return f"{QUEUE}/{ticket.number}/captures/{opened.attachment.id}"


def _query(asked: Asked, *, page: int = 1) -> str:
    said = {
        "order": asked.order.value if asked.order is not Order.ERRORS else "",
        "host": asked.host,
        "type": asked.type.value if asked.type else "",
        "group": asked.group,
        "find": asked.find,
        "page": str(page) if page > 1 else "",
    }
    return urlencode({name: value for name, value in said.items() if value})


def _choices(page: Page, asked: Asked, spoken: str) -> dict[str, list[tuple[str, str]]]:
    """What each field offers: what there is, with its number, and what is asked for."""

    def some(
        every: str, there: Mapping[str, int], words: Mapping[str, str], chosen: str
    ) -> list[tuple[str, str]]:
        offered = dict.fromkeys((*there, *([chosen] if chosen else [])))
        return [
            ("", t(f"support.recording.{every}", spoken)),
            *((one, f"{words.get(one, one)} ({there.get(one, 0)})") for one in offered),
        ]

    types = {one.value: t(f"support.recording.type.{one}", spoken) for one in Type}
    groups = {one: t(f"support.recording.group.{one}", spoken) for one in GROUPS}
    return {
        "order": [(one.value, t(f"support.recording.order.{one}", spoken)) for one in Order],
        "host": some("every_host", dict(page.hosts), {}, asked.host),
        "type": some("every_type", dict(page.types), types, asked.type.value if asked.type else ""),
        "group": some("every_group", dict(page.groups), groups, asked.group),
    }


def _report(opened: Opened) -> dict[str, Any]:
    """What was taken out, as the sanitiser told it."""
    told: dict[str, Any] = json.loads(opened.report or b"{}")
    return {"removed": told.get("marks", {}), "hosts": told.get("hosts", {})}


# --- one request ------------------------------------------------------------------------------


async def entry(request: Request) -> Response:
    """GET /staff/tickets/<number>/captures/<id>/<entry>: all that was kept of one request."""
    session, member, ticket, opened = await _opened(request, "request")
    try:
        listed = await list_requests(opened)
        one = _named(listed, request.path_params["entry"])
        found = await read_request(opened, one)
    finally:
        opened.close()
    spoken = language_of(request, session.language)
    asked = asked_from(**{name: request.query_params.get(name, "") for name in _QUERY})
    # In the order in which the list was looked at.
    order = [line.one.number for line in page_of(listed, asked, most=len(listed)).lines]
    at = order.index(one.number) if one.number in order else -1
    return render(
        request,
        "support/staff/request.html",
        session=session,
        parts=parts_of(member),
        ticket=ticket,
        file=opened.attachment,
        one=one,
        found=_shown(found) if found is not None else None,
        removed=removed_in(found, REASONS),
        here=_address(ticket, opened),
        query=_query(asked),
        before=order[at - 1] if at > 0 else 0,
        after=order[at + 1] if 0 <= at < len(order) - 1 else 0,
        pieces=_pieces,
        took=partial(took, language=spoken),
    )


def _named(listed: list[Listed], typed: str) -> Listed:
    number = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 9 else 0
    if not 1 <= number <= len(listed):
        raise Refused("not_found")
    return listed[number - 1]


def _shown(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows of a request (HAR 1.2, section 5); missing parts are empty."""
    asked, answered = _part(found, "request"), _part(found, "response")
    sent, content = _part(asked, "postData"), _part(answered, "content")
    messages = _list(found, "_webSocketMessages") + _list(found, "_eventSourceMessages")
    return {
        "method": asked.get("method", ""),
        "url": asked.get("url", ""),
        "protocol": answered.get("httpVersion") or asked.get("httpVersion", ""),
        "status": answered.get("status", 0),
        "status_text": answered.get("statusText", ""),
        "redirect": answered.get("redirectURL", ""),
        "error": answered.get("_error") or "",
        "server": found.get("serverIPAddress", ""),
        "media": content.get("mimeType", ""),
        "size": content.get("size"),
        "query": _list(asked, "queryString"),
        "headers": {"request": _list(asked, "headers"), "response": _list(answered, "headers")},
        "cookies": {"request": _list(asked, "cookies"), "response": _list(answered, "cookies")},
        "sent": _text(sent.get("text", "")),
        "sent_fields": _list(sent, "params"),
        "content": _text(content.get("text", "")),
        "messages": messages[:_MESSAGES_SHOWN],
        "messages_all": len(messages),
        "phases": phases_of(found.get("timings")),
        "raw": _text(json.dumps(found, ensure_ascii=False)),
    }


def _part(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _list(of: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = of.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(written: object) -> str:
    """A body as it is read best: JSON line by line, anything else as it is."""
    text = str(written)[:_TEXT_MOST]
    try:
        return msgspec.json.format(text, indent=2)
    except msgspec.DecodeError:
        return text


_ONE: Final = f"{QUEUE}/{{number}}"
routes = [
    Route(f"{_ONE}/attachments/{{id}}", download, methods=["GET"]),
    Route(f"{_ONE}/attachments/{{id}}/picture", picture, methods=["GET"]),
    Route(f"{_ONE}/captures/{{id}}", recording, methods=["GET"]),
    Route(f"{_ONE}/captures/{{id}}/{{entry}}", entry, methods=["GET"]),
]
