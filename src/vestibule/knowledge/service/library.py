"""The shelf: every article and figure, read once when the process starts.

Drawn articles are kept: the same for everybody who reads in the same language.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Final

import structlog

from vestibule.base import i18n
from vestibule.base.articles import ARTICLES
from vestibule.base.assets import authenticator_root, knowledge_root
from vestibule.base.context import ArticleNamed, Context
from vestibule.base.settings import Settings
from vestibule.knowledge.rules import (
    TAGS,
    Article,
    ArticleBroken,
    Picture,
    Place,
    Shown,
    parse_article,
)
from vestibule.knowledge.rules.drawing import shown
from vestibule.knowledge.rules.markup import filled, plain, title_of
from vestibule.knowledge.rules.pictures import HEAD, dimensions
from vestibule.knowledge.service.index import Index

_log = structlog.get_logger("vestibule.knowledge")
_FIGURES: Final = "figures"
_FIGURE_FILE: Final = re.compile(r"([a-z0-9-]{1,60})\.(png|webp)")
MEDIA: Final = {"png": "image/png", "webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class FigureFile:
    """A figure's file and where it is served."""

    path: Path
    media: str
    picture: Picture


class Library:
    """Articles by number and language."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Read the folders; an article of a later one takes the place of its namesake."""
        self._articles: dict[int, dict[str, Article]] = {}
        self._figures: dict[tuple[str, str], FigureFile] = {}
        self.broken: list[tuple[Path, str]] = []
        """Files that are no articles, and why: they are left out."""
        for folder in folders:
            self._take(folder)
        self._moved = {
            old: number
            for number, versions in self._articles.items()
            for article in versions.values()
            for old in article.redirects
            if old not in self._articles
        }
        self._by_address = {file.picture.address: file for file in self._figures.values()}
        self._draw = lru_cache(maxsize=2048)(self._drawn)

    def _take(self, folder: Path) -> None:
        found: dict[int, dict[str, Article]] = {}
        for path in sorted(folder.glob("*/*.md")):
            language = path.parent.name
            if language not in i18n.LANGUAGES:
                continue
            try:
                article = parse_article(path.name, path.read_text("utf-8"), language)
            except (ArticleBroken, UnicodeDecodeError) as error:
                self.broken.append((path, str(error)))
                _log.error("knowledge.article_broken", path=str(path), reason=str(error))
                continue
            found.setdefault(article.number, {})[language] = article
        self._articles |= found
        for path in sorted(folder.glob(f"{_FIGURES}/*/*.*")):
            self._take_figure(path)

    def _take_figure(self, path: Path) -> None:
        named = _FIGURE_FILE.fullmatch(path.name)
        if named is None or path.parent.name not in i18n.LANGUAGES:
            return
        content = path.read_bytes()
        size = dimensions(content[:HEAD])
        if size is None:
            self.broken.append((path, "neither PNG nor WebP"))
            return
        mark = hashlib.sha256(content).hexdigest()[:12]
        language = path.parent.name
        address = f"/help/figures/{language}/{named[1]}.{mark}.{named[2]}"
        # Taken at twice the size, for sharp screens.
        picture = Picture(address, max(1, size[0] // 2), max(1, size[1] // 2))
        self._figures[language, named[1]] = FigureFile(path, MEDIA[named[2]], picture)

    # --- what there is ---------------------------------------------------------------------

    @property
    def numbers(self) -> tuple[int, ...]:
        """The number of every article."""
        return tuple(sorted(self._articles))

    def moved(self, number: int) -> int | None:
        """The article that an old number leads to."""
        return self._moved.get(number)

    def languages_of(self, number: int) -> tuple[str, ...]:
        """The languages that an article is written in, in the order of the menu."""
        versions = self._articles.get(number, {})
        return tuple(code for code in i18n.LANGUAGES if code in versions)

    def find(self, number: int, language: str) -> Article | None:
        """An article in that language, else in English, else in any."""
        versions = self._articles.get(number)
        if not versions:
            return None
        return versions.get(language) or versions.get(i18n.DEFAULT) or next(iter(versions.values()))

    def articles(self, language: str, tag: str | None = None) -> list[Article]:
        """Every article for readers of a language, the latest first."""
        found = [one for number in self._articles if (one := self.find(number, language))]
        chosen = [one for one in found if tag is None or tag in one.tags]
        return sorted(chosen, key=lambda one: (one.updated, one.number), reverse=True)

    def tags(self) -> list[str]:
        """The tags that articles have, those with the most articles first."""
        counts = {tag: len(self.articles(i18n.DEFAULT, tag)) for tag in TAGS}
        return sorted((tag for tag in counts if counts[tag]), key=lambda tag: -counts[tag])

    def figure(self, name: str, language: str) -> FigureFile | None:
        """A figure in that language, else in English."""
        return self._figures.get((language, name)) or self._figures.get((i18n.DEFAULT, name))

    def figure_at(self, address: str) -> FigureFile | None:
        """The figure that is served under a path."""
        return self._by_address.get(address)

    # --- as readers see it -----------------------------------------------------------------

    def shown(self, number: int, language: str) -> Shown | None:
        """An article drawn for readers of a language."""
        return self._draw(number, language) if number in self._articles else None

    def _drawn(self, number: int, language: str) -> Shown | None:
        article = self.find(number, language)
        if article is None:
            return None
        view = _View(self, article, language)
        return Shown(
            article=article,
            language=language,
            title=filled(article.title, view),
            summary=filled(article.summary, view),
            html=shown(article.document, view),
            text=plain(article.document, view),
        )

    def title(self, article: Article, language: str) -> str:
        """Its title, without drawing the rest."""
        return filled(article.title, _View(self, article, language))

    def summary(self, article: Article, language: str) -> str:
        """Its summary, without drawing the rest."""
        return filled(article.summary, _View(self, article, language))

    def heading(self, number: int, anchor: str, language: str) -> str | None:
        """What the heading with that id says; None: there is none."""
        article = self.find(number, language)
        if article is None:
            return None
        return title_of(article.document, anchor, _View(self, article, language))

    def named(self, place: str, language: str) -> ArticleNamed | None:
        """`Articles.named`: where ``3862#code-used`` is, for readers of a language."""
        number, _, anchor = place.partition("#")
        article = self.find(int(number), language)
        if article is None:
            return None
        mark = f"#{anchor}" if anchor else ""
        return ArticleNamed(
            address=f"/{language}/article/{article.number}{mark}",
            title=self.title(article, language),
            language=article.language,
        )

    @cached_property
    def index(self) -> Index:
        """The search; what it needs of a language is read when that is first asked for."""
        return Index(self._indexed)

    def _indexed(self, language: str) -> list[tuple[Shown, str]]:
        """Every article with what else it is found by: tags, and the errors that lead to it."""
        errors = _errors_by_article(language)
        found = []
        for number in self.numbers:
            one = self.shown(number, language)
            if one:
                tags = [i18n.t(f"knowledge.tag.{tag}", language) for tag in one.article.tags]
                found.append((one, " ".join((*tags, *errors.get(number, ())))))
        return found


class _View:
    """One article's words, links and figures (`rules.View`)."""

    def __init__(self, shelf: Library, article: Article, language: str) -> None:
        self._shelf = shelf
        self._article = article
        self.language = language

    def kind(self, word: str) -> str:
        """By the words of the article's language: its translator wrote them."""
        warning = i18n.t("knowledge.note.warning", self._article.language)
        known = {i18n.t("knowledge.note.note", self._article.language): "note", warning: "warning"}
        return known.get(word, "note")

    def word(self, source: str, key: str) -> str | None:
        """What stands on the reader's screen, which need not speak the article's language."""
        if source == "ui":
            known = key in i18n.catalogue(i18n.DEFAULT)
            return i18n.t(key, self.language) if known else None
        return app_words(self.language).get(key) or app_words(i18n.DEFAULT).get(key)

    def place(self, number: int, anchor: str) -> Place | None:
        """Another article, or a part of this one."""
        other = self._shelf.find(number, self.language)
        if other is None:
            return None
        heading = self._shelf.heading(number, anchor, self.language) if anchor else None
        mark = f"#{anchor}" if anchor else ""
        if number == self._article.number:
            return Place(mark or "#main", heading or self._shelf.title(other, self.language))
        title = self._shelf.title(other, self.language)
        text = f"{title}: {heading}" if heading else title
        return Place(f"/{self.language}/article/{number}{mark}", text)

    def picture(self, name: str) -> Picture | None:
        """The figure in the language of the article: the two are read together."""
        file = self._shelf.figure(name, self._article.language)
        return file.picture if file else None

    def figure(self, number: int) -> str:
        """``Figure 3``."""
        return i18n.t("knowledge.figure", self._article.language, number=number)


@cache
def app_words(language: str) -> Mapping[str, str]:
    """The phone app's texts in a language; none where it lacks it."""
    path = authenticator_root() / "i18n" / f"{language}.json"
    if language not in i18n.LANGUAGES or not path.is_file():
        return {}
    words: dict[str, str] = json.loads(path.read_text("utf-8"))
    return words


def _errors_by_article(language: str) -> Mapping[int, list[str]]:
    """What the errors say that lead to an article: people paste it into the search."""
    words: dict[int, list[str]] = {}
    portal, app = i18n.catalogue(language), app_words(language)
    for code, place in ARTICLES.items():
        said = words.setdefault(int(place.partition("#")[0]), [])
        said.append(code)
        for text in (portal.get(f"error.{code}.title"), app.get(f"problem.{code}.title")):
            if text:
                said.append(text)
    return words


def open_library(settings: Settings) -> Library:
    """The articles that come along, and beside them the operator's own."""
    folders = [knowledge_root()]
    if settings.knowledge_folder:
        folders.append(settings.knowledge_folder)
    return _opened(*folders)


@cache
def _opened(*folders: Path) -> Library:
    return Library(folders)


def library(ctx: Context) -> Library:
    """The articles of this process."""
    return ctx.articles if isinstance(ctx.articles, Library) else open_library(ctx.settings)
