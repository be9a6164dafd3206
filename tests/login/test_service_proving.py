"""Other factors: chosen before anything is sent, counted like responses, used once."""

import asyncio
import json
import re
from dataclasses import dataclass

import pytest

from tests.desk import Desk, open_session
from tests.factors.authenticator import SecurityKey
from tests.factors.test_passkeys import register
from tests.factors.test_service import app, code_now
from tests.login.scene import HERE, Scene, ScenePhone, code_of, mine, shown, with_settings
from vestibule.accounts.rules import Account
from vestibule.base.clock import DAY, MINUTE
from vestibule.base.errors import Fault, Refused
from vestibule.contacts import service as contacts
from vestibule.contacts.rules import Kind as ContactKind
from vestibule.factors import service as factors
from vestibule.factors.rules import Factor, Kind
from vestibule.factors.service import TotpShown
from vestibule.login import service as login
from vestibule.login.rules import State, Step
from vestibule.login.service import Began
from vestibule.login.store import login_attempt
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof, Session


@dataclass
class Owner:
    """An account with a phone and an authenticator app."""

    scene: Scene
    account: Account
    session: Session
    phone: ScenePhone
    app: Factor
    shown: TotpShown

    def code(self) -> str:
        """What the app shows."""
        return code_now(self.scene, self.shown)


async def owner(scene: Scene) -> Owner:
    """Somebody with both, of which neither has signed anybody in yet."""
    account = await scene.account()
    session, _ = await open_session(scene, account, proof=Proof.NUMBER)
    factor, secret = await app(scene, session)
    phone = await scene.phone(account)
    return Owner(scene, account, session, phone, factor, secret)


async def used_app(scene: Scene) -> Owner:
    """The same, after a sign-in by the app."""
    who = await owner(scene)
    began = await scene.begin()
    await choose(scene, began, who.app.id)
    await prove(scene, began, who.code())
    scene.clock.step(MINUTE)
    return who


async def choose(scene: Scene, began: Began, way_id: str) -> login.View:
    """Pick a way in the chooser."""
    return await login.choose(scene.ctx, mine(began), way_id=way_id, visitor=HERE)


async def prove(scene: Scene, began: Began, answer: str) -> str | None:
    """Answer the chosen factor."""
    return await login.prove(scene.ctx, mine(began), answer=answer, visitor=HERE)


async def wrong(scene: Scene, began: Began, answer: str = "000000") -> Fault:
    """The refusal of an answer."""
    with pytest.raises(Refused) as refused:
        await prove(scene, began, answer)
    return refused.value


async def session_of(scene: Scene, cookie: str | None) -> Session:
    """The session that a sign-in opened."""
    session = await sessions.session_of(scene.ctx, cookie)
    assert session is not None
    return session


async def test_phone_last_used_is_asked_at_once_with_the_others_at_hand(scene: Scene) -> None:
    """A phone beside an app: it is asked at once while it is what was used last."""
    who = await used_app(scene)
    began = await scene.begin()
    assert shown(began).step is Step.CHOOSE
    await choose(scene, began, who.phone.id)
    await scene.approve(
        who.phone, Began(session=None, secret=began.secret, view=await seen(scene, began))
    )
    await login.collect(scene.ctx, mine(began), visitor=HERE)
    scene.clock.step(MINUTE)
    again = await scene.begin()
    view = shown(again)
    assert (view.step, view.way, view.several) == (Step.WAIT, "phone", True)


async def seen(scene: Scene, began: Began) -> login.View:
    """The attempt as its page shows it."""
    view, _ = await login.look(scene.ctx, mine(began))
    return view


async def test_nothing_is_sent_before_the_choice(scene: Scene) -> None:
    """After the app was used last, the phone hears nothing until it is chosen."""
    who = await used_app(scene)
    began = await scene.begin()
    assert shown(began).step is Step.CHOOSE
    sent = list(scene.push.sent)
    assert await scene.waiting(who.phone) == ()
    await choose(scene, began, who.app.id)
    assert (scene.push.sent, await scene.waiting(who.phone)) == (sent, ())
    view, ways = await login.look(scene.ctx, mine(began))
    assert view.step is Step.PROVE
    listed = [(way.kind, way.label) for way in ways.all]
    assert listed == [("totp", "Ada's app"), ("phone", "Pixel 9")]


async def test_app_code_signs_in(scene: Scene) -> None:
    """The session says by what; the same code opens nothing again."""
    who = await owner(scene)
    began = await scene.begin()
    await choose(scene, began, who.app.id)
    code = who.code()
    session = await session_of(scene, await prove(scene, began, code))
    assert (session.proof, session.factor_id, session.enrollment_id) == (
        Proof.TOTP,
        who.app.id,
        None,
    )
    second = await scene.begin()
    await choose(scene, second, who.app.id)
    assert code_of(await wrong(scene, second, code)) == "answer_wrong"


async def test_changing_ones_mind_keeps_the_attempt(scene: Scene) -> None:
    """Phone, app, and phone again: one attempt; only what is asked now can answer it."""
    who = await owner(scene)
    began = await scene.begin()
    await choose(scene, began, who.phone.id)
    first = await scene.waiting(who.phone)
    await choose(scene, began, who.app.id)
    assert await scene.waiting(who.phone) == ()
    late = who.phone.approval(first[0], now=scene.clock.now(), number=shown(began).challenge)
    with pytest.raises(Fault) as refused:
        await scene.answer(late)
    assert code_of(refused.value) == "request_unknown"
    view = await choose(scene, began, who.phone.id)
    assert code_of(await wrong(scene, began, who.code())) == "factor_unknown"
    held = Began(session=None, secret=began.secret, view=view)
    await scene.approve(who.phone, held)
    session = await session_of(scene, await login.collect(scene.ctx, mine(began), visitor=HERE))
    assert (session.proof, session.factor_id) == (Proof.NUMBER, None)
    assert len(await scene.rows(login_attempt)) == 1


async def test_third_wrong_answer_ends_the_attempt_whatever_was_chosen_between(
    scene: Scene,
) -> None:
    """Three tries an attempt: choosing again brings none back."""
    who = await owner(scene)
    began = await scene.begin()
    await choose(scene, began, who.app.id)
    assert (await wrong(scene, began)).facts == {"left": 2}
    await choose(scene, began, who.phone.id)
    await choose(scene, began, who.app.id)
    assert (await wrong(scene, began)).facts == {"left": 1}
    assert (await wrong(scene, began)).facts == {"left": 0}
    assert (await seen(scene, began)).step is Step.FAILED
    assert code_of(await wrong(scene, began, who.code())) == "already_answered"


async def test_wrong_answers_are_limited_per_account_and_no_success_clears_them(
    scene: Scene,
) -> None:
    """Five in a rolling day, together with typed responses; a sign-in between changes nothing."""
    who = await owner(scene)
    for attempt in range(2):
        began = await scene.begin()
        await choose(scene, began, who.app.id)
        for _ in range(2):
            assert code_of(await wrong(scene, began)) == "answer_wrong"
        if attempt == 0:
            await prove(scene, began, who.code())
            scene.clock.step(MINUTE)
    began = await scene.begin()
    view = await choose(scene, began, who.phone.id)
    with pytest.raises(Refused) as refused:
        await login.respond(scene.ctx, mine(began), typed="00000000", visitor=HERE)
    assert code_of(refused.value) == "response_wrong"
    await choose(scene, began, who.app.id)
    assert code_of(await wrong(scene, began, who.code())) == "responses_blocked"
    view = await choose(scene, began, who.phone.id)
    await scene.approve(who.phone, Began(session=None, secret=began.secret, view=view))
    assert await login.collect(scene.ctx, mine(began), visitor=HERE)
    scene.clock.step(DAY)
    began = await scene.begin()
    await choose(scene, began, who.app.id)
    assert await prove(scene, began, who.code())


async def test_guesses_sent_side_by_side_count_one_by_one(scene: Scene) -> None:
    """Twenty guesses over twenty attempts at once: five are judged, as one after the other."""
    who = await owner(scene)
    begun = [await scene.begin() for _ in range(20)]
    for began in begun:
        await choose(scene, began, who.app.id)
    ends = await asyncio.gather(*(wrong(scene, began) for began in begun))
    judged = [code_of(end) for end in ends]
    assert judged.count("answer_wrong") == 5
    assert judged.count("responses_blocked") == 15


async def test_recovery_codes_are_listed_last_and_count_once(scene: Scene) -> None:
    """Kept for the day when nothing else is at hand, they never make a choice necessary."""
    account = await scene.account()
    session, _ = await open_session(scene, account, proof=Proof.NUMBER)
    phone = await scene.phone(account)
    made = await factors.make_codes(scene.ctx, session=session, label="Printed", visitor=HERE)
    scene.clock.step(MINUTE)
    began = await scene.begin()
    assert (shown(began).step, shown(began).phone) == (Step.WAIT, phone.label)
    _, ways = await login.look(scene.ctx, mine(began))
    assert [way.kind for way in ways.all] == ["phone", "recovery_codes"]
    await choose(scene, began, ways.all[1].id)
    code = made[0]
    session = await session_of(scene, await prove(scene, began, code))
    assert session.proof is Proof.RECOVERY_CODE
    again = await scene.begin()
    await choose(scene, again, ways.all[1].id)
    assert code_of(await wrong(scene, again, code)) == "answer_wrong"


async def test_passkey_answers_for_its_attempt_only(desk: Desk) -> None:
    """Its challenge is the attempt's: what was signed for one opens no other."""
    scene = desk.scene
    account = await scene.account()
    session, _ = await open_session(scene, account, proof=Proof.NUMBER)
    key = SecurityKey()
    await register(scene, session, key)
    began, other = await scene.begin(), await scene.begin()
    assert shown(began).step is Step.PROVE  # the only way needs no choice
    asked = await question(scene, began)
    answer = key.get(asked)
    assert code_of(await wrong(scene, other, answer)) == "answer_wrong"
    session = await session_of(scene, await prove(scene, began, answer))
    assert session.proof is Proof.PASSKEY


async def question(scene: Scene, began: Began) -> str:
    """The options of a passkey, as its page has them."""
    asked = await login.question(scene.ctx, mine(began))
    assert asked is not None
    assert asked.options is not None
    return json.dumps(asked.options)


async def test_passkey_works_when_codes_are_blocked(desk: Desk) -> None:
    """What cannot be guessed goes on when typed answers rest."""
    scene = desk.scene
    who = await owner(scene)
    key = SecurityKey()
    passkey = await register(scene, who.session, key)
    for _ in range(2):
        began = await scene.begin()
        await choose(scene, began, who.app.id)
        for _ in range(3):
            await wrong(scene, began)
    began = await scene.begin()
    await choose(scene, began, passkey.id)
    assert await prove(scene, began, key.get(await question(scene, began)))


async def test_number_stands_in_only_until_the_first_phone(scene: Scene) -> None:
    """A text message opens nothing once a phone is there, nor where it is not switched on."""
    scene = with_settings(scene, sms_sign_in=True)
    account = await scene.account()
    session, _ = await open_session(scene, account, proof=Proof.NUMBER)
    number = await verified(scene, session)
    began = await scene.begin()
    view = shown(began)
    assert (view.step, view.way) == (Step.PROVE, "sms")
    assert len(scene.text.sent) == 1  # the verification's; nothing before it is asked for
    await login.send_number_code(scene.ctx, mine(began), by="sms", language="en", visitor=HERE)
    await contacts.settle()
    code = last_code(scene)
    other = "000000" if code != "000000" else "111111"
    assert code_of(await wrong(scene, began, other)) == "answer_wrong"
    opened = await session_of(scene, await prove(scene, began, code))
    assert (opened.proof, opened.factor_id) == (Proof.SMS, f"sms:{number}")
    plain = await with_settings(scene, sms_sign_in=False).begin()
    assert plain.session is not None
    await scene.phone(account)
    began = await scene.begin()
    _, ways = await login.look(scene.ctx, mine(began))
    assert [way.kind for way in ways.all] == ["phone"]


async def verified(scene: Scene, session: Session) -> str:
    """The id of a number that was shown to be its owner's."""
    contact = await contacts.add(
        scene.ctx,
        session=session,
        kind=ContactKind.NUMBER,
        typed="+39 347 123 4589",
        country="IT",
        source=HERE.address,
    )
    await contacts.send_code(
        scene.ctx,
        contact=contact,
        subject=contact.id,
        purpose="verify",
        by="sms",
        language="en",
        source=HERE.source,
    )
    await contacts.settle()
    await contacts.verify(
        scene.ctx,
        session=session,
        contact_id=contact.id,
        code=last_code(scene),
        source=HERE.address,
    )
    scene.clock.step(10 * MINUTE)
    return contact.id


def last_code(scene: Scene) -> str:
    """The code in the last text message."""
    found = re.search(r"\b\d{6}\b", scene.text.sent[-1][1])
    assert found is not None
    return found[0]


async def test_password_alone_opens_nothing_once_there_is_a_factor(scene: Scene) -> None:
    """An app without any phone: it is asked for at once, for nothing is sent by that."""
    account = await scene.account()
    session, _ = await open_session(scene, account)
    factor, secret = await app(scene, session)
    began = await scene.begin()
    assert began.session is None
    assert (shown(began).step, shown(began).way) == (Step.PROVE, Kind.TOTP.value)
    assert await prove(scene, began, code_now(scene, secret))
    rows = await scene.rows(login_attempt)
    assert [(row["state"], row["factor_id"]) for row in rows] == [(State.COLLECTED, factor.id)]


async def test_removed_factor_answers_no_more(scene: Scene) -> None:
    """Removed while its page is open: the answer is refused, the attempt goes on."""
    who = await owner(scene)
    began = await scene.begin()
    await choose(scene, began, who.app.id)
    await factors.remove(scene.ctx, session=who.session, id=who.app.id, source=HERE.address)
    assert code_of(await wrong(scene, began, who.code())) == "factor_unknown"
    view = await choose(scene, began, who.phone.id)
    assert view.step is Step.WAIT


async def test_question_is_answered_by_its_own_browser_only(desk: Desk) -> None:
    """Another browser's secret finds no attempt."""
    scene = desk.scene
    who = await owner(scene)
    began, other = await scene.begin(), await scene.begin()
    await choose(scene, began, who.app.id)
    stolen = login.Mine(id=shown(began).id, secret=other.secret)
    with pytest.raises(Refused, match="attempt_unknown"):
        await login.prove(scene.ctx, stolen, answer=who.code(), visitor=HERE)
