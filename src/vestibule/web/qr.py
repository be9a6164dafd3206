"""QR codes as SVG, drawn beside the event loop and kept for as long as they are looked at."""

import asyncio
from typing import Final

import segno
from markupsafe import Markup

_MOST: Final = 512
_drawn: dict[str, Markup] = {}


async def qr_svg(text: str) -> Markup:
    """The code as an inline SVG element; drawing takes milliseconds, hence a thread and a memory.

    The policy forbids style attributes, so its colours come from the page's style sheet.
    """
    svg = _drawn.get(text)
    if svg is None:
        svg = await asyncio.to_thread(_draw, text)
        while len(_drawn) >= _MOST:
            del _drawn[next(iter(_drawn))]
        _drawn[text] = svg
    return svg


def _draw(text: str) -> Markup:
    code = segno.make(text, error="m", micro=False)
    svg = code.svg_inline(border=4, svgclass="qr-code", lineclass="dark", omitsize=True)
    # segno writes its own markup around modules only: the text is not in it.
    return Markup(svg)  # noqa: S704
