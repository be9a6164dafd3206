"""What a person looks for, and where an article says it. Pure.

Words are compared without case and diacritics. Chinese and Japanese have no spaces between
words, so that runs of their characters are cut into overlapping pairs, in the articles and in
what is asked for alike.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import Final

from vestibule.knowledge.rules.stop_words import STOP_WORDS

QUERY_MOST: Final = 200
"""Characters of a query that are looked at."""
_WORDS_MOST: Final = 24
_SNIPPET: Final = 180
_PREFIX: Final = 3
_HITS_MOST: Final = 100
_SLIP: Final = 2
_WORD: Final = re.compile(r"\w+")
# Ideographs, kana and full-width letters: written without spaces.
_DENSE: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, and whether it is what was looked for."""

    text: str
    hit: bool


def folded(text: str) -> str:
    """Without case and diacritics, character for character where that is possible."""
    return "".join(_folded(char) for char in text)


@cache
def _folded(char: str) -> str:
    # Kana keep their marks: が is another syllable than か.
    if _DENSE.match(char):
        return char
    base = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))
    # One character stays one, so that places in the folded text are places in the text.
    return base.casefold() if len(base.casefold()) == 1 else char.lower()[:1] or char


def words(query: str) -> tuple[str, ...]:
    """The words looked for, each once, folded and cut."""
    found = _WORD.findall(folded(query[:QUERY_MOST]))
    cut = (piece for word in found for piece in _cut(word))
    return tuple(dict.fromkeys(cut))[:_WORDS_MOST]


def telling(wanted: tuple[str, ...], language: str) -> tuple[str, ...]:
    """Those of the words that say what is looked for; all of them where none does."""
    stop = STOP_WORDS.get(language, STOP_WORDS["en"])
    return tuple(word for word in wanted if word not in stop) or wanted


def segmented(text: str) -> str:
    """A text as the index keeps it: words with spaces between them."""
    return " ".join(piece for word in _WORD.findall(folded(text)) for piece in _cut(word))


def _cut(word: str) -> Iterator[str]:
    at = 0
    for dense in _DENSE.finditer(word):
        if dense.start() > at:
            yield word[at : dense.start()]
        run = dense[0]
        if len(run) == 1:
            yield run
        yield from (run[start : start + 2] for start in range(len(run) - 1))
        at = dense.end()
    if at < len(word):
        yield word[at:]


def all_of(wanted: Sequence[str]) -> str:
    """The index's query for articles that have every word, or one that begins like it."""
    return " AND ".join(_quoted(word) for word in wanted)


def any_of(wanted: Sequence[str]) -> str:
    """The index's query for articles that have some of the words."""
    return " OR ".join(_quoted(word) for word in wanted)


def _quoted(word: str) -> str:
    # Words are letters, digits and underscores: a quotation mark cannot be among them.
    return f'"{word}"*' if _begins(word) else f'"{word}"'


def _begins(word: str) -> bool:
    # Dense writing has no beginnings of words. What is shorter than three letters is a word by
    # itself, not the beginning of half of all words.
    return len(word) >= _PREFIX and not _DENSE.match(word)


@dataclass(frozen=True, slots=True)
class Flat:
    """A text made ready to be looked through: on one line, and folded, place for place."""

    text: str
    level: str


def flat(text: str) -> Flat:
    """A text made ready, once for many queries."""
    line = re.sub(r"\s+", " ", text).strip()
    return Flat(line, folded(line))


def snippet(within: Flat, wanted: Sequence[str]) -> tuple[Piece, ...]:
    """The part of a text that says most of what is looked for, with the words marked."""
    text = within.text
    hits = sorted(islice(_hits(within.level, wanted), _HITS_MOST))
    start = _best(hits)
    if start > 0:
        # From the beginning of a word on.
        start = max(text.rfind(" ", 0, max(0, start - 40)), -1) + 1
    end = min(len(text), start + _SNIPPET)
    if end < len(text) and (gap := text.rfind(" ", start, end)) > start:
        end = gap
    return tuple(_pieces(text, start, end, hits))


def near(word: str, known: Iterable[str]) -> str:
    """The word itself, or the one of those known that is written nearly alike."""
    alike = [one for one in known if abs(len(one) - len(word)) <= _SLIP]
    return next(iter(get_close_matches(word, alike, n=1, cutoff=0.75)), word)


def marked(text: str, wanted: Sequence[str]) -> tuple[Piece, ...]:
    """A whole text with the words marked."""
    return tuple(_pieces(text, 0, len(text), sorted(_hits(folded(text), wanted))))


def _hits(level: str, wanted: Sequence[str]) -> Iterator[tuple[int, int]]:
    for word in wanted:
        edge = "" if _DENSE.match(word) else r"\b"
        pattern = f"{edge}{re.escape(word)}" + (r"\w*" if _begins(word) else edge)
        for found in re.finditer(pattern, level):
            yield found.start(), found.end()


def _best(hits: Sequence[tuple[int, int]]) -> int:
    """Where the stretch begins that has the most hits."""
    starts = [start for start, _ in hits]
    counts = [bisect_left(starts, start + _SNIPPET) - at for at, start in enumerate(starts)]
    return starts[counts.index(max(counts))] if counts else 0


def _pieces(text: str, start: int, end: int, hits: Sequence[tuple[int, int]]) -> Iterator[Piece]:
    if start > 0:
        yield Piece("… ", hit=False)
    at = start
    for begin, stop in hits:
        if begin < at or stop > end:
            continue
        if begin > at:
            yield Piece(text[at:begin], hit=False)
        yield Piece(text[begin:stop], hit=True)
        at = stop
    if at < end:
        yield Piece(text[at:end], hit=False)
    if end < len(text):
        yield Piece(" …", hit=False)
