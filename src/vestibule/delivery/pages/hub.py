"""Settings: file delivery at a glance, and its switch."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Malformed, Refused
from vestibule.delivery import service
from vestibule.delivery.pages.arriving import (
    HUB,
    confirmation,
    resting,
    server_of,
    session_in,
    to,
)
from vestibule.delivery.pages.certificate import state_of
from vestibule.delivery.pages.telling import Telling
from vestibule.delivery.rules.visits import Outcome
from vestibule.web import forms
from vestibule.web.language import language_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_LATEST = 3
_WAYS = ("on", "off")


async def hub(request: Request) -> Response:
    """GET /settings/delivery: what a program needs, what is missing, and what there is."""
    ctx: Context = request.app.state.ctx
    session = await session_in(request)
    home = await service.home_of(ctx, session.account_id)
    keys = await service.list_keys(ctx, session.account_id) if home else ()
    visits = await service.list_visits(ctx, session.account_id, most=_LATEST) if home else ()
    asked = request.query_params
    done, confirmed = asked.get("done", ""), asked.get("confirmed", "")
    telling = Telling(home, keys, language_of(request, session.language))
    on = home is not None and home.enabled
    return render(
        request,
        "delivery/hub.html",
        session=session,
        home=home,
        on=on,
        server=server_of(ctx),
        host_keys=await service.shown_host_keys(ctx) if on else (),
        keys=len(keys),
        certificate=state_of(home.certificate if home else None, now=ctx.clock.now()),
        lines=[telling.line(one) for one in visits],
        # The steps are of no use any more once a program has been here.
        complete=bool(
            home
            and home.networks
            and keys
            and (
                any(one.used_at for one in keys)
                or any(one.outcome is Outcome.ACCEPTED for one in visits)
            )
        ),
        resting=resting(ctx, session),
        done=done if done in _WAYS else "",
        once_more=confirmed if confirmed in _WAYS else "",
    )


async def switch(request: Request) -> Response:
    """POST /settings/delivery/switch: turn it on or off."""
    session = await session_in(request)
    sent = await forms.read(request, "to", bound=session.id)
    if sent["to"] not in _WAYS:
        raise Malformed("bad_field", field="to")
    try:
        await service.switch(
            request.app.state.ctx,
            session=session,
            on=sent["to"] == "on",
            source=visitor(request).address,
        )
    except Refused as fault:
        if away := confirmation(fault, f"{HUB}?confirmed={sent['to']}"):
            return to(away)
        raise
    return to(f"{HUB}?done={sent['to']}")


routes = [
    Route(HUB, hub, methods=["GET"]),
    Route(f"{HUB}/switch", switch, methods=["POST"]),
]
