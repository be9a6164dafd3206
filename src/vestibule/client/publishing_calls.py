"""The calls by which statements are published, one by one (spec/publishing.md)."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from vestibule.client.errors import Refused, Unreachable
from vestibule.protocol.encoding import parse_json, render_json
from vestibule.protocol.errors import ProtocolFault

_CHUNK: Final = 2**18
_READ: Final = 2**20
_PATIENCE: Final = aiohttp.ClientTimeout(total=60)
# A large file is put together and encrypted before the last of its bytes is answered.
_SENDING: Final = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=600)
_APPEND_MOST: Final = 8 * 2**20
"""Where a server names no `max-append-size`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One file that is to become a statement."""

    path: Path
    account: str
    kind: str
    name: str
    period: str
    """Empty: the server reads it from the name."""
    media: str
    size: int
    digest: str = ""
    """SHA-256 in hexadecimal; empty until the file was read."""
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that is open: what the server has of it, in bytes."""

    id: str
    offset: int
    append_most: int


@dataclass(frozen=True, slots=True)
class Sent:
    """The file is published: ``new``, ``same`` or ``replaced``."""

    state: str


def read_digest(paper: Paper) -> Paper:
    """The paper with size and digest of the file as it is now. Raises OSError."""
    digest, size = sha256(), 0
    with paper.path.open("rb") as file:
        while chunk := file.read(_READ):
            digest.update(chunk)
            size += len(chunk)
    return replace(paper, size=size, digest=digest.hexdigest())


class PublishingCalls:
    """Calls to one portal with one token. Each raises `Refused` and `Unreachable`."""

    def __init__(self, http: aiohttp.ClientSession, portal: str, token: str) -> None:
        self._http = http
        self._portal = portal
        self._bearer = {"Authorization": f"Bearer {token}"}

    async def check(self, papers: Sequence[Paper]) -> list[str]:
        """For each paper `absent`, `same`, `differs` or `account_unknown`."""
        asked = [
            {"account": one.account, "kind": one.kind, "name": one.name, "digest": one.digest}
            for one in papers
        ]
        answer, _ = await self._json("POST", "/publish/check", {"statements": asked})
        states = answer.get("states")
        if not isinstance(states, list) or len(states) != len(papers):
            raise Unreachable(f"{self._portal} answered what no portal does")
        return [str(state) for state in states]

    async def put(self, paper: Paper) -> Sent:
        """Send a small file whole."""
        data = await asyncio.to_thread(paper.path.read_bytes)
        words = [quote(word, safe="") for word in (paper.account, paper.kind, paper.name)]
        more = {"period": paper.period, "replace": "true" if paper.replace else ""}
        query = urlencode({name: value for name, value in more.items() if value})
        digest = b64encode(bytes.fromhex(paper.digest)).decode("ascii")
        answer, _ = await self._call(
            "PUT",
            f"/publish/statements/{'/'.join(words)}{'?' if query else ''}{query}",
            data=data,
            headers={"Content-Type": paper.media, "Content-Digest": f"sha-256=:{digest}:"},
            timeout=_SENDING,
        )
        return self._sent(answer)

    async def open(self, paper: Paper) -> Upload | Sent:
        """Open an upload, or find the one that is open for exactly this file."""
        wanted = {
            "account": paper.account,
            "kind": paper.kind,
            "name": paper.name,
            "period": paper.period,
            "size": paper.size,
            "digest": paper.digest,
            "media": paper.media,
            "replace": paper.replace,
        }
        answer, headers = await self._json("POST", "/publish/uploads", wanted)
        if answer.get("state") != "open":
            return self._sent(answer)
        return Upload(str(answer["upload"]), int(answer["offset"]), _append_most(headers))

    async def append(
        self, paper: Paper, upload: Upload, moved: Callable[[int], None]
    ) -> Upload | Sent:
        """Send the next bytes of an upload; the last of them publish it.

        `moved` hears of the bytes as they leave. Raises `Refused` with `digest_wrong` where the
        file has become shorter.
        """
        size = min(upload.append_most, paper.size - upload.offset)
        with paper.path.open("rb") as file:
            body = _Body(file, upload.offset, size, moved)
            try:
                answer, headers = await self._call(
                    "PATCH",
                    f"/publish/uploads/{quote(upload.id, safe='')}",
                    data=body.chunks(),
                    headers={
                        "Content-Type": "application/partial-upload",
                        "Content-Length": str(size),
                        "Upload-Offset": str(upload.offset),
                    },
                    timeout=_SENDING,
                )
            except Unreachable:
                if body.short:
                    raise Refused("digest_wrong", "The file changed while it was sent") from None
                raise
        if "state" in answer:
            return self._sent(answer)
        return replace(upload, offset=int(headers["Upload-Offset"]))

    def _sent(self, answer: dict[str, Any]) -> Sent:
        state = answer.get("state")
        if state not in {"new", "same", "replaced"}:
            raise Unreachable(f"{self._portal} answered what no portal does")
        return Sent(str(state))

    async def _json(
        self, method: str, path: str, body: object
    ) -> tuple[dict[str, Any], Mapping[str, str]]:
        headers = {"Content-Type": "application/json"}
        return await self._call(
            method, path, data=render_json(body), headers=headers, timeout=_PATIENCE
        )

    async def _call(
        self,
        method: str,
        path: str,
        *,
        data: bytes | AsyncIterator[bytes],
        headers: dict[str, str],
        timeout: aiohttp.ClientTimeout,
    ) -> tuple[dict[str, Any], Mapping[str, str]]:
        # Encoded once, by us: a name may hold whatever an address gives a meaning to.
        url = URL(self._portal + path, encoded=True)
        try:
            async with self._http.request(
                method,
                url,
                data=data,
                headers={**headers, **self._bearer},
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                raw, status, told = await response.read(), response.status, response.headers
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            raise Unreachable(f"{self._portal} does not answer ({why})") from None
        return self._answer(raw, status, told), told

    def _answer(self, raw: bytes, status: int, headers: Mapping[str, str]) -> dict[str, Any]:
        if status == 204:
            return {}
        try:
            answer = parse_json(raw)
        except ProtocolFault:
            answer = None
        if not isinstance(answer, dict):
            raise Unreachable(f"{self._portal} answered {status}, and not as a portal does")
        if status in {200, 201}:
            return answer
        facts: dict[str, object] = {**answer, "status": status}
        after = headers.get("Retry-After", "")
        if after.isdecimal():
            facts["wait"] = int(after)
        raise Refused(
            str(answer.get("code", "")),
            str(answer.get("title", "")),
            str(answer.get("next", "")),
            facts,
        )


class _Body:
    """A part of a file as the body of a request, read as it is sent."""

    def __init__(
        self, file: BinaryIO, offset: int, size: int, moved: Callable[[int], None]
    ) -> None:
        self._file = file
        self._offset = offset
        self._left = size
        self._moved = moved
        self.short = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes, in pieces. Fewer than announced where the file has become shorter."""
        self._file.seek(self._offset)
        while self._left:
            chunk = self._file.read(min(_CHUNK, self._left))
            if not chunk:
                self.short = True
                raise EOFError("the file has become shorter")
            self._left -= len(chunk)
            self._offset += len(chunk)
            yield chunk
            self._moved(self._offset)


def _append_most(headers: Mapping[str, str]) -> int:
    """`max-append-size` of an Upload-Limit header: a dictionary of RFC 9651."""
    for part in headers.get("Upload-Limit", "").split(","):
        name, _, value = part.strip().partition("=")
        if name == "max-append-size" and value.isdecimal() and int(value) > 0:
            return int(value)
    return _APPEND_MOST
