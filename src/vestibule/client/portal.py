"""The portal as a stranger's browser meets it: pages, forms, cookies, one event stream.

Nothing is known here that a page does not say. It is small on purpose: a benchmark's client must
cost less than the server that it measures.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import unescape
from typing import Any

import aiohttp

from vestibule.client.device_calls import read_events
from vestibule.client.errors import NotPossible, Unreachable

_FORM = re.compile(r'<form[^>]* action="([^"]*)"[^>]*>(.*?)</form>', re.DOTALL)
_HIDDEN = re.compile(r'type="hidden" name="([^"]*)" value="([^"]*)"')
_WAY = re.compile(r'name="way" value="([^"]*)"')
_NUMBER = re.compile(r'class="number([^"]*)"[^>]*>(.*?)</p>', re.DOTALL)
_TAG = re.compile(r"<[^>]*>|\s")
_LINK = re.compile(r"https?://[^\s\"'<>]+/activate#[\w.-]+")
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_PATIENCE = aiohttp.ClientTimeout(total=60)
_STREAM = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)


@dataclass(frozen=True, slots=True)
class Page:
    """What the portal answered: a page, or the way to another."""

    status: int
    path: str
    location: str
    text: str

    @property
    def title(self) -> str:
        """The page's title."""
        found = _TITLE.search(self.text)
        return unescape(found[1]).strip() if found else ""

    def hidden(self, action: str) -> dict[str, str]:
        """The hidden fields of the first form that is sent to `action`. Raises `NotPossible`."""
        for form in _FORM.finditer(self.text):
            if unescape(form[1]) == action:
                return {name: unescape(value) for name, value in _HIDDEN.findall(form[2])}
        raise NotPossible(f"the page {self.path} has no form for {action}")

    @property
    def challenge(self) -> str:
        """The six digits that the page shows, empty if it shows none."""
        return self._shown("")

    @property
    def activation_code(self) -> str:
        """The typed form of the activation link, empty where there is none."""
        return self._shown("code")

    def _shown(self, kind: str) -> str:
        found = (match for match in _NUMBER.finditer(self.text) if match[1].strip() == kind)
        return next((_TAG.sub("", match[2]) for match in found), "")

    @property
    def activation_link(self) -> str:
        """The link that the page's QR code holds, empty where there is none."""
        found = _LINK.search(self.text)
        return unescape(found[0]) if found else ""

    @property
    def ways(self) -> list[str]:
        """The ids of the ways to choose from: phones and other factors."""
        return [unescape(value) for value in _WAY.findall(self.text)]


class Portal:
    """One browser at one portal. Share the aiohttp session between as many as you like.

    Cookies are kept here: they are Secure and `__Host-`, which aiohttp's jar would not send over
    plain HTTP, while browsers do to localhost.
    """

    def __init__(self, http: aiohttp.ClientSession, address: str) -> None:
        self._http = http
        self._address = address
        self.cookies: dict[str, str] = {}

    async def get(self, path: str, *, follow: bool = True) -> Page:
        """Open a page, following the portal's redirections."""
        page = await self._request("GET", path, None)
        while follow and page.location:
            page = await self._request("GET", page.location, None)
        return page

    async def submit(self, page: Page, path: str, *, follow: bool = True, **fields: str) -> Page:
        """Send a form of a page, with its hidden fields. Raises `NotPossible`, `Unreachable`."""
        answer = await self._request("POST", path, page.hidden(path) | fields)
        return await self.get(answer.location) if follow and answer.location else answer

    async def begin(self, username: str, password: str, *, follow: bool = True) -> Page:
        """Give name and password; the page that follows waits, asks for a phone or refuses."""
        form = await self.get("/login")
        return await self.submit(
            form, "/login", follow=follow, username=username, password=password
        )

    async def choose(self, page: Page, phone: str, *, follow: bool = True) -> Page:
        """Choose the phone to ask."""
        return await self.submit(page, "/login/choose", follow=follow, way=phone)

    async def wait(self) -> str:
        """Wait on the waiting page until it moves on; returns where to."""
        async for name, data in self.events("/login/wait/events"):
            if name == "go":
                return str(data["to"])
        return "/login/next"

    async def respond(self, page: Page, response: str, *, follow: bool = True) -> Page:
        """Type the eight digits from the phone."""
        return await self.submit(page, "/login/response", follow=follow, response=response)

    async def logout(self, page: Page) -> Page:
        """Sign out, from any page that shows who is signed in."""
        return await self.submit(page, "/logout")

    @property
    def signed_in(self) -> bool:
        """Whether this browser holds a session cookie."""
        return bool(self.cookies.get("__Host-session"))

    async def events(self, path: str) -> AsyncIterator[tuple[str, Any]]:
        """Listen to a page's event stream: (name, data)."""
        try:
            async with self._http.get(
                self._address + path, headers=self._headers(), timeout=_STREAM
            ) as response:
                if response.status != 200:
                    raise NotPossible(f"{path} answered {response.status}")
                async for event in read_events(response.content):
                    yield event
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"{self._address} does not answer ({error})") from None

    async def _request(self, method: str, path: str, fields: dict[str, str] | None) -> Page:
        headers = self._headers()
        if fields is not None:
            headers["Origin"] = self._address
        try:
            async with self._http.request(
                method,
                self._address + path,
                data=fields,
                headers=headers,
                allow_redirects=False,
                timeout=_PATIENCE,
            ) as response:
                text = await response.text()
                for line in response.headers.getall("Set-Cookie", ()):
                    self._keep(line)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"{self._address} does not answer ({error})") from None
        location = response.headers.get("Location", "").removeprefix(self._address)
        return Page(response.status, path, location, text)

    def _headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": cookies} if cookies else {}

    def _keep(self, line: str) -> None:
        pair, *attributes = line.split(";")
        name, _, value = pair.strip().partition("=")
        if any(part.strip().lower() == "max-age=0" for part in attributes):
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value
