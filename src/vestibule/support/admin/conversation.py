"""One conversation, as staff reads and answers it.

The page is one form: whatever button is pressed, what was typed into it comes back until it has
been sent. Taking a conversation or leaving a note does not cost the half-written answer.
"""

from dataclasses import dataclass
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
from vestibule.support.admin.gate import FORM_MOST, QUEUE, at_desk, to
from vestibule.support.admin.listing import parts_of
from vestibule.support.rules import TEXT_MOST, Event, Ticket, follows
from vestibule.support.rules.canned import filled, ready_for
from vestibule.support.service import canned, reading
from vestibule.support.service.reading import Opened
from vestibule.web import forms
from vestibule.web.language import language_of
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.sse import Look, Looker, Stream, frame
from vestibule.web.visitor import visitor

_STREAM_MS: Final = HOUR
_FIELDS: Final = ("text", "note", "canned", "member", "seen", "once", "act")
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
    def seen(self) -> int:
        """The version that the member was shown; 0, which never is, where that cannot be read."""
        typed = self.fields["seen"]
        right = typed.isascii() and typed.isdecimal() and len(typed) <= _VERSION_MOST
        return int(typed) if right else 0

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
    return render(
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
        can={event.value for event in Event if follows(ticket.state, event)} if answers else set(),
        present=_spoken(request, session, opened.present),
        notes=sum(message.by == "note" for message in opened.messages),
        names={code: found.name for code, found in LANGUAGES.items()},
        client_language=_named(ticket.language),
        once=new_id(),
        most=TEXT_MOST,
        draft=draft,
    )


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


async def _sent(request: Request) -> _Sent:
    """Raises Refused as the page does, and for a form that is not this member's."""
    session, member = await at_desk(request, Ability.ANSWER)
    fields = await forms.read(request, *_FIELDS, bound=session.id, most=FORM_MOST)
    ctx: Context = request.app.state.ctx
    ticket = await reading.find(ctx, member, request.path_params["number"])
    return _Sent(request=request, session=session, member=member, ticket=ticket, fields=fields)


async def _again(sent: _Sent, draft: Draft) -> Response:
    return await _page(sent.request, sent.session, sent.member, draft)


async def _refused(sent: _Sent, fault: Fault, about: str = "") -> Response:
    """The page again with all that was typed; anything that it cannot help is raised."""
    if fault.code.name not in _IN_FORM:
        raise fault
    draft = Draft(
        text=sent.fields["text"],
        note=sent.fields["note"],
        problem=problem_of(fault, sent.request.state.reference),
        about=about if fault.code.name == "desk_text" else "",
    )
    return await _again(sent, draft)


async def _finish(sent: _Sent, done: str, *, text: str = "", note: str = "") -> Response:
    """On to the page; drawn at once where a text is left that was not sent yet."""
    if text.strip() or note.strip():
        return await _again(sent, Draft(text=text, note=note, done=done))
    return to(f"{QUEUE}/{sent.ticket.number}?done={done}#end")


async def answer(request: Request) -> Response:
    """POST /staff/tickets/<number>/answer: put a canned answer in, send, or send and close."""
    sent = await _sent(request)
    if sent.fields["act"] == "insert":
        return await _insert(sent)
    close = sent.fields["act"] == "close"
    try:
        await service.answer(
            request.app.state.ctx,
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
        ctx: Context = sent.request.app.state.ctx
        chosen = await canned.get_canned(ctx, sent.member, sent.fields["canned"])
        facts = {
            "client": sent.ticket.display_name,
            "number": sent.ticket.number,
            "member": sent.member.display_name,
        }
        text = f"{text}\n\n{filled(chosen.text, facts)}".lstrip("\n")
    return await _again(sent, Draft(text=text, note=sent.fields["note"]))


async def note(request: Request) -> Response:
    """POST /staff/tickets/<number>/note: for colleagues only."""
    sent = await _sent(request)
    try:
        await service.note(
            request.app.state.ctx,
            sent.member,
            sent.ticket,
            sent.fields["note"],
            once=sent.fields["once"],
            source=sent.source,
        )
    except Fault as fault:
        return await _refused(sent, fault, "note")
    return await _finish(sent, "noted", text=sent.fields["text"])


async def take(request: Request) -> Response:
    """POST /staff/tickets/<number>/take: have it."""
    sent = await _sent(request)
    return await _give(sent, sent.member.account_id, "taken")


async def release(request: Request) -> Response:
    """POST /staff/tickets/<number>/release: have it no longer."""
    return await _give(await _sent(request), None, "released")


async def assign(request: Request) -> Response:
    """POST /staff/tickets/<number>/assign: give it to a colleague."""
    sent = await _sent(request)
    ctx: Context = request.app.state.ctx
    return await _give(
        sent, await reading.get_colleague(ctx, sent.ticket, sent.fields["member"]), "given"
    )


async def _give(sent: _Sent, receiver: str | None, done: str) -> Response:
    ctx: Context = sent.request.app.state.ctx
    try:
        await service.assign(
            ctx, sent.member, sent.ticket, receiver, seen=sent.seen, source=sent.source
        )
    except Fault as fault:
        return await _refused(sent, fault)
    return await _finish(sent, done, text=sent.fields["text"], note=sent.fields["note"])


async def close(request: Request) -> Response:
    """POST /staff/tickets/<number>/close: nothing is left to do."""
    sent = await _sent(request)
    try:
        await service.settle(
            request.app.state.ctx, sent.member, sent.ticket, seen=sent.seen, source=sent.source
        )
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
    Route(f"{_ONE}/answer", answer, methods=["POST"]),
    Route(f"{_ONE}/note", note, methods=["POST"]),
    Route(f"{_ONE}/take", take, methods=["POST"]),
    Route(f"{_ONE}/release", release, methods=["POST"]),
    Route(f"{_ONE}/assign", assign, methods=["POST"]),
    Route(f"{_ONE}/close", close, methods=["POST"]),
]
