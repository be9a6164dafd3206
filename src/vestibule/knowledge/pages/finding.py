"""What leads to an article: the start page, four questions, the search, the tags."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from vestibule.base import i18n
from vestibule.base.errors import Refused
from vestibule.knowledge.pages.reader import draw, language_in, number_in, reader_of
from vestibule.knowledge.rules import TAGS
from vestibule.knowledge.rules.finding import QUESTIONS, article_for
from vestibule.knowledge.rules.searching import QUERY_MOST

_LATEST: Final = 6
_A_PAGE: Final = 10
_SUGGESTED: Final = 5


async def start(request: Request) -> Response:
    """GET /help: the search, the questions, the tags, what is new."""
    reader = await reader_of(request)
    library = reader.library
    asked = {name: request.query_params.get(name, "") for name in QUESTIONS}
    guess = {"phone": next((one for one in QUESTIONS["phone"] if one in reader.systems), "")}
    return draw(
        request,
        reader,
        "start.html",
        questions=QUESTIONS,
        chosen={name: asked[name] or guess.get(name, "") for name in QUESTIONS},
        unanswered="unanswered" in request.query_params,
        tags=library.tags(),
        latest=library.articles(reader.language)[:_LATEST],
    )


async def find(request: Request) -> Response:
    """GET /help/find: from the answers to the article, or back where one is missing."""
    reader = await reader_of(request)
    given = {name: request.query_params.get(name, "") for name in QUESTIONS}
    number = article_for(**given)
    if number is None or reader.library.find(number, reader.language) is None:
        kept = "&".join(f"{name}={one}" for name, one in given.items() if one in QUESTIONS[name])
        return RedirectResponse(f"/help?unanswered=&{kept}#finder", status_code=303)
    return RedirectResponse(f"/{reader.language}/article/{number}", status_code=303)


async def search(request: Request) -> Response:
    """GET /help/search?q=: the articles that say it."""
    reader = await reader_of(request)
    query = request.query_params.get("q", "")[:QUERY_MOST]
    found = await reader.library.index.search(query, reader.language)
    return draw(
        request,
        reader,
        "search.html",
        query=query,
        found=found,
        foreign=any(one.shown.article.language != reader.language for one in found),
        tags=reader.library.tags(),
    )


async def suggest(request: Request) -> Response:
    """GET /help/suggest?q=: the few that fit best, for scripts that ask while somebody types."""
    reader = await reader_of(request)
    query = request.query_params.get("q", "")[:QUERY_MOST]
    found = await reader.library.index.search(query, reader.language, most=_SUGGESTED)
    return JSONResponse(
        {
            "articles": [
                {
                    "number": one.shown.article.number,
                    "title": one.shown.title,
                    "summary": one.shown.summary,
                    "address": f"/{reader.language}/article/{one.shown.article.number}",
                    "language": one.shown.article.language,
                }
                for one in found
            ]
        }
    )


async def term(request: Request) -> Response:
    """GET /taxonomy/term/{number}: to the tag of that number."""
    number = number_in(request)
    reader = await reader_of(request)
    for tag, known in TAGS.items():
        if known == number:
            return RedirectResponse(f"/{reader.language}/tag/{tag}", status_code=303)
    raise Refused("not_found")


async def tag(request: Request) -> Response:
    """GET /{language}/tag/{tag}?page=: its articles, the latest first."""
    language = language_in(request)
    asked: str = request.path_params["tag"]
    if asked not in TAGS:
        raise Refused("not_found")
    reader = await reader_of(request, language)
    canonical = f"/{language}/tag/{asked}"
    if request.url.path != canonical:
        return RedirectResponse(canonical, status_code=301)
    listed = reader.library.articles(language, asked)
    pages = max(1, -(-len(listed) // _A_PAGE))
    page = _page(request.query_params.get("page", "1"), pages)
    return draw(
        request,
        reader,
        "tag.html",
        tag=asked,
        name=i18n.t(f"knowledge.tag.{asked}", language),
        listed=listed[(page - 1) * _A_PAGE : page * _A_PAGE],
        page=page,
        pages=pages,
        path_rest=f"/tag/{asked}",
        tags=reader.library.tags(),
    )


def _page(asked: str, pages: int) -> int:
    """The page of that number. Raises Refused ``not_found``: a list does not go on for ever."""
    if not asked.isascii() or not asked.isdecimal() or not 1 <= int(asked[:6]) <= pages:
        raise Refused("not_found")
    return int(asked[:6])
