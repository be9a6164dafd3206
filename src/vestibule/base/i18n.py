"""The words that people read, by key: ``t("login.title")``.

Catalogues are ``locale/<language>/<room>.json``: flat, each key beginning with its room's name,
values with ``{facts}``. A key that nobody wrote is a fault of ours (KeyError); a fact that is
missing shows as ``…``, because a page that explains a failure must not fail itself.
"""

import json
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

_LOCALE: Final = Path(__file__).resolve().parent / "locale"
DEFAULT: Final = "en"


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


@cache
def catalogue(language: str) -> MappingProxyType[str, str]:
    """Every text of a language. Raises CatalogueBroken."""
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
