"""Who reads, and in which language: from the address where it says one, else as everywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.base.i18n import LANGUAGES, PSEUDO
from vestibule.knowledge import service
from vestibule.knowledge.service import Library
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.web import cookies
from vestibule.web.language import language_of
from vestibule.web.platforms import platform_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_NUMBER: Final = re.compile(r"[1-9]\d{0,4}")
# Codes that other sites use for the same languages.
_ALSO: Final = {"pt-br": "pt", "pt-pt": "pt", "zh": "zh-Hans", "zh-cn": "zh-Hans"}
_BY_LOWER: Final = {code.lower(): code for code in LANGUAGES} | _ALSO
_SYSTEMS: Final = {
    "Android": "android",
    "iOS": "iphone",
    "iPadOS": "iphone",
    "Windows": "windows",
    "macOS": "macos",
    "Linux": "linux",
    "Ubuntu": "linux",
    "Chrome": "chrome",
    "Firefox": "firefox",
    "Firefox iOS": "firefox",
    "Edge": "edge",
    "Safari": "safari",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """One reader of one page."""

    session: Session | None
    language: str
    library: Library
    systems: frozenset[str]
    """The ids of the system and the browser that the page is read with."""


async def reader_of(request: Request, language: str | None = None) -> Reader:
    """Who reads; ``language``: as the page's address says it."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    spoken = language or language_of(request, session.language if session else None)
    platform = platform_of(request.headers.get("user-agent", "")[:400])
    systems = (_SYSTEMS.get(platform.system), _SYSTEMS.get(platform.browser))
    return Reader(
        session=session,
        language=spoken,
        library=service.library(ctx),
        systems=frozenset(one for one in systems if one),
    )


async def _session(request: Request) -> Session | None:
    ctx: Context = request.app.state.ctx
    try:
        return await sessions.session_of(
            ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
        )
    except Refused:
        # Signed in, but from where that does not count. Help is for everybody.
        return None


def language_in(request: Request) -> str:
    """The language in the page's address, as we write it. Raises Refused ``not_found``."""
    asked: str = request.path_params["language"]
    ctx: Context = request.app.state.ctx
    if ctx.settings.test_hooks and asked in PSEUDO:
        return asked
    found = _BY_LOWER.get(asked.lower())
    if found is None:
        raise Refused("not_found")
    return found


def number_in(request: Request) -> int:
    """The number in the page's address. Raises Refused ``not_found``."""
    asked: str = request.path_params["number"]
    if not _NUMBER.fullmatch(asked) or not asked.isascii():
        raise Refused("not_found")
    return int(asked)


def draw(request: Request, reader: Reader, template: str, **view: Any) -> Response:  # noqa: ANN401  -- as render
    """A page of the help."""
    return render(
        request,
        f"knowledge/{template}",
        session=reader.session,
        spoken=reader.language,
        shelf=reader.library,
        **view,
    )
