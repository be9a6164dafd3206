"""Every address of staff, asked for by everybody: a table in which no address may be missing."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

import vestibule
from tests.acceptance.people import Person, Town
from tests.acceptance.wire import FORM, Browser, streaming
from vestibule.staff.rules import ABILITIES, Ability, Role

pytestmark = pytest.mark.processes

SUBJECT: Final = "Canary subject"
TEXT: Final = "Canary text of a client"
SECRET_SUBJECT: Final = "Canary of security"


@dataclass(frozen=True)
class Row:
    """One address, and what it answers to whoever may have it."""

    method: str
    path: str
    needs: Ability
    answers: str = ""
    """The code of the refusal that even they get, for a form without its token or a file that
    there is not; empty: the page."""
    stream: bool = False


_OF: Final = "/staff/tickets/{number}"
ROWS: Final = (
    Row("GET", "/staff", Ability.QUEUE),
    Row("GET", "/staff/tickets", Ability.QUEUE),
    Row("GET", "/staff/tickets/events", Ability.QUEUE, stream=True),
    Row("GET", "/staff/waiting", Ability.QUEUE),
    Row("GET", _OF, Ability.READ),
    Row("GET", f"{_OF}/events", Ability.READ, stream=True),
    Row("GET", f"{_OF}/attachments", Ability.ANSWER),
    Row("POST", f"{_OF}/attachments", Ability.ANSWER, "form_expired"),
    Row("POST", f"{_OF}/attachments/remove", Ability.ANSWER, "form_expired"),
    Row("GET", f"{_OF}/attachments/{{id}}", Ability.READ, "attachment_unknown"),
    Row("GET", f"{_OF}/attachments/{{id}}/picture", Ability.READ, "attachment_unknown"),
    Row("GET", f"{_OF}/captures/{{id}}", Ability.READ, "attachment_unknown"),
    Row("GET", f"{_OF}/captures/{{id}}/{{entry}}", Ability.READ, "attachment_unknown"),
    Row("POST", f"{_OF}/answer", Ability.ANSWER, "form_expired"),
    Row("POST", f"{_OF}/note", Ability.ANSWER, "form_expired"),
    Row("POST", f"{_OF}/take", Ability.ANSWER, "form_expired"),
    Row("POST", f"{_OF}/release", Ability.ANSWER, "form_expired"),
    Row("POST", f"{_OF}/assign", Ability.ANSWER, "form_expired"),
    Row("POST", f"{_OF}/close", Ability.ANSWER, "form_expired"),
    Row("GET", "/staff/canned", Ability.ANSWER),
    Row("POST", "/staff/canned", Ability.WRITE_CANNED, "form_expired"),
    Row("GET", "/staff/canned/new", Ability.WRITE_CANNED),
    Row("GET", "/staff/canned/{id}", Ability.ANSWER, "not_found"),
    Row("POST", "/staff/canned/{id}", Ability.WRITE_CANNED, "form_expired"),
    Row("GET", "/staff/feedback", Ability.READ),
    Row("GET", "/staff/passes", Ability.ASK_PASS),
    Row("POST", "/staff/passes", Ability.ASK_PASS, "form_expired"),
    Row("POST", "/staff/passes/confirm", Ability.ASK_PASS, "form_expired"),
    Row("POST", "/staff/passes/refuse", Ability.ASK_PASS, "form_expired"),
)


def served() -> Iterator[tuple[str, str]]:
    """Method and path of every route under /staff, whichever room it is in."""
    for module in pkgutil.walk_packages(vestibule.__path__, "vestibule."):
        if module.name.endswith(("__main__", "env")) or ".schema.versions" in module.name:
            continue
        for route in getattr(importlib.import_module(module.name), "routes", ()):
            path = getattr(route, "path", "")
            if path == "/staff" or path.startswith("/staff/"):
                yield from ((method, path) for method in route.methods - {"HEAD"})


def test_every_address_of_staff_is_in_the_table() -> None:
    """A new one without a row fails here, before anybody has forgotten to guard it."""
    assert sorted(set(served())) == sorted((row.method, row.path) for row in ROWS)


async def signed_in(person: Person) -> Browser:
    """A browser in which they signed in and approved on their phone."""
    browser = person.browser()
    page = await person.arrive(browser)
    answer = await person.approve(await person.request(), page.challenge)
    assert answer.json["result"] == "approved"
    done = await browser.get("/login/next")
    assert done.location == "/", done.text
    return browser


async def member(town: Town, role: Role) -> Browser:
    """Somebody of the staff, with a phone."""
    person = await town.linked()
    town.server.command("staff", "add", person.username, "--role", role.value)
    return await signed_in(person)


async def written(browser: Browser, *, topic: str, subject: str, text: str = TEXT) -> str:
    """The number of a conversation that a client begins."""
    page = await browser.get("/messages/new")
    fields = {"topic": topic, "subject": subject, "text": text, "priority": "normal"}
    sent = await browser.submit(page, "/messages/new", **fields)
    found = re.search(r"/messages/([0-9A-Z]{4}-[0-9A-Z]{4})", sent.location)
    assert found is not None, sent.text
    return found[1]


async def ask(browser: Browser, row: Row, number: str) -> tuple[int, str, str]:
    """Status, code of the refusal and text of an answer."""
    path = row.path.format(number=number, id="A" * 22, entry="0")
    if row.stream and await _streams(browser, path):
        return 200, "", ""
    body = b"text=Canary" if row.method == "POST" else b""
    headers = {"Content-Type": FORM, "Origin": browser.origin.url, **browser.headers}
    answer = await browser.origin.ask(row.method, path, body, headers)
    # Pages say it for people, the addresses of scripts as problem details.
    code = re.search(r'data-code="(\w+)"|"code":"(\w+)"', answer.text)
    return answer.status, code[1] or code[2] if code else "", answer.text


async def _streams(browser: Browser, path: str) -> bool:
    try:
        async with streaming(browser.origin, path, browser.headers):
            return True
    except AssertionError:
        return False


def answered(row: Row, who: Role) -> str:
    """The code that the table promises to a role."""
    return row.answers if row.needs in ABILITIES[who] else "staff_role"


async def test_each_address_answers_each_role_as_the_table_says(town: Town) -> None:
    """Nobody is led to sign in, clients find nothing, a password alone is led to a phone.

    And no answer to an observer holds a word of a client, or whose it is.
    """
    person = await town.linked()
    client = await signed_in(person)
    number = await written(client, topic="account", subject=SUBJECT)
    nobody = town.person().browser()
    bare = town.person()
    town.server.command("staff", "add", bare.username, "--role", Role.OFFICER.value)
    password_only = bare.browser()
    await bare.arrive(password_only)
    crew = {role: await member(town, role) for role in Role}
    wrong: list[Any] = []
    for row in ROWS:
        status, code, _ = await ask(nobody, row, number)
        if (status, code) not in {(303, ""), (401, "not_signed_in")}:
            wrong.append((row, "nobody", status, code))
        for who, browser, wanted in (
            ("client", client, "not_found"),
            ("password", password_only, "staff_phone_needed"),
            *((role, crew[role], answered(row, role)) for role in Role),
        ):
            status, code, text = await ask(browser, row, number)
            fine = code == wanted and (status == 200) == (not wanted)
            told = who is Role.OBSERVER and ("Canary" in text or person.username in text)
            if not fine or told:
                wrong.append((row, who, status, code))
    assert wrong == []
    unchanged = await town.tables()
    assert [one["text"] for one in unchanged["ticket_message"] if "Canary" in one["text"]] == [TEXT]


async def test_security_is_found_by_officers_alone_on_every_address(town: Town) -> None:
    """For support the number is one that does not exist, in words and in status."""
    client = await signed_in(await town.linked())
    number = await written(client, topic="security", subject=SECRET_SUBJECT)
    support, officer = await member(town, Role.SUPPORT), await member(town, Role.OFFICER)
    seen = 0
    for row in (row for row in ROWS if row.path.startswith(_OF)):
        got = await ask(support, row, number)
        absent = await ask(support, row, "ZZZZ-ZZZZ")
        assert got[:2] == absent[:2], row
        assert SECRET_SUBJECT not in got[2]
        _, code, text = await ask(officer, row, number)
        assert code == row.answers, row
        seen += SECRET_SUBJECT in text
    assert seen == 1
    for path in ("/staff/tickets?view=all", f"/staff/tickets?find={number}", "/staff"):
        shown = (await support.get(path)).text
        assert SECRET_SUBJECT not in shown
        assert f"/staff/tickets/{number}" not in shown
    assert SECRET_SUBJECT in (await officer.get(f"/staff/tickets?find={number}")).text


async def test_a_role_that_ends_ends_at_once(town: Town) -> None:
    """In a session that is open: the next page is one that does not exist."""
    person = await town.linked()
    town.server.command("staff", "add", person.username)
    browser = await signed_in(person)
    assert (await browser.get("/staff/tickets")).status == 200
    town.server.command("staff", "remove", person.username)
    assert (await browser.get("/staff/tickets")).status == 404
    assert 'href="/staff"' not in (await browser.get("/")).text
