"""Tickets that are used, over, foreign or mistyped: each has its own refusal and burns nothing."""

import secrets
from typing import Any

import pytest

from tests.acceptance.people import Person, Town, fresh_source
from tests.acceptance.wire import Answer, Browser
from tests.login.scene import ScenePhone
from vestibule.client.portal import Page
from vestibule.protocol.activation_link import parse_link
from vestibule.protocol.encoding import b64u

pytestmark = pytest.mark.processes


async def fetch(town: Town, *, source: str = "", **ticket: str) -> Answer:
    """Ask for what a ticket offers, from an address of its own."""
    headers = {"X-Forwarded-For": source or fresh_source()}
    return await town.phone.send(
        town.phone.json_request("POST", "/device/tickets", ticket, headers)
    )


async def shown(person: Person) -> tuple[Browser, Page]:
    """A browser that shows the person's activation code."""
    browser = person.browser()
    page = await person.arrive(browser)
    assert page.activation_link, page.text
    return browser, page


def link_of(page: Page) -> str:
    """The link's secret, as a phone sends it."""
    return b64u(parse_link(page.activation_link).secret)


def mistyped(code: str) -> str:
    """The code with its last character changed."""
    return code[:-1] + ("0" if code[-1] != "0" else "1")


async def enrolled(town: Town, person: Person, request: str) -> Answer:
    """Redeem the ticket with a phone of the person's."""
    return await person.enrol(person.phone, request)


async def test_used_ticket_is_refused_as_used(town: Town) -> None:
    """After its phone is linked a ticket opens nothing more, in either form."""
    person = town.person()
    _, page = await shown(person)
    request = (await fetch(town, link=link_of(page))).json["request"]
    assert (await enrolled(town, person, request)).status == 200
    before = await town.tables(without=("audit_event", "limit_state"))
    said = [
        await fetch(town, link=link_of(page)),
        await fetch(town, code=page.activation_code),
        await person.enrol(ScenePhone(town.server.portal), request),
    ]
    assert [(answer.status, answer.code) for answer in said] == [(409, "ticket_used")] * 3
    assert await town.tables(without=("audit_event", "limit_state")) == before


async def test_expired_ticket_is_refused_as_expired(town: Town) -> None:
    """After ten minutes a ticket is over, also for a phone that opened it in time."""
    person = town.person()
    _, page = await shown(person)
    request = (await fetch(town, link=link_of(page))).json["request"]
    town.step(601)
    said = [
        await fetch(town, link=link_of(page)),
        await fetch(town, code=page.activation_code),
        await enrolled(town, person, request),
    ]
    assert [(answer.status, answer.code) for answer in said] == [(410, "ticket_expired")] * 3


async def test_withdrawn_ticket_is_refused_as_withdrawn(town: Town) -> None:
    """Who signs out takes the code along; signing in again shows a fresh one that works."""
    person = town.person()
    browser, page = await shown(person)
    request = (await fetch(town, link=link_of(page))).json["request"]
    await browser.submit(page, "/logout")
    said = [await fetch(town, link=link_of(page)), await enrolled(town, person, request)]
    assert [(answer.status, answer.code) for answer in said] == [(410, "ticket_withdrawn")] * 2
    _, fresh = await shown(person)
    assert fresh.activation_code != page.activation_code
    request = (await fetch(town, code=fresh.activation_code)).json["request"]
    assert (await enrolled(town, person, request)).status == 200


async def test_mistyped_code_burns_nothing_before_the_fifth(town: Town) -> None:
    """Four wrong codes under a locator leave it alive; the fifth ends it, and only it."""
    person, neighbour = town.person(), town.person()
    (_, page), (_, other) = await shown(person), await shown(neighbour)
    wrong = mistyped(page.activation_code)
    for left in (4, 3, 2, 1):
        answer = await fetch(town, code=wrong)
        assert (answer.status, answer.code, answer.json["left"]) == (404, "ticket_unknown", left)
    assert (await fetch(town, code=page.activation_code)).status == 200
    assert (await fetch(town, code=wrong)).code == "ticket_exhausted"
    said = [await fetch(town, code=page.activation_code), await fetch(town, link=link_of(page))]
    assert [(answer.status, answer.code) for answer in said] == [(410, "ticket_exhausted")] * 2
    assert (await fetch(town, code=other.activation_code)).status == 200


@pytest.mark.parametrize(
    "ticket,status,code",
    [
        ({"link": b64u(bytes(16))}, 404, "ticket_unknown"),
        ({"code": "0000-0000-0000"}, 404, "ticket_unknown"),
        ({"code": "0000-0000-000"}, 400, "code_length"),
        ({"code": "0000-0000-000!"}, 400, "code_characters"),
        ({"code": "0000-0000-000U"}, 400, "code_characters"),
        ({"link": "short"}, 400, "message_malformed"),
        ({"link": b64u(bytes(16)), "code": "0000-0000-0000"}, 400, "json_malformed"),
        ({}, 400, "json_malformed"),
    ],
)
async def test_what_is_no_ticket_is_refused_by_its_name(
    town: Town, ticket: dict[str, str], status: int, code: str
) -> None:
    """Unknown, too short, with a letter that no code has, both at once or neither."""
    answer = await fetch(town, **ticket)
    assert (answer.status, answer.code) == (status, code)


async def test_ticket_of_another_house_is_refused(town: Town) -> None:
    """An enrol-request signed by another server's key is not ours, whatever ticket it names."""
    person = town.person()
    _, page = await shown(person)
    request = (await fetch(town, link=link_of(page))).json["request"]
    head, payload, _ = request.split(".")
    forged = f"{head}.{payload}.{b64u(secrets.token_bytes(64))}"
    answer = await enrolled(town, person, forged)
    assert (answer.status, answer.code) == (403, "signature_wrong")
    assert (await enrolled(town, person, request)).status == 200


async def test_guessing_codes_is_limited_by_source(town: Town) -> None:
    """Ten unknown codes in ten minutes from one address; others are not stopped by that."""
    source = fresh_source()
    answers = [
        await fetch(town, source=source, code=f"0000-0000-{number:04d}") for number in range(11)
    ]
    assert [answer.status for answer in answers] == [404] * 10 + [429]
    assert answers[-1].code == "too_many_requests"
    _, page = await shown(town.person())
    blocked = await fetch(town, source=source, code=page.activation_code)
    assert blocked.code == "too_many_requests"
    assert (await fetch(town, code=page.activation_code)).status == 200


async def test_refused_tickets_are_journalled(town: Town) -> None:
    """Opening, redeeming and each refusal leave an event with the phone's address."""
    person = town.person()
    _, page = await shown(person)
    source = fresh_source()
    await fetch(town, source=source, code=mistyped(page.activation_code))
    await fetch(town, source=source, link=link_of(page))
    events: list[dict[str, Any]] = (await town.tables())["audit_event"]
    told = [(e["event"], e["result"]) for e in events if e["source"] == source]
    assert told == [("ticket.wrong_code", "ticket_unknown"), ("ticket.opened", "ok")]
