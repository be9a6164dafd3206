"""Translations: what a language lacks, and putting it in.

    python tools/translations.py missing it > it.json     key to English text, portal and phone app
    python tools/translations.py put it it.json           checks it and sorts it into the catalogues
    python tools/translations.py all it                   every text beside its English one

Plural forms are asked for as the language has them. docs/translating.md has the vocabulary.
"""

import json
import sys
from pathlib import Path
from string import Formatter

from vestibule.base.i18n import LANGUAGES, plural_form

ROOT = Path(__file__).resolve().parent.parent
PORTAL = ROOT / "src" / "vestibule" / "base" / "locale"
PHONE = ROOT / "authenticator" / "i18n"
FORMS = ("zero", "one", "two", "few", "many", "other")
COUNTS = (*range(201), 1_000_000)


def catalogues(language: str) -> dict[str, Path]:
    """The files of a language, by the name that its keys get in an exchange file."""
    rooms = {path.stem: PORTAL / language / path.name for path in (PORTAL / "en").glob("*.json")}
    return {
        **{f"portal/{room}": path for room, path in rooms.items()},
        "phone": PHONE / f"{language}.json",
    }


def read(path: Path) -> dict[str, str]:
    """The texts of a file; none where there is no file yet."""
    return json.loads(path.read_text()) if path.exists() else {}


def wanted(language: str, english: dict[str, str]) -> dict[str, str]:
    """The keys that a language needs, each with its English text, in the order of English."""
    forms = [form for form in FORMS if form in {plural_form(language, n) for n in COUNTS}]
    needed: dict[str, str] = {}
    for key, text in english.items():
        base, _, form = key.rpartition(".")
        if form in FORMS and {f"{base}.one", f"{base}.other"} <= english.keys():
            other = english[f"{base}.other"]
            needed |= {f"{base}.{one}": english.get(f"{base}.{one}", other) for one in forms}
        else:
            needed[key] = text
    return needed


def names(text: str) -> set[str]:
    """The values that a text speaks of."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def missing(language: str, *, everything: bool = False) -> dict[str, str]:
    """Exchange keys (`phone:home.title`) to English texts."""
    found = {}
    for name, path in catalogues(language).items():
        there = read(path)
        english = read(catalogues("en")[name])
        for key, text in wanted(language, english).items():
            if everything:
                found[f"{name}:{key}"] = f"{text} = {there.get(key, '')}"
            elif key not in there:
                found[f"{name}:{key}"] = text
    return found


def put(language: str, texts: dict[str, str]) -> list[str]:
    """Sort translations into the files, drop what English no longer has; what is wrong is said."""
    wrong = []
    for name, path in catalogues(language).items():
        english = read(catalogues("en")[name])
        needed, there = wanted(language, english), read(path)
        for exchange, text in texts.items():
            of, _, key = exchange.partition(":")
            if of == name and key in needed:
                there[key] = text
        for key, source in needed.items():
            if key in there and names(there[key]) - {"count"} != names(source) - {"count"}:
                wrong.append(f"{name}:{key}: {sorted(names(source))} {there[key]}")
        ordered = {key: there[key] for key in needed if key in there}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(ordered, ensure_ascii=False, indent=2) + "\n")
    return wrong


def main(verb: str, language: str, file: str = "") -> int:
    """Run one of the three commands."""
    if language not in LANGUAGES or language == "en":
        print(f"not a language of the catalogues: {language}", file=sys.stderr)
        return 2
    if verb == "put":
        wrong = put(language, json.loads(Path(file).read_text()))
        print("\n".join(wrong) or "all good; still missing: " + str(len(missing(language))))
        return 1 if wrong else 0
    print(json.dumps(missing(language, everything=verb == "all"), ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
