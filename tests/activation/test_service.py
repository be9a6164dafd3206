"""Tickets are issued to browsers and redeemed by phones: once, and never by looking."""

import asyncio

import pytest

from tests.desk import Desk, enrol_response, open_session
from tests.login.scene import Scene, ScenePhone, code_of
from vestibule.accounts.rules import Account
from vestibule.activation import service
from vestibule.activation.rules import State, Ticket
from vestibule.activation.store import activation_ticket
from vestibule.base.errors import Fault
from vestibule.devices import service as devices
from vestibule.devices.store import enrollment
from vestibule.protocol import keys, messages
from vestibule.protocol.activation_link import parse_link
from vestibule.protocol.encoding import b64u
from vestibule.protocol.errors import ProtocolFault
from vestibule.protocol.messages import EnrolRequest
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import EndReason, Proof, Session

THERE = "198.51.100.9"
MINUTE = 60_000


async def first_ticket(scene: Scene) -> tuple[Account, Session, Ticket]:
    """An account without a phone, signed in by password, and its ticket."""
    account = await scene.account()
    session, _ = await open_session(scene, account, proof=Proof.PASSWORD)
    return account, session, await service.issue_ticket(scene.ctx, session=session, source=THERE)


def secret_of(ticket: Ticket) -> str:
    """The link's secret as a phone sends it."""
    return b64u(parse_link(ticket.link).secret)


async def opened(scene: Scene, ticket: Ticket, *, source: str = THERE) -> str:
    """The enrol-request of the ticket, by its link."""
    return await service.open_ticket(scene.ctx, link=secret_of(ticket), source=source)


async def refused(coroutine: object) -> str:
    """The code with which a call is refused."""
    with pytest.raises((Fault, ProtocolFault)) as caught:
        await coroutine  # type: ignore[misc]  # any awaitable
    return code_of(caught.value)


async def test_link_and_code_open_the_same_ticket(scene: Scene) -> None:
    """Scanned or typed, in any spelling, it is one ticket; and opening uses nothing up."""
    _, _, ticket = await first_ticket(scene)
    spelling = ticket.code.lower().replace("-", " ")
    asked = [
        messages.parse(text, EnrolRequest).claims
        for text in (
            await opened(scene, ticket),
            await service.open_ticket(scene.ctx, code=spelling, source=THERE),
            await opened(scene, ticket),
        )
    ]
    assert {request.ticket for request in asked} == {ticket.id}
    assert asked[0].account == "m…n"
    assert asked[0].exp == ticket.expires_at // 1000


async def test_enrol_request_is_signed_by_the_key_in_the_link(scene: Scene) -> None:
    """The link pins the server: the request verifies under that key and no other."""
    _, _, ticket = await first_ticket(scene)
    message = messages.parse(await opened(scene, ticket), EnrolRequest)
    key = keys.raw_of(message.claims.keys.sign)
    assert keys.kid_of(key) == parse_link(ticket.link).server == message.kid
    assert message.verify(key) == message.claims


async def test_redeeming_links_the_phone_and_wakes_the_page(scene: Scene) -> None:
    """One transaction: ticket used, enrollment stored, both journalled; then the page hears."""
    account, session, ticket = await first_ticket(scene)
    phone = ScenePhone(scene.ctx.settings.portal_url, label="Maria's Pixel")
    response = enrol_response(scene, await opened(scene, ticket), phone)
    enrolled = await service.redeem_ticket(scene.ctx, response=response, source=THERE)
    assert (enrolled.enrollment_id, enrolled.username) == (phone.id, account.username)
    (listed,) = await devices.list_phones(scene.ctx, account.id)
    assert listed.enrollment.label == "Maria's Pixel"
    assert await service.glance(scene.ctx, ticket.id) == (State.REDEEMED, "Maria's Pixel")
    assert (f"ticket:{ticket.id}", "linked") in scene.bus.told
    events = [row["event"] for row in await scene.events()]
    assert events[-2:] == ["ticket.redeemed", "enrollment.created"]
    row = (await scene.rows(enrollment))[0]
    assert devices.open_response_key(scene.ctx, phone.id, row["response_key"]) == (
        keys.response_key(phone.root, phone.id)
    )
    assert session.id == (await scene.rows(activation_ticket))[0]["session_id"]


async def test_used_ticket_says_so(scene: Scene) -> None:
    """Whoever comes second hears that it was used, by link, by code and with a whole response."""
    _, _, ticket = await first_ticket(scene)
    request = await opened(scene, ticket)
    await service.redeem_ticket(scene.ctx, response=enrol_response(scene, request), source=THERE)
    assert await refused(opened(scene, ticket)) == "ticket_used"
    assert await refused(service.open_ticket(scene.ctx, code=ticket.code, source=THERE)) == (
        "ticket_used"
    )
    late = enrol_response(scene, request)
    before = await scene.everything()
    assert await refused(service.redeem_ticket(scene.ctx, response=late, source=THERE)) == (
        "ticket_used"
    )
    assert await scene.everything() == before


async def test_expired_ticket_says_so(scene: Scene) -> None:
    """At ten minutes sharp it is over, also for a phone that had opened it in time."""
    _, _, ticket = await first_ticket(scene)
    request = await opened(scene, ticket)
    scene.clock.step(10 * MINUTE - 1)
    assert await opened(scene, ticket)
    scene.clock.step(1)
    assert await refused(opened(scene, ticket)) == "ticket_expired"
    late = enrol_response(scene, request)
    assert await refused(service.redeem_ticket(scene.ctx, response=late, source=THERE)) == (
        "ticket_expired"
    )


async def test_new_code_withdraws_the_former(scene: Scene) -> None:
    """The same session shows its live ticket again; a new one ends it."""
    _, session, ticket = await first_ticket(scene)
    shown = await service.ticket_to_show(scene.ctx, session=session, source=THERE)
    assert shown == ticket
    fresh = await service.issue_ticket(scene.ctx, session=session, source=THERE)
    assert fresh.code != ticket.code
    assert await refused(opened(scene, ticket)) == "ticket_withdrawn"
    assert await opened(scene, fresh)


async def test_another_sign_in_has_a_ticket_of_its_own(scene: Scene) -> None:
    """Every sign-in shows a fresh code."""
    account, _, ticket = await first_ticket(scene)
    other, _ = await open_session(scene, account, proof=Proof.PASSWORD)
    fresh = await service.ticket_to_show(scene.ctx, session=other, source=THERE)
    assert (fresh.id, fresh.code) != (ticket.id, ticket.code)


async def test_signing_out_withdraws_the_ticket(scene: Scene) -> None:
    """The code of a session that ended links nothing, though a phone had opened it before."""
    account, session, ticket = await first_ticket(scene)
    response = enrol_response(scene, await opened(scene, ticket))
    await sessions.end_session(
        scene.ctx,
        id=session.id,
        account_id=account.id,
        reason=EndReason.SIGNED_OUT,
        source=THERE,
    )
    assert await refused(opened(scene, ticket)) == "ticket_withdrawn"
    assert await refused(service.redeem_ticket(scene.ctx, response=response, source=THERE)) == (
        "ticket_withdrawn"
    )


async def test_wrong_codes_exhaust_the_ticket_and_nothing_else_does(scene: Scene) -> None:
    """Five wrong secrets under its locator end a ticket; five visits by link do not."""
    _, session, ticket = await first_ticket(scene)
    for _ in range(5):
        await opened(scene, ticket)
    wrong = ticket.code[:-1] + ("0" if ticket.code[-1] != "0" else "1")
    codes = [
        await refused(service.open_ticket(scene.ctx, code=wrong, source=f"192.0.2.{number}"))
        for number in range(6)
    ]
    assert codes == ["ticket_unknown"] * 4 + ["ticket_exhausted", "ticket_unknown"]
    assert await refused(opened(scene, ticket)) == "ticket_exhausted"
    shown = await service.ticket_to_show(scene.ctx, session=session, source=THERE)
    assert (shown.id, shown.state) == (ticket.id, State.EXHAUSTED)


async def test_guessing_from_one_address_has_to_wait(scene: Scene) -> None:
    """Ten misses in ten minutes, and even the right code is not looked at."""
    _, _, ticket = await first_ticket(scene)
    for _ in range(10):
        assert await refused(
            service.open_ticket(scene.ctx, code="0000 0000 0000", source=THERE)
        ) == ("ticket_unknown")
    assert await refused(opened(scene, ticket)) == "too_many_requests"
    assert await opened(scene, ticket, source="192.0.2.1")
    scene.clock.step(10 * MINUTE - 1000)
    assert await refused(opened(scene, ticket)) == "too_many_requests"


@pytest.mark.parametrize(
    "typed, code", [("ABCD-EFGH-JKM", "code_length"), ("ABCD-EFGH-JKM!", "code_characters")]
)
async def test_code_that_cannot_be_one_is_not_counted(scene: Scene, typed: str, code: str) -> None:
    """A slip of the finger costs no try."""
    assert await refused(service.open_ticket(scene.ctx, code=typed, source=THERE)) == code
    assert await scene.events() == []


async def test_same_device_cannot_be_linked_twice(scene: Scene) -> None:
    """An account that is active on a phone is not enrolled there again, and the ticket lives on."""
    account = await scene.account()
    phone = await scene.phone(account)
    session, _ = await open_session(scene, account, phone=phone)
    ticket = await service.issue_ticket(scene.ctx, session=session, source=THERE)
    again = ScenePhone(phone.issuer)
    again.device = phone.device
    response = enrol_response(scene, await opened(scene, ticket), again)
    assert await refused(service.redeem_ticket(scene.ctx, response=response, source=THERE)) == (
        "enrollment_exists"
    )
    assert await opened(scene, ticket)


async def test_password_alone_brings_no_second_phone(scene: Scene) -> None:
    """Neither a new ticket nor one from before the first phone was linked."""
    account, session, ticket = await first_ticket(scene)
    request = await opened(scene, ticket)
    await scene.phone(account)
    assert await refused(service.issue_ticket(scene.ctx, session=session, source=THERE)) == (
        "activation_needs_phone"
    )
    response = enrol_response(scene, request)
    assert await refused(service.redeem_ticket(scene.ctx, response=response, source=THERE)) == (
        "already_enrolled_elsewhere"
    )


async def test_phone_brings_a_second_phone(scene: Scene) -> None:
    """A session that a phone approved may add another, and all sessions go on."""
    account = await scene.account()
    phone = await scene.phone(account)
    session, _ = await open_session(scene, account, phone=phone)
    other, _ = await open_session(scene, account, phone=phone)
    ticket = await service.issue_ticket(scene.ctx, session=session, source=THERE)
    response = enrol_response(scene, await opened(scene, ticket))
    await service.redeem_ticket(scene.ctx, response=response, source=THERE)
    assert len(await devices.list_phones(scene.ctx, account.id)) == 2
    live = {view.id for view in await sessions.list_sessions(scene.ctx, account.id)}
    assert live == {session.id, other.id}


async def test_first_phone_ends_other_password_sessions(scene: Scene) -> None:
    """Whoever else signed in with the password alone is out; the session that linked it stays."""
    account, session, ticket = await first_ticket(scene)
    await open_session(scene, account, proof=Proof.PASSWORD)
    response = enrol_response(scene, await opened(scene, ticket))
    await service.redeem_ticket(scene.ctx, response=response, source=THERE)
    (left,) = await sessions.list_sessions(scene.ctx, account.id)
    assert left.id == session.id


async def test_biometrics_that_do_not_verify_refuse_the_enrolment(scene: Scene) -> None:
    """A credential that is none burns no ticket."""
    _, _, ticket = await first_ticket(scene)
    request = await opened(scene, ticket)
    response = enrol_response(scene, request, webauthn={"id": "x", "rawId": "x"})
    assert await refused(service.redeem_ticket(scene.ctx, response=response, source=THERE)) == (
        "assertion_wrong"
    )
    good = enrol_response(scene, request)
    enrolled = await service.redeem_ticket(scene.ctx, response=good, source=THERE)
    assert enrolled.username == "morgan"


@pytest.mark.parametrize("field", ["code", "label", "audit"])
async def test_no_secret_of_a_ticket_is_stored_readable(scene: Scene, field: str) -> None:
    """Neither code nor link can be read from the database; the journal holds neither."""
    _, _, ticket = await first_ticket(scene)
    await opened(scene, ticket)
    everything = repr([await scene.everything(), await scene.events()])
    plain = ticket.code.replace("-", "")
    secret = {"code": plain, "label": plain[4:], "audit": secret_of(ticket)}[field]
    assert secret not in everything


@pytest.mark.parametrize("rivals", [2, 64])
async def test_simultaneous_redemptions_have_one_winner(desk: Desk, rivals: int) -> None:
    """However many phones redeem one ticket at once, one is linked and all others hear why."""
    scene = desk.scene
    account, _, ticket = await first_ticket(scene)
    request = await opened(scene, ticket)
    responses = [enrol_response(scene, request) for _ in range(rivals)]
    results = await asyncio.gather(
        *(service.redeem_ticket(scene.ctx, response=one, source=THERE) for one in responses),
        return_exceptions=True,
    )
    won = [result for result in results if not isinstance(result, BaseException)]
    lost = {code_of(result) for result in results if isinstance(result, BaseException)}
    assert len(won) == 1
    assert lost == {"ticket_used"}
    assert len(await devices.list_phones(scene.ctx, account.id)) == 1


async def test_simultaneous_first_phones_of_two_tickets_have_one_winner(scene: Scene) -> None:
    """Two password sessions cannot both bring "the first" phone."""
    account, _, ticket = await first_ticket(scene)
    other, _ = await open_session(scene, account, proof=Proof.PASSWORD)
    rival = await service.issue_ticket(scene.ctx, session=other, source=THERE)
    responses = [enrol_response(scene, await opened(scene, one)) for one in (ticket, rival)]
    results = await asyncio.gather(
        *(service.redeem_ticket(scene.ctx, response=one, source=THERE) for one in responses),
        return_exceptions=True,
    )
    assert sum(not isinstance(result, BaseException) for result in results) == 1
    assert len(await devices.list_phones(scene.ctx, account.id)) == 1


async def test_simultaneous_wrong_codes_are_all_counted(scene: Scene) -> None:
    """Guesses sent side by side are evaluated one after the other: five, and no more."""
    _, _, ticket = await first_ticket(scene)
    wrong = ticket.code[:-1] + ("0" if ticket.code[-1] != "0" else "1")
    results = await asyncio.gather(
        *(
            service.open_ticket(scene.ctx, code=wrong, source=f"192.0.2.{number}")
            for number in range(24)
        ),
        return_exceptions=True,
    )
    codes = [code_of(result) for result in results if isinstance(result, BaseException)]
    assert len(codes) == 24
    assert codes.count("ticket_exhausted") == 1
    (row,) = await scene.rows(activation_ticket)
    assert (row["state"], row["tries"]) == ("exhausted", 5)
