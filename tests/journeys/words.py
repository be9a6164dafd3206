"""The words that people read, by their keys in the two catalogues.

Journeys name what they press by key, so that a better wording does not break them and a text
that is missing from its catalogue does. So they run in any language: JOURNEY_LANGUAGE names it.
"""

import json
import os
import re
import subprocess
from pathlib import Path

from vestibule.base.i18n import DEFAULT, PSEUDO, catalogue

ROOT = Path(__file__).resolve().parent.parent.parent
LANGUAGE = os.environ.get("JOURNEY_LANGUAGE", DEFAULT)
LOCALE = {"en": "en-GB", "zh-Hans": "zh-CN", "pt": "pt-BR"}.get(LANGUAGE, LANGUAGE)
"""What the browsers of a journey ask for."""
_PRINT_PSEUDO = """
import { pseudo } from "./app/ui/pseudo.js";
import { readFileSync } from "node:fs";
const words = JSON.parse(readFileSync("i18n/en.json", "utf8"));
console.log(JSON.stringify(pseudo(words, process.argv[1])));
"""


def _phone_words() -> dict[str, str]:
    app = ROOT / "authenticator"
    if LANGUAGE not in PSEUDO:
        words: dict[str, str] = json.loads((app / "i18n" / f"{LANGUAGE}.json").read_text())
        return words
    command = ["node", "--input-type=module", "-e", _PRINT_PSEUDO, "--", LANGUAGE]
    printed = subprocess.run(command, cwd=app, capture_output=True, check=True).stdout
    made: dict[str, str] = json.loads(printed)
    return made


PHONE: dict[str, str] = _phone_words()
PORTAL: dict[str, str] = dict(catalogue(LANGUAGE))


def pattern(text: str) -> re.Pattern[str]:
    """A text of a catalogue with anything in the place of its values."""
    # A browser gives every kind of space back as a plain one.
    parts = (
        r"\s+".join(re.escape(word) for word in re.split(r"\s+", part))
        for part in re.split(r"\{\w+\}", text)
    )
    return re.compile(".*?".join(parts))


def digits(text: str) -> str:
    """What is left of a number without its grouping."""
    return re.sub(r"\D", "", text)
