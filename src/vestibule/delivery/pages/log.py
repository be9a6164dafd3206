"""Settings: who connected or tried to, and why it did not work."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.delivery import service
from vestibule.delivery.pages.arriving import HUB, server_of, session_in
from vestibule.delivery.pages.telling import Telling
from vestibule.web.language import language_of
from vestibule.web.rendering import render

_A_PAGE: Final = 30
_SHOWN: Final = {"accepted": True, "refused": False}


async def log(request: Request) -> Response:
    """GET /settings/delivery/log?show=&before=: the newest first; it looks by itself for more."""
    ctx: Context = request.app.state.ctx
    session = await session_in(request)
    asked = request.query_params
    show = asked.get("show", "")
    before = asked.get("before")
    home = await service.home_of(ctx, session.account_id)
    keys = await service.list_keys(ctx, session.account_id)
    visits = await service.list_visits(
        ctx, session.account_id, before=before, most=_A_PAGE, accepted=_SHOWN.get(show)
    )
    telling = Telling(home, keys, language_of(request, session.language))
    newest = visits[0] if visits else None
    return render(
        request,
        "delivery/log.html",
        session=session,
        home=home,
        server=server_of(ctx),
        keys=keys,
        lines=[telling.line(visit) for visit in visits],
        show=show if show in _SHOWN else "",
        watching=home is not None and before is None,
        mark=" ".join(f"{v.id}.{v.last_at}.{v.files}.{v.ended_at}" for v in visits[:5])
        if newest
        else "",
        older=visits[-1].cursor if len(visits) == _A_PAGE else None,
        days=ctx.settings.visit_days,
    )


routes = [Route(f"{HUB}/log", log, methods=["GET"])]
