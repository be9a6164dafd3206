"""An article's page, its old addresses, its figures, and what readers say of it."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from vestibule.base.context import Context
from vestibule.base.errors import Malformed, Refused
from vestibule.base.i18n import LANGUAGES
from vestibule.knowledge import service
from vestibule.knowledge.pages.reader import Reader, draw, language_in, number_in, reader_of
from vestibule.knowledge.rules import SYSTEMS, Shown
from vestibule.knowledge.rules.drawing import fold_mark
from vestibule.web import forms
from vestibule.web.visitor import visitor

_FOREVER: Final = "public, max-age=31536000, immutable"
_ID_LENGTH: Final = 43
WORDS_MOST: Final = service.WORDS_MOST


async def by_number(request: Request) -> Response:
    """GET /article/{number} and /node/{number}: to the article in the reader's language."""
    number = number_in(request)
    reader = await reader_of(request)
    number = _known(reader, number)
    response = RedirectResponse(f"/{reader.language}/article/{number}", status_code=303)
    response.headers["vary"] = "accept-language, cookie"
    return response


def _known(reader: Reader, number: int) -> int:
    """The number of an article that there is. Raises Refused ``not_found``."""
    if reader.library.find(number, reader.language):
        return number
    moved = reader.library.moved(number)
    if moved is None:
        raise Refused("not_found")
    return moved


async def article(request: Request) -> Response:
    """GET /{language}/article/{number}: the article, in that language or another that it says."""
    language, asked = language_in(request), number_in(request)
    reader = await reader_of(request, language)
    number = _known(reader, asked)
    canonical = f"/{language}/article/{number}"
    if request.url.path != canonical:
        return RedirectResponse(canonical, status_code=301)
    shown = reader.library.shown(number, language)
    if shown is None:
        raise Refused("not_found")
    return _page(request, reader, shown)


def _page(request: Request, reader: Reader, shown: Shown) -> Response:
    ctx: Context = request.app.state.ctx
    one = shown.article
    library = reader.library
    given = request.query_params.get("feedback", "")
    folds = _folds(reader, shown)
    return draw(
        request,
        reader,
        "article.html",
        article=one,
        shown=shown,
        # Drawn by `markup.shown`, which lets nothing through that could act.
        html=Markup(_opened(reader, shown)),  # noqa: S704
        folds=folds,
        path_rest=f"/article/{one.number}",
        portal=ctx.settings.portal_url,
        versions=[LANGUAGES[code] for code in library.languages_of(one.number)],
        written_in=LANGUAGES[one.language],
        related=[
            other
            for number in one.related
            if (other := library.find(number, reader.language)) is not None
        ],
        given=given if len(given) == _ID_LENGTH else "",
        thanked=given == "thanks",
        most=WORDS_MOST,
    )


def _folds(reader: Reader, shown: Shown) -> list[tuple[str, str]]:
    """Links to the parts of single systems: id and name, the reader's own first."""
    ids = [one for one in shown.article.document.systems if one in SYSTEMS]
    ids.sort(key=lambda one: one not in reader.systems)
    return [(one, SYSTEMS[one]) for one in ids]


def _opened(reader: Reader, shown: Shown) -> str:
    """The article with the parts unfolded that are the reader's; all where none of them is."""
    html = shown.html
    folds = shown.article.document.systems
    own = [one for one in folds if one.partition("-")[0] in reader.systems]
    for one in own or folds:
        mark = fold_mark(one)
        html = html.replace(mark, f"{mark[:-1]} open>")
    return html


async def figure(request: Request) -> Response:
    """GET /help/figures/{language}/{name}: a figure's file, named after its content."""
    ctx: Context = request.app.state.ctx
    file = service.library(ctx).figure_at(request.url.path)
    if file is None:
        raise Refused("not_found")
    headers = {"cache-control": _FOREVER}
    return Response(file.path.read_bytes(), headers=headers, media_type=file.media)


async def feedback(request: Request) -> Response:
    """POST /{language}/article/{number}/feedback: a yes or a no, then words if there are any."""
    ctx: Context = request.app.state.ctx
    language, number = language_in(request), number_in(request)
    reader = await reader_of(request, language)
    found = reader.library.find(number, language)
    if found is None:
        raise Refused("not_found")
    bound = reader.session.id if reader.session else ""
    sent = await forms.read(request, "helpful", "id", "words", bound=bound)
    if sent["id"]:
        await service.add_words(ctx, id=sent["id"], number=number, words=sent["words"])
        return _to(language, number, "thanks")
    if sent["helpful"] not in ("yes", "no"):
        raise Malformed("bad_field", field="helpful")
    who = visitor(request)
    given = await service.give_feedback(
        ctx,
        number=number,
        language=found.language,
        helpful=sent["helpful"] == "yes",
        account_id=reader.session.account_id if reader.session else None,
        source=who.source,
        address=who.address,
    )
    return _to(language, number, given)


def _to(language: str, number: int, given: str) -> Response:
    address = f"/{language}/article/{number}?feedback={given}#feedback"
    return RedirectResponse(address, status_code=303)
