"""The search: one table of SQLite's FTS5 a language, in memory, in each process.

A few dozen articles are indexed in a blink, when somebody first searches in a language; there is
nothing to keep in step with the files, and nothing on the disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
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
    words,
)

_MOST: Final = 20
_FEW: Final = 8
# How much a word counts in the title, the summary, what else an article is found by, its text.
_RANK: Final = "bm25(article, 10.0, 5.0, 4.0, 1.0)"
_CREATE: Final = (
    "CREATE VIRTUAL TABLE article USING fts5(title, summary, terms, body, "
    "tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')"
)
_VOCABULARY: Final = "CREATE VIRTUAL TABLE word USING fts5vocab(article, row)"
_FIND: Final = f"SELECT rowid FROM article WHERE article MATCH ? ORDER BY {_RANK}, rowid LIMIT ?"  # noqa: S608  -- constants


@dataclass(frozen=True, slots=True)
class Found:
    """One article that was found."""

    shown: Shown
    title: tuple[Piece, ...]
    snippet: tuple[Piece, ...]


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
        return _Table(self._read(language))


class _Table:
    def __init__(self, articles: list[tuple[Shown, str]]) -> None:
        self._articles: dict[int, tuple[Shown, Flat]] = {
            one.article.number: (one, flat(f"{one.summary} {one.text}")) for one, _ in articles
        }
        # Made in a thread, asked on the event loop: never by two at a time.
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute(_CREATE)
        self._db.execute(_VOCABULARY)
        self._db.executemany(
            "INSERT INTO article (rowid, title, summary, terms, body) VALUES (?, ?, ?, ?, ?)",
            [
                (
                    one.article.number,
                    *(segmented(text) for text in (one.title, one.summary, terms, one.text)),
                )
                for one, terms in articles
            ],
        )

        self._known: dict[str, list[str]] = {}
        for (term,) in self._db.execute("SELECT term FROM word"):
            self._known.setdefault(term[0], []).append(term)

    def search(self, query: str, most: int) -> list[Found]:
        wanted = words(query)
        if not wanted:
            return []
        numbers = self._numbers(all_of(wanted), most)
        if not numbers:
            wanted = tuple(self._near(word) for word in wanted)
            numbers = self._numbers(all_of(wanted), most)
        if len(numbers) < _FEW:
            # Whole sentences are typed: what has most of the words follows what has all.
            some = self._numbers(any_of(wanted), _FEW)
            numbers += [number for number in some if number not in numbers]
        asked = query.strip()
        if asked.isdecimal() and int(asked) in self._articles:
            # Who types an article's number wants that one.
            first = int(asked)
            numbers = [first, *(number for number in numbers if number != first)]
        return [self._found(number, wanted) for number in numbers[:most]]

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

    def _found(self, number: int, wanted: tuple[str, ...]) -> Found:
        shown, text = self._articles[number]
        return Found(shown, marked(shown.title, wanted), snippet(text, wanted))
