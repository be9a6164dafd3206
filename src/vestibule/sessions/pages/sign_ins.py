"""Settings: where the account is signed in, its known browsers, and what has happened."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.accounts import service as accounts
from vestibule.accounts.rules import PASSWORD_MIN
from vestibule.base.context import Context
from vestibule.base.errors import CODES, Refused
from vestibule.base.i18n import DEFAULT, catalogue, t
from vestibule.sessions import service
from vestibule.sessions.rules import EndReason, Happening, Session
from vestibule.web import cookies, forms
from vestibule.web.language import language_of
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_A_PAGE = 40
_LARGEST = 2**62


async def _session(request: Request) -> Session:
    ctx: Context = request.app.state.ctx
    return await service.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )


def _back(done: str) -> Response:
    return RedirectResponse(f"/settings/sessions?done={done}", status_code=303)


async def listing(request: Request) -> Response:
    """GET /settings/sessions: live sessions and known browsers."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    done = request.query_params.get("done", "")
    secret = cookies.read(request, cookies.BROWSER)
    return render(
        request,
        "sessions/sessions.html",
        session=session,
        sessions=await service.list_sessions(ctx, session.account_id),
        browsers=await service.list_known_browsers(ctx, session.account_id),
        this_browser=service.browser_id(ctx, secret) if secret else "",
        known_days=ctx.settings.known_browser_days,
        done=done if done in ("ended", "ended_all", "forgotten") else "",
    )


async def end(request: Request) -> Response:
    """POST /settings/sessions/end: end one session."""
    session = await _session(request)
    sent = await forms.read(request, "id", bound=session.id)
    await service.end_session(
        request.app.state.ctx,
        id=sent["id"],
        account_id=session.account_id,
        reason=EndReason.ENDED,
        source=visitor(request).address,
    )
    return _back("ended")


async def end_others(request: Request) -> Response:
    """POST /settings/sessions/end-others: end all but this one."""
    session = await _session(request)
    await forms.read(request, bound=session.id)
    await service.end_other_sessions(
        request.app.state.ctx, session=session, source=visitor(request).address
    )
    return _back("ended_all")


async def forget(request: Request) -> Response:
    """POST /settings/browsers/forget: ask for the number there next time."""
    session = await _session(request)
    sent = await forms.read(request, "id", bound=session.id)
    await service.forget_browser(
        request.app.state.ctx,
        account_id=session.account_id,
        browser_id=sent["id"] or None,
        source=visitor(request).address,
    )
    return _back("forgotten")


async def sign_out(request: Request) -> Response:
    """POST /logout: end this session. Out is out, also when it had ended already."""
    ctx: Context = request.app.state.ctx
    response = RedirectResponse("/login", status_code=303)
    session = await service.session_of(ctx, cookies.read(request, cookies.SESSION))
    if session is not None:
        await forms.read(request, bound=session.id)
        await service.end_session(
            ctx,
            id=session.id,
            account_id=session.account_id,
            reason=EndReason.SIGNED_OUT,
            source=visitor(request).address,
        )
    cookies.drop(response, cookies.SESSION)
    return response


async def password(request: Request) -> Response:
    """GET /settings/password: the form to change it."""
    return _password_form(request, await _session(request))


def _password_form(request: Request, session: Session, problem: Problem | None = None) -> Response:
    return render(
        request,
        "sessions/password.html",
        status=problem.code.status if problem else 200,
        session=session,
        least=PASSWORD_MIN,
        problem=problem,
        done=request.query_params.get("done") == "changed",
    )


async def change_password(request: Request) -> Response:
    """POST /settings/password: change it, and end every other session."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = await forms.read(request, "username", "current", "new", bound=session.id)
    source = visitor(request).address
    try:
        await accounts.change_password(
            ctx,
            account_id=session.account_id,
            current=sent["current"],
            new=sent["new"],
            source=source,
        )
    except Refused as fault:
        return _password_form(request, session, problem_of(fault, request.state.reference))
    await service.end_other_sessions(ctx, session=session, source=source)
    return RedirectResponse("/settings/password?done=changed", status_code=303)


async def activity(request: Request) -> Response:
    """GET /settings/activity?before=: the audit journal in words."""
    session = await _session(request)
    before = request.query_params.get("before", "")
    happenings = await service.list_happenings(
        request.app.state.ctx,
        session.account_id,
        before=min(int(before), _LARGEST) if before.isdecimal() and len(before) < 20 else None,
        most=_A_PAGE,
    )
    spoken = language_of(request, getattr(session, "language", None))
    told = [(one, words(one, spoken), why(one, spoken)) for one in happenings]
    return render(
        request,
        "sessions/activity.html",
        session=session,
        told=[line for line in told if line[1]],
        older=happenings[-1].id if len(happenings) == _A_PAGE else None,
    )


def words(happening: Happening, language: str) -> str:
    """A sentence about an event; empty for one that is only of use to operators."""
    key = f"sessions.event.{happening.event}"
    return t(key, language, **happening.detail) if key in catalogue(DEFAULT) else ""


def why(happening: Happening, language: str) -> str:
    """What a refused event was refused for."""
    code = CODES.get(happening.result)
    return t(code.title, language, **happening.detail) if code else ""


routes = [
    Route("/settings/sessions", listing, methods=["GET"]),
    Route("/settings/sessions/end", end, methods=["POST"]),
    Route("/settings/sessions/end-others", end_others, methods=["POST"]),
    Route("/settings/browsers/forget", forget, methods=["POST"]),
    Route("/settings/password", password, methods=["GET"]),
    Route("/settings/password", change_password, methods=["POST"]),
    Route("/settings/activity", activity, methods=["GET"]),
    Route("/logout", sign_out, methods=["POST"]),
]
