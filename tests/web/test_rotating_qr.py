"""Rotating codes are the codes that a QR library draws, only faster."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode

import pytest
import segno
from hypothesis import given, settings, strategies as st

from vestibule.web.rotating_qr import RotatingCode

PREFIX = "https://phone.example/claim#1."
LENGTH = 45
CODES = RotatingCode(PREFIX, LENGTH)
texts = st.text("ABCXYZabcxyz0189-_.", min_size=LENGTH, max_size=LENGTH)


def rows_of(text: str, mask: int) -> list[list[int]]:
    """The modules by the library."""
    code = segno.make(
        PREFIX + text, error="m", micro=False, mode="byte", mask=mask, boost_error=False
    )
    return [[module & 1 for module in row] for row in code.matrix]


@settings(max_examples=40, deadline=None)
@given(texts)
def test_code_has_the_modules_that_the_library_draws(text: str) -> None:
    """Any text gives exactly the matrix of a QR library under the same mask."""
    wanted = rows_of(text, CODES._mask)
    flat = f"{CODES.modules(text):0{CODES.size**2}b}"
    assert [[int(module) for module in row] for row in _rows(flat)] == wanted


def test_page_is_sent_the_same_modules() -> None:
    """The event's bits, read as the page reads them, are the code."""
    text = "A" * 22 + "." + "b" * 22
    sent = CODES.sent(text)
    raw = urlsafe_b64decode(str(sent["modules"]) + "=" * (-len(str(sent["modules"])) % 4))
    bits = "".join(f"{byte:08b}" for byte in raw)[: CODES.size**2]
    assert [[int(module) for module in row] for row in _rows(bits)] == rows_of(text, CODES._mask)


def test_still_picture_draws_the_same_modules() -> None:
    """The SVG's strokes cover exactly the dark modules."""
    text = "-" * 22 + "." + "_" * 22
    drawn = [[0] * CODES.size for _ in range(CODES.size)]
    path = re.search(r' d="([^"]*)"', CODES.svg(text))
    assert path
    for y, line in enumerate(path[1].split("M")[1:]):
        x = 0
        for kind, count in re.findall(r"([hm])(\d+)", line):
            if kind == "h":
                drawn[y][x : x + int(count)] = [1] * int(count)
            x += int(count)
    assert drawn == rows_of(text, CODES._mask)


def test_text_of_another_length_is_no_code_of_this_family() -> None:
    """A wrong length is a mistake of ours, never a wrong picture."""
    with pytest.raises(ValueError, match=r"shorter|longer"):
        CODES.modules("A" * (LENGTH + 1))


def _rows(flat: str) -> list[str]:
    return [flat[at : at + CODES.size] for at in range(0, len(flat), CODES.size)]
