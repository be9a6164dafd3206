"""One winner each: everything that may be used once, used 2 and 64 times at the same moment.

Four workers on one database, over HTTP. A trial is one redemption in a race; a run makes 10,000
of them, or as many as RACE_TRIALS says.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice

import pytest

from tests.acceptance.people import Person, Town, enrol_response
from tests.acceptance.population import PASSWORD
from tests.acceptance.wire import Answer, Browser, Origin, race
from tests.login.scene import ScenePhone
from vestibule.base import limits
from vestibule.client.portal import Page
from vestibule.protocol.activation_link import parse_link

pytestmark = [pytest.mark.processes, pytest.mark.slow]

TRIALS = int(os.environ.get("RACE_TRIALS", "10000"))
WIDE = 64
# Of every 25 trials 23 are in races of 64: they are the harder ones, and cheaper to set up.
WIDE_SHARE = 0.92
THINGS, DATABASES = 4, 2
AT_ONCE = 6


@dataclass
class Race:
    """Requests that all want the same thing, and how to tell who got it."""

    origin: Origin
    requests: list[bytes]
    won: Callable[[Answer], bool]
    lost: Callable[[Answer], bool]


Prepare = Callable[[Person, int], Awaitable[Race]]


def widths() -> Iterator[int]:
    """How many take part in each race of one thing on one database."""
    trials = TRIALS // (THINGS * DATABASES)
    wide = max(1, round(trials * WIDE_SHARE) // WIDE)
    yield from [WIDE] * wide
    yield from [2] * max(1, (trials - wide * WIDE) // 2)


async def run_races(people: list[Person], prepare: Prepare) -> int:
    """Run every race; the number of races, each of which had exactly one winner."""
    left, races = widths(), 0
    while batch := list(islice(left, AT_ONCE)):
        prepared = await asyncio.gather(*map(prepare, cycle(people), batch))
        for one in prepared:
            answers = await race(one.origin, one.requests)
            winners = [answer for answer in answers if one.won(answer)]
            losers = [answer for answer in answers if one.lost(answer)]
            assert len(winners) == 1, [(a.status, a.body[-300:]) for a in winners]
            assert len(losers) == len(answers) - 1, [
                (a.status, a.body[:300]) for a in answers if a not in losers
            ]
            races += 1
    return races


async def some(town: Town) -> list[Person]:
    """People with phones, one for each race that is prepared at a time."""
    return list(await asyncio.gather(*(town.linked() for _ in range(AT_ONCE))))


async def begun(person: Person) -> tuple[Browser, Page]:
    """A browser on the waiting page."""
    browser = person.browser()
    page = await person.arrive(browser)
    assert page.path == "/login/wait", page.text
    return browser, page


def signed_in(answer: Answer) -> bool:
    """A session was opened."""
    return answer.status == 303 and bool(answer.cookies.get("__Host-session"))


def sent_on(answer: Answer) -> bool:
    """No session, and the way to what became of the attempt."""
    return answer.status == 303 and not answer.cookies.get("__Host-session")


def accepted(answer: Answer) -> bool:
    """A device call that did something."""
    return answer.status == 200


async def test_ticket_has_one_winner(city: Town) -> None:
    """As many phones redeem one ticket at once: one is enrolled, the others hear it is used."""

    async def prepare(_: Person, width: int) -> Race:
        person = city.person()
        page = await person.arrive(person.browser())
        request = await person.open_ticket(parse_link(page.activation_link).secret)
        phones = [ScenePhone(city.server.portal) for _ in range(width)]
        for phone in phones:
            phone.subscription = None
        bodies = [{"response": enrol_response(phone, request, now=city.now())} for phone in phones]
        requests = [city.phone.json_request("POST", "/device/enrollments", b) for b in bodies]
        return Race(city.phone, requests, accepted, lambda a: a.code == "ticket_used")

    before = len(await city.events("ticket.redeemed"))
    races = await run_races([city.person()], prepare)
    assert len(await city.events("ticket.redeemed")) - before == races


async def test_approval_has_one_winner(city: Town) -> None:
    """Approvals and denials of one request at once: the first final answer wins."""

    async def prepare(person: Person, width: int) -> Race:
        _, page = await begun(person)
        request = await person.request()
        acts = islice(cycle(({"number": page.challenge}, {"act": "deny"})), width)
        bodies = [person.answering(request, **members) for members in acts]
        requests = [city.phone.json_request("POST", "/device/answers", b) for b in bodies]
        return Race(city.phone, requests, accepted, lambda a: a.code == "already_answered")

    races = await run_races(await some(city), prepare)
    approved, denied = [await city.events(f"login.{end}") for end in ("approved", "denied")]
    assert len({row["subject"] for row in approved + denied}) == len(approved + denied)
    assert len(approved) + len(denied) >= races


async def test_response_has_one_winner(city: Town) -> None:
    """One right response many times at once: one session."""

    async def prepare(person: Person, width: int) -> Race:
        browser, page = await begun(person)
        typed = person.phone.respond(page.challenge)
        form = browser.form(page, "/login/response", response=typed)
        return Race(city.portal, [form] * width, signed_in, sent_on)

    before = len(await city.events("login.responded"))
    races = await run_races(await some(city), prepare)
    assert len(await city.events("login.responded")) - before == races


async def test_session_has_one_winner(city: Town) -> None:
    """One approved attempt collected many times at once: one session."""

    async def prepare(person: Person, width: int) -> Race:
        browser, page = await begun(person)
        answer = await person.approve(await person.request(), page.challenge)
        assert answer.status == 200, answer.text
        return Race(city.portal, [browser.link("/login/next?approved")] * width, signed_in, sent_on)

    before = len(await city.events("login.collected"))
    races = await run_races(await some(city), prepare)
    assert len(await city.events("login.collected")) - before == races


# --- limits in a race ---------------------------------------------------------------------------


async def test_wrong_passwords_side_by_side_are_limited(city: Town) -> None:
    """64 wrong passwords at once over four workers: five are looked at, and five are counted."""
    name = city.person().username
    browsers = [city.person().browser() for _ in range(WIDE)]
    forms = [await browser.get("/login") for browser in browsers]
    requests = [
        browser.form(form, "/login", username=name, password=f"{PASSWORD}{number}")
        for number, (browser, form) in enumerate(zip(browsers, forms, strict=True))
    ]
    answers = await race(city.portal, requests)
    statuses = [answer.status for answer in answers]
    assert set(statuses) <= {401, 429, 503}
    assert statuses.count(401) == limits.PASSWORDS_IN_A_ROW
    events = await city.events("login.password_refused")
    sources = {browser.source for browser in browsers}
    assert len([e for e in events if e["source"] in sources]) == limits.PASSWORDS_IN_A_ROW


async def test_wrong_responses_side_by_side_are_limited(city: Town) -> None:
    """64 wrong responses at once over 24 attempts: five are looked at, and five are counted."""
    person = await city.linked()
    started = [await begun(person) for _ in range(24)]
    requests = []
    for number, (browser, page) in enumerate(islice(cycle(started), WIDE)):
        requests.append(browser.form(page, "/login/response", response=f"{number:08d}"))
    answers = await race(city.portal, requests)
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {401, 429}
    assert statuses.count(401) == limits.RESPONSES_A_DAY
    attempts = {row["id"] for row in (await city.tables())["login_attempt"]}
    events = await city.events("login.response_refused")
    assert len([e for e in events if e["subject"] in attempts]) >= limits.RESPONSES_A_DAY


async def test_wrong_proofs_side_by_side_are_limited(city: Town) -> None:
    """64 wrong PINs at once: three are looked at, which ends the attempt."""
    person = await city.linked()
    _, page = await begun(person)
    request = await person.request()
    wrong = person.phone.wrong_proof(request)
    bodies = [person.answering(request, number=page.challenge, proof=wrong) for _ in range(WIDE)]
    answers = await race(
        city.phone, [city.phone.json_request("POST", "/device/answers", b) for b in bodies]
    )
    codes = [answer.code for answer in answers]
    assert codes.count("proof_wrong") == 3
    assert set(codes) == {"proof_wrong", "already_answered"}
