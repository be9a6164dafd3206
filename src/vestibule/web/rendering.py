"""Pages: Jinja templates, compiled once, that escape everything.

Templates lie beside the faces that show them: ``<capability>/templates/<capability>/name.html``.
``components.html`` holds the parts that all of them are built from.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from vestibule.base.context import Context
from vestibule.base.i18n import t
from vestibule.web import csrf
from vestibule.web.static import asset

# No text of a page holds it, nor could anybody bring it in: what they say is filled in later.
_GAP: Final = "\x00"
_PACKAGE: Final = Path(__file__).resolve().parent.parent
# Address and label of every page under "User settings", in the menu and beside the pages.
_SETTINGS: Final = (
    ("/settings/sign-in", t("web.menu.secure_login")),
    ("/settings/phones", t("web.menu.phones")),
    ("/settings/password", t("web.menu.password")),
    ("/settings/sessions", t("web.menu.sessions")),
    ("/settings/activity", t("web.menu.activity")),
)


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


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    session: SignedIn | None = None,
    bound: str = "",
    own: Mapping[str, str | int] | None = None,
    **view: Any,  # noqa: ANN401  -- a view is whatever its template reads
) -> Response:
    """A page. Its forms are bound to the session, or to ``bound`` before there is one.

    A page with ``own`` is drawn once for everybody with the same view (hashable), and then only
    filled with what is this visitor's own: values that the template writes and does not look at.
    """
    ctx: Context = request.app.state.ctx
    shown = {
        "session": session,
        "organisation": ctx.settings.organisation,
        "application": ctx.settings.application,
        "path": request.scope["path"],
    }
    fresh: dict[str, str | int] = {
        "form_token": csrf.token(ctx, session.id if session else bound),
        "now": ctx.clock.now(),
        **(own or {}),
    }
    if own is None:
        text = environment().get_template(template).render(shown | fresh | view)
    else:
        text = _fill(_sketch(template, tuple(fresh), tuple((shown | view).items())), fresh)
    return Response(text, status_code=status, media_type="text/html")


@lru_cache(maxsize=256)
def _sketch(
    template: str, own: tuple[str, ...], view: tuple[tuple[str, Any], ...]
) -> tuple[str, ...]:
    """A page with gaps: text and the names of what belongs between, in turn."""
    gaps = {name: f"{_GAP}{name}{_GAP}" for name in own}
    return tuple(environment().get_template(template).render(gaps | dict(view)).split(_GAP))


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
    made.globals.update(t=t, asset=asset, settings_pages=_SETTINGS)
    made.filters.update(moment=moment, grouped=grouped, host=_host)
    for name in made.list_templates(extensions=["html"]):
        made.get_template(name)
    return made


def moment(at: int) -> Markup:
    """A time (ms) as an element that the page's script turns into the reader's own time."""
    when = datetime.fromtimestamp(at / 1000, UTC)
    words = f"{when.day} {when:%b %Y, %H:%M} UTC"
    return Markup('<time datetime="{}">{}</time>').format(f"{when:%Y-%m-%dT%H:%M:%SZ}", words)


def _host(origin: str) -> str:
    return origin.partition("://")[2]


def grouped(digits: str, size: int) -> Markup:
    """Digits in groups, for the eye only: copied or read aloud it is still one number."""
    parts = [digits[start : start + size] for start in range(0, len(digits), size)]
    return Markup("").join(Markup("<span>{}</span>").format(escape(part)) for part in parts)
