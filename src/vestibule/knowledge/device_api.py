"""From an error of the phone app to the article that explains it, which the portal has."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.base.articles import ARTICLES
from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.base.i18n import LANGUAGES
from vestibule.knowledge import service
from vestibule.web.language import language_of


async def explain(request: Request) -> Response:
    """GET /device/help/{code}?in=: to the article, in the language of the app."""
    ctx: Context = request.app.state.ctx
    place = ARTICLES.get(request.path_params["code"])
    asked = request.query_params.get("in", "")
    spoken = asked if asked in LANGUAGES else language_of(request)
    named = service.library(ctx).named(place, spoken) if place else None
    if named is None:
        raise Refused("not_found")
    return RedirectResponse(f"{ctx.settings.portal_url}{named.address}", status_code=303)


routes = [Route("/device/help/{code}", explain, methods=["GET"])]
