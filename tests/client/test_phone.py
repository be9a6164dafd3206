"""The reference phone at a real server: link, approve, deny, report, respond, remove."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from tests.client.conftest import PIN, linked, sign_in
from tests.patience import PATIENCE_S
from tests.serving import Server
from vestibule.client import device_calls
from vestibule.client.errors import NotPossible, Refused, StateWrong, Unreachable
from vestibule.client.phone import Phone
from vestibule.protocol import keys
from vestibule.protocol.errors import CodeRefused, LinkRefused, PinRefused, ServerForeign

pytestmark = pytest.mark.processes
Http = aiohttp.ClientSession


async def test_phone_links_by_link_and_approves(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """The whole way: link by the QR code's link, sign in, approve with PIN and number."""
    _, page = await sign_in(http, server, username)
    offer = await phone.fetch_offer(page.activation_link)
    assert offer.request.account == f"{username[0]}\u2026{username[-1]}"
    assert not phone.state.accounts
    enrolled = await phone.activate(offer, pin=PIN, label="My phone")
    assert (enrolled.account, enrolled.issuer) == (username, server.portal)

    browser, page = await sign_in(http, server, username)
    waiting = asyncio.create_task(browser.wait())
    (request,) = await phone.requests()
    assert request.claims.show.account == username
    assert request.claims.number
    assert await phone.approve(request, pin=PIN, number=page.challenge) == "approved"
    await browser.get(await asyncio.wait_for(waiting, PATIENCE_S))
    assert browser.signed_in
    assert await phone.requests() == []


async def test_phone_links_by_typed_code(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """The code as a person types it, in small letters, at the phone app's address."""
    _, page = await sign_in(http, server, username)
    code = page.activation_code
    with pytest.raises(NotPossible, match="address"):
        await phone.fetch_offer(code)
    offer = await phone.fetch_offer(code.lower(), address=server.phone)
    assert (await phone.activate(offer, pin=PIN, label="Typed")).account == username


async def test_second_account_shares_the_pin(
    http: Http, server: Server, username: str, other_username: str, phone: Phone
) -> None:
    """One PIN a phone: both accounts approve with it, and each shows its own requests only."""
    for name in (username, other_username):
        await linked(http, server, name, phone)
    assert [one.account for one in phone.state.accounts] == [username, other_username]
    assert len({one.id for one in phone.state.accounts}) == 2
    for name in (username, other_username):
        browser, page = await sign_in(http, server, name)
        (request,) = await phone.requests(account=name)
        await phone.approve(request, pin=PIN, number=page.challenge)
        await browser.get("/login/next")
        assert browser.signed_in


async def test_wrong_pin_is_noticed_by_the_server_and_counted(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """The phone sends what a wrong PIN makes; the server says how many tries are left."""
    await linked(http, server, username, phone)
    _, page = await sign_in(http, server, username)
    (request,) = await phone.requests()
    with pytest.raises(Refused) as caught:
        await phone.approve(request, pin="2581", number=page.challenge)
    assert caught.value.code == "proof_wrong"
    assert caught.value.facts["left"] == 2
    assert await phone.approve(request, pin=PIN, number=page.challenge) == "approved"


async def test_wrong_number_ends_the_request(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """One try: a wrong number ends it, a right one comes too late."""
    await linked(http, server, username, phone)
    _, page = await sign_in(http, server, username)
    (request,) = await phone.requests()
    wrong = "100000" if page.challenge != "100000" else "100001"
    for number, code in ((wrong, "number_wrong"), (page.challenge, "already_answered")):
        with pytest.raises(Refused) as caught:
            await phone.approve(request, pin=PIN, number=number)
        assert caught.value.code == code


@pytest.mark.parametrize("act", ["deny", "report"])
async def test_phone_refuses_without_a_pin(
    http: Http, server: Server, username: str, phone: Phone, act: str
) -> None:
    """Refusing must be easier than approving."""
    await linked(http, server, username, phone)
    browser, _ = await sign_in(http, server, username)
    (request,) = await phone.requests()
    answered = await (phone.deny(request) if act == "deny" else phone.report(request))
    assert answered == {"deny": "denied", "report": "reported"}[act]
    await browser.get("/login/next")
    assert not browser.signed_in


async def test_phone_responds_without_network(
    http: Http, server: Server, username: str, tmp_path: Path
) -> None:
    """The response is made by a phone that has no connection open, and signs the browser in."""
    path = tmp_path / "phone.json"
    async with Phone(path) as phone:
        await linked(http, server, username, phone)
    browser, page = await sign_in(http, server, username)
    made = Phone(path).respond(page.challenge, pin=PIN)
    await browser.respond(page, made.response)
    assert browser.signed_in


async def test_phone_hears_of_requests_and_outcomes(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """The stream says that something changed, and how a request ended."""
    await linked(http, server, username, phone)
    heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def listen() -> None:
        async for event in phone.watch():
            heard.put_nowait(event)

    listening = asyncio.create_task(listen())
    try:
        assert await asyncio.wait_for(heard.get(), PATIENCE_S) == ("open", {})
        await sign_in(http, server, username)
        assert await asyncio.wait_for(heard.get(), PATIENCE_S) == ("change", {})
        (request,) = await phone.requests()
        await phone.deny(request)
        async with asyncio.timeout(PATIENCE_S):
            while (event := await heard.get())[0] != "outcome":
                assert event == ("change", {})
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    assert event[1] == {"request": request.claims.jti, "result": "denied"}


async def test_removed_account_is_gone_on_both_sides(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """Unlinking ends the enrollment at the server; the last one takes the PIN with it."""
    await linked(http, server, username, phone)
    gone = phone.state.account()
    await phone.remove(username)
    assert phone.state.accounts == ()
    assert phone.state.root is None
    with pytest.raises(Refused) as caught:
        await phone._call(gone, "GET", "/device/attempts")
    assert caught.value.code == "enrollment_revoked"
    assert "Phone" not in server.command("account", "show", username)


async def test_account_that_the_server_forgot_can_be_removed(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """An operator removed the phone: it still can clean up."""
    await linked(http, server, username, phone)
    server.command("account", "remove-phone", username, "A phone", "--yes")
    await phone.remove(username)
    assert phone.state.accounts == ()


async def test_new_name_shows_at_the_portal(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """The phone's name is changed from the phone."""
    await linked(http, server, username, phone)
    await phone.rename("Kitchen tablet")
    assert "Kitchen tablet" in server.command("account", "show", username)


@pytest.mark.parametrize("skew_s", [-7200, 7200])
async def test_wrong_clock_corrects_itself(  # noqa: PLR0917  -- fixtures have no order
    http: Http,
    server: Server,
    username: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    skew_s: int,
) -> None:
    """Two hours off, and everything goes on as if nothing were: the server's time is taken."""
    path = tmp_path / "phone.json"
    with time_machine.travel(time.time() + skew_s):
        async with Phone(path) as phone:
            await linked(http, server, username, phone)
        async with Phone(path) as phone:
            assert await phone.requests() == []


async def test_used_ticket_is_refused_with_its_code(
    http: Http, server: Server, username: str, phone: Phone, tmp_path: Path
) -> None:
    """A second phone cannot use the same link; nothing stays of the try."""
    _, page = await sign_in(http, server, username)
    offer = await phone.fetch_offer(page.activation_link)
    await phone.activate(offer, pin=PIN, label="First")
    async with Phone(tmp_path / "second.json") as second:
        with pytest.raises(Refused) as caught:
            await second.activate(offer, pin=PIN, label="Second")
        assert caught.value.code == "ticket_used"
        assert second.state.accounts == ()
        assert second.state.root is None


async def test_offer_of_another_server_is_refused(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """A link that pins another key than the server has: somebody stands between."""
    _, page = await sign_in(http, server, username)
    head, _, _ = page.activation_link.rpartition(".")
    with pytest.raises(ServerForeign):
        await phone.fetch_offer(f"{head}.{'A' * 22}")


async def test_new_pin_is_checked_before_anything_is_sent(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """A PIN that breaks a rule is refused, and the ticket is still good."""
    _, page = await sign_in(http, server, username)
    offer = await phone.fetch_offer(page.activation_link)
    with pytest.raises(PinRefused):
        await phone.activate(offer, pin="1111", label="Phone")
    assert phone.state.accounts == ()
    await phone.activate(offer, pin=PIN, label="Phone")


async def test_what_is_no_link_is_refused_by_name(phone: Phone) -> None:
    """Links and codes are read before the network is asked."""
    for given, kind in (("https://example.com/", LinkRefused), ("ABC", CodeRefused)):
        with pytest.raises(kind):
            await phone.fetch_offer(given, address="http://localhost:9")


async def test_unknown_kind_of_request_is_not_approved(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """What this phone does not understand it can only refuse."""
    await linked(http, server, username, phone)
    await sign_in(http, server, username)
    (request,) = await phone.requests()
    strange = msgspec.structs.replace(request.claims, kind="transfer")
    with pytest.raises(NotPossible):
        await phone.approve(type(request)(request.account, request.text, strange), pin=PIN)
    assert await phone.deny(request) == "denied"


async def test_request_that_does_not_verify_is_not_shown(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """A server that shows another key than the pinned one gets no answer."""
    await linked(http, server, username, phone)
    await sign_in(http, server, username)
    account = phone.state.account()
    texts = (await phone._call(account, "GET", "/device/attempts"))["requests"]
    stranger = keys.jwk_of(keys.public_bytes(generate_private_key(SECP256R1())))
    assert len(phone._verified(account, texts)) == 1
    for changed in ({"server": stranger}, {"issuer": "https://other.example"}):
        assert phone._verified(msgspec.structs.replace(account, **changed), texts) == []


async def test_unreachable_server_is_named(phone: Phone) -> None:
    """Nobody listens: the address is in the message."""
    with pytest.raises(Unreachable, match="localhost:9"):
        await phone.fetch_offer("0123-4567-89AB", address="http://localhost:9")


async def test_phone_outside_of_its_context_has_no_network(tmp_path: Path) -> None:
    """A phone that was not entered makes responses only."""
    with pytest.raises(RuntimeError):
        await Phone(tmp_path / "phone.json").fetch_offer("0123-4567-89AB", address="http://x")


async def test_phone_changed_by_another_program_links_nothing(
    http: Http, server: Server, username: str, other_username: str, tmp_path: Path
) -> None:
    """Two programs make the first link at once: the second must not keep keys of a lost root."""
    path = tmp_path / "phone.json"
    async with Phone(path) as first, Phone(path) as second:
        await linked(http, server, username, first)
        _, page = await sign_in(http, server, other_username)
        offer = await second.fetch_offer(page.activation_link)
        with pytest.raises(StateWrong):
            await second.activate(offer, pin=PIN, label="Second")
    assert [one.account for one in Phone(path).state.accounts] == [username]


async def test_unlocked_root_serves_many_answers(
    http: Http, server: Server, username: str, phone: Phone
) -> None:
    """A benchmark stretches the PIN once."""
    await linked(http, server, username, phone)
    unlocked = await phone.unlock(PIN)
    for _ in range(2):
        browser, page = await sign_in(http, server, username)
        (request,) = await phone.requests()
        await phone.approve(request, pin=unlocked, number=page.challenge)
        await browser.get("/login/next")
        assert browser.signed_in


async def _lines(*lines: str) -> AsyncIterator[bytes]:
    for line in lines:
        yield f"{line}\n".encode()


async def test_event_stream_is_read_by_its_standard() -> None:
    """Comments and unknown fields are skipped; an event ends at an empty line."""
    stream = _lines(
        ":", "", "event: change", "data: {}", "", "retry: 5", "id: 1", "event:outcome",
        'data: {"result":"approved"}', "", "event: cut", "data: {}",
    )  # fmt: skip
    read = [event async for event in device_calls.read_events(stream)]
    assert read == [("change", {}), ("outcome", {"result": "approved"})]
