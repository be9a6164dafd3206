"""Messages to the desk at a running server: strangers, guesses, double and cut requests."""

import asyncio
import random
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from html import escape
from itertools import combinations

import pytest

from tests.acceptance.people import Person, Town
from tests.acceptance.test_enumeration import share
from tests.acceptance.wire import Browser, race, read_answer, streaming, told
from vestibule.base.ids import new_id
from vestibule.client.portal import Page

pytestmark = pytest.mark.processes

NEW = "/messages/new"
WORDS = {"topic": "sign-in", "subject": "No notifications", "text": "Nothing comes any more."}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg onload=alert(3)>"
# So many numbers may be guessed by one account before it has to wait.
MISSES = 18
GUESSERS = 3
SHARE = 0.25
COUNTED = ("audit_event", "limit_state", "portal_session")


async def signed_in(town: Town) -> tuple[Person, Browser]:
    """Somebody at the portal."""
    person = town.person()
    browser = person.browser()
    await person.arrive(browser)
    return person, browser


async def written(browser: Browser, **changes: str) -> str:
    """Write to the desk; the number."""
    form = await browser.get(NEW)
    page = await browser.submit(form, NEW, **WORDS | changes)
    found = re.fullmatch(r"/messages/([0-9A-Z]{4}-[0-9A-Z]{4})\?done=sent", page.location)
    assert found, page.text
    return found[1]


def words(page: Page, number: str) -> tuple[int, str]:
    """What a page says, without what differs between any two pages."""
    text = page.text.replace(number, "NUMBER")
    for own in (r'name="form" value="[^"]+"', r'data-now="\d+"', r"<code>\w+</code>"):
        text = re.sub(own, "", text)
    return page.status, text


async def test_strangers_numbers_cannot_be_told_from_none(
    town: Town, record_property: Callable[[str, object], None]
) -> None:
    """By the page or by the time that it takes: another's, an unknown, a malformed one."""
    _, owner = await signed_in(town)
    theirs = [await written(owner, text=f"Canary {number}") for number in range(MISSES)]
    said: set[tuple[int, str]] = set()
    took: dict[str, list[float]] = defaultdict(list)
    chance = random.Random(11)
    for turn in range(GUESSERS):
        _, stranger = await signed_in(town)
        kinds = {
            "another's": theirs[turn::GUESSERS],
            "unknown": [f"0000-{turn}{number:03d}" for number in range(MISSES // GUESSERS)],
            "malformed": [f"U{turn}{number}" for number in range(MISSES // GUESSERS)],
        }
        asked = [(kind, number) for kind, numbers in kinds.items() for number in numbers]
        chance.shuffle(asked)
        for kind, number in asked:
            before = time.perf_counter()
            page = await stranger.get(f"/messages/{number}")
            took[kind].append(time.perf_counter() - before)
            said.add(words(page, number))
    ((status, text),) = said
    assert status == 404
    assert "Canary" not in text
    shares = {
        f"{one} / {other}": round(share(took[one], took[other]), 3)
        for one, other in combinations(took, 2)
    }
    medians = {kind: round(statistics.median(times) * 1000, 2) for kind, times in took.items()}
    record_property("shares", shares)
    record_property("medians_ms", medians)
    assert all(abs(value - 0.5) <= SHARE for value in shares.values()), (shares, medians)


async def test_guessing_has_to_wait_and_its_guesser_is_not_locked_out(town: Town) -> None:
    """After twenty numbers that opened nothing the answer is 429; one's own page still opens."""
    _, browser = await signed_in(town)
    mine = await written(browser)
    statuses = [(await browser.get(f"/messages/0000-{guess:04d}")).status for guess in range(24)]
    assert statuses == [404] * 20 + [429] * 4
    assert (await browser.get(f"/messages/{mine}")).status == 200
    town.step(601)
    assert (await browser.get("/messages/0000-9999")).status == 404


async def test_a_stranger_changes_nothing_of_a_conversation(town: Town) -> None:
    """Reply, cancel, close, open again and listen, with a good token of their own: not found."""
    _, owner = await signed_in(town)
    number = await written(owner)
    _, stranger = await signed_in(town)
    form = await stranger.get(NEW)
    token = form.hidden(NEW)["form"]
    before = await town.tables(without=COUNTED)
    for act, fields in {
        "reply": {"text": "x"},
        "reopen": {"text": "x"},
        "cancel": {},
        "close": {},
    }.items():
        page = await post(stranger, f"/messages/{number}/{act}", {"form": token, **fields})
        assert page.status == 404, act
    assert (await stranger.get(f"/messages/{number}/events")).status == 404
    assert await town.tables(without=COUNTED) == before


async def post(browser: Browser, path: str, fields: dict[str, str]) -> Page:
    """A form that no page offers."""
    blank = Page(200, path, "", f'<form method="post" action="{path}"></form>')
    return await browser.submit(blank, path, **fields)


async def test_a_form_that_arrives_many_times_at_once_is_one_conversation(town: Town) -> None:
    """Eight copies in one moment: one number, one message, one event."""
    _, browser = await signed_in(town)
    form = await browser.get(NEW)
    sent = browser.form(form, NEW, **WORDS)
    answers = await race(town.portal, [sent] * 8)
    assert {answer.status for answer in answers} == {303}
    (place,) = {answer.header("location") for answer in answers}
    number = place.split("/")[-1].partition("?")[0]
    page = await browser.get(f"/messages/{number}")
    assert page.text.count(WORDS["text"]) == 1
    opened = [one for one in await town.events("support.opened") if number in one["detail"]]
    assert len(opened) == 1


async def test_copies_that_reach_several_workers_are_one_conversation(city: Town) -> None:
    """Each worker by itself comes to the same number."""
    _, browser = await signed_in(city)
    form = await browser.get(NEW)
    answers = await race(city.portal, [browser.form(form, NEW, **WORDS)] * 16)
    assert len({answer.header("location") for answer in answers}) == 1


async def test_replying_and_closing_in_one_moment_loses_no_word(town: Town) -> None:
    """Whatever comes first: the reply is there, or its form comes back with the words in it."""
    _, browser = await signed_in(town)
    for _ in range(5):
        number = await written(browser, once=new_id())
        page = await browser.get(f"/messages/{number}")
        reply = f"/messages/{number}/reply"
        cancel = f"/messages/{number}/cancel"
        sent = [
            browser.form(page, reply, text="One thing more."),
            browser.form(page, cancel),
        ]
        replied, cancelled = await race(town.portal, sent)
        assert cancelled.status == 303
        there = await browser.get(f"/messages/{number}")
        if replied.status == 303:
            assert "One thing more." in there.text
        else:
            assert replied.status == 409
            assert "One thing more.</textarea>" in replied.text
            assert "One thing more." not in there.text
        town.step(60)


async def test_a_request_that_is_cut_leaves_nothing_and_can_be_sent_again(town: Town) -> None:
    """At the head, at the start, in the middle and one byte before the end of the body."""
    _, browser = await signed_in(town)
    form = await browser.get(NEW)
    sent = browser.form(form, NEW, **WORDS)
    head = sent.index(b"\r\n\r\n") + 4
    before = await town.tables(without=COUNTED)
    for cut in (head // 2, head, head + 1, (head + len(sent)) // 2, len(sent) - 1):
        _, writer = await asyncio.open_connection("127.0.0.1", town.portal.port)
        writer.write(sent[:cut])
        await writer.drain()
        writer.close()
    await asyncio.sleep(0.3)
    assert await town.tables(without=COUNTED) == before
    reader, writer = await asyncio.open_connection("127.0.0.1", town.portal.port)
    writer.write(sent)
    answer = await read_answer(reader)
    writer.close()
    assert answer.status == 303
    page = await browser.get(answer.header("location"))
    assert WORDS["text"] in page.text


async def test_stored_scripts_stay_words_under_a_policy_that_runs_none(town: Town) -> None:
    """In subject and text, in the list, the page and the form that comes back."""
    _, browser = await signed_in(town)
    number = await written(browser, subject=HOSTILE, text=HOSTILE)
    form = await browser.get(NEW)
    refused = await browser.submit(form, NEW, **WORDS | {"subject": HOSTILE, "text": " "})
    assert refused.status == 400
    for path in ("/messages", f"/messages/{number}"):
        answer = await town.portal.ask("GET", path, headers=browser.headers)
        policy = answer.header("content-security-policy")
        assert "script-src 'self'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
        assert "&lt;script&gt;alert(1)" in answer.text
    assert "<script>alert" not in refused.text
    assert escape("<script>alert(1)</script>") in refused.text


async def test_news_reach_an_open_page_and_notes_do_not(town: Town) -> None:
    """A reply from another browser wakes the stream of the first; the frame has no words."""
    person, first = await signed_in(town)
    number = await written(first)
    page = await first.get(f"/messages/{number}")
    mark = re.search(r'data-mark="(\d+)"', page.text)
    assert mark
    second = person.browser()
    await person.arrive(second)
    events = f"/messages/{number}/events?mark={mark[1]}"
    async with streaming(town.portal, events, first.headers) as stream:
        shown = await second.get(f"/messages/{number}")
        await second.submit(shown, f"/messages/{number}/reply", text="One thing more.")
        assert await told(stream, "news") == {}


@pytest.mark.parametrize("path", ["/messages", "/messages/new", "/messages/0000-0000"])
async def test_nobody_reads_messages_without_a_session(town: Town, path: str) -> None:
    """A browser that was never here is led to the sign-in, whatever it asks for."""
    page = await Browser(town.portal).get(path)
    assert (page.status, page.location) == (303, "/login")
