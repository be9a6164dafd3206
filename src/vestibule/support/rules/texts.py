"""What people write: cleaned of what cannot be seen, and bounded. It is shown as text alone."""

import re
import unicodedata
from typing import Final

from vestibule.base.errors import Refused

SUBJECT_MOST: Final = 120
"""Characters of a subject."""
TEXT_MOST: Final = 8000
"""Characters of one message."""

# Controls, and the marks that turn the order of what follows round: with those a text could show
# something else than it says, to its reader and to staff.
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_LINES: Final = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_GAPS: Final = re.compile(r"\n{4,}")


def clean_subject(typed: str) -> str:
    """One line of it. Raises Refused ``desk_subject`` where nothing is left or it is too long."""
    line = " ".join(_seen(_LINES.sub(" ", typed)).split())
    if not line or len(line) > SUBJECT_MOST:
        raise Refused("desk_subject", most=SUBJECT_MOST)
    return line


def clean_text(typed: str) -> str:
    """Its lines as written. Raises Refused ``desk_text`` where it is empty or too long."""
    lines = _seen(_LINES.sub("\n", typed)).split("\n")
    text = _GAPS.sub("\n\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")
    if not text.strip() or len(text) > TEXT_MOST:
        raise Refused("desk_text", most=TEXT_MOST)
    return text


def _seen(text: str) -> str:
    # A lone half of a character pair can be stored nowhere.
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFC", _UNSEEN.sub("", whole))
