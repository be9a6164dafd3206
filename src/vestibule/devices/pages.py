"""Settings: the account's phones, and seamless authentication."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.accounts import service as accounts
from vestibule.base.context import Context
from vestibule.base.errors import Fault
from vestibule.devices import service
from vestibule.devices.rules import LABEL_MAX, Enrollment
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.web import cookies, forms
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor


async def _session(request: Request) -> Session:
    ctx: Context = request.app.state.ctx
    return await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )


def _to(path: str) -> Response:
    return RedirectResponse(path, status_code=303)


def _done(request: Request, *known: str) -> str:
    """What a form that led here has done; only words of ours, never the visitor's."""
    done = request.query_params.get("done", "")
    return done if done in known else ""


# --- phones -----------------------------------------------------------------------------------


async def phones(request: Request) -> Response:
    """GET /settings/phones: every phone that may approve."""
    session = await _session(request)
    listed = await service.list_phones(request.app.state.ctx, session.account_id)
    return render(
        request,
        "devices/phones.html",
        session=session,
        phones=listed,
        now=request.app.state.ctx.clock.now(),
        done=_done(request, "renamed", "removed", "removed_last"),
    )


async def name(request: Request) -> Response:
    """GET /settings/phones/name?id=: the form to rename a phone."""
    session = await _session(request)
    phone = await _asked(request, session, fresh=False)
    return _name_form(request, session, phone, phone.label)


def _name_form(
    request: Request,
    session: Session,
    phone: Enrollment,
    typed: str,
    problem: Problem | None = None,
) -> Response:
    return render(
        request,
        "devices/name.html",
        status=problem.code.status if problem else 200,
        session=session,
        phone=phone,
        typed=typed,
        most=LABEL_MAX,
        problem=problem,
    )


async def rename(request: Request) -> Response:
    """POST /settings/phones/name: rename it."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
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
        if fault.code.name != "device_name_invalid":
            raise
        phone = await service.get_enrollment(ctx, session=session, id=sent["id"], fresh=False)
        problem = problem_of(fault, request.state.reference)
        return _name_form(request, session, phone, sent["label"], problem)
    return _to("/settings/phones?done=renamed")


async def leave(request: Request) -> Response:
    """GET /settings/phones/remove?id=: what removing this phone means, before it is done."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    phone = await _asked(request, session)
    return render(
        request,
        "devices/remove.html",
        session=session,
        phone=phone,
        last=len(await service.list_phones(ctx, session.account_id)) == 1,
        others=sum(
            view.enrollment_id == phone.id and view.id != session.id
            for view in await sessions.list_sessions(ctx, session.account_id)
        ),
    )


async def remove(request: Request) -> Response:
    """POST /settings/phones/remove: end the enrollment."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = await forms.read(request, "id", "end_sessions", bound=session.id)
    await service.revoke(
        ctx,
        session=session,
        id=sent["id"],
        end_sessions=sent["end_sessions"] == "yes",
        source=visitor(request).address,
    )
    left = await service.list_phones(ctx, session.account_id)
    return _to(f"/settings/phones?done={'removed' if left else 'removed_last'}")


async def _asked(request: Request, session: Session, *, fresh: bool = True) -> Enrollment:
    return await service.get_enrollment(
        request.app.state.ctx,
        session=session,
        id=request.query_params.get("id", ""),
        fresh=fresh,
    )


# --- secure login -----------------------------------------------------------------------------


async def save_secure_login(request: Request) -> Response:
    """POST /settings/sign-in: save it."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = await forms.read(request, "seamless", bound=session.id)
    await accounts.set_seamless(
        ctx,
        account_id=session.account_id,
        on=sent["seamless"] == "on",
        source=visitor(request).address,
    )
    return _to("/settings/sign-in?done=saved")


routes = [
    Route("/settings/phones", phones, methods=["GET"]),
    Route("/settings/phones/name", name, methods=["GET"]),
    Route("/settings/phones/name", rename, methods=["POST"]),
    Route("/settings/phones/remove", leave, methods=["GET"]),
    Route("/settings/phones/remove", remove, methods=["POST"]),
    Route("/settings/sign-in", save_secure_login, methods=["POST"]),
]
