"""A new conversation: what it is about, how urgent it is, and the words."""

from collections.abc import Mapping
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Malformed, Refused
from vestibule.base.i18n import t
from vestibule.base.ids import new_id
from vestibule.sessions.rules import Session
from vestibule.support import service
from vestibule.support.pages.attaching import attach_view
from vestibule.support.pages.visit import sent_by, session_of
from vestibule.support.rules import SUBJECT_MOST, TEXT_MOST, Priority, Topic
from vestibule.support.uploads import taking
from vestibule.support.uploads.showing import with_captures
from vestibule.web.language import language_of
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_HERE: Final = frozenset({"desk_subject", "desk_text", "desk_full", "too_many_requests"})
"""What is said above the form, with everything that was typed still in it."""
_Choice = TypeVar("_Choice", Topic, Priority)
_PREFILLED: Final = ("topic", "subject")


async def new(request: Request) -> Response:
    """GET /messages/new?topic=&subject=: the form; help pages fill in what they know."""
    session = await session_of(request)
    asked = request.query_params
    typed = {name: asked.get(name, "")[:SUBJECT_MOST] for name in _PREFILLED}
    return await _form(request, session, typed)


async def _form(
    request: Request,
    session: Session,
    typed: Mapping[str, str],
    problem: Problem | None = None,
) -> Response:
    ctx: Context = request.app.state.ctx
    now, targets = ctx.clock.now(), service.targets_of(ctx)
    spoken = language_of(request, session.language)
    once = typed.get("once") or new_id()
    page = render(
        request,
        "support/new.html",
        status=problem.code.status if problem else 200,
        session=session,
        problem=problem,
        wrong=problem.code.name if problem else "",
        typed={"subject": "", "text": "", "topic": "", "priority": Priority.NORMAL, **typed},
        once=once,
        ticket=None,
        topics=[("", t("support.new.choose_topic", spoken))]
        + [(topic.value, t(f"support.topic.{topic}", spoken)) for topic in Topic],
        priorities=[(one.value, targets.due(one, now)) for one in Priority],
        most={"subject": SUBJECT_MOST, "text": TEXT_MOST},
        **await attach_view(request, session, once=once, ticket=None),
    )
    return with_captures(page)


async def create(request: Request) -> Response:
    """POST /messages/new: send it; sent twice it is one conversation."""
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    sent = await sent_by(request, session, "topic", "subject", "text", "priority")
    if taking.paused(request):
        return await _form(request, session, sent, taking.problem_with_file(request))
    try:
        made = await service.open_ticket(
            ctx,
            session,
            topic=_chosen(Topic, sent["topic"], "topic"),
            subject=sent["subject"],
            text=sent["text"],
            priority=_chosen(Priority, sent["priority"] or Priority.NORMAL, "priority"),
            language=language_of(request, session.language),
            once=sent["once"],
            source=visitor(request).address,
        )
    except Refused as fault:
        if fault.code.name not in _HERE:
            raise
        return await _form(request, session, sent, problem_of(fault, request.state.reference))
    return RedirectResponse(f"/messages/{made.number}?done=sent", status_code=303)


def _chosen(kind: type[_Choice], value: str, field: str) -> _Choice:
    try:
        return kind(value)
    except ValueError:
        raise Malformed("bad_field", field=field) from None


routes = [
    Route("/messages/new", new, methods=["GET"]),
    Route("/messages/new", create, methods=["POST"]),
]
