"""Signing in by scanning: what a rotating code is worth, to whom, and for how long."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.login.scene import HERE, Scene, ScenePhone, code_of, mine, shown
from vestibule.accounts.rules import Account
from vestibule.base import limits
from vestibule.base.errors import Fault, Refused
from vestibule.base.ids import new_secret
from vestibule.devices import service as devices
from vestibule.devices.rules import Enrollment
from vestibule.login import service as login
from vestibule.login.rules import State, Step
from vestibule.login.service import Began
from vestibule.login.store import login_attempt
from vestibule.protocol import messages
from vestibule.protocol.errors import ProtocolFault
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Assurance, Proof
from vestibule.web.visitor import Visitor

PHONE_AT = Visitor(address="198.51.100.9", source="198.51.100.9", browser="", place="Milan, Italy")
ABROAD = replace(HERE, address="203.0.113.66", source="203.0.113.66", place="Lagos, Nigeria")


async def open_page(scene: Scene, *, visitor: Visitor = HERE, browser: str | None = None) -> Began:
    """A browser that shows a code."""
    return await login.open_unclaimed(
        scene.ctx, visitor=visitor, browser_secret=browser or new_secret()
    )


async def claimant(scene: Scene, phone: ScenePhone) -> Enrollment:
    """The phone as its proven call names it."""
    return await devices.prove(
        scene.ctx,
        authorization=phone.proof("POST", "/device/claims", b"", now=scene.clock.now()),
        method="POST",
        path="/device/claims",
        body=b"",
    )


def code_at(scene: Scene, began: Began) -> str:
    """What the page shows at this moment."""
    return login.code_now(scene.ctx, shown(began).id, now=scene.clock.now()).text


async def claim(
    scene: Scene, phone: ScenePhone, code: str, *, visitor: Visitor = PHONE_AT
) -> messages.ApprovalRequest:
    """Scan a code; what the phone then shows."""
    text = await login.claim_login(
        scene.ctx, claimant=await claimant(scene, phone), claim=code, visitor=visitor
    )
    assert text in await scene.waiting(phone)
    return messages.parse(text, messages.ApprovalRequest).claims


async def refusal(scene: Scene, phone: ScenePhone, code: str, **more: Visitor) -> str:
    """The code with which a claim is refused."""
    with pytest.raises((Fault, ProtocolFault)) as refused:
        await claim(scene, phone, code, **more)
    return code_of(refused.value)


async def somebody(scene: Scene, username: str = "morgan") -> tuple[Account, ScenePhone]:
    """An account with a phone."""
    account = await scene.account(username)
    return account, await scene.phone(account)


async def test_scanned_code_signs_in_without_a_username(scene: Scene) -> None:
    """Scan, look, approve: a session of the phone's account, with the proof that it was a scan."""
    account, phone = await somebody(scene)
    began = await open_page(scene)
    assert shown(began).step is Step.SHOW_CODE
    asked = await claim(scene, phone, code_at(scene, began))
    assert (asked.kind, asked.number, asked.show.account) == ("sign-in", False, "morgan")
    assert (asked.show.browser, asked.show.place) == (HERE.browser, HERE.place)
    view, _ = await login.look(scene.ctx, mine(began))
    assert (view.step, view.claimed, view.phone) == (Step.WAIT, True, "Pixel 9")
    assert await scene.approve(phone, began, number="") == "approved"
    cookie = await login.collect(scene.ctx, mine(began), visitor=HERE)
    session = await sessions.get_session(scene.ctx, cookie)
    assert (session.account_id, session.proof) == (account.id, Proof.QR)
    assert session.assurance is Assurance.HIGH
    assert [event for event, _, _ in await scene.told()] == [
        "login.code_shown",
        "login.claimed",
        "login.approved",
        "login.collected",
        "session.opened",
    ]


async def test_code_is_another_one_each_two_seconds_and_good_for_six(scene: Scene) -> None:
    """Counted from when it was first shown: a picture of it is worth nothing after that."""
    _, phone = await somebody(scene)
    began = await open_page(scene)
    now = scene.clock.now()
    scene.clock.step(login.code_now(scene.ctx, shown(began).id, now=now).for_ms)
    code = code_at(scene, began)
    scene.clock.step(1_999)
    assert code_at(scene, began) == code
    scene.clock.step(1)
    assert code_at(scene, began) != code
    scene.clock.step(4_000)
    assert await refusal(scene, phone, code) == "claim_over"
    scene.clock.step(-1)
    assert (await claim(scene, phone, code)).jti == shown(began).id


async def test_first_of_two_claims_wins(scene: Scene) -> None:
    """Two phones scan one code at once: one is asked, the other is told that it was slower."""
    _, mira = await somebody(scene)
    _, tomas = await somebody(scene, "tomas")
    began = await open_page(scene)
    code = code_at(scene, began)
    results = await asyncio.gather(
        *(claim(scene, phone, code) for phone in (mira, tomas)), return_exceptions=True
    )
    lost = [code_of(result) for result in results if isinstance(result, BaseException)]
    assert lost == ["claim_taken"]
    waiting = [len(await scene.waiting(phone)) for phone in (mira, tomas)]
    assert sorted(waiting) == [0, 1]
    # Its owner may have photographed somebody else's screen, or somebody hers: both hear of it.
    assert ("login.claim_refused", "claim_taken") in [
        (row["event"], row["result"]) for row in await scene.events()
    ]


async def test_phone_may_repeat_its_claim(scene: Scene) -> None:
    """An answer that was lost on the way is asked for again, also when the code is over."""
    _, phone = await somebody(scene)
    began = await open_page(scene)
    code = code_at(scene, began)
    first = await claim(scene, phone, code)
    scene.clock.step(20_000)
    assert await claim(scene, phone, code) == first


async def test_code_of_an_account_is_not_claimed_for_another(scene: Scene) -> None:
    """After a password only a phone of that account may scan."""
    _, phone = await somebody(scene)
    _, stranger = await somebody(scene, "tomas")
    began = await scene.begin()
    assert await refusal(scene, stranger, code_at(scene, began)) == "claim_other_account"
    asked = await claim(scene, phone, code_at(scene, began))
    assert asked.show.account == "morgan"
    assert await scene.approve(phone, began, number="") == "approved"
    cookie = await login.collect(scene.ctx, mine(began), visitor=HERE)
    assert (await sessions.get_session(scene.ctx, cookie)).proof is Proof.QR


async def test_scan_takes_the_request_from_the_phone_that_was_asked(scene: Scene) -> None:
    """With two phones the one at hand scans; the other one's request is gone."""
    account, old = await somebody(scene)
    new = await scene.phone(account, label="Galaxy")
    began = await scene.begin()
    way = next(way for way in (await login.look(scene.ctx, mine(began)))[1].all if way.id == old.id)
    await login.choose(scene.ctx, mine(began), way_id=way.id, visitor=HERE)
    assert len(await scene.waiting(old)) == 1
    await claim(scene, new, code_at(scene, began))
    assert await scene.waiting(old) == ()
    assert ("enrollment:" + old.id, "change") in scene.bus.told


async def test_proof_is_no_scan_after_the_phone_was_asked_anew(scene: Scene) -> None:
    """Who scans and then has another phone asked has shown less, and that is what is written."""
    account, old = await somebody(scene)
    new = await scene.phone(account, label="Galaxy")
    began = await scene.begin()
    await claim(scene, old, code_at(scene, began))
    view = await login.choose(scene.ctx, mine(began), way_id=new.id, visitor=HERE)
    assert not view.claimed
    request = await scene.request(new, began)
    number = view.challenge if view.number else ""
    text = new.approval(request, now=scene.clock.now(), number=number)
    assert await scene.answer(text) == "approved"
    cookie = await login.collect(scene.ctx, mine(began), visitor=HERE)
    assert (await sessions.get_session(scene.ctx, cookie)).proof in (Proof.NUMBER, Proof.PUSH)


async def test_relayed_code_from_another_country_is_refused(scene: Scene) -> None:
    """Somebody abroad shows their code to a victim: a code alone does not reach that far."""
    _, phone = await somebody(scene)
    began = await open_page(scene, visitor=ABROAD)
    assert await refusal(scene, phone, code_at(scene, began)) == "claim_far"
    assert await scene.waiting(phone) == ()
    assert ("login.claim_refused", "claim_far") in [
        (row["event"], row["result"]) for row in await scene.events()
    ]
    assert (await login.glance(scene.ctx, mine(began))).state is State.UNCLAIMED


async def test_relayed_code_shows_where_its_browser_is(scene: Scene) -> None:
    """Within a country nothing but the phone's screen warns: new browser, its place and address."""
    _, phone = await somebody(scene)
    near = replace(ABROAD, place="Rome, Italy")
    began = await open_page(scene, visitor=near)
    asked = await claim(scene, phone, code_at(scene, began))
    assert not asked.show.known
    assert (asked.show.place, asked.show.address) == ("Rome, Italy", near.address)


async def test_password_and_a_scan_from_another_country_warn(scene: Scene) -> None:
    """With the password typed it may be a traveller: the phone says it, and its owner decides."""
    _, phone = await somebody(scene)
    began = await scene.begin(visitor=ABROAD)
    assert (await claim(scene, phone, code_at(scene, began))).show.far


@pytest.mark.parametrize("place", ["", "this network"])
async def test_unknown_place_is_not_far(scene: Scene, place: str) -> None:
    """Where nobody can tell the country, nothing is claimed about it."""
    _, phone = await somebody(scene)
    began = await open_page(scene, visitor=replace(ABROAD, place=place))
    assert not (await claim(scene, phone, code_at(scene, began))).show.far


async def test_known_browser_is_shown_as_known(scene: Scene) -> None:
    """A browser in which this account has signed in before is one, also without a username."""
    _, phone = await somebody(scene)
    browser = new_secret()
    first = await scene.begin(browser=browser)
    await scene.approve(phone, first)
    await login.collect(scene.ctx, mine(first), visitor=HERE)
    began = await open_page(scene, browser=browser)
    assert (await claim(scene, phone, code_at(scene, began))).show.known


async def test_without_a_password_there_is_no_other_way_on(scene: Scene) -> None:
    """Whose code was scanned cannot have notifications sent, choose, or type a response."""
    _, phone = await somebody(scene)
    began = await open_page(scene)
    await claim(scene, phone, code_at(scene, began))
    here, now = mine(began), scene.clock.now()
    challenge = (await login.glance(scene.ctx, here)).challenge
    for attempted in (
        login.send_again(scene.ctx, here, visitor=HERE),
        login.choose(scene.ctx, here, way_id=phone.id, visitor=HERE),
        login.respond(scene.ctx, here, typed=phone.respond(challenge), visitor=HERE),
    ):
        with pytest.raises(Refused) as refused:
            await attempted
        assert refused.value.code.name == "password_needed"
    assert now == scene.clock.now()
    assert scene.push.sent == []


async def test_unanswered_scan_ends_the_sign_in(scene: Scene) -> None:
    """There is no password to go on with, so nothing can be sent again."""
    _, phone = await somebody(scene)
    began = await open_page(scene)
    await claim(scene, phone, code_at(scene, began))
    scene.clock.step(scene.ctx.settings.login_request_seconds * 1000)
    view, _ = await login.look(scene.ctx, mine(began))
    assert view.step is Step.EXPIRED


async def test_claim_approves_nothing(scene: Scene) -> None:
    """A phone with the wrong PIN may scan: the session needs the right one."""
    _, phone = await somebody(scene)
    began = await open_page(scene)
    await claim(scene, phone, code_at(scene, began))
    with pytest.raises(Refused):
        await login.collect(scene.ctx, mine(began), visitor=HERE)
    request = await scene.request(phone, began)
    wrong = phone.approval(request, now=scene.clock.now(), proof=phone.wrong_proof(request))
    with pytest.raises(Refused) as refused:
        await scene.answer(wrong)
    assert refused.value.code.name == "proof_wrong"


async def test_cancelled_page_cannot_be_claimed(scene: Scene) -> None:
    """Leaving the page ends the code at once."""
    _, phone = await somebody(scene)
    began = await open_page(scene)
    await login.cancel(scene.ctx, mine(began), visitor=HERE)
    assert await refusal(scene, phone, code_at(scene, began)) == "claim_over"


async def test_code_that_nobody_showed_is_refused(scene: Scene) -> None:
    """An unknown attempt, another attempt's token, garbage: refused, and nothing is bound."""
    _, phone = await somebody(scene)
    one, other = await open_page(scene), await open_page(scene)
    swapped = f"{shown(one).id}.{code_at(scene, other).partition('.')[2]}"
    unknown = f"{'A' * 22}.{'A' * 22}"
    assert [await refusal(scene, phone, code) for code in (swapped, unknown, "garbage")] == [
        "claim_over",
        "claim_over",
        "message_malformed",
    ]
    rows = await scene.rows(login_attempt)
    assert {row["state"] for row in rows} == {"unclaimed"}


async def test_removed_phone_claims_nothing(scene: Scene) -> None:
    """Between its proof and its claim it was removed: no request is made for it."""
    _, phone = await somebody(scene)
    before = await claimant(scene, phone)
    await devices.remove_by_operator(scene.ctx, before)
    began = await open_page(scene)
    with pytest.raises(Refused) as refused:
        await login.claim_login(
            scene.ctx, claimant=before, claim=code_at(scene, began), visitor=PHONE_AT
        )
    assert refused.value.code.name == "enrollment_revoked"


async def test_pages_opened_from_one_source_are_limited(scene: Scene) -> None:
    """Whoever opens pages by the dozen waits; others do not."""
    for _ in range(limits.SOURCE_OPENINGS):
        await open_page(scene)
    with pytest.raises(Refused) as refused:
        await open_page(scene)
    assert refused.value.code.name == "source_wait"
    assert refused.value.facts["wait"] == limits.WINDOW // 1000
    await open_page(scene, visitor=ABROAD)
    scene.clock.step(limits.WINDOW)
    await open_page(scene)


async def test_wrong_claims_from_one_source_are_limited(scene: Scene) -> None:
    """Guesses are counted, and beyond the limit a right code is not looked at either."""
    _, phone = await somebody(scene)
    began = await open_page(scene)
    for _ in range(limits.SOURCE_CLAIMS):
        assert await refusal(scene, phone, f"{shown(began).id}.{'A' * 22}") == "claim_over"
    assert await refusal(scene, phone, code_at(scene, began)) == "too_many_requests"
    scene.clock.step(limits.WINDOW)
    assert (await claim(scene, phone, code_at(scene, began))).jti == shown(began).id


async def test_other_requests_ask_for_their_number_beside_a_scan(scene: Scene) -> None:
    """With two attempts at once the number tells them apart; the scanned one needs none."""
    _, phone = await somebody(scene)
    other = await scene.begin(browser=new_secret())
    began = await open_page(scene)
    asked = await claim(scene, phone, code_at(scene, began))
    assert (asked.number, asked.show.others) == (False, 1)
    assert (await login.glance(scene.ctx, mine(other))).number


async def test_report_of_a_scan_stops_notifications(scene: Scene) -> None:
    """Somebody was tricked and noticed: the report works as after any other request."""
    _, phone = await somebody(scene)
    began = await open_page(scene)
    await claim(scene, phone, code_at(scene, began))
    request = await scene.request(phone, began)
    text = phone.approval(request, now=scene.clock.now(), act="report")
    assert await scene.answer(text) == "reported"
    with pytest.raises(Refused):
        await login.collect(scene.ctx, mine(began), visitor=HERE)
