"""For staff: temporary passes, asked for by one member and given by another."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Fault
from vestibule.factors import service
from vestibule.factors.rules import passes
from vestibule.factors.rules.passes import State
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.staff import service as staff
from vestibule.staff.rules import Ability, Member, may_decide
from vestibule.web import cookies, forms
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_LIST = "/staff/passes"
_IN_FORM = frozenset(
    {"client_unknown", "pass_reason_invalid", "pass_own", "pass_open", "pass_in_a_row"}
)


def _to(path: str) -> Response:
    return RedirectResponse(path, status_code=303)


async def _member(request: Request) -> tuple[Session, Member]:
    """Who of the staff this is. Raises Refused as `staff.service.at_desk` does."""
    ctx: Context = request.app.state.ctx
    session = await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )
    return session, await staff.at_desk(ctx, session, Ability.ASK_PASS)


async def listing(request: Request) -> Response:
    """GET /staff/passes: ask for one, decide about those asked for, and see what became of them."""
    session, member = await _member(request)
    return await _page(request, session, member)


async def _page(
    request: Request,
    session: Session,
    member: Member,
    *,
    username: str = "",
    reason: str = "",
    problem: Problem | None = None,
) -> Response:
    ctx: Context = request.app.state.ctx
    listed = await service.list_requests(ctx)
    done = request.query_params.get("done", "")
    return render(
        request,
        "factors/passes.html",
        status=problem.code.status if problem else 200,
        session=session,
        member=member,
        waiting=[one for one in listed if one.state is State.OPEN],
        past=[one for one in listed if one.state is not State.OPEN],
        decides={
            one.id
            for one in listed
            if may_decide(member, asked_by=one.asked_by, client=one.account_id)
        },
        username=username,
        reason=reason,
        most=passes.REASON_MAX,
        at=ctx.clock.now(),
        problem=problem,
        done=done if done in ("asked", "refused", "withdrawn") else "",
    )


async def ask(request: Request) -> Response:
    """POST /staff/passes: ask for a pass for a client."""
    session, member = await _member(request)
    sent = await forms.read(request, "username", "reason", bound=session.id)
    try:
        await service.ask_pass(
            request.app.state.ctx,
            member=member,
            session=session,
            username=sent["username"],
            reason=sent["reason"],
            source=visitor(request).address,
        )
    except Fault as fault:
        if fault.code.name not in _IN_FORM:
            raise
        problem = problem_of(fault, request.state.reference)
        return await _page(request, session, member, **sent, problem=problem)
    return _to(f"{_LIST}?done=asked")


async def confirm(request: Request) -> Response:
    """POST /staff/passes/confirm: give it, and show it this once."""
    session, member = await _member(request)
    sent = await forms.read(request, "id", bound=session.id)
    issued = await service.confirm_pass(
        request.app.state.ctx,
        member=member,
        session=session,
        id=sent["id"],
        source=visitor(request).address,
    )
    return render(request, "factors/pass_issued.html", session=session, issued=issued)


async def refuse(request: Request) -> Response:
    """POST /staff/passes/refuse: give none, or withdraw what one asked for."""
    session, member = await _member(request)
    sent = await forms.read(request, "id", bound=session.id)
    state = await service.refuse_pass(
        request.app.state.ctx,
        member=member,
        session=session,
        id=sent["id"],
        source=visitor(request).address,
    )
    return _to(f"{_LIST}?done={state.value}")


routes = [
    Route("/staff/passes", listing, methods=["GET"]),
    Route("/staff/passes", ask, methods=["POST"]),
    Route("/staff/passes/confirm", confirm, methods=["POST"]),
    Route("/staff/passes/refuse", refuse, methods=["POST"]),
]
