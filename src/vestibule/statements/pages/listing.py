"""The list of statements in the portal."""

from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Malformed
from vestibule.base.i18n import day, t
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.statements import service
from vestibule.statements.rules import Kind
from vestibule.statements.rules.looking import Asked, Page, asked_from, page_of
from vestibule.web import cookies, forms
from vestibule.web.language import language_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

LIST: Final = "/statements"
ARCHIVE: Final = "/statements.zip"
ARCHIVED_MOST: Final = 500
ARCHIVE_BYTES_MOST: Final = 2 << 30
_A_PAGE: Final = 100
_DIGITS: Final = 15


async def session_of(request: Request) -> Session:
    """The session of whoever asks. Raises Refused where there is none."""
    ctx: Context = request.app.state.ctx
    return await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )


def asked_by(request: Request) -> Asked:
    """What the address asks to be shown."""
    query = request.query_params
    return asked_from(**{name: query.get(name, "") for name in ("kind", "month", "find", "page")})


async def listing(request: Request) -> Response:
    """GET /statements?kind=&month=&find=&page=: what there is, the latest first."""
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    spoken = language_of(request, session.language)
    asked = asked_by(request)
    page = page_of(await service.tree(ctx, session.account_id), asked, most=_A_PAGE)
    return render(
        request,
        "statements/statements.html",
        session=session,
        asked=asked,
        page=page,
        groups=page.by_month,
        kinds=[
            ("", t("statements.filter.every_kind", spoken)),
            *((kind.value, t(f"statements.kind.{kind.value}", spoken)) for kind in Kind),
        ],
        months=[
            ("", t("statements.filter.every_month", spoken)),
            *((month, day(month, spoken)) for month in _offered(page, asked)),
        ],
        zip_url=_address(ARCHIVE, asked) if archivable(page) else "",
        newer_url=_address(LIST, asked, page=asked.page - 1) if page.newer else "",
        older_url=_address(LIST, asked, page=asked.page + 1) if page.older else "",
        days=ctx.settings.statement_days,
        done=request.query_params.get("done") == "seen",
    )


def _offered(page: Page, asked: Asked) -> list[str]:
    """The months to choose from; also one that is asked for and has nothing any more."""
    return sorted({*page.months, *([asked.month] if asked.month else [])}, reverse=True)


def archivable(page: Page) -> bool:
    """Whether all that is found may be fetched as one file."""
    return 1 < page.total <= ARCHIVED_MOST and page.bytes <= ARCHIVE_BYTES_MOST


def _address(path: str, asked: Asked, *, page: int = 1) -> str:
    query = {
        "kind": asked.kind.value if asked.kind else "",
        "month": asked.month,
        "find": asked.find,
        "page": str(page) if page > 1 else "",
    }
    words = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{words}" if words else path


async def seen(request: Request) -> Response:
    """POST /statements/seen: nothing that the page showed is new any more."""
    session = await session_of(request)
    sent = await forms.read(request, "upto", bound=session.id)
    upto = sent["upto"]
    if not (upto.isascii() and upto.isdecimal() and len(upto) <= _DIGITS):
        raise Malformed("bad_field", field="upto")
    await service.mark_all_seen(request.app.state.ctx, session.account_id, upto=int(upto))
    return RedirectResponse(f"{LIST}?done=seen", status_code=303)


routes = [
    Route(LIST, listing, methods=["GET"]),
    Route(f"{LIST}/seen", seen, methods=["POST"]),
]
