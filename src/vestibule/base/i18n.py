"""The words that people read, by key: ``t("login.title")``.

Catalogues are ``locale/<language>/<room>.json``: flat, each key beginning with its room's name,
values with ``{facts}``. A key that nobody wrote is a fault of ours (KeyError); a fact that is
missing shows as ``…``, because a page that explains a failure must not fail itself.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, format_timedelta
from babel.lists import format_list
from babel.units import format_unit

_LOCALE: Final = Path(__file__).resolve().parent / "locale"
DEFAULT: Final = "en"
_WHOLE_FROM: Final = 100
"""From here on a size has no digit behind the point."""
Direction = Literal["ltr", "rtl"]


@dataclass(frozen=True, slots=True)
class Language:
    """A language that people may choose."""

    code: str
    """BCP 47."""
    name: str
    """As its speakers write it."""
    direction: Direction = "ltr"


LANGUAGES: Final = {
    language.code: language
    for language in (
        Language("en", "English"),
        Language("it", "Italiano"),
        Language("fr", "Français"),
        Language("es", "Español"),
        Language("pt", "Português"),
        Language("de", "Deutsch"),
        Language("zh-Hans", "简体中文"),
        Language("ja", "日本語"),
    )
}
PSEUDO: Final = {
    "en-XA": Language("en-XA", "[Þšéûðö]"),
    "ar-XB": Language("ar-XB", "[RTL]", "rtl"),
}
"""Made of English: long and accented, and right to left. They show what does not translate."""


class CatalogueBroken(Exception):  # noqa: N818  -- reads as what it is
    """A catalogue file has a key of another room, twice, or a value that is no text."""


class _Facts(dict[str, str | int]):
    def __missing__(self, key: str) -> str:
        return "…"


def t(key: str, language: str = DEFAULT, /, **facts: str | int) -> str:
    """The text for ``key`` with its facts filled in; English where a language lacks it."""
    text = catalogue(language).get(key)
    if text is None:
        text = catalogue(DEFAULT)[key]
    return text.format_map(_Facts(facts)) if "{" in text else text


def counted(key: str, language: str, count: int, /, **facts: str | int) -> str:
    """The text ``key.one``, ``key.other`` … that the language has for this number."""
    form = f"{key}.{plural_form(language, count)}"
    if form not in catalogue(language):
        form = f"{key}.other"
    return t(form, language, count=count, **facts)


def plural_form(language: str, count: int) -> str:
    """``one``, ``few``, ``many``, ``other``: the CLDR category of a number."""
    return str(_locale(language).plural_form(count))


def spoken(facts: Mapping[str, str | int], language: str) -> dict[str, str | int]:
    """Facts as a text says them: ``wait``, in seconds, becomes ``40 seconds``, ``day`` a date.

    ``largest``, in bytes, becomes ``25 MB``.
    """
    told = dict(facts)
    if isinstance(wait := facts.get("wait"), int):
        told["wait"] = duration(wait, language)
    if isinstance(written := facts.get("day"), str):
        told["day"] = day(written, language)
    if isinstance(largest := facts.get("largest"), int):
        told["largest"] = size(largest, language)
    return told


def duration(seconds: int, language: str) -> str:
    """``40 seconds``, ``5 minutes``: rounded to one unit."""
    return format_timedelta(timedelta(seconds=seconds), threshold=1.5, locale=_locale(language))


def listed(items: Sequence[str], language: str) -> str:
    """``a, b and c``."""
    return format_list(items, "standard", _locale(language))


def size(count: int, language: str) -> str:
    """Bytes as people say them: ``312 bytes``, ``1.4 MB``; a kilobyte has 1000."""
    for unit, bytes_ in (("gigabyte", 10**9), ("megabyte", 10**6), ("kilobyte", 10**3)):
        if count >= bytes_:
            amount = count / bytes_
            number = round(amount) if amount >= _WHOLE_FROM else round(amount, 1)
            return format_unit(number, f"digital-{unit}", "short", locale=_locale(language))
    return format_unit(count, "digital-byte", "long", locale=_locale(language))


def took(ms: float, language: str) -> str:
    """Milliseconds as people who measure say them: ``0.4 ms``, ``340 ms``, ``1.2 sec``."""
    unit, amount = ("second", ms / 1000) if ms >= 1000 else ("millisecond", ms)
    number = round(amount) if amount >= _WHOLE_FROM else round(amount, 1)
    return format_unit(number, f"duration-{unit}", "short", locale=_locale(language))


def day(written: str, language: str) -> str:
    """``2026-11-22`` as the language writes a day, ``2026-11`` as it writes a month."""
    year, month, *rest = (int(part) for part in written.split("-"))
    if rest:
        return format_date(date(year, month, rest[0]), "medium", _locale(language))
    return format_skeleton("yMMMM", date(year, month, 1), locale=_locale(language))


def moment(at: int, language: str, timezone: str | None = None) -> str:
    """A time (ms) as the language writes it, in a zone that the text names."""
    zone = zone_of(timezone)
    when = datetime.fromtimestamp(at / 1000, zone)
    locale = _locale(language)
    day = format_date(when, "medium", locale)
    hour = format_time(when, "short", tzinfo=zone, locale=locale)
    pattern = str(locale.datetime_formats["medium"]).replace("'", "")
    return f"{pattern.format(hour, day)} {when.tzname()}"


def zone_of(name: str | None) -> tzinfo:
    """The zone of that IANA name, UTC where there is none."""
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


@cache
def country_names(language: str) -> Mapping[str, str]:
    """Countries by their code (ISO 3166), as the language names them."""
    return {str(code): str(name) for code, name in _locale(language).territories.items()}


def country_of(header: str, language: str) -> str:
    """The country that a browser asks for (``it-IT``), else where its language is at home."""
    for wanted in _by_preference(header[:400]):
        _, dash, country = wanted.replace("_", "-").rpartition("-")
        if dash and len(country) == 2:
            return country.upper()
    likely = {"en": "GB", "zh-Hans": "CN", "ja": "JP", "pt": "PT"}
    return likely.get(language, language[:2].upper())


@cache
def _locale(language: str) -> Locale:
    # Day before month, as nearly everybody who is not American writes it.
    british = language == DEFAULT or language in PSEUDO
    return Locale.parse("en-GB" if british else language, sep="-")


def language_named(code: str) -> Language | None:
    """The language of that code, a pseudo-language too."""
    return LANGUAGES.get(code) or PSEUDO.get(code)


def negotiate(header: str, default: str = DEFAULT) -> str:
    """The first language of an Accept-Language header (RFC 9110 §12.5.4) that there is."""
    for wanted in _by_preference(header[:400].lower()):
        for code in LANGUAGES:
            # Any Chinese reads simplified characters better than English.
            if wanted.split("-")[0] == code.lower().split("-")[0]:
                return code
    return default


def _by_preference(header: str) -> Iterable[str]:
    ranked = []
    for part in header.split(","):
        name, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            weight = 0.0
        if name and weight > 0:
            ranked.append((-weight, name.strip()))
    return (name for _, name in sorted(ranked, key=lambda pair: pair[0]))


@cache
def catalogue(language: str) -> MappingProxyType[str, str]:
    """Every text of a language. Raises CatalogueBroken."""
    if language in PSEUDO:
        return _pseudo(language)
    texts: dict[str, str] = {}
    for path in sorted((_LOCALE / language).glob("*.json")):
        for key, text in json.loads(path.read_text("utf-8"), object_pairs_hook=_once).items():
            if not key.startswith(f"{path.stem}.") or not isinstance(text, str):
                raise CatalogueBroken(f"{path.name}: {key}")
            texts[key] = text
    return MappingProxyType(texts)


def languages() -> tuple[str, ...]:
    """The languages there are catalogues of."""
    return tuple(sorted(folder.name for folder in _LOCALE.iterdir() if folder.is_dir()))


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise CatalogueBroken(f"written twice: {next(key for key in keys if keys.count(key) > 1)}")
    return found


_ACCENTED: Final = str.maketrans("aeiouyncsdzAEIOUYNCSDZ", "àéîöûýñçšðžÀÉÎÖÛÝÑÇŠÐŽ")
_KEPT: Final = re.compile(r"(\{[^}]*\})")


def _pseudo(language: str) -> MappingProxyType[str, str]:
    change = _stretched if language == "en-XA" else _mirrored
    return MappingProxyType({key: change(text) for key, text in catalogue(DEFAULT).items()})


def _stretched(text: str) -> str:
    """Accented, and two fifths longer, as German may be."""
    parts = [p if p.startswith("{") else p.translate(_ACCENTED) for p in _KEPT.split(text)]
    return f"[{''.join(parts)}{'~' * (len(text) * 2 // 5)}]"


def _mirrored(text: str) -> str:
    """Each word written from right to left, by Unicode's override marks."""
    return re.sub(r"[^\s{}]+(?![^{]*\})", "\u202e\\g<0>\u202c", text)
