"""Codes on paper: spelled so that they survive handwriting, the telephone and a small keyboard.

The alphabet is that of activation codes (Crockford's): five bits a character, no letter that
reads as a digit, groups of four.
"""

import unicodedata
from typing import Final

from vestibule.protocol.encoding import drop_separators
from vestibule.protocol.typed_code import ALPHABET

RECOVERY_CODES: Final = 10
RECOVERY_LENGTH: Final = 16
"""80 bits."""
PASS_LENGTH: Final = 12
"""60 bits: told to somebody over the telephone, and good for hours."""

_GROUP: Final = 4
_FOLD: Final = str.maketrans("OIL", "011")


def spell(random: bytes, length: int) -> str:
    """The first ``5 * length`` bits of ``random`` as characters."""
    number = int.from_bytes(random, "big") >> (8 * len(random) - 5 * length)
    return "".join(ALPHABET[number >> 5 * place & 31] for place in range(length - 1, -1, -1))


def shown(code: str) -> str:
    """A code as people see it: ``ABCD-EFGH-JKMN``."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def read(text: str, length: int) -> str | None:
    """A code as somebody typed it: any case and grouping, O for 0, I and L for 1.

    None for what cannot be one: wrong characters, or not ``length`` of them.
    """
    folded = drop_separators(unicodedata.normalize("NFKC", text).upper()).translate(_FOLD)
    right = len(folded) == length and all(letter in ALPHABET for letter in folded)
    return folded if right else None
