"""Beginning a sign-in: what a typed password leads to, on both databases."""

import asyncio
from dataclasses import replace
from typing import cast

import pytest

from tests.login.scene import HERE, PASSWORD, Scene, code_of, mine, shown, with_settings
from tests.recording import HeardBus
from vestibule.accounts import service as accounts
from vestibule.base import limits
from vestibule.base.clock import DAY, MINUTE, SECOND
from vestibule.base.errors import Refused
from vestibule.base.ids import new_secret
from vestibule.base.settings import NumberEntry
from vestibule.login import service as login
from vestibule.login.rules import Step
from vestibule.login.store import login_attempt
from vestibule.notifications import service as notifications
from vestibule.protocol import messages
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof
from vestibule.sessions.store import portal_session


async def refused(scene: Scene, username: str = "morgan", password: str = "wrong") -> Refused:
    """The refusal of a password."""
    with pytest.raises(Refused) as caught:
        await scene.begin(username, password)
    return caught.value


# --- who is let in ------------------------------------------------------------------------------


async def test_begin_without_phone_opens_a_session(scene: Scene) -> None:
    """An account that has no phone is signed in by its password, and the session says so."""
    account = await scene.account()
    began = await scene.begin()
    assert began.view is None
    session = await sessions.session_of(scene.ctx, began.session)
    assert session is not None
    assert (session.account_id, session.proof, session.strong) == (
        account.id,
        Proof.PASSWORD,
        False,
    )
    assert await scene.rows(login_attempt) == []


async def test_begin_with_one_phone_asks_it(scene: Scene) -> None:
    """One phone: it is asked at once, and no session exists before it answers."""
    phone = await scene.phone(await scene.account())
    view = shown(await scene.begin())
    assert (view.step, view.phone, view.several, view.push) == (Step.WAIT, "Pixel 9", False, True)
    assert (f"enrollment:{phone.id}", "change") in scene.bus.told
    assert await scene.rows(portal_session) == []


async def test_begin_with_several_phones_asks_none_yet(scene: Scene) -> None:
    """Several phones: the person chooses, and until then no phone is disturbed."""
    account = await scene.account()
    phones = [await scene.phone(account, label=label) for label in ("Pixel", "iPhone")]
    view = shown(await scene.begin())
    assert (view.step, view.several, view.push, view.challenge) == (Step.CHOOSE, True, False, "")
    await notifications.settle()
    assert scene.push.sent == []
    assert [await scene.waiting(phone) for phone in phones] == [(), ()]


@pytest.mark.parametrize("typed", [" Morgan ", "MORGAN", "\uff4d\uff4f\uff52\uff47\uff41\uff4e"])
async def test_begin_folds_the_username(scene: Scene, typed: str) -> None:
    """Capitals, width and space around a name make no difference."""
    await scene.account()
    assert (await scene.begin(typed)).session


async def test_begin_refuses_unknown_wrong_and_disabled_alike(scene: Scene) -> None:
    """Whether an account exists, is disabled or the password is wrong: the same words."""
    await scene.account()
    off = await scene.account("robin")
    await accounts.set_disabled(scene.ctx, account_id=off.id, disabled=True)
    said = [
        await refused(scene),
        await refused(scene, "nobody"),
        await refused(scene, "robin", PASSWORD),
        await refused(scene, "robin"),
    ]
    assert {(error.code.name, *error.facts) for error in said} == {("wrong_credentials",)}
    journal = [row for row in await scene.events() if row["event"] == "login.password_refused"]
    assert [row["result"] for row in journal] == [
        "wrong_credentials",
        "wrong_credentials",
        "account_disabled",
        "wrong_credentials",
    ]
    assert [row["account_id"] is None for row in journal] == [False, True, False, False]
    assert {(row["actor"], row["source"]) for row in journal} == {("browser", HERE.address)}


async def test_begin_refuses_an_impossible_name(scene: Scene) -> None:
    """A name that mixes scripts is refused as such, for no account can have it."""
    await scene.account()
    error = await refused(scene, "m\u043ergan", PASSWORD)
    assert error.code.name == "username_invalid"


# --- limits of guessing -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["morgan", "nobody"])
async def test_wrong_passwords_back_off_for_real_and_unknown_names(scene: Scene, name: str) -> None:
    """The fifth wrong password in a row costs ten seconds, the next twenty, and so on."""
    await scene.account()
    for wait in (10, 20, 40):
        while (error := await refused(scene, name)).code.name == "wrong_credentials":
            pass
        assert (error.code.name, error.facts) == ("password_wait", {"wait": wait})
        scene.clock.step(wait * SECOND)


async def test_waiting_is_not_extended_by_trying(scene: Scene) -> None:
    """Tries during the wait are not evaluated, not counted, and do not make it longer."""
    await scene.account()
    for _ in range(limits.PASSWORDS_IN_A_ROW):
        await refused(scene)
    before = await scene.rows(limits.limit_state), len(await scene.events())
    for _ in range(9):
        scene.clock.step(SECOND)
        assert (await refused(scene, password=PASSWORD)).code.name == "password_wait"
    assert (await scene.rows(limits.limit_state), len(await scene.events())) == before
    scene.clock.step(SECOND)
    assert (await scene.begin()).session


async def test_right_password_clears_the_failures(scene: Scene) -> None:
    """Four mistakes, then the right password: the next mistake is the first again."""
    await scene.account()
    for _ in range(3):
        for _ in range(limits.PASSWORDS_IN_A_ROW - 1):
            assert (await refused(scene)).code.name == "wrong_credentials"
        await scene.begin()


async def test_one_source_is_limited_over_all_names(scene: Scene) -> None:
    """Twenty wrong passwords in ten minutes from one address stop it, whatever the names."""
    for number in range(limits.SOURCE_FAILURES):
        await refused(scene, f"name{number}")
    error = await refused(scene, "fresh")
    assert (error.code.name, error.facts) == ("source_wait", {"wait": 600})
    await scene.account()
    elsewhere = replace(HERE, address="203.0.113.5", source="203.0.113.5")
    assert (await scene.begin(visitor=elsewhere)).session
    scene.clock.step(10 * MINUTE)
    assert (await scene.begin()).session


async def test_parallel_wrong_passwords_count_exactly(scene: Scene) -> None:
    """64 wrong passwords at once: at most five are answered, and the count says five."""
    await scene.account()
    answers = await asyncio.gather(
        *(scene.begin(password=f"wrong {n}") for n in range(64)), return_exceptions=True
    )
    codes = [code_of(error) for error in answers if isinstance(error, BaseException)]
    assert sorted(set(codes)) == ["password_wait", "wrong_credentials"]
    assert codes.count("wrong_credentials") == limits.PASSWORDS_IN_A_ROW
    refusals = [row for row in await scene.events() if row["event"] == "login.password_refused"]
    assert len(refusals) == limits.PASSWORDS_IN_A_ROW
    (name,) = [
        limits.Slot.of(row["subject"], row["version"], row["state"])
        for row in await scene.rows(limits.limit_state)
        if row["subject"].startswith("name:")
    ]
    assert name.limits.passwords.count == limits.PASSWORDS_IN_A_ROW


async def test_parallel_right_guess_beyond_the_limit_learns_nothing(scene: Scene) -> None:
    """Among 64 guesses sent at once, the right one counts only before the limit is reached."""
    await scene.account()
    guesses = [f"wrong {n}" for n in range(63)] + [PASSWORD]
    answers = await asyncio.gather(
        *(scene.begin(password=guess) for guess in guesses), return_exceptions=True
    )
    told = [a for a in answers if not isinstance(a, Refused) or code_of(a) != "password_wait"]
    assert len(told) <= limits.PASSWORDS_IN_A_ROW + 1


# --- notifications ------------------------------------------------------------------------------


async def test_push_names_nobody_and_lives_as_long_as_the_request(scene: Scene) -> None:
    """A nudge goes to the phone's own address, for the request's life, and holds no name."""
    phone = await scene.phone(await scene.account())
    began = await scene.begin()
    await notifications.settle()
    ((target, payload, topic, life_s),) = scene.push.sent
    assert target.endpoint.endswith(phone.id)
    assert (topic, life_s) == (shown(began).id, 180)
    for secret in ("morgan", shown(began).id, shown(began).challenge, HERE.address):
        assert secret.encode() not in payload


async def test_no_push_where_seamless_is_off(scene: Scene) -> None:
    """Seamless authentication off: no notification; the challenge is there at once."""
    await scene.phone(await scene.account(seamless=False))
    view = shown(await scene.begin())
    await notifications.settle()
    assert (view.push, view.why_no_push, scene.push.sent) == (False, "seamless_off", [])
    assert len(view.challenge) == 6


async def test_phone_without_subscription_waits_for_the_open_app(scene: Scene) -> None:
    """A phone that takes no notifications is not said to have got one; its app still shows it."""
    phone = await scene.phone(await scene.account(), push=False)
    began = await scene.begin()
    await notifications.settle()
    assert (shown(began).push, shown(began).why_no_push) == (True, "not_subscribed")
    assert scene.push.sent == []
    assert len(await scene.waiting(phone)) == 1


async def test_fourth_push_in_ten_minutes_is_not_sent(scene: Scene) -> None:
    """Three notifications in ten minutes, then the response only, until the window has passed."""
    await scene.phone(await scene.account())
    views = [shown(await scene.begin()) for _ in range(limits.PUSHES_IN_WINDOW + 1)]
    assert [view.push for view in views] == [True, True, True, False]
    assert views[-1].why_no_push == "limit"
    assert len(views[-1].challenge) == 6
    await notifications.settle()
    assert len(scene.push.sent) == limits.PUSHES_IN_WINDOW
    scene.clock.step(limits.WINDOW)
    assert shown(await scene.begin()).push


async def test_unanswered_pushes_back_off_until_a_sign_in(scene: Scene) -> None:
    """Five notifications without a sign-in: then they become rarer; a sign-in clears that."""
    phone = await scene.phone(await scene.account())
    sent = 0
    while shown(began := await scene.begin()).push:
        sent += 1
        scene.clock.step(4 * MINUTE)
    # 10, 20, 40, 80 and 160 s pass within the four minutes; 320 s do not.
    assert sent == limits.PUSHES_UNANSWERED + 5
    assert shown(began).why_no_push == "limit"
    await scene.approve(phone, began, number=await number_of(scene, began))
    await login.collect(scene.ctx, mine(began), visitor=HERE)
    scene.clock.step(SECOND)
    assert shown(await scene.begin()).push


async def number_of(scene: Scene, began: login.Began) -> str:
    """The number that the page shows now."""
    return (await login.look(scene.ctx, mine(began)))[0].challenge


async def test_gone_subscription_is_forgotten(scene: Scene) -> None:
    """When the push service says that a subscription ended, it is not used again."""
    from_service = type(scene.push.outcome).GONE
    phone = await scene.phone(await scene.account())
    scene.push.outcome = from_service
    began = await scene.begin()
    await notifications.settle()
    assert (f"login:{shown(began).id}", "undelivered") in scene.bus.told
    await scene.begin()
    await notifications.settle()
    assert len(scene.push.sent) == 1
    assert len(await scene.waiting(phone)) == 2


# --- the number ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy,known,asked",
    [
        (NumberEntry.UNLESS_KNOWN_BROWSER, False, True),
        (NumberEntry.UNLESS_KNOWN_BROWSER, True, False),
        (NumberEntry.ALWAYS, True, True),
        (NumberEntry.NEVER, False, False),
    ],
)
async def test_number_is_asked_for_by_policy(
    scene: Scene, policy: NumberEntry, *, known: bool, asked: bool
) -> None:
    """An unknown browser needs the number, a known one does not, unless the policy says else."""
    scene = with_settings(scene, number_entry=policy)
    phone = await scene.phone(await scene.account())
    browser = new_secret()
    if known:
        first = await scene.begin(browser=browser)
        await scene.approve(phone, first)
        await login.collect(scene.ctx, mine(first), visitor=HERE)
    began = await scene.begin(browser=browser)
    claims = messages.parse(await scene.request(phone, began), messages.ApprovalRequest).claims
    assert shown(began).number is claims.number is asked
    assert claims.show.known is known


async def test_browser_is_known_only_to_the_account_that_signed_in_there(scene: Scene) -> None:
    """A browser known to one account asks another for the number."""
    phone = await scene.phone(await scene.account())
    await scene.phone(await scene.account("robin"))
    browser = new_secret()
    began = await scene.begin(browser=browser)
    await scene.approve(phone, began)
    await login.collect(scene.ctx, mine(began), visitor=HERE)
    assert shown(await scene.begin("robin", browser=browser)).number
    scene.clock.step(181 * DAY)
    assert shown(await scene.begin(browser=browser)).number


async def test_browser_with_password_alone_does_not_become_known(scene: Scene) -> None:
    """A session opened without a phone makes no browser known."""
    account = await scene.account()
    browser = new_secret()
    assert (await scene.begin(browser=browser)).session
    await scene.phone(account)
    assert shown(await scene.begin(browser=browser)).number


async def test_second_attempt_asks_for_the_number_in_both(scene: Scene) -> None:
    """Two attempts at once: only the number tells them apart, so both requests ask for it."""
    scene = with_settings(scene, number_entry=NumberEntry.NEVER)
    phone = await scene.phone(await scene.account())
    first = await scene.begin()
    assert not shown(first).number
    before = await scene.request(phone, first)
    second = await scene.begin()
    after = await scene.request(phone, first)
    claims = messages.parse(after, messages.ApprovalRequest).claims
    assert (shown(second).number, claims.number, claims.show.others) == (True, True, 1)
    with pytest.raises(Refused) as caught:
        await scene.answer(phone.approval(before, now=scene.clock.now()))
    assert caught.value.code.name == "request_changed"
    view, _ = await login.look(scene.ctx, mine(first))
    assert view.number
    heard = cast("HeardBus", scene.ctx.wake).told
    assert (f"login:{shown(first).id}", "changed") in heard
    assert heard.count((f"enrollment:{phone.id}", "change")) == 3


async def test_several_attempts_each_wait_for_themselves(scene: Scene) -> None:
    """Five attempts at once: each is approved by its own number and signs in its own browser."""
    phone = await scene.phone(await scene.account())
    attempts = [await scene.begin() for _ in range(5)]
    for began in attempts:
        await scene.approve(phone, began, number=await number_of(scene, began))
    cookies = [await login.collect(scene.ctx, mine(began), visitor=HERE) for began in attempts]
    assert len(set(cookies)) == 5


async def test_same_browser_replaces_its_own_attempt(scene: Scene) -> None:
    """A second sign-in in one browser gives the first one up: the phone shows one request."""
    phone = await scene.phone(await scene.account())
    first = await scene.begin()
    second = await scene.begin(replaces=mine(first))
    assert await scene.waiting(phone) == (await scene.request(phone, second),)
    assert (await login.look(scene.ctx, mine(first)))[0].step is Step.CANCELLED
    assert not with_others(await scene.request(phone, second))


def with_others(request: str) -> bool:
    """Whether a request says that others wait."""
    return bool(messages.parse(request, messages.ApprovalRequest).claims.show.others)
