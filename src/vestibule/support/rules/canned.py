"""Answers that are kept ready, in the client's language where there is one. Pure."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from vestibule.base.errors import Refused
from vestibule.support.rules.texts import clean_subject, clean_text

NAME_MOST: Final = 60
"""Characters of a name."""
FACTS: Final = ("client", "number", "member")
"""What a text may hold in braces: filled in when it is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canned:
    """One answer in one language."""

    id: str
    name: str
    """What staff calls it, the same in every language."""
    language: str
    text: str
    version: int
    changed_at: int
    """Milliseconds since the epoch."""
    changed_by: str
    """The name of who changed it last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """One answer as it is offered for a client."""

    id: str
    name: str
    language: str
    """Of its text."""
    text: str
    fallback: bool
    """Whether that is not the client's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All texts of one answer."""

    name: str
    texts: tuple[Canned, ...]
    missing: tuple[str, ...]
    """Languages that it lacks."""


def name_key(name: str) -> str:
    """By what two names are the same."""
    return unicodedata.normalize("NFKC", name).casefold()


def clean_name(typed: str) -> str:
    """One line of it. Raises Refused ``canned_name``."""
    try:
        line = clean_subject(typed)
    except Refused:
        raise Refused("canned_name", most=NAME_MOST) from None
    if len(line) > NAME_MOST:
        raise Refused("canned_name", most=NAME_MOST)
    return line


def clean_answer(typed: str) -> str:
    """Its lines. Raises Refused ``desk_text``."""
    return clean_text(typed)


def known_language(code: str, languages: Collection[str]) -> str:
    """The language itself. Raises Refused ``canned_language`` for one that nobody can choose."""
    if code not in languages:
        raise Refused("canned_language")
    return code


def ready_for(canned: Iterable[Canned], language: str, *, default: str) -> list[Ready]:
    """Every answer once, by name: in that language, else in ``default``, else in any it has."""
    kept = kept_of(canned, languages=())
    return [_ready(one.texts, language, default) for one in kept]


def _ready(texts: tuple[Canned, ...], language: str, default: str) -> Ready:
    order = {language: 0, default: 1}
    best = min(texts, key=lambda one: (order.get(one.language, 2), one.language))
    return Ready(
        id=best.id,
        name=best.name,
        language=best.language,
        text=best.text,
        fallback=best.language != language,
    )


def kept_of(canned: Iterable[Canned], *, languages: Sequence[str]) -> list[Kept]:
    """The answers by name, each with its texts in the order of the languages there are."""
    named: dict[str, list[Canned]] = {}
    for one in canned:
        named.setdefault(name_key(one.name), []).append(one)
    place = {code: number for number, code in enumerate(languages)}
    return [
        Kept(
            name=texts[0].name,
            texts=tuple(sorted(texts, key=lambda one: place.get(one.language, len(place)))),
            missing=tuple(code for code in languages if code not in _spoken(texts)),
        )
        for _, texts in sorted(named.items())
    ]


def _spoken(texts: Iterable[Canned]) -> set[str]:
    return {one.language for one in texts}


def filled(text: str, facts: Mapping[str, str]) -> str:
    """The text with its facts. Braces that name none stay as they are: nobody's answer breaks.

    In one pass: a client who is called ``{number}`` stays so.
    """
    parts = text.split("{")
    done = parts[0]
    for part in parts[1:]:
        name, closed, rest = part.partition("}")
        known = closed and name in FACTS and name in facts
        done += f"{facts[name]}{rest}" if known else f"{{{part}"
    return done
