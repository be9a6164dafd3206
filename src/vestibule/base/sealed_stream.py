"""Files at rest, sealed in chunks: written as they come, read at any place.

The STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, 2015), as age's payloads use it:

    key      := 32 random bytes, of this one stream and of nothing else
    nonce(i) := i as 11 bytes, big-endian ‖ 0x01 if chunk i is the last one, else 0x00
    stored   := AES-256-GCM(key, nonce(0), chunk 0) ‖ AES-256-GCM(key, nonce(1), chunk 1) ‖ …

Every chunk but the last holds exactly ``CHUNK`` bytes, and the last is empty only where the whole
stream is. A chunk that was changed, moved, repeated, left out or taken from another stream does
not open, for its place is in its nonce; a stream that was cut does not open, for what is then its
end was not sealed as one. The key never seals twice under one nonce, because it seals one stream,
once, from its beginning.
"""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from inspect import isawaitable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vestibule.base.context import ObjectReader
from vestibule.base.sealing import Unsealable

CHUNK: Final = 64 << 10
"""Plain bytes of a chunk."""
KEY: Final = 32
_TAG: Final = 16
_STORED: Final = CHUNK + _TAG
_LAST: Final = b"\x01"
_MORE: Final = b"\x00"


def new_key() -> bytes:
    """A key for one stream; it is kept sealed under the master key."""
    return secrets.token_bytes(KEY)


def stored_size(size: int) -> int:
    """The bytes that ``size`` plain ones take."""
    return size + _TAG * max(1, -(-size // CHUNK))


def plain_size(stored: int) -> int:
    """The plain bytes within ``stored`` ones. Raises Unsealable where no stream is so long."""
    full, rest = divmod(stored, _STORED)
    if rest == 0 and full:
        return full * CHUNK
    if rest < _TAG or (rest == _TAG and full):
        raise Unsealable("no stream has this length")
    return full * CHUNK + rest - _TAG


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (_LAST if last else _MORE)


class Sealing:
    """Seals one stream from its beginning to its end. ``key`` has sealed nothing before."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._held = bytearray()
        self._number = 0
        self.size = 0
        """Plain bytes so far."""

    def update(self, piece: bytes) -> bytes:
        """What of it can be stored now. The last chunk is held back: nothing says yet it is."""
        self.size += len(piece)
        self._held += piece
        out = []
        while len(self._held) > CHUNK:
            out.append(self._sealed(bytes(self._held[:CHUNK]), last=False))
            del self._held[:CHUNK]
        return b"".join(out)

    def finish(self) -> bytes:
        """The last chunk: without it the stream does not open."""
        sealed = self._sealed(bytes(self._held), last=True)
        self._held.clear()
        return sealed

    def _sealed(self, chunk: bytes, *, last: bool) -> bytes:
        nonce = _nonce(self._number, last=last)
        self._number += 1
        return self._cipher.encrypt(nonce, chunk, None)


async def sealed(plain: AsyncIterator[bytes], key: bytes) -> AsyncGenerator[bytes, None]:
    """The stored form of ``plain``. What it raises goes on: then there is no last chunk."""
    sealing = Sealing(key)
    async for piece in plain:
        stored = sealing.update(piece)
        if stored:
            yield stored
    yield sealing.finish()


class SealedReader:
    """Plain bytes of a stored stream, from any place; made by `open_sealed`."""

    def __init__(self, stored: ObjectReader, key: bytes) -> None:
        self.size = plain_size(stored.size)
        """Plain bytes. Raises Unsealable when it is made of what cannot be a stream."""
        self._stored = stored
        self._cipher = AESGCM(key)
        self._chunks = max(1, -(-self.size // CHUNK))
        self._at = -1
        self._opened = b""

    async def read(self, offset: int, size: int) -> bytes:
        """The bytes from ``offset`` on: fewer at the end, none behind it.

        Raises Unsealable (what is stored was altered), FileNotFoundError, Unavailable.
        """
        end = min(offset + size, self.size)
        if offset < 0 or offset >= end:
            return b""
        parts = []
        for number in range(offset // CHUNK, (end - 1) // CHUNK + 1):
            start = number * CHUNK
            chunk = await self._chunk(number)
            parts.append(chunk[max(0, offset - start) : end - start])
        return b"".join(parts)

    async def prove_end(self) -> None:
        """Open the last chunk: nothing was cut off. Raises Unsealable and as `read`."""
        await self._chunk(self._chunks - 1)

    def close(self) -> None:
        """Let go of the object; may be called twice."""
        self._stored.close()

    async def _chunk(self, number: int) -> bytes:
        if number == self._at:
            return self._opened
        found = self._stored.read(number * _STORED, _STORED)
        raw = await found if isawaitable(found) else found
        nonce = _nonce(number, last=number == self._chunks - 1)
        try:
            opened = self._cipher.decrypt(nonce, raw, None)
        except (InvalidTag, ValueError):
            raise Unsealable(f"chunk {number} of a stream") from None
        self._at, self._opened = number, opened
        return opened


async def open_sealed(stored: ObjectReader, key: bytes) -> SealedReader:
    """A reader over a stored stream whose end was proven; it closes ``stored``.

    Raises Unsealable (cut, altered, another key's; ``stored`` is closed then), FileNotFoundError,
    Unavailable.
    """
    try:
        reader = SealedReader(stored, key)
        await reader.prove_end()
    except BaseException:
        stored.close()
        raise
    return reader
