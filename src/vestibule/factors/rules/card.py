"""The printed code card: numbered cells of three characters, of which two are asked for.

    value(i)      = the first 15 bits of HMAC-SHA256(secret, "value" ‖ i), as three characters
    order(r)      = the cells sorted by HMAC-SHA256(secret, "order" ‖ r ‖ i)
    challenge(n)  = the (n mod 40)th pair of order(n div 40)

The pair depends on how often the card was used and on nothing that a caller chooses: asking again,
in the same sign-in or in another, brings the same two numbers until they were answered. So
nobody who has seen some cells can ask until those come up, and no cell is asked for again before
all others were.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from vestibule.factors.rules.codes import read, spell

CELLS: Final = 80
CELL_LENGTH: Final = 3
SECRET_BYTES: Final = 32
_PAIRS: Final = CELLS // 2


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a card."""

    index: int
    """1 to 80."""
    value: str


def cells(secret: bytes) -> tuple[Cell, ...]:
    """The whole card, in the order in which it is printed."""
    return tuple(Cell(index, value(secret, index)) for index in range(1, CELLS + 1))


def value(secret: bytes, index: int) -> str:
    """What stands in one cell."""
    return spell(hmac.digest(secret, b"value" + bytes([index]), "sha256"), CELL_LENGTH)


def challenge(secret: bytes, uses: int) -> tuple[int, int]:
    """The two numbers that are asked for after ``uses`` right answers."""
    turn, pair = divmod(uses, _PAIRS)
    start = b"order" + turn.to_bytes(4, "big")
    order = sorted(
        range(1, CELLS + 1),
        key=lambda index: hmac.digest(secret, start + bytes([index]), "sha256"),
    )
    return order[2 * pair], order[2 * pair + 1]


def answers(secret: bytes, uses: int, text: str) -> bool:
    """Whether a text is the two values asked for, one after the other, however they are grouped."""
    expected = "".join(value(secret, index) for index in challenge(secret, uses))
    typed = read(text, len(expected))
    return typed is not None and hmac.compare_digest(typed, expected)
