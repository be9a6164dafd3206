"""Cases of an app that comes with credentials, over the phone's interface, on both databases."""

import pytest

from tests.desk import Desk
from tests.login.scene import Scene, ScenePhone, code_of
from tests.recovery.newcomer import (
    error,
    newcomer,
    notices,
    owner,
    phones_of,
    sent,
    with_codes,
)
from vestibule.accounts import service as accounts
from vestibule.base.clock import DAY, HOUR, MINUTE
from vestibule.base.errors import Fault, Refused
from vestibule.devices.rules import can_approve
from vestibule.protocol import messages
from vestibule.protocol.messages import ApprovalRequest
from vestibule.recovery import service
from vestibule.sessions.rules import Proof


async def approve(scene: Scene, phone: ScenePhone, number: str | None, **changes: str) -> None:
    """Approve the one request that waits on a phone."""
    (request,) = await scene.waiting(phone)
    claims = messages.parse(request, ApprovalRequest).claims
    assert claims.kind == "migration"
    members = {"number": (number or "") if claims.number else ""} | changes
    await scene.answer(phone.approval(request, now=scene.clock.now(), **members))


async def test_first_phone_by_text_works_at_once(desk: Desk) -> None:
    """Username, password and the code of a text message link the first phone (ACT-13)."""
    scene = desk.scene
    account, _ = await owner(desk, phones=0)
    new = newcomer(desk)
    answer = (await new.begin()).json()
    assert (answer["situation"], answer["account"], answer["phones"]) == ("first", "morgan", [])
    assert answer["organisation"] == "Northgate Bank"
    assert new.kinds() == [("sms", False), ("voice", False)]
    assert answer["ways"][0]["label"] == "+39 ••• 89"
    chosen = (await new.choose("sms")).json()
    assert chosen["resend_at"] > scene.clock.now()
    assert chosen["sends_left"] > 0
    assert (await new.type(sent(scene))).json()["rests_until"] is None
    linked = (await new.enrol()).json()
    assert (linked["enrollment"], linked["rests_until"]) == (new.phone.id, None)
    began = await scene.begin()
    assert await scene.approve(new.phone, began) == "approved"
    assert (await accounts.get_account(scene.ctx, account.id)).guarded_until is None


async def test_first_phone_ends_what_the_password_opened(desk: Desk) -> None:
    """From the first phone on a password alone opens nothing, whichever way the phone came."""
    account, _ = await owner(desk, phones=0)
    await desk.sign_in(account, proof=Proof.PASSWORD)
    new = newcomer(desk)
    await new.begin()
    await new.by_text()
    assert (await desk.http.get("/settings/phones")).status_code == 401


async def test_text_beside_an_old_phone_rests_a_day(desk: Desk) -> None:
    """The old phone works until then; at that moment the new one takes over (MG-02)."""
    scene = desk.scene
    account, (old,) = await owner(desk)
    new = newcomer(desk)
    assert (await new.begin()).json()["situation"] == "move"
    assert new.kinds() == [("phone", False), ("sms", True), ("voice", True)]
    linked = (await new.by_text(replaces="all")).json()
    assert linked["rests_until"] == scene.clock.now() + 24 * HOUR
    assert (await new.look())["state"] == "resting"
    began = await scene.begin()
    assert await scene.approve(old, began) == "approved"
    scene.clock.step(24 * HOUR)
    listed = await phones_of(scene, account)
    now = scene.clock.now()
    assert {label: can_approve(one, now) for label, one in listed.items()} == {
        "Old 0": False,
        "New phone": True,
    }
    assert await service.ripen(scene.ctx) == 1
    assert (await new.look())["state"] == "done"
    assert await scene.approve(new.phone, await scene.begin()) == "approved"


async def test_resting_phone_can_neither_approve_nor_respond(desk: Desk) -> None:
    """Neither the chooser nor a signed answer lets it in before its time."""
    scene = desk.scene
    _, (old,) = await owner(desk)
    new = newcomer(desk)
    await new.begin()
    await new.by_text(replaces="all")
    began = await scene.begin()
    assert await scene.waiting(new.phone) == ()
    request = await scene.request(old, began)
    with pytest.raises(Fault) as caught:
        await scene.answer(new.phone.approval(request, now=scene.clock.now()))
    assert code_of(caught.value) in {"request_unknown", "enrollment_rests"}


async def test_old_phone_hears_of_it_and_of_its_end(desk: Desk) -> None:
    """What was begun, what rests and what took over is told, each once."""
    scene = desk.scene
    account, _ = await owner(desk)
    new = newcomer(desk)
    await new.begin()
    await new.by_text(replaces="all")
    assert (await notices(scene, account))[:2] == ["recovery.rested", "recovery.started"]
    assert "enrollment.created" not in (await notices(scene, account))[:3]
    scene.clock.step(DAY)
    await service.sweep_cases(scene.ctx)
    assert (await notices(scene, account))[0] == "recovery.finished"


async def test_other_phone_vouches_at_once(desk: Desk) -> None:
    """The old phone approves the new one's name, and retires at that moment."""
    scene = desk.scene
    account, (old,) = await owner(desk)
    new = newcomer(desk)
    await new.begin()
    chosen = (await new.choose("phone", replaces="all")).json()
    assert (chosen["situation"], chosen["rests"]) == ("move", False)
    (request,) = await scene.waiting(old)
    show = messages.parse(request, ApprovalRequest).claims.show
    assert show.detail == "New phone"
    assert (await new.look())["state"] == "waiting"
    await approve(scene, old, chosen["number"])
    said = await new.look()
    assert (said["state"], said["rests_until"]) == ("approved", None)
    assert (await new.enrol()).json()["rests_until"] is None
    now = scene.clock.now()
    listed = await phones_of(scene, account)
    assert not can_approve(listed["Old 0"], now)
    assert can_approve(listed["New phone"], now)
    # The owner was there with a phone: nothing cools down.
    assert (await accounts.get_account(scene.ctx, account.id)).guarded_until is None


async def test_other_phone_adds_a_second_one(desk: Desk) -> None:
    """With nothing to replace, a case adds: both phones approve."""
    scene = desk.scene
    account, (old,) = await owner(desk)
    new = newcomer(desk)
    await new.begin()
    chosen = (await new.choose("phone")).json()
    assert chosen["situation"] == "add"
    await approve(scene, old, chosen["number"])
    await new.look()
    await new.enrol()
    now = scene.clock.now()
    assert all(can_approve(one, now) for one in (await phones_of(scene, account)).values())


@pytest.mark.parametrize("act", ["deny", "report"])
async def test_denied_by_the_old_phone_ends_the_case(desk: Desk, act: str) -> None:
    """Whoever holds the old phone says no, and nothing was linked."""
    scene = desk.scene
    account, (old,) = await owner(desk)
    new = newcomer(desk)
    await new.begin()
    await new.choose("phone", replaces="all")
    (request,) = await scene.waiting(old)
    await scene.answer(old.approval(request, now=scene.clock.now(), act=act, proof=""))
    assert (await new.look())["state"] == "denied"
    assert error(await new.choose("sms", replaces="all")) == (410, "case_over")
    assert list(await phones_of(scene, account)) == ["Old 0"]


async def test_unanswered_phone_leads_back_to_the_choice(desk: Desk) -> None:
    """A request that ran out leaves the case open for another way."""
    scene = desk.scene
    await owner(desk)
    new = newcomer(desk)
    await new.begin()
    await new.choose("phone", replaces="all")
    scene.clock.step(16 * MINUTE)
    assert (await new.look())["state"] == "open"
    assert (await new.choose("sms", replaces="all")).status_code == 200


async def test_recovery_code_works_at_once_and_once(desk: Desk) -> None:
    """A printed code links a new phone without the old one; what matters cools down (REC-05)."""
    scene = desk.scene
    account, _ = await owner(desk, number=False)
    codes = await with_codes(scene, account)
    new = newcomer(desk)
    await new.begin()
    assert new.kinds() == [("phone", False), ("code", False)]
    await new.choose("code", replaces="all")
    assert error(await new.type("AAAA-AAAA-AAAA-AAAA")) == (403, "recovery_code_wrong")
    assert (await new.type(codes[0])).json()["rests_until"] is None
    assert (await new.enrol()).status_code == 200
    guarded = (await accounts.get_account(scene.ctx, account.id)).guarded_until
    assert guarded == scene.clock.now() + 72 * HOUR
    with pytest.raises(Refused, match="cooling_down"):
        accounts.demand_unguarded(
            await accounts.get_account(scene.ctx, account.id), scene.clock.now()
        )
    again = newcomer(desk, "Another")
    await again.begin()
    await again.choose("code", replaces="all")
    assert error(await again.type(codes[0])) == (403, "recovery_code_wrong")


async def test_five_wrong_recovery_codes_spend_the_case(desk: Desk) -> None:
    """And the account's limit outlives the case: a new one brings no new tries."""
    scene = desk.scene
    account, _ = await owner(desk, number=False)
    codes = await with_codes(scene, account)
    new = newcomer(desk)
    await new.begin()
    await new.choose("code")
    lefts = [(await new.type("AAAA-AAAA-AAAA-AAAA")).json().get("left") for _ in range(5)]
    assert lefts == [4, 3, 2, 1, 0]
    assert error(await new.type(codes[0])) == (410, "case_over")
    assert (await new.look())["state"] == "spent"
    again = newcomer(desk, "Another")
    await again.begin()
    await again.choose("code")
    assert error(await again.type(codes[0])) == (429, "case_codes_blocked")


async def test_forgotten_pin_is_renewed_by_text_after_a_rest(desk: Desk) -> None:
    """The same phone under a new PIN keeps its name; the old enrollment goes when it begins."""
    scene = desk.scene
    account, (old,) = await owner(desk)
    new = newcomer(desk, "Whatever it says")
    assert (await new.begin(former=old.id)).json()["situation"] == "renew"
    # The phone whose PIN is forgotten is no way: nobody could approve on it.
    assert new.kinds() == [("sms", True), ("voice", True)]
    assert (await new.by_text()).json()["rests_until"] is not None
    listed = (await service.prepared(scene.ctx, account.id)).phones
    assert listed == 1
    scene.clock.step(DAY)
    assert await scene.approve(new.phone, await scene.begin()) == "approved"


async def test_forgotten_pin_is_renewed_at_once_by_code(desk: Desk) -> None:
    """With a printed code the former enrollment is over at that moment."""
    scene = desk.scene
    account, (old,) = await owner(desk)
    codes = await with_codes(scene, account)
    new = newcomer(desk, "Whatever it says")
    await new.begin(former=old.id)
    await new.choose("code")
    await new.type(codes[3])
    assert (await new.enrol()).status_code == 200
    listed = await phones_of(scene, account)
    assert [one.id for one in listed.values()] == [new.phone.id]
    assert list(listed) == ["Old 0"]


async def test_same_device_is_renewed_under_its_own_id(desk: Desk) -> None:
    """An app that kept its device id is recognised by it, and may have it again."""
    scene = desk.scene
    account, (old,) = await owner(desk)
    codes = await with_codes(scene, account)
    new = newcomer(desk)
    new.phone.device = old.device
    assert (await new.begin()).json()["situation"] == "renew"
    await new.choose("code")
    await new.type(codes[0])
    assert (await new.enrol()).status_code == 200
    assert len(await phones_of(scene, account)) == 1


async def test_old_phone_shortens_the_wait(desk: Desk) -> None:
    """While the new phone rests, the old one's approval lets it begin (row 30)."""
    scene = desk.scene
    account, (old,) = await owner(desk)
    new = newcomer(desk)
    await new.begin()
    await new.by_text(replaces="all")
    assert error(await new.choose("sms")) == (409, "case_way")
    chosen = (await new.choose("phone")).json()
    await approve(scene, old, chosen["number"])
    assert (await new.look())["state"] == "done"
    now = scene.clock.now()
    listed = await phones_of(scene, account)
    assert can_approve(listed["New phone"], now)
    assert not can_approve(listed["Old 0"], now)


async def test_second_resting_phone_is_refused(desk: Desk) -> None:
    """By text only one new phone may wait at a time; printed codes go on."""
    scene = desk.scene
    account, _ = await owner(desk)
    codes = await with_codes(scene, account)
    first, second = newcomer(desk, "First"), newcomer(desk, "Second")
    await first.begin()
    await first.by_text(replaces="all")
    scene.clock.step(HOUR)
    await second.begin()
    assert error(await second.choose("sms", replaces="all")) == (409, "case_running")
    await second.choose("code", replaces="all")
    await second.type(codes[0])
    assert (await second.enrol()).status_code == 200
    # What rested gives way: it may be what its owner runs from.
    assert "First" not in await phones_of(scene, account)
    assert (await first.look())["state"] == "stopped"
