"""Who has the password, and nothing else: networks, quiet hours, allowances, stolen marks."""

import json
from dataclasses import replace
from itertools import permutations

import pytest
from sqlalchemy import bindparam, update

from tests.desk import Desk, open_session
from tests.login.scene import HERE, Scene, code_of, mine, shown
from vestibule.accounts import service as accounts
from vestibule.accounts.store import account as account_table
from vestibule.base.clock import HOUR, MINUTE
from vestibule.base.database import Value
from vestibule.base.errors import Fault, Refused
from vestibule.base.ids import new_secret
from vestibule.login import service as login
from vestibule.login.rules import Step
from vestibule.protocol import messages
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof
from vestibule.web import cookies

_SET = update(account_table).where(account_table.c.id == bindparam("id_"))
ELSEWHERE = replace(HERE, address="203.0.113.9", source="203.0.113.9")


async def confine(scene: Scene, account_id: str, *networks: str) -> None:
    """Let the account be used from these networks only."""
    await scene.ctx.db.run(_SET, id_=account_id, networks=json.dumps(networks))


# --- networks ---------------------------------------------------------------------------------


async def test_right_password_from_elsewhere_is_told_why(scene: Scene) -> None:
    """Only after the right password: until then nothing is said of the account's networks."""
    account = await scene.account()
    await confine(scene, account.id, "192.0.2.0/24", "2001:db8::/32")
    with pytest.raises(Refused, match="wrong_credentials"):
        await scene.begin(password="not this", visitor=ELSEWHERE)
    with pytest.raises(Refused, match="network_not_allowed"):
        await scene.begin(visitor=ELSEWHERE)
    assert (await scene.begin()).session is not None
    six = replace(HERE, address="2001:db8::7", source="2001:db8::/64")
    assert (await scene.begin(visitor=six)).session is not None
    mapped = replace(HERE, address="::ffff:192.0.2.7")
    assert (await scene.begin(visitor=mapped)).session is not None


async def test_session_rests_outside_the_networks(scene: Scene) -> None:
    """At once; back inside it goes on. An address that nobody knows is outside."""
    account = await scene.account()
    _, cookie = await open_session(scene, account)
    await confine(scene, account.id, "192.0.2.0/24")
    for address in (ELSEWHERE.address, "", "nonsense", None):
        with pytest.raises(Refused, match="network_not_allowed"):
            await sessions.session_of(scene.ctx, cookie, address=address)
    assert await sessions.session_of(scene.ctx, cookie, address=HERE.address)


async def test_credentials_are_checked_with_the_same_limits(scene: Scene) -> None:
    """For other journeys: right ones give the account and open nothing; wrong ones count alike."""
    account = await scene.account()
    found = await check(scene, "morgan", "a lantern, a kettle, nine geese")
    assert found == account.id
    for name in ("morgan", "nobody"):
        for _ in range(5):
            assert await check(scene, name, "wrong") == "wrong_credentials"
        assert await check(scene, name, "wrong") == "password_wait"
    with pytest.raises(Refused, match="password_wait"):
        await scene.begin()


async def check(scene: Scene, username: str, password: str) -> str:
    """The account's id, or the code of the refusal."""
    try:
        account = await login.check_credentials(
            scene.ctx, username=username, password=password, visitor=HERE
        )
    except Fault as fault:
        return code_of(fault)
    return account.id


# --- notifications ----------------------------------------------------------------------------


async def test_unknown_browser_wakes_nobody_in_quiet_hours(scene: Scene) -> None:
    """The request waits in the app and the page says so; a known browser still notifies."""
    account = await scene.account()
    phone = await scene.phone(account)
    minute = scene.clock.now() // MINUTE % 1440
    hours: dict[str, Value] = {
        "quiet_from": minute,
        "quiet_until": (minute + 120) % 1440,
        "timezone": "UTC",
    }
    await scene.ctx.db.run(_SET, id_=account.id, **hours)
    began = await scene.begin()
    assert (shown(began).push, shown(began).why_no_push) == (True, "quiet")
    assert len(await scene.waiting(phone)) == 1
    assert scene.push.sent == []
    await login.cancel(scene.ctx, mine(began), visitor=HERE)
    browser = await known(scene, account.id)
    assert shown(await scene.begin(browser=browser)).why_no_push == ""
    scene.clock.step(2 * HOUR)
    assert shown(await scene.begin()).why_no_push == ""


async def known(scene: Scene, account_id: str) -> str:
    """The secret of a browser that has signed in before."""
    account = await accounts.get_account(scene.ctx, account_id)
    browser = new_secret()
    await open_session(scene, account, proof=Proof.NUMBER, browser=browser)
    return browser


async def test_stranger_cannot_use_up_the_owners_notifications(scene: Scene) -> None:
    """Who has the password spends the allowance of strangers; a known browser has its own."""
    account = await scene.account()
    await scene.phone(account)
    browser = await known(scene, account.id)
    pushes = [shown(await scene.begin(visitor=ELSEWHERE)).push for _ in range(5)]
    assert pushes == [True, True, True, False, False]
    assert [shown(await scene.begin(browser=browser)).push for _ in range(4)] == [
        *(True, True, True, False)
    ]


# --- stolen marks -----------------------------------------------------------------------------


async def test_known_browser_is_known_to_its_own_account_only(scene: Scene) -> None:
    """The mark of one account's browser, moved to another account, still asks for the number."""
    account, other = await scene.account(), await scene.account("robin")
    await scene.phone(account)
    phone = await scene.phone(other)
    browser = await known(scene, account.id)
    assert shown(await scene.begin(browser=browser)).number is False
    stolen = await scene.begin("robin", browser=browser)
    assert shown(stolen).number is True
    (text,) = await scene.waiting(phone)
    claims = messages.parse(text, messages.ApprovalRequest).claims
    assert (claims.number, claims.show.known) == (True, False)


async def test_copied_proofs_make_no_browser_known(scene: Scene) -> None:
    """A text message, a card, a printed code or a pass may have been somebody else's."""
    account = await scene.account()
    await scene.phone(account)
    for proof in (Proof.SMS, Proof.CODE_CARD, Proof.RECOVERY_CODE, Proof.TEMPORARY_PASS):
        browser = new_secret()
        await open_session(scene, account, proof=proof, browser=browser)
        assert shown(await scene.begin(browser=browser)).number is True


async def test_session_attempt_and_user_cannot_be_swapped(scene: Scene) -> None:
    """Two people, each with a session, an attempt and a phone: all six exchanges are refused."""
    people = []
    for name in ("morgan", "robin"):
        account = await scene.account(name)
        phone = await scene.phone(account)
        session, _ = await open_session(scene, account, phone=phone)
        began = await scene.begin(name)
        step_up = await login.begin_step_up(
            scene.ctx,
            session,
            way_id=phone.id,
            least=session.assurance,
            detail="Phones",
            visitor=HERE,
        )
        people.append((phone, session, began, step_up))
    for (phone, session, began, step_up), (phone2, session2, began2, step_up2) in permutations(
        people
    ):
        # One's phone for the other's attempt.
        text = await scene.request(phone2, began2)
        with pytest.raises(Fault) as refused:
            await scene.answer(
                phone.approval(text, now=scene.clock.now(), number=shown(began2).challenge)
            )
        assert code_of(refused.value) == "request_unknown"
        # One's browser for the other's attempt.
        moved = login.Mine(id=shown(began2).id, secret=began.secret)
        with pytest.raises(Refused, match="attempt_unknown"):
            await login.look(scene.ctx, moved)
        # One's session for the other's step-up.
        with pytest.raises(Refused, match="not_collectable"):
            await login.collect(
                scene.ctx, step_up2.mine, visitor=HERE, kind=step_up2.view.kind, session=session
            )
        assert step_up.view.step is Step.WAIT
        assert session2.id != session.id


# --- pages ------------------------------------------------------------------------------------


async def test_old_page_leads_home_when_signed_in(desk: Desk) -> None:
    """`/login/next` without an attempt: home with a session, an explanation without one."""
    lost = await desk.http.get("/login/next")
    assert (lost.status_code, 'data-code="attempt_unknown"' in lost.text) == (404, True)
    await desk.sign_in(await desk.scene.account())
    found = await desk.http.get("/login/next")
    assert (found.status_code, found.headers["location"]) == (303, "/")


async def test_session_from_elsewhere_gets_a_page_of_its_own(desk: Desk) -> None:
    """It says why, and signing in again stays possible from where it is allowed."""
    account = await desk.scene.account()
    await desk.sign_in(account)
    await confine(desk.scene, account.id, "192.0.2.0/24")
    for path in ("/", "/settings/phones", "/settings/sessions", "/login/step-up"):
        refused = await desk.http.get(path)
        assert refused.status_code == 403, path
        assert 'data-code="network_not_allowed"' in refused.text
    form = await desk.http.get("/login")
    assert form.status_code == 200
    assert desk.http.cookies[cookies.SESSION]
