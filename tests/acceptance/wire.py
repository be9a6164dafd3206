"""HTTP as it crosses the wire: requests as bytes, sent at one moment, to a worker of our choice.

The reference client is the right tool for walking through a sign-in. Here are the things that
no client should do: 64 requests whose last bytes leave together, bodies of the wrong type, names
of other hosts.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from vestibule.client.portal import Page

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Answer:
    """A response, as it came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def code(self) -> str:
        """The stable code of a device call's refusal."""
        return str(self.json.get("code", ""))

    def header(self, name: str) -> str:
        """A header's first value, or nothing."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def cookies(self) -> dict[str, str]:
        """Cookies set by this answer; an empty value means dropped."""
        pairs = (v.partition(";")[0].partition("=") for k, v in self.headers if k == "set-cookie")
        return {name: value for name, _, value in pairs}


@dataclass(frozen=True)
class Origin:
    """One origin of a server: where it listens, and by which name it is asked for."""

    name: str
    port: int

    @classmethod
    def of(cls, url: str, *, port: int | None = None) -> Origin:
        """The origin of a URL; `port` is the worker's where several share the URL."""
        parts = urlsplit(url)
        return cls(parts.netloc, port or parts.port or 80)

    @property
    def url(self) -> str:
        """As browsers write it."""
        return f"http://{self.name}"

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """The bytes of a request."""
        lines = {"Host": self.name, "Content-Length": str(len(body)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body

    def json_request(
        self, method: str, path: str, body: object, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """The bytes of a request with a JSON body."""
        return self.request(
            method, path, json.dumps(body).encode(), {"Content-Type": JSON, **(headers or {})}
        )

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        return await self.send(self.request(method, path, body, headers))

    async def send(self, request: bytes) -> Answer:
        """Send these bytes, and read what comes."""
        (answer,) = await race(self, [request])
        return answer

    async def post_json(self, path: str, body: object, **headers: str) -> Answer:
        """One JSON call."""
        return await self.send(self.json_request("POST", path, body, headers))


async def race(origin: Origin, requests: Sequence[bytes]) -> list[Answer]:
    """Answers to requests that all arrive but for their last byte, which then leaves for all.

    Connecting, sending and parsing are over by then, so the requests meet in the server.
    """
    links = [await asyncio.open_connection("127.0.0.1", origin.port) for _ in requests]
    try:
        for (_, writer), request in zip(links, requests, strict=True):
            writer.write(request[:-1])
            await writer.drain()
        for (_, writer), request in zip(links, requests, strict=True):
            writer.write(request[-1:])
        reading = (read_answer(reader) for reader, _ in links)
        return await asyncio.wait_for(asyncio.gather(*reading), PATIENCE_S)
    finally:
        for _, writer in links:
            writer.close()


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """Read one response; raises IncompleteReadError where the server hung up."""
    head = await _head(reader)
    length = int(head.header("content-length") or 0)
    if head.header("transfer-encoding") == "chunked":
        body = b"".join([chunk async for chunk in _chunks(reader)])
    else:
        body = await reader.readexactly(length)
    return Answer(head.status, head.headers, body)


async def _head(reader: asyncio.StreamReader) -> Answer:
    raw = await reader.readuntil(b"\r\n\r\n")
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
    return Answer(int(first.split(" ")[1]), headers, b"")


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readline(), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)


@asynccontextmanager
async def streaming(
    origin: Origin, path: str, headers: Mapping[str, str]
) -> AsyncIterator[asyncio.Queue[tuple[str, Any]]]:
    """The events of a stream as they come: (name, data); also "beat" for a heartbeat, and "end"."""
    reader, writer = await asyncio.open_connection("127.0.0.1", origin.port)
    events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    writer.write(origin.request("GET", path, headers=headers))
    head = await asyncio.wait_for(_head(reader), PATIENCE_S)
    assert head.status == 200, head
    chunks = _chunks(reader)
    _note(events, await anext(chunks))

    async def listen() -> None:
        async for chunk in chunks:
            _note(events, chunk)
        events.put_nowait(("end", None))

    task = asyncio.create_task(listen())
    try:
        yield events
    finally:
        task.cancel()
        writer.close()


def _note(events: asyncio.Queue[tuple[str, Any]], chunk: bytes) -> None:
    """Events are written whole by the server, so no chunk holds half of one."""
    for block in chunk.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            events.put_nowait((fields["event"], json.loads(fields["data"])))
        elif block.startswith(":"):
            events.put_nowait(("beat", None))


async def told(events: asyncio.Queue[tuple[str, Any]], name: str) -> Any:
    """The data of the next event of that name; others before it are passed over."""
    while (event := await asyncio.wait_for(events.get(), PATIENCE_S))[0] != name:
        pass
    return event[1]


class Browser:
    """A browser at one worker: cookies and forms, nothing followed by itself."""

    def __init__(self, origin: Origin, *, source: str = "") -> None:
        self.origin = origin
        self.source = source
        self.cookies: dict[str, str] = {}

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        headers = {"X-Forwarded-For": self.source} if self.source else {}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        return headers

    async def get(self, path: str) -> Page:
        """Open a page."""
        return self._keep(path, await self.origin.ask("GET", path, headers=self.headers))

    async def follow(self, path: str) -> Page:
        """Open a page and go where it leads."""
        page = await self.get(path)
        return await self.follow(page.location) if page.location else page

    async def submit(self, page: Page, path: str, **fields: str) -> Page:
        """Send a form of a page."""
        return self._keep(path, await self.origin.send(self.form(page, path, **fields)))

    def form(self, page: Page, path: str, **fields: str) -> bytes:
        """The bytes of a form, to be sent later."""
        body = urlencode(page.hidden(path) | fields).encode()
        headers = {"Content-Type": FORM, "Origin": self.origin.url, **self.headers}
        return self.origin.request("POST", path, body, headers)

    def link(self, path: str) -> bytes:
        """The bytes of a page's request, to be sent later."""
        return self.origin.request("GET", path, headers=self.headers)

    async def begin(self, username: str, password: str) -> Page:
        """Give name and password; the answer leads on, or refuses."""
        form = await self.get("/login")
        return await self.submit(form, "/login", username=username, password=password)

    def _keep(self, path: str, answer: Answer) -> Page:
        for name, value in answer.cookies.items():
            self.cookies[name] = value
        self.cookies = {name: value for name, value in self.cookies.items() if value}
        location = answer.header("location").removeprefix(self.origin.url)
        return Page(answer.status, path, location, answer.text)
