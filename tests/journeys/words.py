"""The words that people read, by their keys in the two catalogues.

Journeys name what they press by key, so that a better wording does not break them and a text
that is missing from its catalogue does.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PHONE: dict[str, str] = json.loads((ROOT / "authenticator" / "i18n" / "en.json").read_text())
PORTAL: dict[str, str] = {
    key: text
    for path in sorted((ROOT / "src/vestibule/base/locale/en").glob("*.json"))
    for key, text in json.loads(path.read_text()).items()
}


def pattern(text: str) -> re.Pattern[str]:
    """A text of a catalogue with anything in the place of its values."""
    parts = (re.escape(part) for part in re.split(r"\{\w+\}", text))
    return re.compile(".*?".join(parts))


def digits(text: str) -> str:
    """What is left of a number without its grouping."""
    return re.sub(r"\D", "", text)
