"""What a browser does with its attempt: choose, ask again, resume, give up, collect once."""

import asyncio

import pytest

from tests.login.scene import HERE, Scene, ScenePhone, code_of, mine, shown, with_settings
from vestibule.accounts.rules import Account
from vestibule.base.clock import DAY, SECOND
from vestibule.base.errors import Refused
from vestibule.base.ids import new_id
from vestibule.base.settings import NumberEntry
from vestibule.devices import service as devices
from vestibule.devices.rules import PushHealth
from vestibule.login import service as login
from vestibule.login.rules import Step
from vestibule.login.service import Began, Mine, answering
from vestibule.login.store import login_attempt
from vestibule.notifications import service as notifications
from vestibule.protocol import messages
from vestibule.sessions import service as sessions
from vestibule.sessions.store import portal_session


@pytest.fixture
async def account(scene: Scene) -> Account:
    """The account morgan."""
    return await scene.account()


@pytest.fixture
async def phones(scene: Scene, account: Account) -> tuple[ScenePhone, ScenePhone]:
    """Two phones of the account."""
    return await scene.phone(account), await scene.phone(account, label="iPhone")


@pytest.fixture
async def phone(scene: Scene, account: Account) -> ScenePhone:
    """The only phone of the account."""
    return await scene.phone(account)


async def choose(scene: Scene, began: Began, phone: ScenePhone) -> login.View:
    """Choose a phone."""
    return await login.choose(scene.ctx, mine(began), way_id=phone.id, visitor=HERE)


async def again(scene: Scene, began: Began) -> login.View:
    """Send again."""
    return await login.send_again(scene.ctx, mine(began), visitor=HERE)


async def collect(scene: Scene, began: Began) -> str:
    """Collect the session."""
    cookie = await login.collect(scene.ctx, mine(began), visitor=HERE)
    assert cookie is not None
    return cookie


async def step(scene: Scene, began: Began) -> Step:
    """What the browser is to do now."""
    return (await login.look(scene.ctx, mine(began)))[0].step


# --- choosing -----------------------------------------------------------------------------------


async def test_chosen_phone_is_asked(scene: Scene, phones: tuple[ScenePhone, ScenePhone]) -> None:
    """The chosen phone gets the request and the notification, the other one neither."""
    began = await scene.begin()
    view = await choose(scene, began, phones[1])
    assert (view.step, view.phone, view.push) == (Step.WAIT, "iPhone", True)
    await notifications.settle()
    assert [sent[0].endpoint.rpartition("/")[2] for sent in scene.push.sent] == [phones[1].id]
    assert [len(await scene.waiting(phone)) for phone in phones] == [0, 1]


async def test_change_of_mind_moves_the_request(
    scene: Scene, phones: tuple[ScenePhone, ScenePhone]
) -> None:
    """Another phone, same attempt: the first phone's request is gone, its answer too late."""
    first, second = phones
    began = await scene.begin()
    await choose(scene, began, first)
    old = await scene.request(first, began)
    view = await choose(scene, began, second)
    assert view.id == shown(began).id
    assert (f"enrollment:{first.id}", "change") in scene.bus.told
    assert await scene.waiting(first) == ()
    with pytest.raises(Refused) as caught:
        await scene.answer(first.approval(old, now=scene.clock.now(), number=view.challenge))
    assert caught.value.code.name == "request_unknown"
    request = await scene.request(second, began)
    text = second.approval(request, now=scene.clock.now(), number=view.challenge)
    assert await scene.answer(text) == "approved"
    assert await collect(scene, began)


async def test_chooser_lists_the_last_used_phone_first(
    scene: Scene, phones: tuple[ScenePhone, ScenePhone]
) -> None:
    """Who used a phone yesterday most likely has it at hand today."""
    for phone in phones:
        began = await scene.begin()
        view = await choose(scene, began, phone)
        request = await scene.request(phone, began)
        await scene.answer(phone.approval(request, now=scene.clock.now(), number=view.challenge))
        await collect(scene, began)
        scene.clock.step(DAY)
        _, ways = await login.look(scene.ctx, mine(await scene.begin()))
        assert ways.all[0].id == phone.id


@pytest.mark.parametrize("whose", ["nobody", "another account", "removed"])
async def test_choosing_a_foreign_phone_is_refused(
    scene: Scene, account: Account, phones: tuple[ScenePhone, ScenePhone], whose: str
) -> None:
    """Only an active phone of this account can be chosen."""
    phone_id = new_id()
    if whose == "another account":
        phone_id = (await scene.phone(await scene.account("robin"))).id
    began = await scene.begin()
    if whose == "removed":
        phone_id = phones[0].id
        await remove(scene, account, phones[0])
    with pytest.raises(Refused) as caught:
        await login.choose(scene.ctx, mine(began), way_id=phone_id, visitor=HERE)
    assert caught.value.code.name == "phone_unknown"
    assert await step(scene, began) is Step.CHOOSE


async def remove(scene: Scene, account: Account, phone: ScenePhone) -> None:
    """Remove a phone, as the phone itself does."""
    record = devices.enrollment_of(
        {
            "id": phone.id,
            "account_id": account.id,
            "device_id": phone.device,
            "label": phone.label,
            "platform": "",
            "push_health": PushHealth.OK,
            "credential": None,
            "created_at": 0,
            "rests_until": None,
            "retires_at": None,
        }
    )
    await devices.remove_by_phone(scene.ctx, record, source="198.51.100.9")


async def test_chosen_phone_tells_attempts_apart_by_number(
    scene: Scene, phones: tuple[ScenePhone, ScenePhone]
) -> None:
    """Two attempts that both reach a phone by choosing: each asks for its number from then on."""
    scene = with_settings(scene, number_entry=NumberEntry.NEVER)
    first, second = await scene.begin(), await scene.begin()
    assert not (await choose(scene, first, phones[0])).number
    assert (await choose(scene, second, phones[0])).number
    for began in (first, second):
        claims = messages.parse(
            await scene.request(phones[0], began), messages.ApprovalRequest
        ).claims
        assert (claims.number, claims.show.others) == (True, 1)


# --- asking again -------------------------------------------------------------------------------


async def test_send_again_repeats_the_notification(scene: Scene, phone: ScenePhone) -> None:
    """A fresh request is nudged about once more: same request, same number, same challenge."""
    began = await scene.begin()
    before = await scene.request(phone, began)
    view = await again(scene, began)
    await notifications.settle()
    assert len(scene.push.sent) == 2
    assert (view.round, view.challenge) == (1, shown(began).challenge)
    assert await scene.request(phone, began) == before


async def test_send_again_renews_a_request_near_its_end(scene: Scene, phone: ScenePhone) -> None:
    """With less than half a minute left, a new request and number take the old ones' place."""
    began = await scene.begin()
    scene.clock.step(151 * SECOND)
    view = await again(scene, began)
    assert (view.round, view.number) == (2, True)
    assert view.challenge != shown(began).challenge
    assert view.request_expires_at == scene.clock.now() + 180 * SECOND
    assert len(await scene.waiting(phone)) == 1


async def test_attempt_resumes_after_its_request_ran_out(scene: Scene, phone: ScenePhone) -> None:
    """Nobody answered in time: the password still counts, a new request goes out and signs in."""
    began = await scene.begin()
    scene.clock.step(300 * SECOND)
    assert await step(scene, began) is Step.RESUME
    view = await again(scene, began)
    assert view.step is Step.WAIT
    request = await scene.request(phone, began)
    text = phone.approval(request, now=scene.clock.now(), number=view.challenge)
    assert await scene.answer(text) == "approved"
    assert await collect(scene, began)


async def test_renewed_request_never_outlives_the_attempt(scene: Scene, phone: ScenePhone) -> None:
    """The last renewal ends with the attempt, a quarter of an hour after the password."""
    began = await scene.begin()
    scene.clock.step(850 * SECOND)
    view = await again(scene, began)
    assert view.request_expires_at == view.challenge_expires_at == view.expires_at
    request = await scene.request(phone, began)
    claims = messages.parse(request, messages.ApprovalRequest).claims
    assert claims.exp * 1000 <= view.expires_at
    scene.clock.step(50 * SECOND)
    assert await step(scene, began) is Step.EXPIRED
    with pytest.raises(Refused) as caught:
        await again(scene, began)
    assert caught.value.code.name == "attempt_expired"


async def test_parallel_renewals_make_one_round(scene: Scene, phone: ScenePhone) -> None:
    """Eight impatient clicks on an old request: every page ends up with the same number."""
    began = await scene.begin()
    scene.clock.step(200 * SECOND)
    views = await asyncio.gather(*(again(scene, began) for _ in range(8)))
    assert {(view.round, view.challenge) for view in views} == {(2, views[0].challenge)}


# --- ending -------------------------------------------------------------------------------------


async def test_approval_is_collected_once(scene: Scene, phone: ScenePhone) -> None:
    """64 collections at once, one session; later ones get none."""
    began = await scene.begin()
    await scene.approve(phone, began)
    answers = await asyncio.gather(
        *(collect(scene, began) for _ in range(64)), return_exceptions=True
    )
    cookies = [answer for answer in answers if isinstance(answer, str)]
    codes = {code_of(error) for error in answers if isinstance(error, BaseException)}
    assert (len(cookies), codes) == (1, {"not_collectable"})
    assert len(await scene.rows(portal_session)) == 1
    assert await sessions.session_of(scene.ctx, cookies[0])


async def test_only_the_beginning_browser_collects(scene: Scene, phone: ScenePhone) -> None:
    """An approval opens a session in the browser whose password began it, and in no other."""
    began = await scene.begin()
    other = await scene.begin()
    await scene.approve(phone, began)
    for stolen in (Mine(id=shown(began).id, secret=other.secret), Mine(id=new_id(), secret="x")):
        with pytest.raises(Refused) as caught:
            await login.collect(scene.ctx, stolen, visitor=HERE)
        assert caught.value.code.name == "not_collectable"
        with pytest.raises(Refused) as caught:
            await login.look(scene.ctx, stolen)
        assert caught.value.code.name == "attempt_unknown"
    assert await collect(scene, began)


async def test_nothing_to_collect_before_an_approval(scene: Scene, phone: ScenePhone) -> None:
    """Waiting attempts, and approvals that nobody collected in time, open no session."""
    began = await scene.begin()
    with pytest.raises(Refused):
        await collect(scene, began)
    await scene.approve(phone, began)
    scene.clock.step(900 * SECOND)
    with pytest.raises(Refused) as caught:
        await collect(scene, began)
    assert caught.value.code.name == "not_collectable"
    assert await step(scene, began) is Step.EXPIRED


@pytest.mark.parametrize("approved", [False, True])
async def test_cancelled_attempt_is_over(
    scene: Scene, phone: ScenePhone, *, approved: bool
) -> None:
    """Giving up ends it, even after an approval; the phone is told, and cannot answer any more."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    if approved:
        await scene.approve(phone, began)
    await login.cancel(scene.ctx, mine(began), visitor=HERE)
    assert await step(scene, began) is Step.CANCELLED
    assert await scene.waiting(phone) == ()
    assert (f"enrollment:{phone.id}", f"outcome {shown(began).id} cancelled") in scene.bus.told
    with pytest.raises(Refused):
        await scene.answer(phone.approval(request, now=scene.clock.now(), act="deny"))
    with pytest.raises(Refused):
        await collect(scene, began)
    assert (await scene.told())[-1] == ("login.cancelled", "browser", "ok")


async def test_cancel_by_another_browser_does_nothing(scene: Scene, phone: ScenePhone) -> None:
    """Knowing an attempt's id is not enough to end it."""
    began = await scene.begin()
    before = await scene.everything()
    await login.cancel(scene.ctx, Mine(id=shown(began).id, secret="x" * 43), visitor=HERE)
    assert await scene.everything() == before


async def test_removed_phone_answers_nothing(
    scene: Scene, account: Account, phone: ScenePhone
) -> None:
    """Once a phone is removed nothing it signs counts, and its responses are refused."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    await remove(scene, account, phone)
    text = phone.approval(request, now=scene.clock.now(), number=shown(began).challenge)
    with pytest.raises(Refused) as caught:
        await scene.answer(text)
    assert caught.value.code.name == "enrollment_revoked"
    with pytest.raises(Refused) as caught:
        await login.respond(
            scene.ctx, mine(began), typed=phone.respond(shown(began).challenge), visitor=HERE
        )
    assert caught.value.code.name == "enrollment_revoked"


async def test_removal_beats_an_answer_under_way(
    scene: Scene, account: Account, phone: ScenePhone
) -> None:
    """An approval that was read before the removal and is written after it does not count."""
    began = await scene.begin()
    request = await scene.request(phone, began)
    text = phone.approval(request, now=scene.clock.now(), number=shown(began).challenge)
    message = messages.parse(text, messages.Approval)
    row = await answering._read(scene.ctx.db, message)
    await remove(scene, account, phone)
    assert await answering._decide(scene.ctx, message, row, source="198.51.100.9") is None
    assert await step(scene, began) is Step.WAIT


async def test_approval_of_a_removed_phone_is_not_collected(
    scene: Scene, account: Account, phone: ScenePhone
) -> None:
    """Approved by a thief, removed by the owner, not collected yet: no session any more."""
    began = await scene.begin()
    await scene.approve(phone, began)
    await remove(scene, account, phone)
    with pytest.raises(Refused) as caught:
        await collect(scene, began)
    assert caught.value.code.name == "not_collectable"
    assert await scene.rows(portal_session) == []


async def test_sweep_keeps_a_days_attempts(scene: Scene, phone: ScenePhone) -> None:
    """Attempts go a day after they ended, so that a late report still reaches its session."""
    await scene.begin()
    scene.clock.step(900 * SECOND + DAY)
    assert await login.sweep_attempts(scene.ctx) == 0
    scene.clock.step(1)
    assert await login.sweep_attempts(scene.ctx) == 1
    assert await scene.rows(login_attempt) == []


async def test_journal_tells_of_choosing_and_asking(
    scene: Scene, phones: tuple[ScenePhone, ScenePhone]
) -> None:
    """Choosing, asking again and giving up leave their events, with the visitor's address."""
    began = await scene.begin()
    await choose(scene, began, phones[0])
    await again(scene, began)
    await login.cancel(scene.ctx, mine(began), visitor=HERE)
    journal = [row for row in await scene.events() if row["event"].startswith("login.")]
    assert [(row["event"], row["source"], row["subject"]) for row in journal] == [
        (event, HERE.address, shown(began).id)
        for event in ("login.began", "login.phone_chosen", "login.sent_again", "login.cancelled")
    ]
