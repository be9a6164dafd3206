"""The answers that are kept ready: listed for all who answer, written by officers."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Fault
from vestibule.base.i18n import DEFAULT, LANGUAGES
from vestibule.sessions.rules import Session
from vestibule.staff.rules import Ability, Member
from vestibule.support.admin.gate import CANNED, FORM_MOST, at_desk, to
from vestibule.support.admin.listing import parts_of
from vestibule.support.rules import TEXT_MOST
from vestibule.support.rules.canned import NAME_MOST, Canned, kept_of
from vestibule.support.service import canned
from vestibule.web import forms
from vestibule.web.problems import problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_DONE = frozenset({"added", "changed", "removed"})
_IN_FORM = frozenset(
    {"canned_name", "canned_language", "canned_exists", "canned_changed", "desk_text"}
)


async def listing(request: Request) -> Response:
    """GET /staff/canned: every answer with its texts, and the languages that it lacks."""
    session, member = await at_desk(request, Ability.ANSWER)
    done = request.query_params.get("done", "")
    kept = await canned.list_canned(request.app.state.ctx, member)
    return render(
        request,
        "support/staff/canned.html",
        session=session,
        member=member,
        parts=parts_of(member),
        kept=kept_of(kept, languages=tuple(LANGUAGES)),
        names={code: found.name for code, found in LANGUAGES.items()},
        writes=member.may(Ability.WRITE_CANNED),
        done=done if done in _DONE else "",
    )


async def blank(request: Request) -> Response:
    """GET /staff/canned/new?name=&language=: an empty one, or a further language of one."""
    session, member = await at_desk(request, Ability.WRITE_CANNED)
    query = request.query_params
    asked = query.get("language", "")
    return _form(
        request,
        session,
        member,
        name=query.get("name", "")[:NAME_MOST],
        language=asked if asked in LANGUAGES else DEFAULT,
    )


async def one(request: Request) -> Response:
    """GET /staff/canned/<id>: its text, to be read or changed."""
    session, member = await at_desk(request, Ability.ANSWER)
    ctx: Context = request.app.state.ctx
    found = await canned.get_canned(ctx, member, request.path_params["id"])
    return _form(request, session, member, found=found, text=found.text)


def _form(
    request: Request,
    session: Session,
    member: Member,
    *,
    found: Canned | None = None,
    name: str = "",
    language: str = "",
    text: str = "",
    fault: Fault | None = None,
) -> Response:
    problem = problem_of(fault, request.state.reference) if fault else None
    return render(
        request,
        "support/staff/canned_text.html",
        status=problem.code.status if problem else 200,
        session=session,
        member=member,
        parts=parts_of(member),
        found=found,
        name=name,
        tongue=language or (found.language if found else DEFAULT),
        text=text,
        names={code: known.name for code, known in LANGUAGES.items()},
        writes=member.may(Ability.WRITE_CANNED),
        most=TEXT_MOST,
        name_most=NAME_MOST,
        problem=problem,
    )


async def add(request: Request) -> Response:
    """POST /staff/canned: keep a new one."""
    session, member = await at_desk(request, Ability.WRITE_CANNED)
    sent = await forms.read(request, "name", "language", "text", bound=session.id, most=FORM_MOST)
    try:
        await canned.add_canned(
            request.app.state.ctx, member=member, source=visitor(request).address, **sent
        )
    except Fault as fault:
        if fault.code.name not in _IN_FORM:
            raise
        return _form(
            request,
            session,
            member,
            name=sent["name"],
            language=sent["language"],
            text=sent["text"],
            fault=fault,
        )
    return to(f"{CANNED}?done=added")


async def change(request: Request) -> Response:
    """POST /staff/canned/<id>: another text, or none of it any more (``act`` = remove)."""
    session, member = await at_desk(request, Ability.WRITE_CANNED)
    sent = await forms.read(request, "text", "seen", "act", bound=session.id, most=FORM_MOST)
    ctx: Context = request.app.state.ctx
    found = await canned.get_canned(ctx, member, request.path_params["id"])
    seen = int(sent["seen"]) if sent["seen"].isascii() and sent["seen"].isdecimal() else 0
    seen = min(seen, 2**31 - 1)
    source = visitor(request).address
    try:
        if sent["act"] == "remove":
            await canned.remove_canned(
                ctx, member=member, canned_id=found.id, seen=seen, source=source
            )
            return to(f"{CANNED}?done=removed")
        await canned.change_canned(
            ctx, member=member, canned_id=found.id, seen=seen, text=sent["text"], source=source
        )
    except Fault as fault:
        if fault.code.name not in _IN_FORM:
            raise
        return _form(request, session, member, found=found, text=sent["text"], fault=fault)
    return to(f"{CANNED}?done=changed")


routes = [
    Route(CANNED, listing, methods=["GET"]),
    Route(CANNED, add, methods=["POST"]),
    Route(f"{CANNED}/new", blank, methods=["GET"]),
    Route(f"{CANNED}/{{id}}", one, methods=["GET"]),
    Route(f"{CANNED}/{{id}}", change, methods=["POST"]),
]
