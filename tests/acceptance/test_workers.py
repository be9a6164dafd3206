"""Two processes of one house: what begins on one and is answered on the other."""

import asyncio
import itertools
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import services
from tests.acceptance.conftest import PROXIES
from tests.acceptance.people import Person, Town
from tests.acceptance.population import populate
from tests.acceptance.wire import Browser, Origin, streaming, told
from tests.serving import reserved_port, serving

pytestmark = pytest.mark.processes


@dataclass
class Pair:
    """Two servers on one database and one Redis, under one name."""

    town: Town
    other_portal: Origin
    other_phone: Origin
    redis: services.Redis


@contextmanager
def open_pair(folder: Path, url: str) -> Iterator[Pair]:
    """Start both, and Redis."""
    with ExitStack() as stack:
        redis = services.Redis(folder)
        redis.start()
        stack.callback(redis.stop)
        shared = {"database_url": url, "redis_url": redis.url, "trusted_proxies": PROXIES}
        first = stack.enter_context(serving(folder, **shared))
        portal, phone = (stack.enter_context(reserved_port()) for _ in range(2))
        second = stack.enter_context(
            serving(
                folder,
                portal_url=first.portal,
                phone_url=first.phone,
                portal_listen=f"127.0.0.1:{portal}",
                phone_listen=f"127.0.0.1:{phone}",
                **shared,
            )
        )
        assert second.process is not None
        asyncio.run(populate(url, folder, range(100)))
        town = Town(first, url, itertools.count())
        other = Origin.of(first.portal, port=portal)
        asyncio.run(listening(other))
        yield Pair(town, other, Origin.of(first.phone, port=phone), redis)


async def listening(origin: Origin) -> None:
    """Wait until the second process serves: the first one answers for both names."""
    for _ in range(600):
        try:
            if (await origin.ask("GET", "/readyz")).status == 200:
                return
        except (OSError, asyncio.IncompleteReadError):
            pass
        await asyncio.sleep(0.1)
    raise TimeoutError(origin)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """A pair on a database of its own; the test runs on both kinds."""
    folder = tmp_path_factory.mktemp("pair")
    url = f"sqlite:///{folder / 'vestibule.db'}"
    with ExitStack() as stack:
        if request.param == "postgresql":
            databases: services.Databases = request.getfixturevalue("databases")
            url = databases.fresh()
            stack.callback(databases.drop, url)
        yield stack.enter_context(open_pair(folder, url))


async def sign_in_across(pair: Pair, person: Person) -> Browser:
    """Begin and wait at one process, approve at the other; the browser is moved on by itself."""
    browser = person.browser(pair.town.portal)
    page = await person.arrive(browser)
    async with streaming(browser.origin, "/login/wait/events", browser.headers) as events:
        request = await person.request(pair.other_phone)
        answer = await person.approve(request, page.challenge, pair.other_phone)
        assert answer.status == 200, answer.text
        to = (await told(events, "go"))["to"]
    # The session is collected at the process that knew nothing of the attempt.
    elsewhere = Browser(pair.other_portal, source=browser.source)
    elsewhere.cookies = dict(browser.cookies)
    await elsewhere.get(to)
    assert "__Host-session" in elsewhere.cookies
    browser.cookies = elsewhere.cookies
    assert (await browser.get("/")).status == 200
    return browser


async def test_sign_in_crosses_processes(pair: Pair) -> None:
    """Begun on one process, approved on the other: the waiting browser is woken over Redis."""
    person = await pair.town.linked()
    await sign_in_across(pair, person)


async def test_phone_hears_of_a_sign_in_at_the_other_process(pair: Pair) -> None:
    """An open app that listens to one process is told of a request made at the other."""
    person = await pair.town.linked()
    stream = person.proof("GET", "/device/stream")
    async with streaming(pair.other_phone, "/device/stream", stream) as events:
        await person.arrive(person.browser())
        await told(events, "change")
    assert len(await person.requests(pair.other_phone)) == 1


async def test_sign_in_goes_on_while_redis_is_down(pair: Pair) -> None:
    """Without Redis the browser looks for itself every other second; nothing is lost."""
    person = await pair.town.linked()
    pair.redis.stop()
    await sign_in_across(pair, person)
    pair.redis.start()
    await sign_in_across(pair, person)


async def test_desk_is_live_across_processes(pair: Pair) -> None:
    """A queue, a page that a colleague opens too, an answer: each heard at the other process."""
    client = await sign_in_across(pair, await pair.town.linked())
    here, there = [await member(pair) for _ in range(2)]
    there.origin = pair.other_portal
    async with streaming(there.origin, "/staff/tickets/events", there.headers) as queue:
        form = await client.get("/messages/new")
        words = {"topic": "sign-in", "subject": "No push", "text": "Nothing comes any more."}
        sent = await client.submit(form, "/messages/new", **words)
        await told(queue, "changed")
    number = sent.location.split("/")[2].split("?")[0]
    at_desk = f"/staff/tickets/{number}"
    async with streaming(there.origin, f"{at_desk}/events?seen=", there.headers) as states:
        assert not (await told(states, "state"))["others"]
        await here.get(at_desk)
        while not (await told(states, "state"))["others"]:
            pass
    mark = re.search(r'data-mark="(\d+)"', (await client.get(f"/messages/{number}")).text)
    assert mark
    events = f"/messages/{number}/events?mark={mark[1]}"
    async with streaming(client.origin, events, client.headers) as news:
        page = await there.get(at_desk)
        await there.submit(page, f"{at_desk}/answer", text="It comes again now.")
        await told(news, "news")
    assert "It comes again now." in (await client.get(f"/messages/{number}")).text


async def test_queue_looks_for_itself_while_redis_is_down(pair: Pair) -> None:
    """A page that is told nothing any more asks, instead of standing still."""
    desk = await member(pair)
    async with streaming(desk.origin, "/staff/tickets/events", desk.headers) as queue:
        pair.redis.stop()
        for _ in range(3):
            await told(queue, "changed")
    pair.redis.start()


async def member(pair: Pair) -> Browser:
    """Somebody of the staff, signed in with a phone."""
    person = await pair.town.linked()
    pair.town.server.command("staff", "add", person.username)
    return await sign_in_across(pair, person)
