"""The reference phone with credentials at a real server: activation, a new PIN, a new phone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.client.conftest import PIN, linked, sign_in
from tests.serving import PASSWORD, Server
from vestibule.accounts.service import find_account
from vestibule.app import open_context
from vestibule.base.settings import Settings
from vestibule.client import cases
from vestibule.client.errors import NotPossible, Refused
from vestibule.client.phone import Phone
from vestibule.contacts.rules import Kind
from vestibule.contacts.service import add_by_operator

pytestmark = pytest.mark.processes
Http = aiohttp.ClientSession
OTHER_PIN = "7391"


async def numbered(server: Server, username: str, number: str) -> None:
    """The account has a verified number."""
    settings = Settings(data=server.data, portal_url=server.portal, phone_url=server.phone)
    async with open_context(settings) as ctx:
        account = await find_account(ctx, username=username)
        assert account is not None
        await add_by_operator(
            ctx,
            account_id=account.id,
            kind=Kind.NUMBER,
            typed=number,
            country="",
            verified=True,
        )


async def sent(server: Server, number: str) -> str:
    """The code in the last text message to a number: it is sent beside the answer."""
    for _ in range(100):
        _, shown = server.ask("GET", "/test/outbox")
        texts = [one["text"] for one in shown["messages"] if one["to"] == number]
        codes = [code for text in texts for code in re.findall(r"\b\d{6}\b", text)]
        if codes:
            return str(codes[-1])
        await asyncio.sleep(0.05)
    raise TimeoutError("no text message came")


async def approved_by(
    http: Http, server: Server, username: str, phone: Phone, pin: str = PIN
) -> bool:
    """Whether this phone signs the account in."""
    browser, page = await sign_in(http, server, username)
    requests = await phone.requests(account=username)
    if not requests:
        return False
    number = page.challenge if requests[0].claims.number else ""
    await phone.approve(requests[0], pin=pin, number=number)
    await browser.get("/login/next")
    return browser.signed_in


async def test_first_phone_is_linked_by_text(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """Username, password and a text message, without the portal."""
    number = "+393471234581"
    await numbered(server, username, number)
    case = await cases.begin(phone, server.phone, username, PASSWORD, label="By text")
    assert case.situation == "first"
    await cases.choose(phone, case, case.way("sms"))
    offer = await cases.type_code(phone, case, await sent(server, number))
    enrolled, rests_until = await cases.finish(phone, case, offer, pin=PIN)
    assert (enrolled.account, rests_until) == (username, None)
    assert await approved_by(http, server, username, phone)


async def test_new_phone_is_vouched_for_by_the_old_one(
    http: Http, server: Server, username: str, phone: Phone, tmp_path: Path
) -> None:
    """The old phone approves the new one's name; after that only the new one approves."""
    await linked(http, server, username, phone)
    async with Phone(tmp_path / "new.json") as new:
        case = await cases.begin(new, server.phone, username, PASSWORD, label="New phone")
        assert (case.situation, [one["label"] for one in case.phones]) == ("move", ["A phone"])
        chosen = await cases.choose(new, case, case.way("phone"), replaces="all")
        (request,) = await phone.requests()
        assert (request.claims.kind, request.claims.show.detail) == ("migration", "New phone")
        assert (await cases.outcome(new, case)).state == "waiting"
        await phone.approve(request, pin=PIN, number=chosen["number"] or "")
        outcome = await cases.outcome(new, case)
        assert outcome.offer is not None
        await cases.finish(new, case, outcome.offer, pin=OTHER_PIN)
        assert await approved_by(http, server, username, new, OTHER_PIN)
        assert not await approved_by(http, server, username, phone)


async def test_text_beside_an_old_phone_leaves_the_new_one_resting(
    http: Http, server: Server, username: str, phone: Phone, tmp_path: Path
) -> None:
    """It cannot approve; the old phone's "not me" throws it out."""
    number = "+393471234582"
    await linked(http, server, username, phone)
    await numbered(server, username, number)
    server.move_clock(73 * 3600)
    async with Phone(tmp_path / "thief.json") as thief:
        case = await cases.begin(thief, server.phone, username, PASSWORD, label="Thief's")
        await cases.choose(thief, case, case.way("sms"), replaces="all")
        offer = await cases.type_code(thief, case, await sent(server, number))
        _, rests_until = await cases.finish(thief, case, offer, pin=OTHER_PIN)
        assert rests_until is not None
        assert not await approved_by(http, server, username, thief, OTHER_PIN)
        listed = await phone.call_as(username, "GET", "/device/notices")
        rested = next(one for one in listed["notices"] if one["event"] == "recovery.rested")
        assert await cases.not_me(phone, rested["id"]) == "case_stopped"
        with pytest.raises(Refused) as caught:
            await thief.requests()
        assert caught.value.code == "enrollment_revoked"
        assert (await cases.outcome(thief, case)).state == "stopped"


async def test_pin_is_changed_after_the_server_has_checked_it(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """A wrong old PIN changes nothing; after the change the new one approves."""
    await linked(http, server, username, phone)
    before = phone.state.root
    with pytest.raises(Refused) as caught:
        await phone.change_pin("8642", OTHER_PIN)
    assert (caught.value.code, phone.state.root) == ("proof_wrong", before)
    await phone.change_pin(PIN, OTHER_PIN)
    assert await approved_by(http, server, username, phone, OTHER_PIN)


async def test_forgotten_pin_makes_every_account_of_the_phone_wait(
    http: Http, server: Server, usernames: Iterator[str], phone: Phone, tmp_path: Path
) -> None:
    """One account is renewed with its second phone; the other cannot approve before it is, too."""
    username, other_username = next(usernames), next(usernames)
    await linked(http, server, username, phone)
    await linked(http, server, other_username, phone)
    async with Phone(tmp_path / "second.json") as second:
        case = await cases.begin(second, server.phone, username, PASSWORD, label="Second")
        chosen = await cases.choose(second, case, case.way("phone"))
        (request,) = await phone.requests(account=username)
        await phone.approve(request, pin=PIN, number=chosen["number"] or "")
        outcome = await cases.outcome(second, case)
        assert outcome.offer is not None
        await cases.finish(second, case, outcome.offer, pin=PIN)

        again = await cases.begin(phone, server.phone, username, PASSWORD, label="Any", afresh=True)
        assert again.situation == "renew"
        chosen = await cases.choose(phone, again, again.way("phone"))
        (request,) = await second.requests()
        await second.approve(request, pin=PIN, number=chosen["number"] or "")
        outcome = await cases.outcome(phone, again)
        assert outcome.offer is not None
        await cases.finish(phone, again, outcome.offer, pin=OTHER_PIN)
    kept = {one.account: one.stale for one in phone.state.accounts}
    assert kept == {username: False, other_username: True}
    await sign_in(http, server, other_username)
    (waiting,) = await phone.requests(account=other_username)
    with pytest.raises(NotPossible, match="renew"):
        await phone.approve(waiting, pin=OTHER_PIN)
    assert await phone.deny(waiting) == "denied"
