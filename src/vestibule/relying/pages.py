"""Letting a terminal in: type its code, see what it is, confirm it on the phone."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from vestibule.base.clock import MINUTE
from vestibule.base.context import Context
from vestibule.base.errors import Fault, Refused
from vestibule.login.rules import Step
from vestibule.relying import service
from vestibule.relying.rules import Grant, State
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.web import cookies, forms, sse
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import grouped, render
from vestibule.web.visitor import visitor

_IN_THE_FORM = frozenset({"user_code_unknown", "user_code_over", "too_many_requests"})
_CODE_MOST = 40


async def _session(request: Request) -> Session:
    return await sessions.get_session(
        request.app.state.ctx,
        cookies.read(request, cookies.SESSION),
        address=visitor(request).address,
    )


def _to(path: str) -> Response:
    return RedirectResponse(path, status_code=303)


def _about(ctx: Context, session: Session, grant: Grant) -> str:
    """The grant as this session's own pages name it: nobody else's page can be about it."""
    return ctx.sealer.token(
        "terminal-page",
        grant.id.encode("ascii"),
        expires_at=grant.expires_at + 5 * MINUTE,
        bound=session.id.encode("ascii"),
    )


def _asked(ctx: Context, session: Session, sent: str) -> str:
    """The id of the grant that a page is about. Raises Refused `user_code_over`."""
    opened = ctx.sealer.untoken(
        "terminal-page", sent, now=ctx.clock.now(), bound=session.id.encode("ascii")
    )
    if opened is None:
        raise Refused("user_code_over")
    return opened.decode("ascii")


async def entry(request: Request) -> Response:
    """GET /device: where the code is typed; a code in the address still has to be sent by hand."""
    typed = request.query_params.get("user_code", "")[:_CODE_MOST]
    try:
        session = await _session(request)
    except Refused as refused:
        if refused.code.name != "not_signed_in":
            raise
        back = "/device" + (f"?{urlencode({'user_code': typed})}" if typed else "")
        return _to(f"/login?then={quote(back, safe='/')}")
    return _entry(request, session, typed=typed)


def _entry(
    request: Request, session: Session, *, typed: str, problem: Problem | None = None
) -> Response:
    return render(
        request,
        "relying/device.html",
        status=problem.code.status if problem else 200,
        session=session,
        typed=typed,
        problem=problem,
    )


async def find(request: Request) -> Response:
    """POST /device: which terminal shows this code."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = await forms.read(request, "user_code", bound=session.id)
    typed = sent["user_code"][:_CODE_MOST]
    try:
        grant = await service.find_by_user_code(
            ctx, session=session, typed=typed, visitor=visitor(request)
        )
    except Fault as fault:
        if fault.code.name not in _IN_THE_FORM:
            raise
        problem = problem_of(fault, request.state.reference)
        return _entry(request, session, typed=typed, problem=problem)
    return _to(f"/device/confirm?grant={_about(ctx, session, grant)}")


async def show(request: Request) -> Response:
    """GET /device/confirm?grant=: what wants to come in, and from where."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = request.query_params.get("grant", "")
    grant = await service.get_grant(ctx, session=session, grant_id=_asked(ctx, session, sent))
    if grant.state not in (State.PENDING, State.ASKED):
        return _to(f"/device/done?grant={sent}")
    here = visitor(request)
    return render(
        request,
        "relying/confirm.html",
        session=session,
        grant=grant,
        about=sent,
        elsewhere=grant.address != here.address,
    )


async def confirm(request: Request) -> Response:
    """POST /device/confirm: ask the phone about it."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = await forms.read(request, "grant", bound=session.id)
    wait = await service.confirm(
        ctx,
        session=session,
        grant_id=_asked(ctx, session, sent["grant"]),
        visitor=visitor(request),
    )
    page = "wait" if wait.grant.state is State.ASKED else "done"
    return _to(f"/device/{page}?grant={sent['grant']}")


async def deny(request: Request) -> Response:
    """POST /device/deny: it does not come in."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = await forms.read(request, "grant", bound=session.id)
    await service.deny(
        ctx,
        session=session,
        grant_id=_asked(ctx, session, sent["grant"]),
        visitor=visitor(request),
    )
    return _to(f"/device/done?grant={sent['grant']}")


async def waiting(request: Request) -> Response:
    """GET /device/wait?grant=: the number, until the phone has answered."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = request.query_params.get("grant", "")
    wait = await service.look(ctx, session=session, grant_id=_asked(ctx, session, sent))
    view = wait.view
    if wait.grant.state is not State.ASKED or view is None:
        return _to(f"/device/done?grant={sent}")
    if view.step is not Step.WAIT:
        return _to(f"/device/confirm?grant={sent}")
    return render(
        request,
        "relying/wait.html",
        session=session,
        grant=wait.grant,
        about=sent,
        phone=view.phone,
        nudged=view.push and not view.why_no_push,
        challenge=grouped(view.challenge, 3),
        number=view.number,
        minutes=(view.request_expires_at - ctx.clock.now()) // MINUTE + 1,
        request_expires_at=view.request_expires_at,
    )


async def _events(scope: Scope) -> tuple[str, sse.Looker, int]:
    request = Request(scope)
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = request.query_params.get("grant", "")
    grant_id = _asked(ctx, session, sent)
    first = await service.look(ctx, session=session, grant_id=grant_id)

    async def look(message: str | None) -> sse.Look:
        if message in ("delivered", "undelivered"):
            return sse.Look()
        wait = await service.look(ctx, session=session, grant_id=grant_id)
        if wait.view is None or wait.view.step is not Step.WAIT:
            return sse.Look(sse.frame("go", {"to": f"/device/wait?grant={sent}"}), done=True)
        return sse.Look()

    ends_at = first.view.request_expires_at if first.view else ctx.clock.now()
    return f"login:{first.grant.attempt_id}", look, ends_at


async def done(request: Request) -> Response:
    """GET /device/done?grant=: what became of it, and what comes next."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = request.query_params.get("grant", "")
    wait = await service.look(ctx, session=session, grant_id=_asked(ctx, session, sent))
    if wait.grant.state in (State.PENDING, State.ASKED):
        return _to(f"/device/confirm?grant={sent}")
    return render(
        request,
        "relying/done.html",
        session=session,
        grant=wait.grant,
        let_in=wait.grant.state is not State.DENIED,
    )


routes = [
    Route("/device", entry, methods=["GET"]),
    Route("/device", find, methods=["POST"]),
    Route("/device/confirm", show, methods=["GET"]),
    Route("/device/confirm", confirm, methods=["POST"]),
    Route("/device/deny", deny, methods=["POST"]),
    Route("/device/wait", waiting, methods=["GET"]),
    Route("/device/wait/events", sse.Stream(_events), methods=["GET"]),
    Route("/device/done", done, methods=["GET"]),
]
