"""What a sign-in may cost the database, counted by the server itself."""

import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import bindparam, update

from tests.acceptance.conftest import KINDS, open_town
from tests.acceptance.people import Person, Town
from tests.acceptance.wire import JSON, Browser, streaming, told
from vestibule.accounts.store import account
from vestibule.client.portal import Page
from vestibule.protocol.encoding import b64u, render_json
from vestibule.protocol.messages import PushSubscription

pytestmark = pytest.mark.processes

PUSH = (10, 3)
RESPONSE = (6, 2)
_SEAMLESS_OFF = (
    update(account).where(account.c.username == bindparam("name")).values(seamless=False)
)


class _PushService(BaseHTTPRequestHandler):
    """Takes every push."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def towns(request: pytest.FixtureRequest) -> Iterator[dict[str, Town]]:
    """One worker on each database, and a push service that takes what they send."""
    with ExitStack() as stack:
        service = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _PushService))
        stack.callback(service.shutdown)
        threading.Thread(target=service.serve_forever, daemon=True).start()
        moved = f'{{"https://fcm.googleapis.com": "http://127.0.0.1:{service.server_port}"}}'
        yield {
            # Telling people of it comes later and beside: it has a look of its own at the database.
            kind: stack.enter_context(open_town(request, kind, push_origins=moved))
            for kind in KINDS
        }


@pytest.fixture(params=KINDS)
def town(request: pytest.FixtureRequest, towns: dict[str, Town]) -> Town:
    """One of them; the test runs on both."""
    return towns[request.param]


async def reset(town: Town) -> None:
    """Count from here."""
    await town.portal.ask("POST", "/test/counters")


async def counted(town: Town) -> dict[str, Any]:
    """What the server has counted."""
    counts: dict[str, Any] = (await town.portal.ask("GET", "/test/counters")).json
    return counts


async def subscribe(person: Person) -> None:
    """Have the phone take notifications."""
    person.phone.subscription = PushSubscription(
        endpoint=f"https://fcm.googleapis.com/{person.phone.id}",
        p256dh=b64u(person.phone.public),
        auth=b64u(bytes(16)),
    )
    path, body = "/device/subscription", render_json({"push": person.phone.subscription})
    headers = {"Content-Type": JSON, **person.proof("PUT", path, body)}
    answer = await person.town.phone.ask("PUT", path, body, headers)
    assert answer.status == 200, answer.text


async def push_sign_in(person: Person, browser: Browser) -> Page:
    """Everything that a browser and an open app do in one sign-in; the waiting page."""
    stream = person.proof("GET", "/device/stream")
    async with streaming(person.town.phone, "/device/stream", stream) as at_phone:
        await reset(person.town)
        page = await person.arrive(browser)
        async with streaming(browser.origin, "/login/wait/events", browser.headers) as at_browser:
            await told(at_phone, "change")
            answer = await person.approve(await person.request(), page.challenge)
            assert answer.status == 200, answer.text
            to = (await told(at_browser, "go"))["to"]
        await browser.get(to)
        assert "__Host-session" in browser.cookies
        return page


async def test_push_sign_in_keeps_its_budget(town: Town) -> None:
    """At most 10 statements and 3 commits, with notification, audit, limits and both streams."""
    person = await town.linked()
    await subscribe(person)
    for _ in range(3):  # the first one, and those that find limits of the ones before
        page = await push_sign_in(person, person.browser())
        counts = await counted(town)
        assert "We sent a notification" in page.text
        assert counts["statements"] <= PUSH[0], "\n".join(counts["seen"])
        assert counts["commits"] <= PUSH[1], "\n".join(counts["seen"])
    assert len(await town.events("login.collected")) >= 3


async def test_response_sign_in_keeps_its_budget(town: Town) -> None:
    """At most 6 statements and 2 commits where seamless authentication is off."""
    person = await town.linked()
    async with town.opened() as database:
        assert await database.run(_SEAMLESS_OFF, name=person.username) == 1
    browser = person.browser()
    await reset(town)
    page = await person.arrive(browser)
    async with AsyncExitStack() as stack:
        if "data-wait" in page.text:  # what a real browser's script would do
            await stack.enter_async_context(
                streaming(browser.origin, "/login/wait/events", browser.headers)
            )
        typed = person.phone.respond(page.challenge)
        await browser.submit(page, "/login/response", response=typed)
    assert "__Host-session" in browser.cookies
    counts = await counted(town)
    assert counts["statements"] <= RESPONSE[0], "\n".join(counts["seen"])
    assert counts["commits"] <= RESPONSE[1], "\n".join(counts["seen"])


async def test_waiting_costs_nothing(towns: dict[str, Town]) -> None:
    """A browser that waits and a phone whose app is open: no statement, over a heartbeat."""
    people = [await town.linked() for town in towns.values()]
    browsers = [person.browser() for person in people]
    for person, browser in zip(people, browsers, strict=True):
        await person.arrive(browser)
    async with AsyncExitStack() as stack:
        beats = []
        for person, browser in zip(people, browsers, strict=True):
            for origin, path, headers in (
                (browser.origin, "/login/wait/events", browser.headers),
                (person.town.phone, "/device/stream", person.proof("GET", "/device/stream")),
            ):
                beats.append(await stack.enter_async_context(streaming(origin, path, headers)))
        for events in beats:
            events.get_nowait()  # what is told on arrival
        for town in towns.values():
            await reset(town)
        for events in beats:
            await told(events, "beat")
        for town in towns.values():
            counts = await counted(town)
            assert (counts["statements"], counts["commits"], counts["seen"]) == (0, 0, [])
