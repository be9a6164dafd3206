"""An article's body as HTML.

What comes out goes through a sanitiser, although HTML in the source is text: operators write
articles too, and a fault of the parser must not become a script on the page of a sign-in.
"""

from collections.abc import Sequence
from typing import Any, Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from vestibule.knowledge.rules.markup import Document, View, figure_name

_TAGS: Final = {
    *("p", "br", "hr", "h2", "h3", "h4", "ul", "ol", "li", "blockquote", "pre", "code"),
    *("em", "strong", "a", "img", "figure", "figcaption", "details", "summary", "span", "div"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES: Final = {
    "*": {"id"},
    "a": {"href", "rel", "target"},
    "img": {"src", "alt", "width", "height", "loading"},
    "ol": {"start"},
    "span": {"lang"},
}
_CLASSES: Final = {
    "blockquote": {"note", "warning"},
    "details": {"system"},
    "span": {"label"},
    "div": {"wide"},
}


def shown(document: Document, view: View) -> str:
    """The body as HTML that any page may hold."""
    env = {"view": view, "figures": document.figures}
    html = _DRAWN.renderer.render(list(document.tokens), _DRAWN.options, env)
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        url_schemes={"https", "mailto"},
        link_rel=None,
    )


def _word_shown(_: RendererHTML, tokens: Sequence[Token], at: int, __: Any, env: Any) -> str:  # noqa: ANN401  -- the parser's signature
    view: View = env["view"]
    text = view.word(tokens[at].markup, tokens[at].info) or "…"
    return f'<span class="label" lang="{escapeHtml(view.language)}">{escapeHtml(text)}</span>'


def _place_shown(_: RendererHTML, tokens: Sequence[Token], at: int, __: Any, env: Any) -> str:  # noqa: ANN401  -- as above
    view: View = env["view"]
    place = view.place(tokens[at].meta["number"], tokens[at].meta["anchor"])
    if place is None:
        return "…"
    return f'<a href="{escapeHtml(place.address)}">{escapeHtml(place.text)}</a>'


def _mention_shown(_: RendererHTML, tokens: Sequence[Token], at: int, __: Any, env: Any) -> str:  # noqa: ANN401  -- as above
    name = tokens[at].info
    text = escapeHtml(figure_name(name, env["figures"], env["view"]))
    return f'<a href="#figure-{escapeHtml(name)}">{text}</a>'


def _figure_shown(_: RendererHTML, tokens: Sequence[Token], at: int, __: Any, env: Any) -> str:  # noqa: ANN401  -- as above
    view: View = env["view"]
    name = escapeHtml(tokens[at].info)
    said_ = escapeHtml(tokens[at].content)
    number = escapeHtml(figure_name(tokens[at].info, env["figures"], view))
    picture = view.picture(tokens[at].info)
    image = ""
    if picture:
        image = (
            f'<img src="{escapeHtml(picture.address)}" width="{picture.width}" '
            f'height="{picture.height}" alt="" loading="lazy">'
        )
    # The caption says what is to be seen, so that the image itself needs no second text.
    caption = f"<figcaption><strong>{number}.</strong> {said_}</figcaption>"
    return f'<figure id="figure-{name}">{image}{caption}</figure>\n'


def _note_shown(_: RendererHTML, tokens: Sequence[Token], at: int, __: Any, env: Any) -> str:  # noqa: ANN401  -- as above
    kind = env["view"].kind(tokens[at].info)
    return f'<blockquote class="{escapeHtml(kind)}">\n'


def _link_shown(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    at: int,
    options: Any,  # noqa: ANN401  -- as above
    env: Any,  # noqa: ANN401  -- as above
) -> str:
    if str(tokens[at].attrs.get("href", "")).startswith("https:"):
        tokens[at].attrs |= {"target": "_blank", "rel": "noopener"}
    return renderer.renderToken(tokens, at, options, env)


def _fixed(html: str) -> Any:  # noqa: ANN401  -- as above
    def rule(*_: object) -> str:
        return html

    return rule


def _fold_shown(_: RendererHTML, tokens: Sequence[Token], at: int, *__: object) -> str:
    return f"{fold_mark(tokens[at].info)}<summary>"


def fold_mark(id: str) -> str:  # noqa: A002  -- HTML's own word
    """The opening tag of the part with that id, as `shown` writes it."""
    return f'<details class="system" id="{id}">'


def _summary_heading(_: RendererHTML, tokens: Sequence[Token], at: int, *__: object) -> str:
    return f"<{tokens[at].tag}>"


def _drawn() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False})
    for name, rule in (
        ("word", _word_shown),
        ("place", _place_shown),
        ("mention", _mention_shown),
        ("figure", _figure_shown),
        ("blockquote_open", _note_shown),
        ("link_open", _link_shown),
        ("fold_open", _fold_shown),
        ("fold_close", _fixed("</details>\n")),
        ("summary_heading_open", _summary_heading),
        ("summary_close", _fixed("</summary>\n")),
        ("table_open", _fixed('<div class="wide"><table>\n')),
        ("table_close", _fixed("</table></div>\n")),
    ):
        parser.add_render_rule(name, rule)
    return parser


_DRAWN: Final = _drawn()
