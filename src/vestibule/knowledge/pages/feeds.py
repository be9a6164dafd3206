"""What is new, as a feed: in each language, of everything or of one tag."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from vestibule.base import i18n
from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.knowledge import service
from vestibule.knowledge.pages.reader import language_in
from vestibule.knowledge.rules import TAGS, Shown
from vestibule.knowledge.rules.feeds import Entry, Feed, written

_MOST: Final = 30
_KEPT: Final = "public, max-age=600"
_PATH: Final = re.compile(r'(href|src)="(/|#)')


async def feed(request: Request) -> Response:
    """GET /{language}/feed and /{language}/tag/{tag}/feed: an Atom document."""
    ctx: Context = request.app.state.ctx
    language = language_in(request)
    tag: str | None = request.path_params.get("tag")
    if tag is not None and tag not in TAGS:
        raise Refused("not_found")
    document = _document(ctx, language, tag)
    mark = f'"{hashlib.sha256(document).hexdigest()[:32]}"'
    headers = {"etag": mark, "cache-control": _KEPT}
    if mark in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(document, headers=headers, media_type="application/atom+xml")


def _document(ctx: Context, language: str, tag: str | None) -> bytes:
    library = service.library(ctx)
    portal = ctx.settings.portal_url
    listed = library.articles(language, tag)[:_MOST]
    shown = [one for a in listed if (one := library.shown(a.number, language))]
    title = i18n.t("knowledge.feed.title", language, organisation=ctx.settings.organisation)
    if tag:
        title = f"{title}: {i18n.t(f'knowledge.tag.{tag}', language)}"
    path = f"/{language}/tag/{tag}" if tag else f"/{language}"
    return written(
        Feed(
            address=f"{portal}{path}/feed",
            page=f"{portal}{path}" if tag else f"{portal}/help",
            language=language,
            title=title,
            author=ctx.settings.organisation,
            entries=[_entry(one, language, portal) for one in shown],
        )
    )


def _entry(one: Shown, language: str, portal: str) -> Entry:
    address = f"{portal}/{language}/article/{one.article.number}"

    def absolute(found: re.Match[str]) -> str:
        return f'{found[1]}="{address}#' if found[2] == "#" else f'{found[1]}="{portal}/'

    return Entry(
        address=address,
        language=one.article.language,
        title=one.title,
        summary=one.summary,
        html=_PATH.sub(absolute, one.html),
        updated=one.article.updated,
        tags=[(tag, i18n.t(f"knowledge.tag.{tag}", language)) for tag in one.article.tags],
    )
