"""One conversation: what was written, how it stands, what happens next, and what may be done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.base.ids import new_id
from vestibule.contacts import service as contacts
from vestibule.contacts.rules import Kind
from vestibule.devices import service as devices
from vestibule.sessions.rules import Session
from vestibule.support import rules, service
from vestibule.support.pages.attaching import attach_view
from vestibule.support.pages.visit import STREAM_MS, sent_by, session_of
from vestibule.support.rules import TEXT_MOST, Event, Message, State, Ticket
from vestibule.support.service import Happened
from vestibule.support.uploads import taking
from vestibule.support.uploads.showing import with_captures
from vestibule.web import forms, sse
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_HERE: Final = frozenset({"desk_text", "desk_moved", "too_many_requests"})
"""What is said above the form, with everything that was typed still in it."""
_DONE: Final = frozenset({"sent", "replied", "cancelled", "closed", "reopened"})
_ENDS: Final = frozenset({"cancelled", "closed"})
_OFFERED: Final = (Event.REPLY, Event.CANCEL, Event.CLOSE, Event.REOPEN)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of what was said and done."""

    at: int
    message: Message | None
    happened: Happened | None


async def _own(request: Request, session: Session) -> Ticket:
    return await service.get_ticket(
        request.app.state.ctx,
        session,
        request.path_params["number"],
        source=visitor(request).address,
    )


async def conversation(request: Request) -> Response:
    """GET /messages/{number}: the page; looking at it is what counts as reading the answer."""
    session = await session_of(request)
    ticket = await _own(request, session)
    if request.path_params["number"] != ticket.number:
        return RedirectResponse(f"/messages/{ticket.number}", status_code=303)
    return await _page(request, session, ticket)


async def _page(
    request: Request,
    session: Session,
    ticket: Ticket,
    *,
    typed: str = "",
    once: str = "",
    problem: Problem | None = None,
) -> Response:
    ctx: Context = request.app.state.ctx
    once = once or new_id()
    done = request.query_params.get("done")
    # What is said of being told must be true of this account.
    reached = await contacts.list_contacts(ctx, session.account_id)
    phones = await devices.list_phones(ctx, session.account_id)
    response = render(
        request,
        "support/conversation.html",
        status=problem.code.status if problem else 200,
        session=session,
        ticket=ticket,
        entries=_entries(
            await service.messages_for_client(ctx, ticket), await service.history(ctx, ticket)
        ),
        steps=_steps(ticket),
        next=rules.next_step(ticket, now=ctx.clock.now(), targets=service.targets_of(ctx)),
        can={event.value: rules.follows(ticket.state, event) for event in _OFFERED},
        mailed=any(one.kind is Kind.MAIL and one.verified_at is not None for one in reached),
        phoned=bool(phones),
        typed=typed,
        once=once,
        most=TEXT_MOST,
        problem=problem,
        done=done if done in _DONE and problem is None else "",
        **await attach_view(request, session, once=once, ticket=ticket),
    )
    # After it was drawn: the page itself still says what is new.
    await service.mark_seen(ctx, session, ticket)
    return with_captures(response)


def _entries(messages: list[Message], happened: list[Happened]) -> list[Entry]:
    entries = [Entry(message.at, message, None) for message in messages]
    entries += [Entry(one.at, None, one) for one in happened]
    return sorted(entries, key=_place)


def _place(entry: Entry) -> tuple[int, int, int]:
    """In one second somebody takes it, writes, and closes it, in this order."""
    rank = 1
    if entry.happened is not None:
        rank = 2 if entry.happened.what in _ENDS else 0
    return entry.at // SECOND, rank, entry.at


def _steps(ticket: Ticket) -> list[tuple[str, str]]:
    """The line of steps: the name of each, and done, now or next."""
    if ticket.state is State.CANCELLED:
        return [("sent", "done"), ("cancelled", "done")]
    names = ("sent", "taken", "answered", "closed")
    reached = {
        State.NEW: 1,
        State.ASSIGNED: 2,
        State.ANSWERED: 3,
        State.CLIENT_REPLIED: 2 if ticket.assigned_to else 1,
        State.CLOSED: len(names),
    }[ticket.state]
    return [
        (name, "done" if place < reached else "now" if place == reached else "next")
        for place, name in enumerate(names)
    ]


# --- what its client does -----------------------------------------------------------------------

_Says = Callable[..., Awaitable[Ticket]]


async def _say(request: Request, says: _Says, done: str) -> Response:
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    sent = await sent_by(request, session, "text")
    ticket = await _own(request, session)
    if taking.paused(request):
        problem = taking.problem_with_file(request)
        return await _page(
            request, session, ticket, typed=sent["text"], once=sent["once"], problem=problem
        )
    try:
        await says(
            ctx,
            session,
            ticket,
            text=sent["text"],
            once=sent["once"],
            source=visitor(request).address,
        )
    except Refused as fault:
        if fault.code.name not in _HERE:
            raise
        problem = problem_of(fault, request.state.reference)
        here = await _own(request, session)  # somebody else may have moved it
        return await _page(
            request, session, here, typed=sent["text"], once=sent["once"], problem=problem
        )
    return RedirectResponse(f"/messages/{ticket.number}?done={done}", status_code=303)


async def reply(request: Request) -> Response:
    """POST /messages/{number}/reply: add something."""
    return await _say(request, service.reply, "replied")


async def reopen(request: Request) -> Response:
    """POST /messages/{number}/reopen: go on with what is over, saying why."""
    return await _say(request, service.reopen, "reopened")


async def _end(request: Request, ends: _Says, done: str) -> Response:
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    await forms.read(request, bound=session.id)
    ticket = await _own(request, session)
    try:
        await ends(ctx, session, ticket, source=visitor(request).address)
    except Refused as fault:
        if fault.code.name not in _HERE:
            raise
        problem = problem_of(fault, request.state.reference)
        return await _page(request, session, await _own(request, session), problem=problem)
    return RedirectResponse(f"/messages/{ticket.number}?done={done}", status_code=303)


async def cancel(request: Request) -> Response:
    """POST /messages/{number}/cancel: need no answer any more."""
    return await _end(request, service.cancel, "cancelled")


async def close(request: Request) -> Response:
    """POST /messages/{number}/close: be content."""
    return await _end(request, service.close, "closed")


# --- what is new --------------------------------------------------------------------------------


async def _events(scope: Scope) -> tuple[str, sse.Looker, int]:
    request = Request(scope)
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    ticket = await _own(request, session)
    shown = request.query_params.get("mark", "")

    async def look(_message: str | None) -> sse.Look:
        # The desk also wakes for notes, which move nothing: then there is nothing to tell.
        nonlocal shown
        mark = str((await service.get_ticket(ctx, session, ticket.number)).version)
        if mark == shown:
            return sse.Look()
        shown = mark
        return sse.Look(sse.frame("news"))

    ends_at = min(session.expires_at, ctx.clock.now() + STREAM_MS)
    return service.topic_of(ticket.id), look, ends_at


routes = [
    Route("/messages/{number}", conversation, methods=["GET"]),
    Route("/messages/{number}/events", sse.Stream(_events), methods=["GET"]),
    Route("/messages/{number}/reply", reply, methods=["POST"]),
    Route("/messages/{number}/cancel", cancel, methods=["POST"]),
    Route("/messages/{number}/close", close, methods=["POST"]),
    Route("/messages/{number}/reopen", reopen, methods=["POST"]),
]
