"""The pages that look into several capabilities: the portal's first one, and Secure login."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.accounts import rules as account_rules, service as accounts
from vestibule.activation import pages as activation
from vestibule.base.context import Context
from vestibule.contacts import service as contacts
from vestibule.devices import service as devices
from vestibule.devices.rules import can_approve
from vestibule.factors import service as factors
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.statements import service as statements
from vestibule.web import cookies
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_SIGN_INS = 5
_STATEMENTS = 3


async def _session(request: Request) -> Session:
    ctx: Context = request.app.state.ctx
    return await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )


async def home(request: Request) -> Response:
    """GET /: who is signed in; the activation banner, or the phones and the latest sign-ins."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    phones = await devices.list_phones(ctx, session.account_id)
    banner = {} if phones else await activation.banner(request, session)
    return render(
        request,
        "home.html",
        session=session,
        phones=phones,
        incoming=[
            phone.enrollment
            for phone in phones
            if not can_approve(phone.enrollment, ctx.clock.now())
            and phone.enrollment.retires_at is None
        ],
        labels={phone.enrollment.id: phone.enrollment.label for phone in phones},
        statements=(await statements.tree(ctx, session.account_id)).newest(_STATEMENTS),
        sign_ins=await sessions.list_sign_ins(ctx, session.account_id, most=_SIGN_INS),
        back="/",
        **banner,
    )


async def secure_login(request: Request) -> Response:
    """GET /settings/sign-in: how one signs in, and everything that guards it, with its state."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    now = ctx.clock.now()
    account = await accounts.get_account(ctx, session.account_id)
    reached = await contacts.list_contacts(ctx, account.id)
    return render(
        request,
        "secure_login.html",
        session=session,
        account=account,
        phones=len(await devices.list_phones(ctx, account.id)),
        factors=len(await factors.usable(ctx.db, ctx, account.id, now)),
        contacts=sum(one.verified_at is not None for one in reached),
        unverified=sum(one.verified_at is None for one in reached),
        sessions=len(await sessions.list_sessions(ctx, account.id)),
        browsers=len(await sessions.list_known_browsers(ctx, account.id)),
        renew_at=account_rules.minute_written(account.renew_at),
        quiet_from=account_rules.minute_written(account.quiet_from),
        quiet_until=account_rules.minute_written(account.quiet_until),
        resting=account_rules.cooling(account.guarded_until, now=now),
        done=request.query_params.get("done") == "saved",
    )


routes = [
    Route("/", home, methods=["GET"]),
    Route("/settings/sign-in", secure_login, methods=["GET"]),
]
