"""Pages: "this was not me" from a mail, and what is under way to get back into the account."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.accounts import service as accounts
from vestibule.base.context import Context
from vestibule.recovery import service
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.web import cookies, forms
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_PAGE = "/settings/recovery"


async def _session(request: Request) -> Session:
    ctx: Context = request.app.state.ctx
    return await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )


async def overview(request: Request) -> Response:
    """GET /settings/recovery: new phones under way, and the ways back there would be."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    return render(
        request,
        "recovery/overview.html",
        session=session,
        running=await service.running(ctx, session.account_id),
        prepared=await service.prepared(ctx, session.account_id),
        texts=ctx.settings.sms_activation and bool(ctx.text.ways),
        stopped=request.query_params.get("done") == "stopped",
    )


async def stop(request: Request) -> Response:
    """POST /settings/recovery/stop: end what was begun in the account's name."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = await forms.read(request, "case", bound=session.id)
    await service.stop_case(
        ctx, session=session, case_id=sent["case"], source=visitor(request).address
    )
    return RedirectResponse(f"{_PAGE}?done=stopped", status_code=303)


async def ask(request: Request) -> Response:
    """GET /not-me/{token}: what it is about, and one button. Looking changes nothing.

    Mail programs open links by themselves; only the button acts.
    """
    ctx: Context = request.app.state.ctx
    token = request.path_params["token"]
    said = service.said_by_link(ctx, token)
    account = await accounts.get_account(ctx, said.account_id)
    return render(
        request,
        "recovery/not_me.html",
        bound=token,
        token=token,
        username=account.username,
        event=said.event,
        undone=None,
    )


async def act(request: Request) -> Response:
    """POST /not-me/{token}: undo it."""
    ctx: Context = request.app.state.ctx
    token = request.path_params["token"]
    await forms.read(request, bound=token)
    said = service.said_by_link(ctx, token)
    account = await accounts.get_account(ctx, said.account_id)
    undone = await service.undo_by_link(ctx, token, source=visitor(request).address)
    return render(
        request,
        "recovery/not_me.html",
        bound=token,
        token=token,
        username=account.username,
        event=said.event,
        undone=undone.value,
    )


routes = [
    Route(_PAGE, overview, methods=["GET"]),
    Route(f"{_PAGE}/stop", stop, methods=["POST"]),
    Route("/not-me/{token}", ask, methods=["GET"]),
    Route("/not-me/{token}", act, methods=["POST"]),
]
