"""Forms with files (RFC 7578), read as they arrive: fields are small, files are handed on.

A browser without scripts sends files in no other way. The order of the parts is that of the form,
so what stands before the files (its token first of all) is known before the first byte of one.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from vestibule.base.errors import Malformed

MEDIA: Final = "multipart/form-data"
_BOUNDARY: Final = re.compile(r'boundary=(?:"([^"\r\n]{1,70})"|([^\s";,]{1,70}))', re.IGNORECASE)
_HEAD_MOST: Final = 8 << 10
_PARTS_MOST: Final = 200
_DISPOSITION: Final = re.compile(
    r'form-data; *name="([^"]*)"(?:; *filename="([^"]*)")?(?:; *filename\*=[^;]*)?', re.IGNORECASE
)
# How browsers write what would end the quotes (WHATWG HTML, multipart/form-data encoding).
_ESCAPES: Final = (("%22", '"'), ("%0D", "\r"), ("%0A", "\n"))


def is_multipart(request: Request) -> bool:
    """Whether the body is such a form."""
    kind = request.headers.get("content-type", "").partition(";")[0]
    return kind.strip().lower() == MEDIA


@dataclass(frozen=True, slots=True)
class Part:
    """One field or file. Its ``chunks`` are read before the next part is asked for."""

    name: str
    filename: str | None
    """None: a field. Empty: a field for files in which none was chosen."""
    chunks: AsyncIterator[bytes]

    async def text(self, *, most: int) -> str:
        """The value of a field. Raises Malformed ``body_too_large``, ``bad_request``."""
        held = bytearray()
        async for chunk in self.chunks:
            held += chunk
            if len(held) > most:
                raise Malformed("body_too_large", most=most)
        try:
            # Browsers write line ends of a text as CR LF, in both kinds of forms.
            return held.decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed("bad_request") from None


async def parts_of(request: Request, chunks: AsyncIterator[bytes]) -> AsyncIterator[Part]:
    """The parts of a form in their order; what of one was not read is read over.

    Raises Malformed ``bad_request`` for what is no such form, and what ``chunks`` raises.
    """
    found = _BOUNDARY.search(request.headers.get("content-type", ""))
    if found is None:
        raise Malformed("bad_request")
    form = _Form(chunks, (found[1] or found[2]).encode("latin-1", "replace"))
    async for _ in form.body():
        pass  # what stands before the first part is for nobody
    for _ in range(_PARTS_MOST):
        head = await form.head()
        if head is None:
            return
        name, filename = _named(head)
        body = form.body()
        yield Part(name, filename, body)
        async for _ in body:
            pass
    raise Malformed("bad_request")


def _named(head: bytes) -> tuple[str, str | None]:
    for line in head.split(b"\r\n"):
        label, _, value = line.partition(b":")
        if label.strip().lower() == b"content-disposition":
            found = _DISPOSITION.match(value.decode("utf-8", "replace").strip())
            if found is None:
                break
            return _plain(found[1]), None if found[2] is None else _plain(found[2])
    raise Malformed("bad_request")


def _plain(written: str) -> str:
    for escape, character in _ESCAPES:
        written = written.replace(escape, character)
    return written


class _Form:
    """The bytes of a form, cut at its boundaries."""

    def __init__(self, chunks: AsyncIterator[bytes], boundary: bytes) -> None:
        self._chunks = chunks
        self._cut = b"\r\n--" + boundary
        # The first boundary has no line before it.
        self._held = bytearray(b"\r\n")

    async def _more(self) -> None:
        chunk = await anext(self._chunks, b"")
        if not chunk:
            raise Malformed("body_cut")
        self._held += chunk

    async def head(self) -> bytes | None:
        """The header lines of the next part; None at the end of the form."""
        while len(self._held) < 2:
            await self._more()
        if self._held.startswith(b"--"):
            return None
        while (end := self._held.find(b"\r\n\r\n")) < 0:
            if len(self._held) > _HEAD_MOST:
                raise Malformed("bad_request")
            await self._more()
        head = bytes(self._held[:end])
        del self._held[: end + 4]
        return head

    async def body(self) -> AsyncIterator[bytes]:
        """What stands before the next boundary, which is taken off too."""
        while True:
            at = self._held.find(self._cut)
            if at >= 0:
                last = bytes(self._held[:at])
                del self._held[: at + len(self._cut)]
                if last:
                    yield last
                return
            # A boundary may have begun, as far as it can be seen.
            safe = len(self._held) - len(self._cut) + 1
            if safe > 0:
                piece = bytes(self._held[:safe])
                del self._held[:safe]
                yield piece
            await self._more()
