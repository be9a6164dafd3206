"""The phone's answers: approve, deny, report, and everything that is refused, on both databases."""

import asyncio
from typing import Any

import pytest

from tests.login.scene import HERE, Scene, ScenePhone, code_of, mine, shown, with_settings
from vestibule.accounts import service as accounts
from vestibule.base import limits
from vestibule.base.clock import DAY, SECOND
from vestibule.base.errors import Fault, Refused
from vestibule.base.ids import new_id, new_secret
from vestibule.base.settings import NumberEntry
from vestibule.login import service as login
from vestibule.login.rules import Step
from vestibule.login.service import Began
from vestibule.protocol import messages
from vestibule.protocol.encoding import b64u
from vestibule.protocol.errors import ProtocolFault
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof

PHONE_AT = "198.51.100.9"


@pytest.fixture
async def phone(scene: Scene) -> ScenePhone:
    """The one phone of the account morgan."""
    return await scene.phone(await scene.account())


async def refusal(scene: Scene, text: str) -> str:
    """The code with which an answer is refused."""
    with pytest.raises((Fault, ProtocolFault)) as caught:
        await scene.answer(text, source=PHONE_AT)
    return code_of(caught.value)


async def step(scene: Scene, began: Began) -> Step:
    """What the browser is to do now."""
    return (await login.look(scene.ctx, mine(began)))[0].step


# --- the three answers --------------------------------------------------------------------------


async def test_approval_with_number_signs_in(scene: Scene, phone: ScenePhone) -> None:
    """Approve with the page's number: the browser collects one session, of proof "number"."""
    began = await scene.begin()
    assert await scene.approve(phone, began) == "approved"
    assert await step(scene, began) is Step.COLLECT
    cookie = await login.collect(scene.ctx, mine(began), visitor=HERE)
    session = await sessions.session_of(scene.ctx, cookie)
    assert session is not None
    assert (session.proof, session.enrollment_id) == (Proof.NUMBER, phone.id)
    assert await step(scene, began) is Step.DONE
    assert await scene.waiting(phone) == ()


async def test_approval_wakes_the_browser_and_the_phone(scene: Scene, phone: ScenePhone) -> None:
    """After the commit both sides are told, so neither needs to ask again and again."""
    began = await scene.begin()
    await scene.approve(phone, began)
    attempt = shown(began).id
    assert (f"login:{attempt}", "approved") in scene.bus.told
    assert (f"enrollment:{phone.id}", f"outcome {attempt} approved") in scene.bus.told


@pytest.mark.parametrize(
    "act,result,ends", [("deny", "denied", Step.DENIED), ("report", "reported", Step.REPORTED)]
)
async def test_no_from_the_phone_ends_the_attempt(
    scene: Scene, phone: ScenePhone, act: str, result: str, ends: Step
) -> None:
    """Deny and report end the attempt; nothing can be collected and no later yes counts."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    text = phone.approval(request, now=scene.clock.now(), act=act)
    assert await scene.answer(text) == result
    assert await step(scene, began) is ends
    with pytest.raises(Refused):
        await login.collect(scene.ctx, mine(began), visitor=HERE)
    late = phone.approval(request, now=scene.clock.now(), number=shown(began).challenge)
    assert await refusal(scene, late) == "already_answered"


async def test_report_stops_pushes_for_a_day(scene: Scene, phone: ScenePhone) -> None:
    """Somebody else knows the password: no notification for a day, the response goes on."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    await scene.answer(phone.approval(request, now=scene.clock.now(), act="report"))
    after = shown(await scene.begin())
    assert (after.push, after.why_no_push, len(after.challenge)) == (False, "reported", 6)
    account = await accounts.find_account(scene.ctx, username="morgan")
    assert account is not None
    assert account.password_change_needed
    scene.clock.step(DAY)
    assert shown(await scene.begin()).push


async def test_reported_browser_is_known_no_more(scene: Scene, phone: ScenePhone) -> None:
    """A browser that signed in and is reported has to show the number again."""
    browser = new_secret()
    for expected in (True, False):
        began = await scene.begin(browser=browser)
        assert shown(began).number is expected
        request = await scene.request(phone, began)
        await scene.approve(phone, began)
        await login.collect(scene.ctx, mine(began), visitor=HERE)
    began = await scene.begin(browser=browser)
    request = await scene.request(phone, began)
    await scene.answer(phone.approval(request, now=scene.clock.now(), act="report"))
    assert shown(await scene.begin(browser=browser)).number


@pytest.mark.parametrize("collected", [False, True])
async def test_late_report_ends_what_came_of_the_approval(
    scene: Scene, phone: ScenePhone, *, collected: bool
) -> None:
    """A report is taken after an approval too, and ends the session that came of it."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    await scene.approve(phone, began)
    cookie = None
    if collected:
        cookie = await login.collect(scene.ctx, mine(began), visitor=HERE)
        assert await sessions.session_of(scene.ctx, cookie)
    scene.clock.step(600 * SECOND)
    text = phone.approval(request, now=scene.clock.now(), act="report")
    assert await scene.answer(text) == "reported"
    assert await step(scene, began) is Step.REPORTED
    assert await sessions.session_of(scene.ctx, cookie) is None
    with pytest.raises(Refused):
        await login.collect(scene.ctx, mine(began), visitor=HERE)


# --- what is refused ----------------------------------------------------------------------------


async def test_wrong_number_ends_the_attempt(scene: Scene, phone: ScenePhone) -> None:
    """Six digits allow one guess: a wrong number ends the attempt, and the page says so."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    wrong = str(int(shown(began).challenge) ^ 1)
    text = phone.approval(request, now=scene.clock.now(), number=wrong)
    assert await refusal(scene, text) == "number_wrong"
    assert await step(scene, began) is Step.FAILED
    right = phone.approval(request, now=scene.clock.now(), number=shown(began).challenge)
    assert await refusal(scene, right) == "already_answered"


async def test_missing_number_is_a_wrong_number(scene: Scene, phone: ScenePhone) -> None:
    """An approval that leaves the number out is no way around it."""
    began = await scene.begin()
    text = phone.approval(await scene.request(phone, began), now=scene.clock.now())
    assert await refusal(scene, text) == "number_wrong"


async def test_three_wrong_proofs_end_the_attempt(scene: Scene, phone: ScenePhone) -> None:
    """A wrong PIN is noticed here alone: two more tries, told each time, then the end."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    left = []
    for _ in range(3):
        text = phone.approval(
            request,
            now=scene.clock.now(),
            number=shown(began).challenge,
            proof=phone.wrong_proof(request),
        )
        with pytest.raises(Refused) as caught:
            await scene.answer(text)
        assert caught.value.code.name == "proof_wrong"
        left.append(caught.value.facts["left"])
    assert left == [2, 1, 0]
    assert await step(scene, began) is Step.FAILED


async def test_right_proof_after_a_wrong_one_counts(scene: Scene, phone: ScenePhone) -> None:
    """A mistyped PIN costs a try, not the sign-in."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    wrong = phone.wrong_proof(request)
    number = shown(began).challenge
    text = phone.approval(request, now=scene.clock.now(), number=number, proof=wrong)
    assert await refusal(scene, text) == "proof_wrong"
    assert await scene.approve(phone, began) == "approved"


async def test_wrong_proofs_are_limited_over_attempts(scene: Scene, phone: ScenePhone) -> None:
    """Five wrong PINs in a row, over several sign-ins: the phone has to wait, its owner not."""
    scene = with_settings(scene, number_entry=NumberEntry.NEVER)
    began = await scene.begin()
    request = await scene.request(phone, began)
    for wrong in range(limits.KNOWLEDGE_IN_A_ROW):
        if wrong == 3:
            began = await scene.begin()
            request = await scene.request(phone, began)
        text = phone.approval(request, now=scene.clock.now(), proof=phone.wrong_proof(request))
        assert await refusal(scene, text) == "proof_wrong"
    text = phone.approval(request, now=scene.clock.now())
    with pytest.raises(Refused) as caught:
        await scene.answer(text)
    assert (caught.value.code.name, caught.value.facts) == ("approvals_blocked", {"wait": 10})
    deny = phone.approval(request, now=scene.clock.now(), act="deny")
    assert await scene.answer(deny) == "denied"
    scene.clock.step(10 * SECOND)
    assert await scene.approve(phone, await scene.begin()) == "approved"


async def test_parallel_wrong_proofs_are_counted_exactly(scene: Scene, phone: ScenePhone) -> None:
    """64 wrong PINs at once: three are evaluated, which ends the attempt, and three counted."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    text = phone.approval(
        request,
        now=scene.clock.now(),
        number=shown(began).challenge,
        proof=phone.wrong_proof(request),
    )
    answers = await asyncio.gather(*(scene.answer(text) for _ in range(64)), return_exceptions=True)
    codes = [code_of(error) for error in answers if isinstance(error, BaseException)]
    assert len(codes) == 64
    assert codes.count("proof_wrong") == 3
    slot = await scene.ctx.db.read(lambda tx: limits.load(tx, f"device:{phone.device}"))
    assert slot.limits.knowledge.count == 3
    assert await step(scene, began) is Step.FAILED


async def test_answer_to_a_request_that_ran_out(scene: Scene, phone: ScenePhone) -> None:
    """After its 180 seconds a request takes no answer; one second before, it does."""
    early, late = await scene.begin(), await scene.begin()
    requests = [await scene.request(phone, began) for began in (early, late)]
    numbers = [(await login.look(scene.ctx, mine(b)))[0].challenge for b in (early, late)]
    scene.clock.step(179 * SECOND)
    texts = [
        phone.approval(request, now=scene.clock.now(), number=number)
        for request, number in zip(requests, numbers, strict=True)
    ]
    assert await scene.answer(texts[0]) == "approved"
    scene.clock.step(1 * SECOND)
    assert await refusal(scene, texts[1]) == "request_expired"
    assert await scene.waiting(phone) == ()


async def test_second_answer_is_refused(scene: Scene, phone: ScenePhone) -> None:
    """The first final answer wins, whatever comes second; a replay is a second answer."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    text = phone.approval(request, now=scene.clock.now(), number=shown(began).challenge)
    assert await scene.answer(text) == "approved"
    assert await refusal(scene, text) == "already_answered"
    deny = phone.approval(request, now=scene.clock.now(), act="deny")
    assert await refusal(scene, deny) == "already_answered"
    assert await step(scene, began) is Step.COLLECT


async def test_answer_to_an_older_round_is_refused(scene: Scene, phone: ScenePhone) -> None:
    """What was displayed is what is approved: an answer to an older request is refused."""
    began = await scene.begin()
    old = await scene.request(phone, began)
    scene.clock.step(160 * SECOND)
    await login.send_again(scene.ctx, mine(began), visitor=HERE)
    number = (await login.look(scene.ctx, mine(began)))[0].challenge
    text = phone.approval(old, now=scene.clock.now(), number=number)
    assert await refusal(scene, text) == "request_changed"
    assert await step(scene, began) is Step.WAIT


@pytest.mark.parametrize(
    "changes,code",
    [
        ({"aud": "https://elsewhere.example"}, "message_malformed"),
        ({"iss": "A" * 22}, "message_malformed"),
        ({"hash": b64u(bytes(32))}, "request_changed"),
        ({"request": new_id()}, "request_unknown"),
        ({"proof": ""}, "message_malformed"),
        ({"assertion": {}}, "message_malformed"),
        ({"number": "12345"}, "message_malformed"),
        ({"jti": "short"}, "message_malformed"),
    ],
)
async def test_answer_with_a_wrong_member_is_refused(
    scene: Scene, phone: ScenePhone, changes: dict[str, Any], code: str
) -> None:
    """Every member is checked; a refused answer changes nothing."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    before = await scene.everything()
    number = {"number": shown(began).challenge}
    try:
        text = phone.approval(request, now=scene.clock.now(), **(number | changes))
    except ValueError:  # our own types refuse to make it: send it as others might
        text = phone.raw_approval(request, now=scene.clock.now(), **(number | changes))
    assert await refusal(scene, text) == code
    assert await scene.everything() == before


@pytest.mark.parametrize("off_s,fine", [(-89, True), (-91, False), (60, True), (62, False)])
async def test_answer_is_dated(scene: Scene, phone: ScenePhone, off_s: int, *, fine: bool) -> None:
    """A phone's clock may be a minute off in either direction, not more."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    now = scene.clock.now() + off_s * 1000
    text = phone.approval(request, now=now, number=shown(began).challenge)
    if fine:
        assert await scene.answer(text) == "approved"
    else:
        assert await refusal(scene, text) == "clock_wrong"
        assert await step(scene, began) is Step.WAIT


async def test_foreign_signatures_are_refused(scene: Scene, phone: ScenePhone) -> None:
    """Another key under this phone's name, an unknown phone, and another account's phone."""
    stranger = ScenePhone(scene.ctx.settings.portal_url)
    robin = await scene.phone(await scene.account("robin"))
    began = await scene.begin()
    request = await scene.request(phone, began)
    before = await scene.everything()
    number = shown(began).challenge
    forged = messages.parse(
        phone.approval(request, now=scene.clock.now(), number=number), messages.Approval
    ).claims
    texts = [
        messages.sign(forged, key=stranger.key, kid=phone.id),
        stranger.approval(request, now=scene.clock.now(), number=number),
        robin.approval(request, now=scene.clock.now(), number=number),
    ]
    assert [await refusal(scene, text) for text in texts] == [
        "signature_wrong",
        "enrollment_unknown",
        "request_unknown",
    ]
    assert await scene.everything() == before


async def test_second_phone_of_the_account_cannot_answer(scene: Scene, phone: ScenePhone) -> None:
    """A request goes to one phone; the account's other phone neither sees nor answers it."""
    account = await accounts.find_account(scene.ctx, username="morgan")
    assert account is not None
    other = await scene.phone(account, label="iPhone")
    began = await scene.begin()
    await login.choose(scene.ctx, mine(began), way_id=phone.id, visitor=HERE)
    request = await scene.request(phone, began)
    assert await scene.waiting(other) == ()
    text = other.approval(request, now=scene.clock.now(), number="123456")
    assert await refusal(scene, text) == "request_unknown"


async def test_64_approvals_have_one_winner(scene: Scene, phone: ScenePhone) -> None:
    """64 answers at once, half of them denials: exactly one counts."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    texts = [
        phone.approval(
            request,
            now=scene.clock.now(),
            act="deny" if n % 2 else "approve",
            number="" if n % 2 else shown(began).challenge,
        )
        for n in range(64)
    ]
    answers = await asyncio.gather(*map(scene.answer, texts), return_exceptions=True)
    won = [answer for answer in answers if isinstance(answer, str)]
    assert len(won) == 1
    codes = {code_of(error) for error in answers if isinstance(error, BaseException)}
    assert codes == {"already_answered"}
    ended = await step(scene, began)
    assert ended is (Step.COLLECT if won == ["approved"] else Step.DENIED)


async def test_report_races_the_collection(scene: Scene, phone: ScenePhone) -> None:
    """A report at the moment of collection: never a session that outlives the report."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    await scene.approve(phone, began)
    report = phone.approval(request, now=scene.clock.now(), act="report")
    cookie, told = await asyncio.gather(
        login.collect(scene.ctx, mine(began), visitor=HERE),
        scene.answer(report),
        return_exceptions=True,
    )
    assert told == "reported"
    if isinstance(cookie, str):
        assert await sessions.session_of(scene.ctx, cookie) is None
