"""One sign-in as a browser and a phone make it, from the form to the session cookie."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from bench.device import Asked, Device
from bench.link import Link, Reply
from bench.population import PASSWORD

_TOKEN = re.compile(rb'name="form" value="([^"]*)"')
_NUMBER = re.compile(rb'class="number[^"]*"[^>]*>(.*?)</p>', re.DOTALL)
_TAG = re.compile(rb"<[^>]*>|\s")
_GO = re.compile(rb'"to":"([^"]*)"')
_FORM = "Content-Type: application/x-www-form-urlencoded\r\nOrigin: {origin}\r\n"
_JSON = "Content-Type: application/json\r\n"
_AGENT = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"


@dataclass(frozen=True)
class Place:
    """Where the portal and the phone's origin are."""

    portal: str
    phone: str


@dataclass
class Person:
    """Somebody with an account and a phone. One sign-in at a time."""

    username: str
    device: Device
    cookies: dict[str, str] = field(default_factory=dict)
    nudged: asyncio.Event = field(default_factory=asyncio.Event)


class Stranger:
    """The connections of one browser and one phone, used by one person after the other."""

    def __init__(self, place: Place, page: Link, stream: Link, phone: Link) -> None:
        self._place = place
        self._page = page
        self._stream = stream
        self._phone = phone
        self._form = _FORM.format(origin=place.portal)

    @classmethod
    async def arrive(cls, place: Place) -> Stranger:
        """Connect to both origins."""
        origins = (place.portal, place.portal, place.phone)
        return cls(place, *[await Link.open(origin) for origin in origins])

    def leave(self) -> None:
        """Hang up."""
        for link in (self._page, self._stream, self._phone):
            link.close()

    async def push(self, person: Person) -> float:
        """Sign in by approval on the phone, which a nudge has woken.

        Seven requests from here, and one from the server to the push service. Returns the seconds
        from sending the approval to holding the session cookie.
        """
        person.nudged.clear()
        waiting = await self.begin(person)
        events = await self.wait(person)
        await asyncio.wait_for(person.nudged.wait(), 60)
        asked = await self.look(person)
        body = self.approval(person, asked, waiting)
        began = time.perf_counter()
        answering = asyncio.ensure_future(self.answer(body))
        await self.collect(person, await went(events))
        took = time.perf_counter() - began
        await answering
        return took

    async def respond(self, person: Person) -> None:
        """Sign in by the eight digits of a phone without network: four requests."""
        page = await self.begin(person)
        digits = person.device.respond(_challenge(page))
        fields = {"form": _token(page), "response": digits}
        self._signed_in(person, await self._submit(person, "/login/response", fields))

    async def begin(self, person: Person) -> Reply:
        """Give name and password; the waiting page."""
        form = self._keep(person, await self._page.ask("GET", "/login", _browser(person)))
        fields = {"form": _token(form), "username": person.username, "password": PASSWORD}
        answer = await self._submit(person, "/login", fields)
        assert answer.location == "/login/wait", answer
        page = await self._page.ask("GET", answer.location, _browser(person))
        assert page.status == 200, page
        return page

    async def wait(self, person: Person) -> AsyncIterator[bytes]:
        """Connect the waiting page's stream."""
        events = await self._stream.listen("/login/wait/events", _browser(person))
        await anext(events)
        return events

    async def stay(self, person: Person) -> tuple[Link, AsyncIterator[bytes]]:
        """Connect the waiting page's stream on a connection of its own, and leave it open."""
        link = await Link.open(self._place.portal)
        events = await link.listen("/login/wait/events", _browser(person))
        await anext(events)
        return link, events

    async def look(self, person: Person) -> Asked:
        """The request that waits for the phone: the last one, should there be several."""
        proof = person.device.proof("GET", "/device/attempts", self._place.portal)
        answer = await self._phone.ask("GET", "/device/attempts", f"Authorization: {proof}\r\n")
        assert answer.status == 200, answer
        return Asked.read(json.loads(answer.body)["requests"][-1])

    def approval(self, person: Person, asked: Asked, waiting: Reply) -> bytes:
        """The body that approves, with the number that the browser shows."""
        number = _challenge(waiting) if asked.number else ""
        text = person.device.approval(asked, self._place.portal, number)
        return json.dumps({"answer": text}).encode("ascii")

    async def answer(self, body: bytes) -> None:
        """Send the approval."""
        answer = await self._phone.ask("POST", "/device/answers", _JSON, body)
        assert answer.status == 200, answer

    async def collect(self, person: Person, to: str) -> None:
        """Go where the stream has sent the browser; the session."""
        self._signed_in(person, await self._page.ask("GET", to, _browser(person)))

    def _signed_in(self, person: Person, answer: Reply) -> None:
        self._keep(person, answer)
        assert person.cookies.pop("__Host-session", ""), answer

    async def _submit(self, person: Person, path: str, fields: dict[str, str]) -> Reply:
        body = urlencode(fields).encode("ascii")
        headers = _browser(person) + self._form
        return self._keep(person, await self._page.ask("POST", path, headers, body))

    def _keep(self, person: Person, answer: Reply) -> Reply:
        for name, value in answer.cookies().items():
            if value:
                person.cookies[name] = value
            else:
                person.cookies.pop(name, None)
        return answer


async def went(events: AsyncIterator[bytes]) -> str:
    """Where the stream sends the browser."""
    to = ""
    async for chunk in events:
        if found := _GO.search(chunk):
            to = found[1].decode()
    assert to, "the stream ended without a word"
    return to


def _browser(person: Person) -> str:
    if not person.cookies:
        return _AGENT
    cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    return f"{_AGENT}Cookie: {cookies}\r\n"


def _token(page: Reply) -> str:
    found = _TOKEN.search(page.body)
    assert found, page
    return found[1].decode()


def _challenge(page: Reply) -> str:
    found = _NUMBER.search(page.body)
    assert found, page
    return _TAG.sub(b"", found[1]).decode()
