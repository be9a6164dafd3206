"""The list of second factors; renaming and removing."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.accounts.rules import cooling
from vestibule.base.context import Context
from vestibule.base.errors import Fault
from vestibule.factors import service
from vestibule.factors.rules import LABEL_MAX, LASTING, Factor, Kind
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.web import cookies, forms
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

LIST = "/settings/factors"
_DONE = ("totp", "passkey", "card", "renamed", "removed")


async def session_in(request: Request) -> Session:
    """The session of the visitor. Raises Refused ``not_signed_in`` or ``network_not_allowed``."""
    ctx: Context = request.app.state.ctx
    return await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )


def to(path: str) -> Response:
    """On to another page, after a form."""
    return RedirectResponse(path, status_code=303)


async def factors(request: Request) -> Response:
    """GET /settings/factors: what there is, what it is worth, and what can be added."""
    ctx: Context = request.app.state.ctx
    session = await session_in(request)
    now = ctx.clock.now()
    listed = await service.list_factors(ctx, session.account_id)
    done = request.query_params.get("done", "")
    return render(
        request,
        "factors/factors.html",
        session=session,
        factors=[(factor, factor.state(now).value) for factor in listed],
        codes=any(factor.kind is Kind.RECOVERY_CODES for factor in listed),
        resting=session.guarded_until if cooling(session.guarded_until, now=now) else None,
        done=done if done in _DONE else "",
    )


async def name(request: Request) -> Response:
    """GET /settings/factors/name?id=: the form to rename one."""
    session = await session_in(request)
    service.demand_changing(request.app.state.ctx, session)
    factor = await _asked(request, session)
    return _name_form(request, session, factor, factor.label)


def _name_form(
    request: Request,
    session: Session,
    factor: Factor,
    typed: str,
    problem: Problem | None = None,
) -> Response:
    return render(
        request,
        "factors/name.html",
        status=problem.code.status if problem else 200,
        session=session,
        factor=factor,
        typed=typed,
        most=LABEL_MAX,
        problem=problem,
    )


async def rename(request: Request) -> Response:
    """POST /settings/factors/name: rename it."""
    ctx: Context = request.app.state.ctx
    session = await session_in(request)
    sent = await forms.read(request, "id", "label", bound=session.id)
    try:
        await service.rename(
            ctx,
            session=session,
            id=sent["id"],
            label=sent["label"],
            source=visitor(request).address,
        )
    except Fault as fault:
        if fault.code.name != "factor_name_invalid":
            raise
        factor = await service.get_factor(ctx, session, sent["id"])
        problem = problem_of(fault, request.state.reference)
        return _name_form(request, session, factor, sent["label"], problem)
    return to(f"{LIST}?done=renamed")


async def leave(request: Request) -> Response:
    """GET /settings/factors/remove?id=: what removing means, before it is done."""
    ctx: Context = request.app.state.ctx
    session = await session_in(request)
    factor = await _asked(request, session)
    if factor.confirmed_at is not None:
        service.demand_weakening(ctx, session)
    others = [
        one
        for one in await service.list_factors(ctx, session.account_id)
        if one.id != factor.id and one.kind in LASTING and one.usable(ctx.clock.now())
    ]
    return render(
        request, "factors/remove.html", session=session, factor=factor, others=len(others)
    )


async def remove(request: Request) -> Response:
    """POST /settings/factors/remove: take it away."""
    session = await session_in(request)
    sent = await forms.read(request, "id", bound=session.id)
    await service.remove(
        request.app.state.ctx,
        session=session,
        id=sent["id"],
        source=visitor(request).address,
    )
    return to(f"{LIST}?done=removed")


async def _asked(request: Request, session: Session) -> Factor:
    return await service.get_factor(
        request.app.state.ctx, session, request.query_params.get("id", "")
    )


routes = [
    Route("/settings/factors", factors, methods=["GET"]),
    Route("/settings/factors/name", name, methods=["GET"]),
    Route("/settings/factors/name", rename, methods=["POST"]),
    Route("/settings/factors/remove", leave, methods=["GET"]),
    Route("/settings/factors/remove", remove, methods=["POST"]),
]
