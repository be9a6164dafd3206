"""Long bodies, handed on as they arrive: nobody may hold a place by sending next to nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import ClientDisconnect, Request

from vestibule.base.errors import Malformed

PACE_BYTES: Final = 64 * 2**10
PACE_S: Final = 30.0
"""So many bytes have to arrive for each so many seconds that we wait for them."""


async def paced(
    request: Request, *, pace_bytes: int = PACE_BYTES, pace_s: float = PACE_S
) -> AsyncIterator[bytes]:
    """The body as it comes.

    Only the time that we wait for the sender counts: while we write, it may not send. Raises
    Malformed ``body_slow`` and, where the connection ends, ``body_cut``.
    """
    clock = asyncio.get_running_loop().time
    stream = request.stream()
    left, due = pace_s, pace_bytes
    while True:
        began = clock()
        try:
            async with asyncio.timeout(left):
                chunk = await anext(stream, b"")
        except TimeoutError:
            raise Malformed("body_slow") from None
        except ClientDisconnect:
            raise Malformed("body_cut") from None
        if not chunk:
            return
        left, due = left - (clock() - began), due - len(chunk)
        if due <= 0:
            left, due = pace_s, pace_bytes
        yield chunk


def announced(request: Request) -> int | None:
    """The length of the body as its sender says it; None where it does not, or says nonsense."""
    sent = request.headers.get("content-length", "")
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) <= 16 else None


async def drain(chunks: AsyncIterator[bytes], *, most: int) -> None:
    """Read on and forget, up to ``most`` bytes.

    Browsers look for an answer only after they have sent everything: one that is refused in the
    middle and cut off then reports a broken network, and not what was wrong.
    """
    try:
        async for chunk in chunks:
            most -= len(chunk)
            if most < 0:
                return
    except Malformed:
        return
