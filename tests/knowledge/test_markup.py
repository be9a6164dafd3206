"""What an article's Markdown becomes, and what it can never become."""

import re

import pytest
from hypothesis import given, strategies as st

from vestibule.knowledge.rules import SYSTEMS, Picture, Place
from vestibule.knowledge.rules.drawing import shown
from vestibule.knowledge.rules.markup import plain, read, title_of


class Screens:
    """Words, links and figures that show what was asked for."""

    language = "de"

    def kind(self, word: str) -> str:
        """In English."""
        return "warning" if word == "Warning" else "note"

    def word(self, source: str, key: str) -> str | None:
        """The key itself, in angle brackets to be escaped."""
        return None if key == "none" else f"<{source} {key}>"

    def place(self, number: int, anchor: str) -> Place | None:
        """Every article but one."""
        return None if number == 404 else Place(f"/en/article/{number}#{anchor}", f"No. {number}")

    def picture(self, name: str) -> Picture | None:
        """Every figure but one."""
        return None if name == "none" else Picture(f"/help/figures/en/{name}.png", 390, 844)

    def figure(self, number: int) -> str:
        """As in English."""
        return f"Figure {number}"


VIEW = Screens()


def html(body: str, *systems: str) -> str:
    """A body as HTML."""
    return shown(read(body, systems), VIEW)


def test_screen_words_are_quoted_in_the_readers_language() -> None:
    """Marked as such, escaped, and never inside code."""
    made = html("Press **{ui:a.b}** and {app:c_d}, type `{ui:a.b}`. {ui:none} {ui: x} {other:y}")
    assert '<strong><span class="label" lang="de">&lt;ui a.b&gt;</span></strong>' in made
    assert '<span class="label" lang="de">&lt;app c_d&gt;</span>' in made
    assert "<code>{ui:a.b}</code>" in made
    assert ">…</span> {ui: x} {other:y}" in made


def test_articles_are_named_by_their_title() -> None:
    """With the address of the part that is meant; what is not there shows as such."""
    made = html("See [[3512]], [[3512#chrome]], [[404]], [[x]], [[0]] and `[[3512]]`.")
    assert '<a href="/en/article/3512#">No. 3512</a>' in made
    assert '<a href="/en/article/3512#chrome">No. 3512</a>' in made
    assert ", …, [[x]], [[0]] and <code>[[3512]]</code>." in made


def test_figures_are_numbered_in_their_order_and_named_in_the_text() -> None:
    """Also where the text comes first; the caption says what is to be seen."""
    made = html(
        "As {figure:b} shows, not {figure:c}.\n\n![One](figure:a)\n\n![Two <x>](figure:b)\n"
    )
    assert 'As <a href="#figure-b">Figure 2</a> shows, not <a href="#figure-c">…</a>.' in made
    assert '<figure id="figure-a"><img src="/help/figures/en/a.png" width="390"' in made
    assert "<strong>Figure 2.</strong> Two &lt;x&gt;</figcaption>" in made


def test_figure_without_a_file_keeps_its_caption() -> None:
    """The text goes on speaking of it."""
    made = html("![One](figure:none)")
    assert "<img" not in made
    assert "<strong>Figure 1.</strong> One" in made


def test_figure_stands_inside_the_step_that_it_belongs_to() -> None:
    """The numbers of the steps go on behind it."""
    made = html("1. First\n\n   ![One](figure:a)\n\n2. Second\n")
    assert made.count("<ol>") == 1
    assert made.index("<figure") < made.index("</li>") < made.index("Second")


def test_headings_have_the_ids_that_they_are_given() -> None:
    """And none that nobody gave."""
    document = read("## One {#one}\n\n### **Two** {ui:x} {#two-2}\n\n## Three\n\n## {#x} Four\n")
    assert [(one.id, one.level) for one in document.headings] == [("one", 2), ("two-2", 3)]
    assert title_of(document, "two-2", VIEW) == "Two <ui x>"
    assert title_of(document, "three", VIEW) is None
    assert "<h2>Three</h2>" in shown(document, VIEW)


def test_parts_of_single_systems_are_folded_until_the_next_heading_as_high() -> None:
    """The fold carries the id, so that a link to it opens it."""
    body = (
        "## All\n\n### Chrome {#chrome}\n\nA\n\n#### More\n\n### Edge {#edge-more}\n\nB\n\n## End\n"
    )
    made = html(body, "chrome", "edge")
    assert re.sub(r"\n", "", made) == (
        '<h2>All</h2><details class="system" id="chrome"><summary><h3>Chrome</h3></summary>'
        "<p>A</p><h4>More</h4></details>"
        '<details class="system" id="edge-more"><summary><h3>Edge</h3></summary><p>B</p></details>'
        "<h2>End</h2>"
    )
    assert "details" not in html(body)


def test_notes_and_warnings_are_told_apart_by_their_first_word() -> None:
    """In the words of the article's language; a quotation is a note as well."""
    made = html("> **Note:** a\n\n> **Warning:** b\n\n> c\n")
    assert re.findall(r'<blockquote class="(\w+)">', made) == ["note", "warning", "note"]
    assert read("> **Note:** a\n\n> b").notes == ("Note", "")


def test_tables_can_be_wider_than_the_page() -> None:
    """They scroll by themselves."""
    made = html("| a | b |\n|--:|---|\n| 1 | 2 |\n")
    assert made.startswith('<div class="wide"><table>')
    assert "style" not in made


def test_text_for_the_search_has_every_word_once() -> None:
    """Captions, code and cells too, without any markup."""
    body = "## One {#one}\n\n1. **Bold** {ui:a}\n\n![Cap](figure:f)\n\n    code\n\n|x|\n|-|\n|y|\n"
    assert plain(read(body), VIEW).split("\n") == ["One", "Bold <ui a>", "Cap", "code", "x", "y"]


def test_what_a_document_names_is_known_before_it_is_shown() -> None:
    """Checks of a whole library rest on it."""
    document = read(
        "{ui:a} [[7#b]] {figure:f} **{app:c}**\n\n1. x\n   1. y\n2. z\n\n![F](figure:f)"
    )
    assert document.words == (("ui", "a"), ("app", "c"))
    assert document.places == ((7, "b"),)
    assert (document.figures, document.mentioned) == (("f",), ("f",))
    assert document.steps == (1, 2)


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:x)",
    "![x](javascript:alert(1))",
    '![x](figure:a"onerror="alert)',
    '!["><script>alert(1)</script>](figure:a)',
    '{ui:"><script>alert(1)</script>}',
    '{figure:"onclick=x}',
    '[[1#"onclick=x]]',
    '## x {#"onclick=x}',
    '<https://x.example/"onclick=x>',
    "[a]: javascript:alert(1)\n\n[a]",
    '```"onclick=x\n<script>\n```',
    "<!-- --!><script>alert(1)</script> -->",
    "<details open ontoggle=alert(1)>",
    "<style>*{}</style><link rel=stylesheet href=//x><base href=//x><form action=//x><input>",
    "[x](//evil.example/y)",
]
ALLOWED = re.compile(
    r"</?(?:p|br|hr|h[234]|ul|ol|li|blockquote|pre|code|em|strong|a|img|figure|figcaption|"
    r"details|summary|span|div|table|thead|tbody|tr|th|td)(?: [a-z]+=\"[^\"<>]*\")*>"
)
ATTRIBUTES = {
    *("id", "href", "rel", "target", "src", "alt", "width", "height", "loading", "start", "lang"),
    "class",
}


def harmless(made: str) -> None:
    """Nothing but known tags with known attributes; no address that runs anything."""
    for tag in re.findall(r"<[^>]*>", made):
        assert ALLOWED.fullmatch(tag), tag
        for name, value in re.findall(r' ([a-z]+)="([^"]*)"', tag):
            assert name in ATTRIBUTES, tag
            if name in ("href", "src"):
                assert re.match(r"(?:https:|mailto:|/|#|[\w%.-]*$)", value), tag


@pytest.mark.parametrize("body", HOSTILE)
def test_hostile_markdown_is_text(body: str) -> None:
    """Operators write articles too: whatever stands in them, no script comes out."""
    harmless(html(body, *SYSTEMS))
    harmless(html(f"- {body}\n\n> {body}\n\n|{body}|\n|-|\n|{body}|\n", *SYSTEMS))


@given(
    st.lists(
        st.sampled_from(
            [
                *HOSTILE,
                *("{", "}", "[[", "]]", "[", "](", ")", "<", ">", '"', "'", "`", "\n", "\n\n"),
                *("    ", "# ", "## ", "{#", "> ", "1. ", "![", "figure:", "{ui:a"),
                *("*", "**", "|", "\\", "a"),
            ]
        ),
        max_size=14,
    ).map("".join)
)
def test_any_mixture_of_markdown_is_harmless(body: str) -> None:
    """Broken, nested, cut: what comes out has known tags and attributes only."""
    harmless(html(body, "chrome"))
