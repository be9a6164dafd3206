"""Cases of an app that comes with credentials, over the phone's interface, on both databases."""

import asyncio

import pytest

from tests.desk import Desk, enrol_response
from tests.login.scene import HERE, PASSWORD, Scene, ScenePhone, code_of, with_settings
from tests.recovery.newcomer import (
    Newcomer,
    error,
    newcomer,
    notices,
    phones_of,
    sent,
    with_codes,
    with_number,
)
from vestibule.accounts import service as accounts
from vestibule.accounts.rules import Account
from vestibule.base.clock import DAY, HOUR, MINUTE
from vestibule.base.errors import Fault, Refused
from vestibule.devices.rules import can_approve
from vestibule.protocol import messages
from vestibule.protocol.messages import ApprovalRequest
from vestibule.recovery import service
from vestibule.sessions.rules import Proof


async def owner(
    desk: Desk, *, phones: int = 1, number: bool = True
) -> tuple[Account, list[ScenePhone]]:
    """Morgan, with phones and a number that was verified long ago."""
    scene = desk.scene
    account = await scene.account()
    held = [await scene.phone(account, label=f"Old {n}", push=False) for n in range(phones)]
    if number:
        await with_number(scene, account)
    return account, held


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


async def test_fresh_number_proves_nobody(desk: Desk) -> None:
    """A number verified a day ago is no way back, though it may link a first phone."""
    scene = desk.scene
    account = await scene.account()
    await with_number(scene, account, days_ago=1)
    first = newcomer(desk)
    await first.begin()
    assert first.kinds() == [("sms", False), ("voice", False)]
    await scene.phone(account, push=False)
    new = newcomer(desk)
    await new.begin()
    assert new.kinds() == [("phone", False)]


async def test_strict_house_offers_no_text(scene: Scene) -> None:
    """`sms_activation` off: neither texts nor calls are offered."""
    account = await scene.account()
    await with_number(scene, account)
    strict = with_settings(scene, sms_activation=False)
    phone = ScenePhone(scene.ctx.settings.portal_url)
    opened = await service.open_case(
        strict.ctx,
        username="morgan",
        password=PASSWORD,
        device_id=phone.device,
        label="New",
        platform="Test",
        former=None,
        visitor=HERE,
    )
    assert opened.ways == ()


async def test_wrong_password_and_unknown_name_are_told_alike(desk: Desk) -> None:
    """Same status, same body but for the reference, and nothing is kept."""
    await owner(desk)
    new = newcomer(desk)
    wrong = await new.begin(password="not this one")
    unknown = await new.begin("nobody-here")
    assert error(wrong) == error(unknown) == (401, "wrong_credentials")
    dropped = {"reference", "now"}
    assert {k: v for k, v in wrong.json().items() if k not in dropped} == {
        k: v for k, v in unknown.json().items() if k not in dropped
    }


async def test_token_holds_for_its_own_case_only(desk: Desk) -> None:
    """A foreign or altered token finds nothing, and a code is of no use elsewhere."""
    scene = desk.scene
    await owner(desk, phones=0)
    one, other = newcomer(desk, "One"), newcomer(desk, "Other")
    await one.begin()
    await other.begin()
    await one.choose("sms")
    code = sent(scene)
    assert error(await other.type(code)) == (409, "case_way")
    one.token = one.token[:-4] + "AAAA"
    assert error(await one.type(code)) == (404, "case_unknown")


async def test_ticket_of_a_case_opens_for_its_device_and_token_only(desk: Desk) -> None:
    """Another device, another case, or the portal's door: all refused, and the ticket stays."""
    scene = desk.scene
    await owner(desk, phones=0)
    one, other = newcomer(desk, "One"), newcomer(desk, "Other")
    await one.begin()
    await other.begin()
    await one.choose("sms")
    await one.type(sent(scene))
    assert error(await one.enrol(ScenePhone(one.phone.issuer))) == (403, "case_device")
    other.request = one.request
    assert error(await other.enrol()) == (409, "case_not_granted")
    response = {"response": (await _response(desk, one))}
    assert error(await desk.ask("POST", "/device/enrollments", response)) == (404, "ticket_unknown")
    assert (await one.enrol()).status_code == 200
    assert error(await one.enrol()) == (410, "case_over")


async def _response(desk: Desk, new: Newcomer) -> str:
    return enrol_response(desk.scene, new.request, new.phone)


async def test_enrolment_before_the_code_is_refused(desk: Desk) -> None:
    """Steps cannot be skipped, and time runs out."""
    scene = desk.scene
    await owner(desk, phones=0)
    new, donor = newcomer(desk), newcomer(desk, "Donor")
    await donor.begin()
    await donor.choose("sms")
    await donor.type(sent(scene))
    await new.begin()
    new.request = donor.request
    assert error(await new.enrol()) == (409, "case_not_granted")
    assert error(await new.type("123456")) == (409, "case_way")
    scene.clock.step(31 * MINUTE)
    assert error(await new.choose("sms")) == (410, "case_expired")
    assert (await new.look())["state"] == "expired"


async def test_code_and_enrolment_have_one_winner_of_64(desk: Desk) -> None:
    """The right code typed 64 times at once grants once; 64 enrolments link one phone."""
    scene = desk.scene
    account, _ = await owner(desk, phones=0)
    new = newcomer(desk)
    await new.begin()
    await new.choose("sms")
    code = sent(scene)
    answers = await asyncio.gather(*(new.type(code) for _ in range(64)))
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {error(one)[1] for one in answers if one.status_code != 200} <= {
        "case_over",
        "sms_code_spent",
    }
    linked = await asyncio.gather(*(new.enrol() for _ in range(64)))
    assert [answer.status_code for answer in linked].count(200) == 1
    assert len(await phones_of(scene, account)) == 1
    events = [event["event"] for event in await scene.events()]
    assert events.count("recovery.granted") == events.count("recovery.finished") == 1


async def test_wrong_codes_side_by_side_are_counted(desk: Desk) -> None:
    """Sixty-four guesses at once are worth as many as one after the other."""
    scene = desk.scene
    account, _ = await owner(desk, number=False)
    await with_codes(scene, account)
    new = newcomer(desk)
    await new.begin()
    await new.choose("code")
    answers = await asyncio.gather(*(new.type("AAAA-AAAA-AAAA-AAAA") for _ in range(64)))
    looked_at = [one for one in answers if one.json()["code"] == "recovery_code_wrong"]
    assert len(looked_at) == 5


async def test_grace_after_retiring_ends(desk: Desk) -> None:
    """A retired phone still denies; after seven days it is revoked."""
    scene = desk.scene
    account, (old,) = await owner(desk)
    new = newcomer(desk)
    await new.begin()
    await new.by_text(replaces="all")
    scene.clock.step(DAY)
    await service.sweep_cases(scene.ctx)
    assert "Old 0" in await phones_of(scene, account)
    assert await scene.waiting(old) == ()
    scene.clock.step(7 * DAY + 1000)
    await service.sweep_cases(scene.ctx)
    assert list(await phones_of(scene, account)) == ["New phone"]
