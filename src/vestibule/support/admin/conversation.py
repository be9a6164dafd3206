"""One conversation, as staff reads and answers it.

The page is one form: whatever button is pressed, what was typed into it comes back until it has
been sent. Taking a conversation or leaving a note does not cost the half-written answer, nor does
it take the files that wait for it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from vestibule.base.clock import HOUR
from vestibule.base.context import Context
from vestibule.base.errors import Fault
from vestibule.base.i18n import DEFAULT, LANGUAGES, language_named, listed
from vestibule.base.ids import new_id
from vestibule.sessions.rules import Session
from vestibule.staff.rules import Ability, Member
from vestibule.support import service
from vestibule.support.admin.files import address_of, place_of
from vestibule.support.admin.gate import FORM_MOST, QUEUE, at_desk, to
from vestibule.support.admin.listing import parts_of
from vestibule.support.rules import TEXT_MOST, Event, Ticket, follows
from vestibule.support.rules.canned import filled, ready_for
from vestibule.support.service import answering, canned, reading
from vestibule.support.service.attaching import Place
from vestibule.support.service.reading import Opened
from vestibule.support.uploads import taking
from vestibule.support.uploads.showing import attaching_view, with_captures
from vestibule.web.language import language_of
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.sse import Look, Looker, Stream, frame
from vestibule.web.visitor import visitor

_STREAM_MS: Final = HOUR
_FIELDS: Final = ("text", "note", "canned", "member", "seen", "once")
_DONE: Final = frozenset({"answered", "closed", "noted", "taken", "given", "released"})
# What a member can set right on the page itself.
_IN_FORM: Final = frozenset({"desk_changed", "desk_moved", "desk_text"})
_VERSION_MOST: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What stands in the page's fields, and what became of the last button."""

    text: str = ""
    note: str = ""
    done: str = ""
    problem: Problem | None = None
    about: str = ""
    """The field that the problem is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A form of the page, from a member who may send it."""

    request: Request
    session: Session
    member: Member
    ticket: Ticket
    fields: dict[str, str]

    @property
    def ctx(self) -> Context:
        """Everything that services need."""
        ctx: Context = self.request.app.state.ctx
        return ctx

    @property
    def seen(self) -> int:
        """The version that the member was shown; 0, which never is, where that cannot be read."""
        typed = self.fields["seen"]
        right = typed.isascii() and typed.isdecimal() and len(typed) <= _VERSION_MOST
        return int(typed) if right else 0

    def draft(self, *, problem: Problem | None = None, about: str = "") -> Draft:
        """All that was typed, for the page to be shown again."""
        text, note = self.fields["text"], self.fields["note"]
        return Draft(text=text, note=note, problem=problem, about=about)

    @property
    def source(self) -> str:
        """Where the form came from."""
        return visitor(self.request).address


async def page(request: Request) -> Response:
    """GET /staff/tickets/<number>."""
    session, member = await at_desk(request, Ability.READ)
    done = request.query_params.get("done", "")
    draft = Draft(done=done if done in _DONE else "")
    return await _page(request, session, member, draft)


async def _page(request: Request, session: Session, member: Member, draft: Draft) -> Response:
    ctx: Context = request.app.state.ctx
    opened = await reading.open_up(ctx, member, request.path_params["number"])
    ticket = opened.ticket
    answers = member.may(Ability.ANSWER)
    kept = await canned.list_canned(ctx, member) if answers else []
    can = {event.value for event in Event if follows(ticket.state, event)} if answers else set()
    attaching = None
    if Event.ANSWER in can:
        place = answering.place_of(member, ticket)
        attaching = await attaching_view(request, place, address_of(ticket))
    response = render(
        request,
        "support/staff/ticket.html",
        status=draft.problem.code.status if draft.problem else 200,
        session=session,
        member=member,
        parts=parts_of(member),
        opened=opened,
        ticket=ticket,
        attached=opened.attached,
        answers=answers,
        ready=ready_for(kept, ticket.language, default=DEFAULT),
        colleagues=_takers(member, opened),
        can=can,
        attaching=attaching,
        present=_spoken(request, session, opened.present),
        notes=sum(message.by == "note" for message in opened.messages),
        names={code: found.name for code, found in LANGUAGES.items()},
        client_language=_named(ticket.language),
        once=new_id(),
        most=TEXT_MOST,
        draft=draft,
    )
    return with_captures(response) if attaching else response


def _named(code: str) -> str:
    found = language_named(code)
    return found.name if found else code


def _takers(member: Member, opened: Opened) -> list[Member]:
    """To whom this member may give it, beside taking it."""
    if not member.may(Ability.HAND_OVER):
        return []
    has = opened.ticket.assigned_to
    # What nobody has is taken by a button of its own.
    but = {has or member.account_id}
    return [one for one in opened.colleagues if one.account_id not in but]


def _spoken(request: Request, session: Session, names: tuple[str, ...]) -> str:
    return listed(names, session.language or language_of(request)) if names else ""


# --- buttons -----------------------------------------------------------------------------------


_Press = Callable[[_Sent], Awaitable[Response]]


def _pressed(press: _Press) -> Callable[[Request], Awaitable[Response]]:
    """A button of the page: what it does once its form was read, with the files that it brought.

    Raises Refused as the page does, and for a form that is not this member's.
    """

    async def read(request: Request) -> Response:
        session, member = await at_desk(request, Ability.ANSWER)

        async def where(sent: Mapping[str, str]) -> Place:
            del sent
            return await place_of(request, member)

        fields = await taking.read_form(request, session, *_FIELDS, most=FORM_MOST, where=where)
        ctx: Context = request.app.state.ctx
        ticket = await reading.find(ctx, member, request.path_params["number"])
        sent = _Sent(request=request, session=session, member=member, ticket=ticket, fields=fields)
        if taking.paused(request):
            return await _again(sent, sent.draft(problem=taking.problem_with_file(request)))
        return await press(sent)

    return read


async def _again(sent: _Sent, draft: Draft) -> Response:
    return await _page(sent.request, sent.session, sent.member, draft)


async def _refused(sent: _Sent, fault: Fault, about: str = "") -> Response:
    """The page again with all that was typed; anything that it cannot help is raised."""
    if fault.code.name not in _IN_FORM:
        raise fault
    problem = problem_of(fault, sent.request.state.reference)
    about = about if fault.code.name == "desk_text" else ""
    return await _again(sent, sent.draft(problem=problem, about=about))


async def _finish(sent: _Sent, done: str, *, text: str = "", note: str = "") -> Response:
    """On to the page; drawn at once where a text is left that was not sent yet."""
    if text.strip() or note.strip():
        return await _again(sent, Draft(text=text, note=note, done=done))
    return to(f"{QUEUE}/{sent.ticket.number}?done={done}#end")


async def answer(sent: _Sent) -> Response:
    """POST /staff/tickets/<number>/answer: put a canned answer in, send, or send and close."""
    if sent.fields[taking.ACT] == "insert":
        return await _insert(sent)
    close = sent.fields[taking.ACT] == "close"
    try:
        await service.answer(
            sent.ctx,
            sent.member,
            sent.ticket,
            sent.fields["text"],
            once=sent.fields["once"],
            seen=sent.seen,
            close=close,
            source=sent.source,
        )
    except Fault as fault:
        return await _refused(sent, fault, "text")
    return await _finish(sent, "closed" if close else "answered", note=sent.fields["note"])


async def _insert(sent: _Sent) -> Response:
    """The chosen answer behind what stands there, filled in for this client."""
    text = sent.fields["text"].rstrip()
    if sent.fields["canned"]:
        chosen = await canned.get_canned(sent.ctx, sent.member, sent.fields["canned"])
        facts = {
            "client": sent.ticket.display_name,
            "number": sent.ticket.number,
            "member": sent.member.display_name,
        }
        text = f"{text}\n\n{filled(chosen.text, facts)}".lstrip("\n")
    return await _again(sent, replace(sent.draft(), text=text))


async def note(sent: _Sent) -> Response:
    """POST /staff/tickets/<number>/note: for colleagues only."""
    try:
        await service.note(
            sent.ctx,
            sent.member,
            sent.ticket,
            sent.fields["note"],
            once=sent.fields["once"],
            source=sent.source,
        )
    except Fault as fault:
        return await _refused(sent, fault, "note")
    return await _finish(sent, "noted", text=sent.fields["text"])


async def take(sent: _Sent) -> Response:
    """POST /staff/tickets/<number>/take: have it."""
    return await _give(sent, sent.member.account_id, "taken")


async def release(sent: _Sent) -> Response:
    """POST /staff/tickets/<number>/release: have it no longer."""
    return await _give(sent, None, "released")


async def assign(sent: _Sent) -> Response:
    """POST /staff/tickets/<number>/assign: give it to a colleague."""
    receiver = await reading.get_colleague(sent.ctx, sent.ticket, sent.fields["member"])
    return await _give(sent, receiver, "given")


async def _give(sent: _Sent, receiver: str | None, done: str) -> Response:
    try:
        await service.assign(
            sent.ctx, sent.member, sent.ticket, receiver, seen=sent.seen, source=sent.source
        )
    except Fault as fault:
        return await _refused(sent, fault)
    return await _finish(sent, done, text=sent.fields["text"], note=sent.fields["note"])


async def close(sent: _Sent) -> Response:
    """POST /staff/tickets/<number>/close: nothing is left to do."""
    try:
        await service.settle(sent.ctx, sent.member, sent.ticket, seen=sent.seen, source=sent.source)
    except Fault as fault:
        return await _refused(sent, fault)
    return await _finish(sent, "closed", text=sent.fields["text"], note=sent.fields["note"])


# --- live --------------------------------------------------------------------------------------


async def _news(scope: Scope) -> tuple[str, Looker, int]:
    """GET /staff/tickets/<number>/events?seen=: who else reads, and whether there is news."""
    request = Request(scope)
    session, member = await at_desk(request, Ability.READ)
    ctx: Context = scope["app"].state.ctx
    number = request.path_params["number"]
    ticket = await reading.find(ctx, member, number)
    seen = request.query_params.get("seen", "")

    async def look(message: str | None) -> Look:
        del message
        found = await reading.news(ctx, session, number)
        if found is None:
            return Look(done=True)
        here, notes, present = found
        state = {
            "others": bool(present),
            "names": _spoken(request, session, present),
            "news": f"{here.version}.{notes}" != seen,
        }
        return Look(frame("state", state), again_s=reading.BEAT_S)

    ends_at = min(session.expires_at, ctx.clock.now() + _STREAM_MS)
    return service.topic_of(ticket.id), look, ends_at


_ONE: Final = f"{QUEUE}/{{number}}"
routes = [
    Route(_ONE, page, methods=["GET"]),
    Route(f"{_ONE}/events", Stream(_news), methods=["GET"]),
    Route(f"{_ONE}/answer", _pressed(answer), methods=["POST"]),
    Route(f"{_ONE}/note", _pressed(note), methods=["POST"]),
    Route(f"{_ONE}/take", _pressed(take), methods=["POST"]),
    Route(f"{_ONE}/release", _pressed(release), methods=["POST"]),
    Route(f"{_ONE}/assign", _pressed(assign), methods=["POST"]),
    Route(f"{_ONE}/close", _pressed(close), methods=["POST"]),
]
