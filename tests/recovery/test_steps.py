"""The steps of a case: none can be skipped, repeated, or taken with what belongs to another."""

import asyncio

from tests.desk import Desk, enrol_response
from tests.login.scene import HERE, PASSWORD, Scene, ScenePhone, with_settings
from tests.recovery.newcomer import (
    Newcomer,
    error,
    newcomer,
    owner,
    phones_of,
    sent,
    with_codes,
    with_number,
)
from vestibule.base.clock import DAY, MINUTE
from vestibule.recovery import service


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
        device=service.Device(id=phone.device, label="New", platform="Test", former=None),
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
