"""The body of an article: Markdown with a few words of our own, read once, shown in any language.

Beside CommonMark and tables it knows ``{#id}`` at the end of a heading, ``{ui:key}`` and
``{app:key}`` (what stands on a screen), ``[[3512]]`` and ``[[3512#id]]`` (other articles),
``![caption](figure:name)`` on a line of its own and ``{figure:name}`` in the text. A part whose
heading's id is one of the article's systems can be folded.

HTML in the source is text; `drawing` makes HTML of what is read here.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

_HEADING_ID: Final = re.compile(r"\s*\{#([a-z][a-z0-9]*(?:-[a-z0-9]+)*)\}\s*$")
_WORD: Final = re.compile(r"\{(ui|app|figure):([A-Za-z0-9_.-]{1,80})\}")
_PLACE: Final = re.compile(r"\[\[([1-9]\d{0,4})(?:#([a-z0-9-]{1,60}))?\]\]")
_FIGURE: Final = "figure:"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reference leads, and what it says."""

    address: str
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure's file."""

    address: str
    width: int
    """As shown, in CSS pixels; the file has twice as many."""
    height: int


class View(Protocol):
    """What an article is shown with: the words, links and figures of one language."""

    @property
    def language(self) -> str:
        """In which screens are quoted; it need not be the article's."""
        ...

    def kind(self, word: str) -> str:
        """``note`` or ``warning``, by the word that such a part begins with."""
        ...

    def word(self, source: str, key: str) -> str | None:
        """What stands on a screen: ``source`` is ``ui`` or ``app``; None: there is no such key."""
        ...

    def place(self, number: int, anchor: str) -> Place | None:
        """Where an article is; None: there is none."""
        ...

    def picture(self, name: str) -> Picture | None:
        """A figure's file; None: there is none."""
        ...

    def figure(self, number: int) -> str:
        """``Figure 3``."""
        ...


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading with an id."""

    id: str
    level: int
    inline: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A body as read: what it is made of, and what it names."""

    tokens: tuple[Token, ...]
    headings: tuple[Heading, ...]
    systems: tuple[str, ...]
    """Ids of the parts that are folded."""
    figures: tuple[str, ...]
    """In their order: the first is Figure 1."""
    mentioned: tuple[str, ...]
    """Figures that the text names."""
    places: tuple[tuple[int, str], ...]
    words: tuple[tuple[str, str], ...]
    steps: tuple[int, ...]
    """How many items each numbered list has."""
    notes: tuple[str, ...]
    """The word in bold that each note begins with; empty: it begins otherwise."""


def read(body: str, systems: Sequence[str] = ()) -> Document:
    """Read a body; ``systems``: ids of headings whose part can be folded."""
    tokens = _notes(_figures(_PARSER.parse(body)))
    inner = [child for token in tokens for child in token.children or ()]
    headings = tuple(
        Heading(str(token.attrs["id"]), int(token.tag[1]), tokens[at + 1])
        for at, token in enumerate(tokens)
        if token.type == "heading_open" and "id" in token.attrs
    )
    return Document(
        tokens=tuple(_folded(tokens, systems)),
        headings=headings,
        systems=tuple(one.id for one in headings if _is_system(one.id, systems)),
        figures=tuple(token.info for token in tokens if token.type == "figure"),
        mentioned=tuple(token.info for token in inner if token.type == "mention"),
        places=tuple(
            (token.meta["number"], token.meta["anchor"]) for token in inner if token.type == "place"
        ),
        words=tuple((token.markup, token.info) for token in inner if token.type == "word"),
        steps=tuple(_steps(tokens)),
        notes=tuple(token.info for token in tokens if token.type == "blockquote_open"),
    )


def plain(document: Document, view: View) -> str:
    """The body as text, block by block on lines of their own: for the search."""
    lines = []
    for token in document.tokens:
        if token.type == "inline":
            lines.append(said(token, document, view))
        elif token.type in ("figure", "fence", "code_block"):
            lines.append(token.content)
    return "\n".join(line.strip() for line in lines if line.strip())


def title_of(document: Document, anchor: str, view: View) -> str | None:
    """What the heading with that id says; None: there is none."""
    for heading in document.headings:
        if heading.id == anchor:
            return said(heading.inline, document, view)
    return None


def said(inline: Token, document: Document, view: View) -> str:
    """One inline token as text."""
    return "".join(_said(child, document, view) for child in inline.children or ())


def filled(text: str, view: View) -> str:
    """A title or a summary with what it quotes from screens."""
    return _WORD.sub(lambda found: view.word(found[1], found[2]) or "…", text)


def _said(token: Token, document: Document, view: View) -> str:
    if token.type == "word":
        return view.word(token.markup, token.info) or "…"
    if token.type == "place":
        place = view.place(token.meta["number"], token.meta["anchor"])
        return place.text if place else "…"
    if token.type == "mention":
        return figure_name(token.info, document.figures, view)
    if token.type in ("softbreak", "hardbreak"):
        return " "
    return token.content


# --- reading -----------------------------------------------------------------------------------


def _word(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  -- the parser's signature
    found = _WORD.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        token = state.push("mention" if found[1] == "figure" else "word", "", 0)
        token.markup, token.info = found[1], found[2]
    state.pos = found.end()
    return True


def _place(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  -- as above
    found = _PLACE.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        token = state.push("place", "", 0)
        token.meta = {"number": int(found[1]), "anchor": found[2] or ""}
    state.pos = found.end()
    return True


def _heading_ids(state: StateCore) -> None:
    for at, token in enumerate(state.tokens):
        if token.type != "heading_open":
            continue
        inline = state.tokens[at + 1]
        found = _HEADING_ID.search(inline.content)
        if found:
            token.attrs["id"] = found[1]
            inline.content = inline.content[: found.start()]


def _figures(tokens: list[Token]) -> list[Token]:
    """A paragraph that holds nothing but a figure becomes one token."""
    made: list[Token] = []
    at = 0
    while at < len(tokens):
        children = tokens[at + 1].children if tokens[at].type == "paragraph_open" else None
        image = children[0] if children and len(children) == 1 else None
        if image and image.type == "image" and str(image.attrs["src"]).startswith(_FIGURE):
            figure = Token("figure", "figure", 0, block=True)
            figure.info = str(image.attrs["src"]).removeprefix(_FIGURE)
            figure.content = image.content
            made.append(figure)
            at += 3
        else:
            made.append(tokens[at])
            at += 1
    return made


def _notes(tokens: list[Token]) -> list[Token]:
    """Each quotation knows the word in bold that it begins with."""
    for at, token in enumerate(tokens):
        if token.type == "blockquote_open":
            children = next((one.children for one in tokens[at:] if one.type == "inline"), None)
            texts = [child for child in children or () if child.type != "text" or child.content]
            if len(texts) > 1 and texts[0].type == "strong_open":
                token.info = texts[1].content.rstrip(":\u202f\u00a0 ：")  # noqa: RUF001  -- Chinese
    return tokens


def _is_system(id: str, systems: Sequence[str]) -> bool:  # noqa: A002  -- HTML's own word
    return any(id == one or id.startswith(f"{one}-") for one in systems)


def _folded(tokens: list[Token], systems: Sequence[str]) -> Iterator[Token]:
    """The parts of one system each, from their heading to the next as high, put into a fold."""
    depth = 0
    for token in tokens:
        if token.type == "heading_open" and token.level == 0:
            level = int(token.tag[1])
            if depth and level <= depth:
                yield Token("fold_close", "details", -1, block=True)
                depth = 0
            id_ = str(token.attrs.get("id", ""))
            if not depth and _is_system(id_, systems):
                opened = Token("fold_open", "details", 1, block=True)
                opened.info = id_
                yield opened
                depth = level
                yield _in_summary(token)
                continue
        yield token
        if token.type == "heading_close" and depth and int(token.tag[1]) == depth:
            yield Token("summary_close", "summary", -1, block=True)
    if depth:
        yield Token("fold_close", "details", -1, block=True)


def _in_summary(heading: Token) -> Token:
    """The fold has the id: a link to it opens it."""
    return heading.copy(type="summary_heading_open", attrs={})


def _steps(tokens: list[Token]) -> Iterator[int]:
    counts: list[int] = []
    kinds: list[str] = []
    for token in tokens:
        if token.type in ("ordered_list_open", "bullet_list_open"):
            kinds.append(token.type)
            counts.append(0)
        elif token.type == "list_item_open":
            counts[-1] += 1
        elif token.type in ("ordered_list_close", "bullet_list_close"):
            kind, count = kinds.pop(), counts.pop()
            if kind == "ordered_list_open":
                yield count


def figure_name(name: str, figures: Sequence[str], view: View) -> str:
    """``Figure 3``, by its place in the article."""
    return view.figure(figures.index(name) + 1) if name in figures else "…"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.core.ruler.before("inline", "heading_ids", _heading_ids)
    parser.inline.ruler.before("link", "place", _place)
    parser.inline.ruler.before("link", "word", _word)
    return parser


_PARSER: Final = _parser()
