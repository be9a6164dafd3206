"""Eight digits typed in the browser: challenge and response, on both databases."""

import asyncio

import pytest

from tests.login.scene import HERE, Scene, ScenePhone, code_of, mine, shown
from vestibule.base import limits
from vestibule.base.clock import DAY, SECOND
from vestibule.base.errors import Refused
from vestibule.devices.store import enrollment
from vestibule.login import service as login
from vestibule.login.rules import Step
from vestibule.login.service import Began, View
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof
from vestibule.sessions.store import portal_session


@pytest.fixture
async def phone(scene: Scene) -> ScenePhone:
    """The one phone of the account morgan."""
    return await scene.phone(await scene.account())


async def respond(scene: Scene, began: Began, typed: str) -> str:
    """Type a response; the session's cookie."""
    cookie = await login.respond(scene.ctx, mine(began), typed=typed, visitor=HERE)
    assert cookie is not None
    return cookie


async def refusal(scene: Scene, began: Began, typed: str) -> Refused:
    """The refusal of a response."""
    with pytest.raises(Refused) as caught:
        await respond(scene, began, typed)
    return caught.value


async def view_of(scene: Scene, began: Began) -> View:
    """The attempt as its page shows it now."""
    return (await login.look(scene.ctx, mine(began)))[0]


async def counter_of(scene: Scene) -> int:
    """The last counter that the house accepted."""
    (row,) = await scene.rows(enrollment)
    return int(row["counter"])


def wrong_for(right: str) -> str:
    """Eight digits that are not these."""
    return f"{(int(right) + 1) % 10**8:08d}"


# --- what is accepted ---------------------------------------------------------------------------


async def test_response_signs_in(scene: Scene, phone: ScenePhone) -> None:
    """A right response opens the session at once, without a push and without waiting."""
    began = await scene.begin()
    cookie = await respond(scene, began, phone.respond(shown(began).challenge))
    session = await sessions.session_of(scene.ctx, cookie)
    assert session is not None
    assert (session.proof, session.enrollment_id, session.strong) == (
        Proof.RESPONSE,
        phone.id,
        True,
    )
    assert await counter_of(scene) == 1
    assert (await view_of(scene, began)).step is Step.DONE
    assert (f"login:{shown(began).id}", "responded") in scene.bus.told


@pytest.mark.parametrize("form", ["{0} {1}", " {0}-{1}\t", "{0}\u2011{1}", "{0}\u00a0{1}"])
async def test_response_may_be_typed_in_groups(scene: Scene, phone: ScenePhone, form: str) -> None:
    """Spaces and dashes of any kind make no difference."""
    began = await scene.begin()
    right = phone.respond(shown(began).challenge)
    assert await respond(scene, began, form.format(right[:4], right[4:]))


async def test_response_in_other_digits(scene: Scene, phone: ScenePhone) -> None:
    """Arabic-Indic and full-width digits are digits."""
    began = await scene.begin()
    right = phone.respond(shown(began).challenge)
    typed = "".join(chr(0xFF10 + int(d)) for d in right[:4])
    typed += "".join(chr(0x0660 + int(d)) for d in right[4:])
    assert await respond(scene, began, typed)


@pytest.mark.parametrize("ahead", [0, 4])
async def test_response_within_the_window(scene: Scene, phone: ScenePhone, ahead: int) -> None:
    """Up to four responses that were never typed cost nothing."""
    began = await scene.begin()
    assert await respond(scene, began, phone.respond(shown(began).challenge, ahead=ahead))
    assert await counter_of(scene) == ahead + 1


@pytest.mark.parametrize("ahead", [5, 30, 499])
async def test_far_counter_is_realigned_by_a_second_response(
    scene: Scene, phone: ScenePhone, ahead: int
) -> None:
    """A counter that ran ahead: one more response, to a new challenge, realigns and signs in."""
    began = await scene.begin()
    first = shown(began).challenge
    error = await refusal(scene, began, phone.respond(first, ahead=ahead))
    assert error.code.name == "response_again"
    assert await counter_of(scene) == 0
    second = (await view_of(scene, began)).challenge
    assert second != first
    assert await respond(scene, began, phone.respond(second))
    assert await counter_of(scene) == ahead + 2
    slot = await scene.ctx.db.read(lambda tx: limits.load(tx, "account:none"))
    assert slot.limits.response_times == ()


async def test_realigned_phone_signs_in_at_once_next_time(scene: Scene, phone: ScenePhone) -> None:
    """After the realignment the next sign-in needs one response."""
    began = await scene.begin()
    await refusal(scene, began, phone.respond(shown(began).challenge, ahead=30))
    await respond(scene, began, phone.respond((await view_of(scene, began)).challenge))
    began = await scene.begin()
    assert await respond(scene, began, phone.respond(shown(began).challenge))


# --- what is not --------------------------------------------------------------------------------


async def test_counter_beyond_reach_is_wrong(scene: Scene, phone: ScenePhone) -> None:
    """Five hundred counters are searched, not more."""
    began = await scene.begin()
    error = await refusal(scene, began, phone.respond(shown(began).challenge, ahead=500))
    assert error.code.name == "response_wrong"


async def test_second_response_must_be_the_very_next(scene: Scene, phone: ScenePhone) -> None:
    """While realigning, a response of another counter is wrong, even one in the old window."""
    began = await scene.begin()
    late = ScenePhone(phone.issuer)
    late.response_key, late.counter = phone.response_key, 1
    await refusal(scene, began, phone.respond(shown(began).challenge, ahead=30))
    challenge = (await view_of(scene, began)).challenge
    error = await refusal(scene, began, late.respond(challenge))
    assert error.code.name == "response_wrong"
    # It ended the realignment: now the far counter asks for two again.
    error = await refusal(scene, began, phone.respond(challenge))
    assert error.code.name == "response_again"


async def test_replayed_response_is_wrong(scene: Scene, phone: ScenePhone) -> None:
    """A response counts once: neither in its own attempt nor, same challenge, in another."""
    began = await scene.begin()
    right = phone.respond(shown(began).challenge)
    await respond(scene, began, right)
    assert (await refusal(scene, began, right)).code.name == "already_answered"
    other = await scene.begin()
    again = ScenePhone(phone.issuer)
    again.response_key, again.counter = phone.response_key, 1
    error = await refusal(scene, other, again.respond(shown(other).challenge))
    assert error.code.name == "response_wrong"
    assert await counter_of(scene) == 1


async def test_three_wrong_responses_spend_the_challenge(scene: Scene, phone: ScenePhone) -> None:
    """A challenge has three tries, told each time; then a new challenge, not a new sign-in."""
    began = await scene.begin()
    right = phone.respond(shown(began).challenge)
    told = [await refusal(scene, began, wrong_for(right)) for _ in range(3)]
    assert [error.facts for error in told] == [{"left": 2}, {"left": 1}, {"left": 0}]
    assert (await refusal(scene, began, right)).code.name == "challenge_spent"
    view = await login.send_again(scene.ctx, mine(began), visitor=HERE)
    assert view.challenge != shown(began).challenge
    assert await respond(scene, began, phone.respond(view.challenge))


@pytest.mark.parametrize("typed", ["", "1234567", "123456789", "abcdefgh", "1234567½", "١٢٣"])
async def test_what_is_no_response_counts_for_nothing(
    scene: Scene, phone: ScenePhone, typed: str
) -> None:
    """Not eight digits: said at once, and no try is lost."""
    began = await scene.begin()
    assert (await refusal(scene, began, typed)).code.name == "response_invalid"
    assert (await view_of(scene, began)).tries_left == 3


async def test_challenge_runs_out(scene: Scene, phone: ScenePhone) -> None:
    """A challenge takes responses for 300 seconds."""
    began = await scene.begin()
    scene.clock.step(300 * SECOND)
    error = await refusal(scene, began, phone.respond(shown(began).challenge))
    assert error.code.name == "challenge_expired"


async def test_response_of_another_account_is_wrong(scene: Scene, phone: ScenePhone) -> None:
    """Each enrollment has its own key."""
    other = await scene.phone(await scene.account("robin"))
    began = await scene.begin()
    error = await refusal(scene, began, other.respond(shown(began).challenge))
    assert error.code.name == "response_wrong"


async def test_five_wrong_responses_a_day_are_looked_at(scene: Scene, phone: ScenePhone) -> None:
    """Five wrong responses a day, over all sign-ins; trying on does not make the wait longer."""
    began = await scene.begin()
    for number in range(limits.RESPONSES_A_DAY):
        if number == 3:
            began = await scene.begin()
        right = phone.respond(shown(began).challenge)
        assert (await refusal(scene, began, wrong_for(right))).code.name == "response_wrong"
    for _ in range(3):
        error = await refusal(scene, began, phone.respond(shown(began).challenge))
        assert (error.code.name, error.facts) == ("responses_blocked", {"wait": 86_400})
    scene.clock.step(DAY)
    began = await scene.begin()
    phone.counter = 1
    assert await respond(scene, began, phone.respond(shown(began).challenge))


async def test_success_does_not_reset_the_years_count(scene: Scene, phone: ScenePhone) -> None:
    """Twenty wrong responses a rolling year, whatever succeeds in between."""
    for _ in range(limits.RESPONSES_A_YEAR // 2):
        began = await scene.begin()
        right = phone.respond(shown(began).challenge)
        assert (await refusal(scene, began, wrong_for(right))).code.name == "response_wrong"
        assert await respond(scene, began, right)
        began = await scene.begin()
        assert (await refusal(scene, began, wrong_for(right))).code.name == "response_wrong"
        scene.clock.step(DAY)
    began = await scene.begin()
    error = await refusal(scene, began, phone.respond(shown(began).challenge))
    assert error.code.name == "responses_blocked"
    assert int(error.facts["wait"]) > 300 * 86_400


async def test_parallel_wrong_responses_count_exactly(scene: Scene, phone: ScenePhone) -> None:
    """64 wrong responses at once, over 30 attempts: five are evaluated, and five are counted."""
    attempts = [await scene.begin() for _ in range(30)]
    wrong = wrong_for(phone.respond(shown(attempts[0]).challenge))
    answers = await asyncio.gather(
        *(respond(scene, attempts[n % 30], wrong) for n in range(64)), return_exceptions=True
    )
    codes = [code_of(error) for error in answers if isinstance(error, BaseException)]
    assert len(codes) == 64
    assert codes.count("response_wrong") == limits.RESPONSES_A_DAY
    assert set(codes) == {"response_wrong", "responses_blocked"}
    subject = f"account:{(await scene.rows(enrollment))[0]['account_id']}"
    slot = await scene.ctx.db.read(lambda tx: limits.load(tx, subject))
    assert len(slot.limits.response_times) == limits.RESPONSES_A_DAY


async def test_64_same_responses_open_one_session(scene: Scene, phone: ScenePhone) -> None:
    """The right response 64 times at once: one session."""
    began = await scene.begin()
    right = phone.respond(shown(began).challenge)
    answers = await asyncio.gather(
        *(respond(scene, began, right) for _ in range(64)), return_exceptions=True
    )
    assert len([answer for answer in answers if isinstance(answer, str)]) == 1
    codes = {code_of(error) for error in answers if isinstance(error, BaseException)}
    assert codes == {"already_answered"}
    assert len(await scene.rows(portal_session)) == 1


async def test_approval_races_the_response(scene: Scene, phone: ScenePhone) -> None:
    """Approve and respond at the same moment: one of both, and one session."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    number = shown(began).challenge
    typed, answered = await asyncio.gather(
        respond(scene, began, phone.respond(number)),
        scene.answer(phone.approval(request, now=scene.clock.now(), number=number)),
        return_exceptions=True,
    )
    assert isinstance(typed, str) != isinstance(answered, str)
    if answered == "approved":
        await login.collect(scene.ctx, mine(began), visitor=HERE)
    assert len(await scene.rows(portal_session)) == 1


async def test_response_by_another_browser_is_refused(scene: Scene, phone: ScenePhone) -> None:
    """An attempt is its browser's own; a right response elsewhere opens nothing."""
    began, other = await scene.begin(), await scene.begin()
    stolen = login.Mine(id=shown(began).id, secret=other.secret)
    right = phone.respond(shown(began).challenge)
    with pytest.raises(Refused) as caught:
        await login.respond(scene.ctx, stolen, typed=right, visitor=HERE)
    assert caught.value.code.name == "attempt_unknown"
    assert await respond(scene, began, right)


async def test_journal_tells_of_responses(scene: Scene, phone: ScenePhone) -> None:
    """Wrong, realigning and accepted responses each leave their event, and no digit of them."""
    began = await scene.begin()
    far = phone.respond(shown(began).challenge, ahead=30)
    wrong = wrong_for(far)
    await refusal(scene, began, wrong)
    await refusal(scene, began, far)
    right = phone.respond((await view_of(scene, began)).challenge)
    await respond(scene, began, right)
    assert await scene.told() == [
        ("login.began", "browser", "ok"),
        ("login.response_refused", "browser", "response_wrong"),
        ("login.response_again", "browser", "response_again"),
        ("login.responded", "browser", "ok"),
        ("session.opened", "browser", "ok"),
    ]
    journal = repr(await scene.events())
    for secret in (far, wrong, right, shown(began).challenge):
        assert secret not in journal
