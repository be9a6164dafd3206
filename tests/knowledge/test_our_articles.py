"""Every link, reference, anchor, figure, screen word and language of the articles is checked."""

import itertools
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from vestibule.base.articles import ARTICLES
from vestibule.base.assets import authenticator_root, knowledge_root
from vestibule.base.errors import CODES
from vestibule.base.i18n import DEFAULT, LANGUAGES, catalogue
from vestibule.knowledge.rules import SYSTEMS, Article, parse_article
from vestibule.knowledge.service import Library

ROOT = knowledge_root()
TRANSLATED = ("it", "fr", "es", "pt")
RESERVED = {"main", "article", "feedback", "related", "search", "found", "q", "finder", "latest"}


def files(language: str) -> list[Path]:
    """The articles of a language."""
    return sorted((ROOT / language).glob("*.md"))


def read(path: Path) -> Article:
    """One article, strictly."""
    return parse_article(path.name, path.read_text("utf-8"), path.parent.name)


ENGLISH = {article.number: article for article in map(read, files(DEFAULT))}
EVERY = [path for language in LANGUAGES for path in files(language)]
PHONE = json.loads((authenticator_root() / "i18n" / "en.json").read_text("utf-8"))


def anchors(article: Article) -> list[str]:
    """Every id in its body."""
    return [heading.id for heading in article.document.headings]


def name(path: Path) -> str:
    """A short name of a parametrized case."""
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_references_and_screen_words_lead_somewhere(path: Path) -> None:
    """To an article and a part that there is; to a text without facts that stands on a screen."""
    article = read(path)
    document = article.document
    for number, anchor in document.places:
        assert number in ENGLISH, f"[[{number}]]"
        assert not anchor or anchor in anchors(ENGLISH[number]), f"[[{number}#{anchor}]]"
    words = [*document.words]
    for text in (article.title, article.summary):
        words += re.findall(r"\{(ui|app):([\w.-]+)\}", text)
    for source, key in words:
        texts = catalogue(DEFAULT) if source == "ui" else PHONE
        assert key in texts, f"{{{source}:{key}}}"
        assert "{" not in texts[key], f"{{{source}:{key}}} has facts: {texts[key]}"
    for number in article.related:
        assert number in ENGLISH, f"related: {number}"
        assert number != article.number


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_every_sign_of_ours_is_understood(path: Path) -> None:
    """A slip in one of them would stand in the text as it is."""
    article = read(path)
    body = re.sub(r"```.*?```|`[^`\n]*`", "", article.body, flags=re.DOTALL)
    document = article.document
    assert len(re.findall(r"\[\[", body)) == len(document.places)
    assert len(re.findall(r"\{#", body)) == len(document.headings)
    expected = len(document.words) + len(document.mentioned)
    assert len(re.findall(r"\{(?!#)", body)) == expected, re.findall(r"\{[^}]*\}?", body)
    assert body.count("](figure:") == len(document.figures), "a figure stands on its own line"


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_anchors_are_each_once_and_nobody_elses(path: Path) -> None:
    """The page around the article has ids of its own."""
    article = read(path)
    counts = Counter(anchors(article))
    assert [id_ for id_, count in counts.items() if count > 1] == []
    assert not RESERVED & counts.keys()
    assert not [id_ for id_ in counts if id_.startswith(("figure-", "help-"))]
    named = {one.partition("-")[0] for one in article.document.systems}
    assert named <= set(article.systems)
    if len(article.systems) > 1 and article.document.systems:
        assert named == set(article.systems), "each system that is told apart has its part"


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_figures_are_there_in_the_articles_language(path: Path) -> None:
    """Each once, and each that the text names is shown."""
    article = read(path)
    document = article.document
    assert len(set(document.figures)) == len(document.figures)
    assert set(document.mentioned) <= set(document.figures)
    for figure in document.figures:
        found = list((ROOT / "figures" / article.language).glob(f"{figure}.*"))
        assert len(found) == 1, f"figure:{figure}"


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_notes_begin_with_one_of_two_words(path: Path) -> None:
    """Those of the article's language."""
    article = read(path)
    texts = catalogue(article.language)
    known = {texts[f"knowledge.note.{kind}"] for kind in ("note", "warning")}
    assert set(article.document.notes) <= known


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_external_links_are_secure(path: Path) -> None:
    """And few: other people's pages move."""
    links = re.findall(r"\]\((?!figure:)([^)]*)\)", read(path).body)
    assert all(link.startswith("https://") for link in links), links


@pytest.mark.parametrize("path", [p for p in EVERY if p.parent.name != DEFAULT], ids=name)
def test_translation_is_of_the_same_article(path: Path) -> None:
    """The same number, name, tags, anchors, figures, references and steps; not older."""
    article = read(path)
    english = ENGLISH[article.number]
    assert article.slug == english.slug
    assert (article.tags, article.systems) == (english.tags, english.systems)
    assert article.related == english.related
    assert article.redirects == ()
    assert article.updated >= english.updated
    mine, theirs = article.document, english.document
    assert anchors(article) == anchors(english)
    assert (mine.figures, mine.steps, len(mine.notes)) == (
        theirs.figures,
        theirs.steps,
        len(theirs.notes),
    )
    assert sorted(mine.places) == sorted(theirs.places)
    assert sorted(mine.words) == sorted(theirs.words)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_article_is_translated(language: str) -> None:
    """Into the five languages of the help."""
    assert {read(path).number for path in files(language)} == ENGLISH.keys()


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_every_article_says_what_people_ask(path: Path) -> None:
    """In its own language, each once."""
    asked = [phrase.casefold() for phrase in read(path).asked]
    assert len(asked) >= 2
    assert len(set(asked)) == len(asked)


def test_numbers_and_names_are_each_one_articles() -> None:
    """Old numbers too: a link leads to one article."""
    names = Counter(article.slug for article in ENGLISH.values())
    assert max(names.values()) == 1
    assert len(ENGLISH) == len(files(DEFAULT))
    old = [number for article in ENGLISH.values() for number in article.redirects]
    assert len(old) == len(set(old))
    assert not set(old) & ENGLISH.keys()


@pytest.mark.parametrize("number", ENGLISH)
def test_article_says_what_any_article_says(number: int) -> None:
    """An overview first, headings for problems under one heading, in order of their levels."""
    document = ENGLISH[number].document
    levels = [int(token.tag[1]) for token in document.tokens if token.type == "heading_open"]
    assert levels[0] == 2
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_every_code_is_explained_by_a_part_of_an_article() -> None:
    """Of the portal and of the phone app, and nothing else is in the table."""
    app = {key.split(".")[1] for key in PHONE if re.fullmatch(r"problem\.\w+\.title", key)}
    assert set(ARTICLES) == set(CODES) | app
    assert list(ARTICLES) == sorted(ARTICLES)


@pytest.mark.parametrize("language", [DEFAULT, *TRANSLATED])
def test_explanation_of_each_code_is_there_in_the_language(language: str) -> None:
    """The article and the part; both lead there when something went wrong."""
    here = {article.number: set(anchors(article)) for article in map(read, files(language))}
    missing = []
    for code, place in ARTICLES.items():
        number, mark, anchor = place.partition("#")
        if not mark or anchor not in here.get(int(number), set()):
            missing.append(f"{code}: {place}")
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_article_is_drawn_for_every_reader(ours: Library, language: str) -> None:
    """Without a gap where a word, a link or a figure should be."""
    for number in ours.numbers:
        drawn = ours.shown(number, language)
        assert drawn is not None
        # Three dots are what stands for something that is missing.
        for gap in (">…<", "<p>…"):
            assert gap not in drawn.html, number
        assert "{" not in re.sub(r"<code>.*?</code>", "", drawn.html, flags=re.DOTALL), number
        assert drawn.html.count("<figure") == len(drawn.article.document.figures)


def test_systems_have_names_that_readers_know() -> None:
    """The ids of `systems` are the addresses of parts: they never change."""
    assert list(SYSTEMS) == [
        *("android", "iphone", "windows", "macos", "linux"),
        *("chrome", "firefox", "edge", "safari"),
    ]
