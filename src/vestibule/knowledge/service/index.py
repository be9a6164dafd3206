"""The search: one table of SQLite's FTS5 a language, in memory, in each process.

A few dozen articles are indexed in a blink, when somebody first searches in a language; there is
nothing to keep in step with the files, and nothing on the disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from vestibule.knowledge.rules import Shown
from vestibule.knowledge.rules.searching import (
    Flat,
    Piece,
    all_of,
    any_of,
    flat,
    marked,
    near,
    segmented,
    snippet,
    telling,
    words,
)

_MOST: Final = 20
_FEW: Final = 8
# How much a word counts in the title, the summary, what people ask, tags and errors, the text. The
# text counts little: a long one has every word of a sentence, and is about none of them.
_RANK: Final = "bm25(article, 10.0, 5.0, 8.0, 4.0, 0.1)"
_HEAD: Final = "{title summary asked terms}"
_CREATE: Final = (
    "CREATE VIRTUAL TABLE article USING fts5(title, summary, asked, terms, body, "
    "tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')"
)
_VOCABULARY: Final = "CREATE VIRTUAL TABLE word USING fts5vocab(article, row)"
_FIND: Final = f"SELECT rowid FROM article WHERE article MATCH ? ORDER BY {_RANK}, rowid LIMIT ?"  # noqa: S608  -- constants


@dataclass(frozen=True, slots=True)
class Found:
    """One article that was found; where it says what was looked for is worked out when asked."""

    shown: Shown
    _text: Flat
    _wanted: tuple[str, ...]

    @property
    def title(self) -> tuple[Piece, ...]:
        """Its title, with the words marked."""
        return marked(self.shown.title, self._wanted)

    @property
    def snippet(self) -> tuple[Piece, ...]:
        """The part of it that says most of them."""
        return snippet(self._text, self._wanted)


class Index:
    """Articles by their words, in every language."""

    def __init__(self, read: Callable[[str], list[tuple[Shown, str]]]) -> None:
        """``read`` gives the articles for a language, each with what else it is found by."""
        self._read = read
        self._tables: dict[str, _Table] = {}
        self._reading = asyncio.Lock()

    async def search(self, query: str, language: str, *, most: int = _MOST) -> list[Found]:
        """What fits best, first; nothing for a query without a word."""
        table = self._tables.get(language)
        if table is None:
            async with self._reading:
                table = self._tables.get(language)
                if table is None:
                    table = await asyncio.to_thread(self._made, language)
                    self._tables[language] = table
        return table.search(query, most)

    def _made(self, language: str) -> _Table:
        return _Table(self._read(language), language)


def _columns(one: Shown, terms: str) -> Iterator[str]:
    asked = " ".join(one.article.asked)
    return (segmented(text) for text in (one.title, one.summary, asked, terms, one.text))


class _Table:
    def __init__(self, articles: list[tuple[Shown, str]], language: str) -> None:
        self._language = language
        self._articles: dict[int, tuple[Shown, Flat]] = {
            one.article.number: (one, flat(f"{one.summary} {one.text}")) for one, _ in articles
        }
        # Made in a thread, asked on the event loop: never by two at a time.
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute(_CREATE)
        self._db.execute(_VOCABULARY)
        self._db.executemany(
            "INSERT INTO article (rowid, title, summary, asked, terms, body) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [(one.article.number, *_columns(one, terms)) for one, terms in articles],
        )

        self._known: dict[str, list[str]] = {}
        for (term,) in self._db.execute("SELECT term FROM word"):
            self._known.setdefault(term[0], []).append(term)

    def search(self, query: str, most: int) -> list[Found]:
        wanted = telling(words(query), self._language)
        if not wanted:
            return []
        anywhere = self._numbers(all_of(wanted), most)
        if not anywhere:
            wanted = tuple(self._near(word) for word in wanted)
            anywhere = self._numbers(all_of(wanted), most)
        # What is about all words, what has most of them, what has all of them somewhere: whole
        # sentences are typed, and every word of one is somewhere in a long text.
        numbers = self._numbers(f"{_HEAD}: ({all_of(wanted)})", most)
        if len(numbers) < _FEW:
            numbers += [*self._numbers(any_of(wanted), _FEW), *anywhere]
        asked = query.strip()
        if asked.isdecimal() and int(asked) in self._articles:
            # Who types an article's number wants that one.
            numbers.insert(0, int(asked))
        return [Found(*self._articles[one], wanted) for one in list(dict.fromkeys(numbers))[:most]]

    def _numbers(self, match: str, most: int) -> list[int]:
        return [row[0] for row in self._db.execute(_FIND, (match, most))]

    def _near(self, word: str) -> str:
        """The word itself where it is known, else one that is written nearly alike."""
        beginning = self._db.execute(
            "SELECT 1 FROM article WHERE article MATCH ? LIMIT 1", (all_of([word]),)
        )
        if beginning.fetchone():
            return word
        return near(word, self._known.get(word[0], ()))
