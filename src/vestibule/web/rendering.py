"""Pages: Jinja templates, compiled once, that escape everything.

Templates lie beside the faces that show them: ``<capability>/templates/<capability>/name.html``.
``components.html`` holds the parts that all of them are built from.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context as Scope
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from vestibule.base import i18n
from vestibule.base.articles import ARTICLES
from vestibule.base.context import ArticleNamed, Articles, Context
from vestibule.web import csrf, language
from vestibule.web.static import asset

# No text of a page holds it, nor could anybody bring it in: what they say is filled in later.
_GAP: Final = "\x00"
_PACKAGE: Final = Path(__file__).resolve().parent.parent
# Address and label of every page under "User settings", in the menu and beside the pages.
_SETTINGS: Final = (
    ("/settings/sign-in", "web.menu.secure_login"),
    ("/settings/phones", "web.menu.phones"),
    ("/settings/factors", "web.menu.factors"),
    ("/settings/recovery", "web.menu.recovery"),
    ("/settings/password", "web.menu.password"),
    ("/settings/contacts", "web.menu.contacts"),
    ("/settings/delivery", "web.menu.delivery"),
    ("/settings/sessions", "web.menu.sessions"),
    ("/settings/networks", "web.menu.networks"),
    ("/settings/hours", "web.menu.hours"),
    ("/settings/language", "web.menu.language"),
    ("/settings/activity", "web.menu.activity"),
)


def settings_page(path: str) -> str | None:
    """The catalogue key of the settings page that a path belongs to."""
    for address, label in _SETTINGS:
        if path == address or path.startswith((f"{address}/", f"{address}?")):
            return label
    return None


class SignedIn(Protocol):
    """What the base template shows of a session: sessions.rules.Session is one."""

    @property
    def id(self) -> str:
        """Binds the page's forms to the session."""
        ...

    @property
    def username(self) -> str:
        """Shown in the menu."""
        ...

    @property
    def display_name(self) -> str:
        """Shown in the menu."""
        ...

    @property
    def unread(self) -> bool:
        """Whether there are notifications that were not seen yet."""
        ...

    @property
    def unread_message(self) -> bool:
        """Whether there are answers of the desk that were not read yet."""
        ...

    @property
    def staff(self) -> bool:
        """Whether the menu leads to the pages of staff."""
        ...

    @property
    def language(self) -> str | None:
        """What the account speaks; None: what its browser asks for."""
        ...


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    session: SignedIn | None = None,
    bound: str = "",
    spoken: str = "",
    own: Mapping[str, str | int] | None = None,
    **view: Any,  # noqa: ANN401  -- a view is whatever its template reads
) -> Response:
    """A page. Its forms are bound to the session, or to ``bound`` before there is one.

    ``spoken``: the page's language, where its address says it and not its reader.
    A page with ``own`` is drawn once for everybody with the same view (hashable), and then only
    filled with what is this visitor's own: values that the template writes and does not look at.
    """
    ctx: Context = request.app.state.ctx
    chosen = getattr(session, "language", None)
    spoken = spoken or language.language_of(request, chosen)
    shown = {
        "session": session,
        "language": spoken,
        "languages": language.choices(ctx),
        "organisation": ctx.settings.organisation,
        "application": ctx.settings.application,
        "path": request.scope["path"],
        "articles": ctx.articles,
    }
    fresh: dict[str, str | int] = {
        "form_token": csrf.token(ctx, session.id if session else bound),
        "now": ctx.clock.now(),
        **(own or {}),
    }
    if own is None:
        text = _drawn(template, shown | fresh | view)
    else:
        text = _fill(_sketch(template, tuple(fresh), tuple((shown | view).items())), fresh)
    response = Response(text, status_code=status, media_type="text/html")
    if chosen and request.cookies.get(language.COOKIE) != chosen:
        # After signing out this browser goes on in the account's language.
        language.remember(response, chosen)
    return response


def _drawn(template: str, view: Mapping[str, Any]) -> str:
    code: str = view["language"]
    found = i18n.language_named(code)
    words: dict[str, Any] = {
        "t": _words(code),
        "counted": _counting(code),
        "read_more": _explaining(view.get("articles"), code),
        "direction": found.direction if found else "ltr",
    }
    return environment().get_template(template).render({**words, **view})


@lru_cache(maxsize=512)
def _sketch(
    template: str, own: tuple[str, ...], view: tuple[tuple[str, Any], ...]
) -> tuple[str, ...]:
    """A page with gaps: text and the names of what belongs between, in turn."""
    gaps = {name: f"{_GAP}{name}{_GAP}" for name in own}
    return tuple(_drawn(template, gaps | dict(view)).split(_GAP))


@cache
def _words(code: str) -> Callable[..., str]:
    def t(key: str, /, **facts: str | int) -> str:
        return i18n.t(key, code, **i18n.spoken(facts, code))

    return t


@cache
def _counting(code: str) -> Callable[..., str]:
    def counted(key: str, count: int, /, **facts: str | int) -> str:
        return i18n.counted(key, code, count, **facts)

    return counted


def _explaining(articles: Articles | None, code: str) -> Callable[[str], ArticleNamed | None]:
    def read_more(error: str) -> ArticleNamed | None:
        """The article that explains an error; None: there is none."""
        place = ARTICLES.get(error)
        return articles.named(place, code) if articles and place else None

    return read_more


def _fill(sketch: tuple[str, ...], own: Mapping[str, str | int]) -> str:
    parts = list(sketch)
    parts[1::2] = [escape(own[name]) for name in sketch[1::2]]
    return "".join(parts)


@cache
def environment() -> Environment:
    """The templates of the house, all compiled, so that a broken one stops the start."""
    folders = sorted(_PACKAGE.glob("*/templates"))
    made = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        cache_size=-1,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=asset, settings_pages=_SETTINGS)
    made.filters.update(
        moment=moment,
        browser=browser,
        grouped=grouped,
        host=_host,
        size=size,
        day=day,
        lasting=lasting,
    )
    for name in made.list_templates(extensions=["html"]):
        made.get_template(name)
    return made


@pass_context
def moment(scope: Scope, at: int) -> Markup:
    """A time (ms) as an element that the page's script turns into the reader's own time."""
    when = datetime.fromtimestamp(at / 1000, UTC)
    words = i18n.moment(at, scope["language"])
    return Markup('<time datetime="{}">{}</time>').format(f"{when:%Y-%m-%dT%H:%M:%SZ}", words)


@pass_context
def lasting(scope: Scope, seconds: int) -> str:
    """A length of time as people say it."""
    return i18n.duration(seconds, scope["language"])


@pass_context
def size(scope: Scope, count: int) -> str:
    """Bytes as people say them."""
    return i18n.size(count, scope["language"])


@pass_context
def day(scope: Scope, written: str) -> str:
    """``2026-11-22`` or ``2026-11`` as the page's language writes it."""
    return i18n.day(written, scope["language"])


@pass_context
def browser(scope: Scope, label: str) -> str:
    """``Firefox on Windows``, which is how it is stored, in the page's language."""
    return browser_in(label, scope["language"])


def browser_in(label: str, code: str) -> str:
    """As the filter, for what is no page."""
    name, on, system = label.partition(" on ")
    if label == "Unknown browser":
        return i18n.t("web.browser.unknown", code)
    return i18n.t("web.browser.on", code, browser=name, system=system) if on else label


def _host(origin: str) -> str:
    return origin.partition("://")[2]


def grouped(digits: str, size: int) -> Markup:
    """Digits in groups, for the eye only: copied or read aloud it is still one number."""
    parts = [digits[start : start + size] for start in range(0, len(digits), size)]
    return Markup("").join(Markup("<span>{}</span>").format(escape(part)) for part in parts)
