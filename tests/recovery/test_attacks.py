"""Attacks on the way in, each of which fails, on both databases.

What the attacker has is said by each test; what they do is what the interface lets anybody do.
"""

import re

import pytest

from tests.desk import Desk, enrol_response, open_session
from tests.login.scene import Scene, ScenePhone, code_of
from tests.recovery.newcomer import (
    Newcomer,
    error,
    newcomer,
    notices,
    phones_of,
    told,
    with_number,
)
from vestibule.accounts import service as accounts
from vestibule.accounts.rules import Account
from vestibule.activation import service as activation
from vestibule.base.clock import DAY, HOUR
from vestibule.base.errors import Fault, Refused
from vestibule.contacts import service as contacts
from vestibule.contacts.rules import Kind
from vestibule.devices.rules import can_approve
from vestibule.notifications import service as notifications
from vestibule.protocol import messages
from vestibule.protocol.activation_link import parse_link
from vestibule.protocol.encoding import b64u
from vestibule.protocol.messages import EnrolRequest
from vestibule.recovery import service
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof


async def taken_over(desk: Desk) -> tuple[Account, ScenePhone, Newcomer]:
    """Morgan with an old phone, and a thief who has the password and the text messages."""
    scene = desk.scene
    account = await scene.account()
    old = await scene.phone(account, label="Old phone", push=False)
    await with_number(scene, account)
    thief = newcomer(desk, "Thief's phone")
    await thief.begin()
    assert (await thief.by_text(replaces="all")).status_code == 200
    return account, old, thief


async def not_me(desk: Desk, phone: ScenePhone, notice: int) -> tuple[int, str]:
    """Say "not me" of a notice, on a phone: what was done, or the refusal."""
    path = f"/device/notices/{notice}/not-me"
    proof = phone.proof("POST", path, b"{}", now=desk.scene.clock.now())
    answer = await desk.phone_http.post(
        path,
        content=b"{}",
        headers={"authorization": proof, "content-type": "application/json"},
    )
    said = answer.json()
    return answer.status_code, said.get("done") or said["code"]


async def latest(scene: Scene, account: Account, event: str) -> int:
    """The id of the account's latest notice of that event."""
    return next(id_ for id_, notice in await told(scene, account) if notice.event == event)


# --- a stolen password and a hijacked number ----------------------------------------------------


async def test_stolen_password_and_hijacked_number_open_nothing_for_a_day(desk: Desk) -> None:
    """The thief's phone cannot approve, and cannot say "not me" of the owner's doings."""
    scene = desk.scene
    account, old, thief = await taken_over(desk)
    now = scene.clock.now()
    assert not can_approve((await phones_of(scene, account))["Thief's phone"], now)
    await scene.begin()
    assert await scene.waiting(thief.phone) == ()
    started = await latest(scene, account, "recovery.started")
    assert (await not_me(desk, thief.phone, started)) == (403, "enrollment_rests")
    # The thief cannot cut the wait short either: it takes the old phone's word.
    assert error(await thief.choose("code:AAAAAAAAAAAAAAAAAAAAAA")) == (409, "case_way")
    assert await scene.approve(old, await scene.begin()) == "approved"


async def test_not_me_on_the_old_phone_ends_the_take_over(desk: Desk) -> None:
    """One tap without a PIN: the thief's phone is out, the old one stays, the password is due."""
    scene = desk.scene
    account, old, thief = await taken_over(desk)
    rested = await latest(scene, account, "recovery.rested")
    assert await not_me(desk, old, rested) == (200, "case_stopped")
    assert list(await phones_of(scene, account)) == ["Old phone"]
    assert (await phones_of(scene, account))["Old phone"].retires_at is None
    assert (await thief.look())["state"] == "stopped"
    assert (await accounts.get_account(scene.ctx, account.id)).password_change_needed
    scene.clock.step(2 * DAY)
    await service.sweep_cases(scene.ctx)
    assert list(await phones_of(scene, account)) == ["Old phone"]
    assert await not_me(desk, old, rested) == (200, "nothing")
    assert (await notices(scene, account))[0] == "recovery.stopped"


async def test_not_me_still_helps_after_the_wait(desk: Desk) -> None:
    """Who slept over it undoes it from the retired phone, with the sessions that came of it."""
    scene = desk.scene
    account, old, thief = await taken_over(desk)
    scene.clock.step(DAY + HOUR)
    await service.sweep_cases(scene.ctx)
    assert await scene.approve(thief.phone, await scene.begin()) == "approved"
    _, cookie = await open_session(scene, account, phone=thief.phone)
    finished = await latest(scene, account, "recovery.finished")
    assert await not_me(desk, old, finished) == (200, "case_stopped")
    assert await sessions.session_of(scene.ctx, cookie) is None
    listed = await phones_of(scene, account)
    assert list(listed) == ["Old phone"]
    assert can_approve(listed["Old phone"], scene.clock.now())


async def test_what_matters_rests_after_a_take_over(desk: Desk) -> None:
    """Even when the wait is over, three days more no address is added (cool-down)."""
    scene = desk.scene
    account, _, thief = await taken_over(desk)
    scene.clock.step(25 * HOUR)

    async def add() -> object:
        session, _ = await open_session(scene, account, proof=Proof.NUMBER, phone=thief.phone)
        return await contacts.add(
            scene.ctx,
            session=session,
            kind=Kind.MAIL,
            typed="thief@example.org",
            country="",
            source="192.0.2.66",
        )

    with pytest.raises(Refused, match="cooling_down"):
        await add()
    scene.clock.step(71 * HOUR + 1000)
    await add()


async def test_thief_with_the_password_alone_gets_nowhere(desk: Desk) -> None:
    """Without the number the case stays without a code; the owner's phone can only say no."""
    scene = desk.scene
    account = await scene.account()
    await scene.phone(account, push=False)
    thief = newcomer(desk, "Thief's phone")
    await thief.begin()
    assert thief.kinds() == [("phone", False)]
    assert error(await thief.choose("sms:AAAAAAAAAAAAAAAAAAAAAA")) == (409, "case_way")
    body = {"case": thief.token, "response": "x.y.z"}
    assert (await desk.ask("POST", "/device/cases/enrollments", body)).status_code == 400
    assert len(await phones_of(scene, account)) == 1


async def test_mail_link_stops_the_take_over(desk: Desk) -> None:
    """Looking at the page changes nothing; its button stops the case, without a sign-in."""
    scene = desk.scene
    account, _, _ = await taken_over(desk)
    link = await _link(scene, account, "recovery.rested")
    page = await desk.http.get(link)
    assert page.status_code == 200
    assert len(await phones_of(scene, account)) == 2
    token = re.search(r'name="form" value="([^"]+)"', page.text)
    assert token is not None
    done = await desk.http.post(link, data={"form": token[1]})
    assert done.status_code == 200
    assert list(await phones_of(scene, account)) == ["Old phone"]
    assert (await desk.http.get(f"{link[:-6]}AAAAAA")).status_code == 404


async def _link(scene: Scene, account: Account, event: str) -> str:
    notice = next(notice for _, notice in await told(scene, account) if notice.event == event)
    return notifications.not_me_link(scene.ctx, notice).removeprefix(scene.ctx.settings.portal_url)


async def test_owner_stops_it_in_the_portal(desk: Desk) -> None:
    """Settings show what is on its way in, with a button that stops it."""
    account, old, thief = await taken_over(desk)
    await desk.sign_in(account, phone=old)
    page = (await desk.http.get("/settings/recovery")).text
    assert "Thief&#39;s phone" in page
    case = re.search(r'name="case" value="([^"]+)"', page)
    assert case is not None
    answer = await desk.send("/settings/recovery", "/settings/recovery/stop", case=case[1])
    assert answer.status_code == 303
    assert (await thief.look())["state"] == "stopped"
    again = await desk.send("/settings/recovery", "/settings/recovery/stop", case=case[1])
    assert again.status_code == 410


async def test_nobody_stops_anothers_case(desk: Desk) -> None:
    """A signed-in stranger who knows the id is told that there is no such case."""
    scene = desk.scene
    await taken_over(desk)
    stranger = await scene.account("robin")
    await desk.sign_in(stranger)
    case_id = next(
        row["subject"] for row in await scene.events() if row["event"] == "recovery.rested"
    )
    answer = await desk.send("/settings/recovery", "/settings/recovery/stop", case=case_id)
    assert answer.status_code == 404


async def test_phone_undoes_only_what_is_younger_than_itself(desk: Desk) -> None:
    """Who links a phone by stealth cannot remove the owner's with it, nor act for others."""
    scene = desk.scene
    account = await scene.account()
    await scene.phone(account, label="Owner's", push=False)
    own = await latest(scene, account, "enrollment.created")
    second = await scene.phone(account, label="Second", push=False)
    assert await not_me(desk, second, own) == (404, "notice_unknown")
    stranger = await scene.phone(await scene.account("robin"), push=False)
    assert await not_me(desk, stranger, own) == (404, "notice_unknown")
    assert len(await phones_of(scene, account)) == 2


# --- relayed codes -----------------------------------------------------------------------------


async def test_relayed_code_of_the_attacker_binds_nothing_of_the_victim(desk: Desk) -> None:
    """The victim scans the attacker's QR code: the phone shows whose account it would be.

    It then approves for the attacker's account, and for nothing of the victim's.
    """
    scene = desk.scene
    victim = await scene.account()
    phone = await scene.phone(victim, push=False)
    attacker = await scene.account("zelda")
    session, _ = await open_session(scene, attacker, proof=Proof.PASSWORD)
    ticket = await activation.issue_ticket(scene.ctx, session=session, source="192.0.2.66")
    link = b64u(parse_link(ticket.link).secret)
    request = (await desk.ask("POST", "/device/tickets", {"link": link})).json()["request"]
    assert messages.parse(request, EnrolRequest).claims.account == "z…a"
    # The same device and PIN, a key of its own for this account.
    further = ScenePhone(phone.issuer, label="Shared")
    further.device, further.subscription = phone.device, None
    response = {"response": enrol_response(scene, request, further)}
    assert (await desk.ask("POST", "/device/enrollments", response)).json()["account"] == "zelda"
    assert [one.id for one in (await phones_of(scene, victim)).values()] == [phone.id]
    began = await scene.begin()
    assert await scene.waiting(further) == ()
    text = await scene.request(phone, began)
    with pytest.raises(Fault) as caught:
        await scene.answer(further.approval(text, now=scene.clock.now()))
    assert code_of(caught.value) == "request_unknown"


async def test_stolen_code_is_told_at_once_and_undone(desk: Desk) -> None:
    """Whoever photographs the victim's QR code and is quicker: the owner is told, and undoes it."""
    scene = desk.scene
    victim = await scene.account()
    session, cookie = await open_session(scene, victim, proof=Proof.PASSWORD)
    ticket = await activation.issue_ticket(scene.ctx, session=session, source="192.0.2.7")
    link = b64u(parse_link(ticket.link).secret)
    request = (await desk.ask("POST", "/device/tickets", {"link": link})).json()["request"]
    thief = ScenePhone(scene.ctx.settings.portal_url, label="Thief's phone")
    thief.subscription = None
    response = {"response": enrol_response(scene, request, thief)}
    assert (await desk.ask("POST", "/device/enrollments", response)).status_code == 200
    # The page that showed the code says so at that moment, and so does every address.
    assert (f"ticket:{ticket.id}", "linked") in scene.bus.told
    assert (await notices(scene, victim))[0] == "enrollment.created"
    undone = await service.undo_by_link(
        scene.ctx,
        (await _link(scene, victim, "enrollment.created")).rpartition("/")[2],
        source="192.0.2.7",
    )
    assert undone is service.Undone.PHONE_REMOVED
    assert await phones_of(scene, victim) == {}
    assert await sessions.session_of(scene.ctx, cookie) is None
    with pytest.raises(Fault) as caught:
        await scene.waiting(thief)
    assert code_of(caught.value) == "enrollment_revoked"
