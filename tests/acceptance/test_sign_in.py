"""A sign-in end to end, over HTTP against a server that shares nothing with the test."""

import re

import pytest

from tests.acceptance.people import Town
from tests.acceptance.population import PASSWORD
from tests.acceptance.wire import JSON, streaming, told

pytestmark = pytest.mark.processes


async def test_push_sign_in(town: Town) -> None:
    """Password, approval on the phone, and the waiting page moves on to a signed-in session."""
    person = await town.linked()
    browser = person.browser()
    page = await person.arrive(browser)
    assert page.path == "/login/wait"
    async with streaming(browser.origin, "/login/wait/events", browser.headers) as events:
        answer = await person.approve(await person.request(), page.challenge)
        assert (answer.status, answer.json["result"]) == (200, "approved")
        to = (await told(events, "go"))["to"]
    done = await browser.get(to)
    assert (done.status, done.location) == (303, "/")
    assert (await browser.get("/")).status == 200


async def test_response_sign_in(town: Town) -> None:
    """Password, eight digits computed offline, signed in."""
    person = await town.linked()
    browser = person.browser()
    page = await person.arrive(browser)
    typed = person.phone.respond(page.challenge)
    done = await browser.submit(page, "/login/response", response=typed)
    assert (done.status, done.location) == (303, "/")
    assert (await browser.get("/")).status == 200


async def test_wrong_pin_is_noticed_by_the_server_and_counted(town: Town) -> None:
    """A wrong PIN gives a well-formed answer that only the server can tell from a right one."""
    person = await town.linked()
    browser = person.browser()
    page = await person.arrive(browser)
    request = await person.request()
    for left in (2, 1, 0):
        body = person.answering(
            request, number=page.challenge, proof=person.phone.wrong_proof(request)
        )
        answer = await town.phone.post_json("/device/answers", body)
        assert (answer.status, answer.code, answer.json["left"]) == (403, "proof_wrong", left)
    ended = await browser.get("/login/next")
    assert (ended.status, ended.location) == (200, "")
    assert "__Host-session" not in browser.cookies


async def test_unknown_name_and_wrong_password_are_one_answer(town: Town) -> None:
    """Neither words nor status nor headers tell whether a name exists."""
    pages = []
    for name in (town.person().username, "nobody-of-that-name"):
        browser = town.person().browser()
        page = await browser.begin(name, PASSWORD + "x")
        # What may differ is what the visitor typed, and secrets made for each visitor.
        text = page.text.replace(name, "NAME")
        for value in page.hidden("/login").values():
            text = text.replace(value, "HIDDEN")
        text = re.sub(r'data-now="\d+"', "", text)
        pages.append((page.status, page.location, text))
    (status, _, _), other = pages
    assert status == 401
    assert pages[0] == other


async def test_lock_out_ends_by_itself(town: Town) -> None:
    """Five wrong passwords cost ten seconds; trying meanwhile, right or wrong, adds none."""
    person = town.person()
    for _ in range(5):
        assert (await person.browser().begin(person.username, PASSWORD + "x")).status == 401
    for password in (PASSWORD, PASSWORD + "x", PASSWORD):
        refused = await person.browser().begin(person.username, password)
        assert refused.status == 429
        town.step(3)
    town.step(1.5)
    assert (await person.browser().begin(person.username, PASSWORD)).status == 303


async def test_right_password_is_not_delayed_by_strangers_elsewhere(town: Town) -> None:
    """An address that has failed twenty times is stopped; the account's owner is not."""
    person, source = town.person(), town.person().browser().source
    for number in range(21):
        browser = person.browser()
        browser.source = source
        status = (await browser.begin(f"nobody-{number}", PASSWORD)).status
        assert status == (401 if number < 20 else 429)
    assert (await person.browser().begin(person.username, PASSWORD)).status == 303


async def test_removed_phone_is_cut_off(town: Town) -> None:
    """A phone that is removed hears it on its open stream, which ends, and never again."""
    person = await town.linked()
    stream = person.proof("GET", "/device/stream")
    async with streaming(town.phone, "/device/stream", stream) as events:
        removal = {"Content-Type": JSON, **person.proof("POST", "/device/removal", b"{}")}
        gone = await town.phone.ask("POST", "/device/removal", b"{}", removal)
        assert gone.status == 200
        await told(events, "end")
    again = await town.phone.ask("GET", "/device/stream", headers=stream)
    assert (again.status, again.code) == (410, "enrollment_revoked")
