"""The typed form of an activation ticket (section 5): twelve characters, shown 4-4-4.

The alphabet is Crockford's: no letter that reads as a digit, and none that makes words.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from vestibule.protocol.encoding import drop_separators
from vestibule.protocol.errors import CodeRefused

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
LOCATOR_LENGTH = 4
_FOLD = str.maketrans("OIL", "011")


@dataclass(frozen=True, slots=True)
class TypedCode:
    """A typed code in its canonical spelling.

    `locator` (20 bits) finds the ticket; `secret` (40 bits) is what a wrong try is counted by.
    """

    locator: str
    secret: str

    def __str__(self) -> str:
        """Return the twelve characters as they travel in the ticket call."""
        return self.locator + self.secret

    @property
    def shown(self) -> str:
        """The code as people see it: `ABCD-EFGH-JKMN`."""
        return f"{self.locator}-{self.secret[:4]}-{self.secret[4:]}"


def make_typed_code(random: bytes) -> TypedCode:
    """Spell the first 60 bits of at least eight uniformly random bytes as a code."""
    number = int.from_bytes(random[:8], "big") >> 4
    text = "".join(ALPHABET[number >> shift & 31] for shift in range(55, -1, -5))
    return TypedCode(text[:LOCATOR_LENGTH], text[LOCATOR_LENGTH:])


def parse_typed_code(text: str) -> TypedCode:
    """Read a code as a person types it: any case, any grouping, O for 0, I and L for 1.

    Raises `CodeRefused` with `code_characters` or, when all characters are good, `code_length`.
    """
    folded = drop_separators(unicodedata.normalize("NFKC", text).upper()).translate(_FOLD)
    if any(character not in ALPHABET for character in folded):
        raise CodeRefused("code_characters")
    if len(folded) != LENGTH:
        raise CodeRefused("code_length")
    return TypedCode(folded[:LOCATOR_LENGTH], folded[LOCATOR_LENGTH:])
