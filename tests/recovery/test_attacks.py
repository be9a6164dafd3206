"""Attacks on the way in, each of which fails, on both databases.

What the attacker has is said by each test; what they do is what the interface lets anybody do.
"""

import asyncio
import json
import re
import secrets

import pytest

from tests.desk import Desk, enrol_response, open_session
from tests.login.scene import HERE, Scene, ScenePhone, code_of, mine
from tests.recovery.newcomer import (
    Newcomer,
    error,
    newcomer,
    notices,
    phones_of,
    told,
    with_codes,
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
from vestibule.login import service as login
from vestibule.notifications import service as notifications
from vestibule.protocol import keys, messages
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
    scene = desk.scene
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


# --- one PIN, several accounts -------------------------------------------------------------------


async def shared_phone(scene: Scene, *names: str) -> list[ScenePhone]:
    """One device with one root and an enrollment of each account."""
    found: list[ScenePhone] = []
    for name in names:
        account = await scene.account(name)
        phone = await scene.phone(account, push=False, device=found[0].device if found else None)
        found.append(phone)
    return found


async def wrong_pin(scene: Scene, phone: ScenePhone, name: str) -> str:
    """Approve a fresh sign-in under a wrong PIN: the refusal."""
    began = await scene.begin(name)
    text = await scene.request(phone, began)
    with pytest.raises(Fault) as caught:
        await scene.approve(phone, began, proof=phone.wrong_proof(text))
    await login.cancel(scene.ctx, mine(began), visitor=HERE)
    return code_of(caught.value)


async def checked(desk: Desk, phone: ScenePhone, *, right: bool) -> tuple[int, str]:
    """A knowledge check: ok, or the refusal."""
    nonce = secrets.token_bytes(16)
    key = phone.knowledge_key if right else bytes(32)
    said = {"nonce": b64u(nonce), "proof": keys.nonce_proof(key, nonce)}
    body = json.dumps(said).encode("ascii")
    proof = phone.proof("POST", "/device/knowledge", body, now=desk.scene.clock.now())
    answer = await desk.phone_http.post(
        "/device/knowledge",
        content=body,
        headers={"authorization": proof, "content-type": "application/json"},
    )
    return answer.status_code, answer.json().get("code", "ok")


async def test_pin_cannot_be_searched_through_several_accounts(desk: Desk) -> None:
    """Five wrong PINs in all, whichever account or door they were tried at; then a wait."""
    scene = desk.scene
    names = ("morgan", "robin", "sasha")
    phones = await shared_phone(scene, *names)
    assert await wrong_pin(scene, phones[0], names[0]) == "proof_wrong"
    assert await wrong_pin(scene, phones[1], names[1]) == "proof_wrong"
    assert await checked(desk, phones[2], right=False) == (403, "proof_wrong")
    assert await checked(desk, phones[0], right=False) == (403, "proof_wrong")
    assert await wrong_pin(scene, phones[1], names[1]) == "proof_wrong"
    # The sixth is not looked at, though no account has had more than two.
    assert await checked(desk, phones[2], right=True) == (429, "approvals_blocked")
    assert await wrong_pin(scene, phones[2], names[2]) == "approvals_blocked"


async def test_response_typed_for_one_account_counts_for_the_device(desk: Desk) -> None:
    """Wrong responses in one account's sign-ins use up what the other accounts have."""
    scene = desk.scene
    phones = await shared_phone(scene, "morgan", "robin")
    for _ in range(2):
        began = await scene.begin("morgan")
        for _ in range(2):
            with pytest.raises(Fault):
                await login.respond(scene.ctx, mine(began), typed="00000000", visitor=HERE)
    assert await checked(desk, phones[1], right=False) == (403, "proof_wrong")
    assert await checked(desk, phones[1], right=True) == (429, "approvals_blocked")


async def test_own_account_on_a_stolen_phone_forgives_nothing(desk: Desk) -> None:
    """A thief who links an account of their own to the device clears only its own failures."""
    scene = desk.scene
    victim, own = await shared_phone(scene, "morgan", "zelda")
    for _ in range(4):
        assert await checked(desk, victim, right=False) == (403, "proof_wrong")
        assert await checked(desk, own, right=True) == (200, "ok")
    assert await checked(desk, victim, right=False) == (403, "proof_wrong")
    assert await checked(desk, own, right=True) == (429, "approvals_blocked")


async def test_ten_wrong_pins_lock_the_pin_for_good(desk: Desk) -> None:
    """After the tenth even the right PIN counts for nothing; denying goes on."""
    scene = desk.scene
    account = await scene.account()
    phone = await scene.phone(account, push=False)
    for _ in range(10):
        assert await checked(desk, phone, right=False) == (403, "proof_wrong")
        scene.clock.step(HOUR)
    scene.clock.step(2 * DAY)
    assert await checked(desk, phone, right=True) == (403, "pin_locked")
    assert (await notices(scene, account))[0] == "enrollment.pin_locked"
    began = await scene.begin()
    with pytest.raises(Fault) as caught:
        await scene.approve(phone, began)
    assert code_of(caught.value) == "pin_locked"
    text = await scene.request(phone, began)
    said = await scene.answer(phone.approval(text, now=scene.clock.now(), act="deny", proof=""))
    assert said == "denied"


async def test_right_pin_forgives_the_wrong_ones(desk: Desk) -> None:
    """Who mistypes now and then is never locked."""
    scene = desk.scene
    phone = await scene.phone(await scene.account(), push=False)
    for _ in range(4):
        for _ in range(3):
            assert await checked(desk, phone, right=False) == (403, "proof_wrong")
        assert await checked(desk, phone, right=True) == (200, "ok")


async def test_wrong_pins_side_by_side_are_counted(desk: Desk) -> None:
    """Of 64 at once five are looked at; the right one among them counts only in its turn."""
    scene = desk.scene
    phone = await scene.phone(await scene.account(), push=False)
    answers = await asyncio.gather(*(checked(desk, phone, right=False) for _ in range(64)))
    assert answers.count((403, "proof_wrong")) == 5
    assert answers.count((429, "approvals_blocked")) == 59


async def test_new_pin_for_a_locked_phone_works_again(desk: Desk) -> None:
    """A printed code renews the phone under a device id of its own: nothing is locked there."""
    scene = desk.scene
    account = await scene.account()
    codes = await with_codes(scene, account)
    phone = await scene.phone(account, push=False)
    for _ in range(10):
        await checked(desk, phone, right=False)
        scene.clock.step(HOUR)
    new = newcomer(desk)
    await new.begin(former=phone.id)
    await new.choose("code")
    await new.type(codes[0])
    await new.enrol()
    assert await checked(desk, new.phone, right=True) == (200, "ok")
