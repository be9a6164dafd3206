"""The portal's first page: the only page that looks into several capabilities."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.activation import pages as activation
from vestibule.base.context import Context
from vestibule.devices import service as devices
from vestibule.sessions import service as sessions
from vestibule.web import cookies
from vestibule.web.rendering import render

_SIGN_INS = 5


async def home(request: Request) -> Response:
    """GET /: who is signed in; the activation banner, or the phones and the latest sign-ins."""
    ctx: Context = request.app.state.ctx
    session = await sessions.get_session(ctx, cookies.read(request, cookies.SESSION))
    phones = await devices.list_phones(ctx, session.account_id)
    banner = {} if phones else await activation.banner(request, session)
    return render(
        request,
        "home.html",
        session=session,
        phones=phones,
        labels={phone.enrollment.id: phone.enrollment.label for phone in phones},
        sign_ins=await sessions.list_sign_ins(ctx, session.account_id, most=_SIGN_INS),
        back="/",
        **banner,
    )


routes = [Route("/", home, methods=["GET"])]
