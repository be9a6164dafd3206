"""The catalogues: nothing missing, nothing left over, in any language."""

import re
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

from vestibule.base import i18n
from vestibule.base.errors import CODES
from vestibule.base.i18n import LANGUAGES, PSEUDO, catalogue, plural_form

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "vestibule"
FORMS = ("zero", "one", "two", "few", "many", "other")
OTHERS = [code for code in LANGUAGES if code != "en"]


def base_of(key: str) -> str | None:
    """The key of a counted text without its form; None for all other keys."""
    base, _, form = key.rpartition(".")
    counted = {f"{base}.one", f"{base}.other"} <= catalogue("en").keys()
    return base if form in FORMS and counted else None


def names_in(text: str) -> set[str]:
    """The facts that a text speaks of."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@cache
def forms_of(language: str) -> frozenset[str]:
    """The plural forms that whole numbers have in a language."""
    return frozenset(plural_form(language, count) for count in [*range(201), 1_000_000])


@cache
def sources() -> str:
    """Everything that may name a text."""
    files = [*PACKAGE.rglob("*.py"), *PACKAGE.glob("*/templates/**/*.html")]
    return "\n".join(path.read_text() for path in sorted(files))


@cache
def said_in_code() -> re.Pattern[str]:
    """Every key that the program names, whole or with parts that vary."""
    texts = set(re.findall(r"""["']([a-z]\w*(?:\.\w+)+)["']""", sources()))
    patterns = {re.escape(text) for text in texts}
    for text in re.findall(r"""f["']([a-z]\w*\.[^"'\s]*\{[^"'\s]*)["']""", sources()):
        patterns.add(r"[\w.-]+".join(re.escape(part) for part in re.split(r"\{[^}]*\}", text)))
    # In templates: "one." ~ part ~ ".more"
    for start, rest in re.findall(r"""["']([a-z]\w*\.[\w.]*)["'](\s*~\s*[^,)]+)""", sources()):
        ends = re.findall(r"""~\s*["']([\w.]+)["']\s*$""", rest.strip())
        patterns.add(re.escape(start) + r"[\w.-]+" + re.escape(ends[0] if ends else ""))
    return re.compile("|".join(f"(?:{pattern})" for pattern in sorted(patterns)))


def test_every_language_has_a_catalogue() -> None:
    """What people may choose is there, and nothing is there that nobody may choose."""
    assert set(i18n.languages()) == set(LANGUAGES)


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_missing_and_nothing_left_over(language: str) -> None:
    """Each text of English exists; of a counted one each form that the language has."""
    english = catalogue("en")
    wanted = {key for key in english if base_of(key) is None}
    counted = {base for key in english if (base := base_of(key))}
    wanted |= {f"{base}.{form}" for base in counted for form in forms_of(language)}
    there = set(catalogue(language))
    assert sorted(wanted - there) == []
    assert sorted(there - wanted) == []


@pytest.mark.parametrize("language", OTHERS)
def test_translations_speak_of_the_same_facts(language: str) -> None:
    """A fact lost in translation is a sentence that says nothing."""
    english = catalogue("en")
    wrong = {}
    for key, text in catalogue(language).items():
        base = base_of(key)
        source = english[key if base is None else f"{base}.other"]
        # "one phone" need not say the number.
        optional = {"count"} if base else set()
        if names_in(text) - optional != names_in(source) - optional:
            wrong[key] = text
    assert wrong == {}


@pytest.mark.parametrize("language", OTHERS)
def test_translations_are_translated(language: str) -> None:
    """Whole sentences are not English any more."""
    english = catalogue("en")
    same = [
        key
        for key, text in catalogue(language).items()
        if english.get(key) == text and len(text.split()) > 3
    ]
    assert same == []


def test_every_text_is_used() -> None:
    """A text that no code and no template names is dead weight in eight languages."""
    said = said_in_code()
    codes = {f"error.{name}.{part}" for name in CODES for part in ("title", "cause", "next")}
    unused = [
        key
        for key in catalogue("en")
        if key not in codes and not said.fullmatch(base_of(key) or key)
    ]
    assert unused == []


@pytest.mark.parametrize("language", PSEUDO)
def test_pseudo_languages_keep_the_facts(language: str) -> None:
    """They change every word and no name of a fact."""
    for key, text in catalogue("en").items():
        made = catalogue(language)[key]
        assert names_in(made) == names_in(text)
        assert made != text


@pytest.mark.parametrize(
    "header, chosen",
    [
        ("it-CH, it;q=0.9, en;q=0.8", "it"),
        ("en;q=0.3, fr;q=0.9", "fr"),
        ("xx, de;q=0.5", "de"),
        ("pt-BR", "pt"),
        ("zh-TW", "zh-Hans"),
        ("ja;q=0, es", "es"),
        ("", "en"),
        ("*", "en"),
        (";;q=x,,", "en"),
        ("a" * 100_000, "en"),
    ],
)
def test_language_of_a_header(header: str, chosen: str) -> None:
    """The most wanted language that there is; English where there is none of them."""
    assert i18n.negotiate(header) == chosen


@pytest.mark.parametrize("language", [*LANGUAGES, *PSEUDO])
def test_times_are_written_in_every_language(language: str) -> None:
    """Each names the day, the hour and the zone."""
    text = i18n.moment(1_795_000_000_000, language, "Europe/Rome")
    assert "2026" in text
    assert "12:06" in text
    assert "CET" in text
    assert i18n.duration(40, language) != i18n.duration(300, language)
