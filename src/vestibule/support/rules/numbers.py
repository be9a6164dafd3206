"""Reference numbers: ``4F7K-9QZM``, eight random characters of Crockford's base32 alphabet.

They are read out over the telephone, so no two of them look or sound like the same one. They are
no secrets: a number opens a conversation to its owner and to staff only.
"""

import re
from typing import Final

_FOLD: Final = str.maketrans("OIL", "011")
_WRITTEN: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{8}")
_LONGEST: Final = 40
_GROUP: Final = 4


def number_of(reference: str) -> str:
    """The number as people see it and as it is stored, from its eight characters."""
    return f"{reference[:_GROUP]}-{reference[_GROUP:]}"


def number_from(typed: str) -> str | None:
    """The number that somebody typed, in any case and grouping; None where it cannot be one."""
    if len(typed) > _LONGEST or not typed.isascii():
        return None
    plain = typed.replace("-", "").replace(" ", "").upper().translate(_FOLD)
    return number_of(plain) if _WRITTEN.fullmatch(plain) else None
