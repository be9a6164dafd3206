"""QR codes that change every two seconds on a thousand pages, at microseconds each.

A QR code is linear: its check bits are sums over the data bits, and mask and patterns are added
on top. So flipping one bit of the text flips the same modules whatever the rest says, as long as
length, version and mask stay. The modules that each bit flips are worked out once a process
(a third of a second, beside the event loop); a code is then the sum of those of its characters,
where drawing one anew takes milliseconds. The page is sent bare modules and draws them itself.
"""

from __future__ import annotations

import asyncio
import string
from typing import Final

import segno
from markupsafe import Markup

from vestibule.protocol.encoding import b64u

_ALPHABET: Final = string.ascii_letters + string.digits + "-_."
_BORDER: Final = 4


class RotatingCode:
    """All codes whose text is `prefix` and then `length` characters of base64url or dots."""

    def __init__(self, prefix: str, length: int) -> None:
        first = segno.make(prefix + "A" * length, error="m", micro=False, mode="byte")
        self._version, self._mask = first.version, first.mask
        self.size = len(first.matrix)
        """Modules along one side, without the quiet zone around them."""
        blank = prefix + "\0" * length
        self._blank = self._modules(blank)
        self._letters = [self._letters_at(blank, len(prefix) + at) for at in range(length)]

    def _modules(self, text: str) -> int:
        # The longer of two texts could get a better check level: both must have the same.
        code = segno.make(
            text,
            error="m",
            micro=False,
            mode="byte",
            version=self._version,
            mask=self._mask,
            boost_error=False,
        )
        return int("".join(str(module & 1) for row in code.matrix for module in row), 2)

    def _letters_at(self, blank: str, at: int) -> dict[str, int]:
        """Which modules each letter flips when it stands at this place."""
        bits = [
            self._modules(f"{blank[:at]}{chr(1 << bit)}{blank[at + 1 :]}") ^ self._blank
            for bit in range(7)
        ]
        letters = {}
        for letter in _ALPHABET:
            flipped = 0
            for bit, modules in enumerate(bits):
                if ord(letter) >> bit & 1:
                    flipped ^= modules
            letters[letter] = flipped
        return letters

    def modules(self, text: str) -> int:
        """The modules of `prefix` and `text`, row by row, the first one the highest bit."""
        made = self._blank
        for letter, letters in zip(text, self._letters, strict=True):
            made ^= letters[letter]
        return made

    def sent(self, text: str) -> dict[str, str | int]:
        """The code as an event carries it to a page that draws it."""
        length = (self.size * self.size + 7) // 8
        shifted = self.modules(text) << (length * 8 - self.size * self.size)
        return {"size": self.size, "modules": b64u(shifted.to_bytes(length, "big"))}

    def svg(self, text: str) -> Markup:
        """The code as an inline SVG element, coloured by the page's style sheet."""
        rows = f"{self.modules(text):0{self.size * self.size}b}"
        side = self.size + 2 * _BORDER
        path = "".join(
            f"M{_BORDER} {_BORDER + y + 0.5}{_row(rows[y * self.size : (y + 1) * self.size])}"
            for y in range(self.size)
        )
        drawn = f'<path class="dark" d="{path}"/>'
        # Numbers only: the text is not in it.
        return Markup(f'<svg viewBox="0 0 {side} {side}" class="qr-code">{drawn}</svg>')  # noqa: S704


def _row(modules: str) -> str:
    """Runs of dark modules as strokes, of light ones as moves."""
    drawn, at = [], 0
    while at < len(modules):
        module, start = modules[at], at
        while at < len(modules) and modules[at] == module:
            at += 1
        drawn.append(f"{'h' if module == '1' else 'm'}{at - start}{'' if module == '1' else ' 0'}")
    return "".join(drawn)


_families: dict[tuple[str, int], asyncio.Future[RotatingCode]] = {}


async def rotating_code(prefix: str, length: int) -> RotatingCode:
    """The codes of one prefix, worked out in a thread when they are first asked for."""
    made = _families.get((prefix, length))
    if made is None or made.get_loop() is not asyncio.get_running_loop():
        made = asyncio.ensure_future(asyncio.to_thread(RotatingCode, prefix, length))
        _families[prefix, length] = made
    return await asyncio.shield(made)
