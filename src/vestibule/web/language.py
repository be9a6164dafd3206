"""In which language a page speaks: the account's, else what this browser chose, else its header."""

from __future__ import annotations

from typing import Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.base.i18n import LANGUAGES, PSEUDO, Language, language_named, negotiate
from vestibule.web import cookies
from vestibule.web.routing import own_path

_A_YEAR_S: Final = 365 * 86_400
COOKIE: Final = "__Host-language"
"""What was chosen in this browser, so that pages before the sign-in speak it too."""


def choices(ctx: Context) -> tuple[Language, ...]:
    """The languages that are offered; the pseudo-languages to the test suite only."""
    offered = tuple(LANGUAGES.values())
    return offered + tuple(PSEUDO.values()) if ctx.settings.test_hooks else offered


def language_of(request: HTTPConnection, preferred: str | None = None) -> str:
    """The code of the language for this request; ``preferred`` is the account's."""
    ctx: Context = request.app.state.ctx
    header = request.headers.get("accept-language", "")
    # Nobody's browser asks for a pseudo-language, except to try the layout.
    for code in (preferred, request.cookies.get(COOKIE), header.partition(",")[0]):
        found = language_named(code) if code else None
        if found and (found.code in LANGUAGES or ctx.settings.test_hooks):
            return found.code
    return negotiate(header, ctx.settings.default_language)


def remember(response: Response, code: str) -> None:
    """Have this browser speak that language from now on."""
    cookies.put(response, COOKIE, code, max_age_s=_A_YEAR_S)


async def choose(request: Request) -> Response:
    """GET /language/{code}?then=: changes how this browser is spoken to, and nothing else."""
    code = request.path_params["code"]
    if code not in {language.code for language in choices(request.app.state.ctx)}:
        raise Refused("not_found")
    then = own_path(request.query_params.get("then", "/"))
    response = RedirectResponse(then, status_code=303)
    remember(response, code)
    return response


routes = [Route("/language/{code}", choose, methods=["GET"])]
