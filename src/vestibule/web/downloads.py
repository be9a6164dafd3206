"""Files that people download: whole or in part (RFC 9110 section 14), named by RFC 6266.

A download that broke off goes on where it was: the answer carries a strong tag, and a part is
sent only of the very bytes that the browser began with.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

_ONE_RANGE: Final = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII)
_CHUNK: Final = 256 * 1024
_OTHER_THAN_PLAIN: Final = re.compile(r"[^A-Za-z0-9 !#$&+.^_`{}~()\[\]=,-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What is downloaded."""

    name: str
    media: str
    size: int
    """Bytes."""
    tag: str
    """Another one for other bytes: ASCII without quotation marks."""
    read: Callable[[int, int], Awaitable[bytes]]
    """So many bytes from an offset on; fewer only at the end."""
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a file: from ``start`` up to, not including, ``end``."""

    start: int
    end: int


class OutsideError(Exception):
    """The range asked for lies beyond the file's end."""


def asked_span(headers: Headers, *, size: int, tag: str) -> Span | None:
    """The one part that is asked for; None: all of it. Raises OutsideError.

    Several parts at once, and what cannot be read, count as all of it, as RFC 9110 section 14.2
    allows: who asks so is served, and nobody makes us send the same bytes a thousand times.
    """
    found = _ONE_RANGE.fullmatch(headers.get("range", ""))
    known = headers.get("if-range")
    if not found or (known is not None and known.strip() != f'"{tag}"'):
        return None
    first, last = found[1], found[2]
    if not first and not last:
        return None
    if not first:
        count = int(last)
        if count == 0 or size == 0:
            raise OutsideError
        return Span(max(0, size - count), size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise OutsideError
    return Span(start, min(int(last) + 1, size) if last else size)


def disposition(name: str) -> str:
    """The header that names a file to be saved: plain for old programs, and as it is."""
    plain = _OTHER_THAN_PLAIN.sub("_", name)
    exact = quote(name, safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def headers_of(name: str, media: str) -> dict[str, str]:
    """What every download carries: saved, never shown, kept by no cache and changed by no proxy."""
    return {
        "content-type": media,
        "content-disposition": disposition(name),
        "cache-control": "private, no-store, no-transform",
        "content-security-policy": "sandbox; default-src 'none'",
    }


def picture(content: bytes, *, name: str, media: str) -> Response:
    """A picture that a page shows: still in a sandbox, where it is opened by itself."""
    headers = headers_of(name, media) | {"content-disposition": "inline"}
    return Response(content, headers=headers)


def download(request: Request, file: File) -> Response:
    """The answer to GET and HEAD; the file is closed once it is sent, or where it is not sent."""
    headers = headers_of(file.name, file.media)
    headers |= {"accept-ranges": "bytes", "etag": f'"{file.tag}"'}
    try:
        span = asked_span(request.headers, size=file.size, tag=file.tag)
    except OutsideError:
        file.close()
        return Response(
            status_code=416,
            headers={"content-range": f"bytes */{file.size}", "accept-ranges": "bytes"},
        )
    whole = span is None
    span = span or Span(0, file.size)
    headers["content-length"] = str(span.end - span.start)
    if not whole:
        headers["content-range"] = f"bytes {span.start}-{span.end - 1}/{file.size}"
    status = 200 if whole else 206
    if request.method == "HEAD":
        file.close()
        return Response(status_code=status, headers=headers)
    return StreamingResponse(_sent(file, span), status_code=status, headers=headers)


async def _sent(file: File, span: Span) -> AsyncIterator[bytes]:
    try:
        at = span.start
        while at < span.end:
            chunk = await file.read(at, min(_CHUNK, span.end - at))
            if not chunk:
                # The length has been promised: cutting the connection says that it is not all.
                raise EOFError(file.name)
            at += len(chunk)
            yield chunk
    finally:
        file.close()
