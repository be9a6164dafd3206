"""Step-up: a session proves again that its owner is there, never as another session's."""

import re
from dataclasses import replace
from html import unescape

import httpx
import pytest

from tests.desk import Desk, open_session
from tests.factors.test_service import app, code_now
from tests.login.scene import HERE, Scene, ScenePhone, mine, shown
from vestibule.accounts.rules import Account
from vestibule.base.clock import MINUTE
from vestibule.base.errors import Refused
from vestibule.base.i18n import t
from vestibule.login import service as login
from vestibule.login.rules import Kind, Step
from vestibule.login.service import Asked, Began
from vestibule.login.store import login_attempt
from vestibule.protocol import messages
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Assurance, EndReason, Proof, Session
from vestibule.sessions.store import portal_session
from vestibule.web import cookies

OLD = 11 * MINUTE


async def begin(
    scene: Scene, session: Session, way_id: str, least: Assurance = Assurance.STANDARD
) -> Asked:
    """Ask one way within a session."""
    return await login.begin_step_up(
        scene.ctx, session, way_id=way_id, least=least, detail="Phones", visitor=HERE
    )


async def approve(scene: Scene, phone: ScenePhone, asked: Asked) -> None:
    """Approve it on the phone."""
    await scene.approve(phone, Began(session=None, secret=asked.mine.secret, view=asked.view))


async def finish(scene: Scene, asked: Asked, session: Session | None) -> str | None:
    """What the browser of `session` does when it hears of the approval."""
    return await login.collect(
        scene.ctx, asked.mine, visitor=HERE, kind=Kind.STEP_UP, session=session
    )


async def linked(scene: Scene, name: str = "morgan") -> tuple[Account, ScenePhone, Session, str]:
    """An account with a phone, and a session of it that was proven a while ago."""
    account = await scene.account(name)
    phone = await scene.phone(account)
    session, cookie = await open_session(scene, account, proof=Proof.PUSH, phone=phone)
    scene.clock.step(OLD)
    return account, phone, session, cookie


async def test_proof_rises_in_the_same_session(scene: Scene) -> None:
    """The phone is asked with the number; the session is proven anew, and no other is opened."""
    _, phone, session, cookie = await linked(scene)
    with pytest.raises(Refused, match="step_up_needed"):
        sessions.demand(scene.ctx, session)
    asked = await begin(scene, session, phone.id)
    (text,) = await scene.waiting(phone)
    claims = messages.parse(text, messages.ApprovalRequest).claims
    assert (claims.kind, claims.number, claims.show.detail) == ("step-up", True, "Phones")
    await approve(scene, phone, asked)
    assert await finish(scene, asked, session) is None
    now = await sessions.get_session(scene.ctx, cookie)
    assert (now.id, now.proof, now.assurance) == (session.id, Proof.NUMBER, Assurance.HIGH)
    sessions.demand(scene.ctx, now, assurance=Assurance.HIGH)
    assert len(await scene.rows(portal_session)) == 1


async def test_step_up_counts_for_the_session_that_began_it(scene: Scene) -> None:
    """Another session of the same account, or of another one, collects nothing."""
    account, phone, session, _ = await linked(scene)
    second, _ = await open_session(scene, account, proof=Proof.PASSWORD)
    stranger, _ = await open_session(scene, await scene.account("robin"), proof=Proof.PASSWORD)
    asked = await begin(scene, session, phone.id)
    await approve(scene, phone, asked)
    for other in (second, stranger, None, replace(second, account_id=stranger.account_id)):
        with pytest.raises(Refused, match="not_collectable"):
            await finish(scene, asked, other)
    assert await finish(scene, asked, session) is None
    with pytest.raises(Refused, match="not_collectable"):
        await finish(scene, asked, session)


async def test_what_was_approved_for_one_thing_is_no_other(scene: Scene) -> None:
    """A step-up never becomes a sign-in, nor a sign-in a step-up, nor either a migration."""
    account, phone, session, _ = await linked(scene)
    asked = await begin(scene, session, phone.id)
    await approve(scene, phone, asked)
    with pytest.raises(Refused, match="not_collectable"):
        await login.collect(scene.ctx, asked.mine, visitor=HERE)
    with pytest.raises(Refused, match="not_collectable"):
        await login.take(scene.ctx, asked.mine)
    began = await scene.begin()
    await scene.approve(phone, began)
    hold = Asked(mine=mine(began), view=shown(began))
    with pytest.raises(Refused, match="not_collectable"):
        await finish(scene, hold, session)
    with pytest.raises(Refused, match="not_collectable"):
        await login.take(scene.ctx, mine(began))
    assert account.id == session.account_id


async def test_migration_is_taken_once_and_opens_nothing(scene: Scene) -> None:
    """For another journey: the phone shows what for, its approval is spent without a session."""
    account = await scene.account()
    phone = await scene.phone(account)
    asked = await login.ask_phone(
        scene.ctx, account_id=account.id, kind=Kind.MIGRATION, detail="Pixel 10", visitor=HERE
    )
    assert (asked.view.step, asked.view.number) == (Step.WAIT, True)
    with pytest.raises(Refused, match="not_collectable"):
        await login.take(scene.ctx, asked.mine)
    await approve(scene, phone, asked)
    with pytest.raises(Refused, match="not_collectable"):
        await login.collect(scene.ctx, asked.mine, visitor=HERE)
    assert await login.take(scene.ctx, asked.mine) is Proof.NUMBER
    with pytest.raises(Refused, match="not_collectable"):
        await login.take(scene.ctx, asked.mine)
    assert await scene.rows(portal_session) == []


async def test_weaker_way_is_not_offered(scene: Scene) -> None:
    """Where a high level was asked for, an app's code is neither listed nor taken."""
    account, phone, session, _ = await linked(scene)
    factor, _ = await app(scene, replace(session, proof=Proof.NUMBER, proved_at=scene.clock.now()))
    high = await login.step_up_ways(scene.ctx, session, least=Assurance.HIGH)
    assert [way.id for way in high.all] == [phone.id]
    with pytest.raises(Refused, match="phone_unknown"):
        await begin(scene, session, factor.id, Assurance.HIGH)
    usual = await login.step_up_ways(scene.ctx, session, least=Assurance.STANDARD)
    assert {way.id for way in usual.all} == {phone.id, factor.id}
    assert account.id == session.account_id


async def test_weaker_proof_takes_nothing_away(scene: Scene) -> None:
    """A fresh strong proof stays when a weaker one follows; an old one is replaced."""
    account = await scene.account()
    phone = await scene.phone(account)
    session, cookie = await open_session(scene, account, proof=Proof.NUMBER, phone=phone)
    factor, secret = await app(scene, session)
    for proof in (Proof.NUMBER, Proof.TOTP):
        asked = await begin(scene, session, factor.id)
        await login.prove(
            scene.ctx,
            asked.mine,
            answer=code_now(scene, secret),
            visitor=HERE,
            session=await sessions.get_session(scene.ctx, cookie),
        )
        session = await sessions.get_session(scene.ctx, cookie)
        assert session.proof is proof
        scene.clock.step(OLD)


async def test_ended_session_is_not_raised(scene: Scene) -> None:
    """Signed out in another tab meanwhile: the approval is worth nothing."""
    account, phone, session, _ = await linked(scene)
    asked = await begin(scene, session, phone.id)
    await approve(scene, phone, asked)
    await sessions.end_session(
        scene.ctx,
        id=session.id,
        account_id=account.id,
        reason=EndReason.SIGNED_OUT,
        source="",
    )
    with pytest.raises(Refused, match="not_signed_in"):
        await finish(scene, asked, session)
    (row,) = await scene.rows(login_attempt)
    assert row["state"] == "approved"


# --- pages ------------------------------------------------------------------------------------


async def form(desk: Desk, page: httpx.Response, address: str, **fields: str) -> httpx.Response:
    """Send a form of a page."""
    token = re.search(r'name="form" value="([^"]+)"', page.text)
    assert token is not None
    return await desk.http.post(address, data={"form": token[1], **fields})


async def test_page_leads_to_the_proof_and_back(desk: Desk) -> None:
    """Nothing is sent by looking; after the approval the browser is where it was."""
    scene = desk.scene
    account = await scene.account()
    phone = await scene.phone(account)
    await desk.sign_in(account, proof=Proof.PUSH, phone=phone)
    cookie = desk.http.cookies[cookies.SESSION]
    page = await desk.http.get("/login/step-up?then=/settings/phones&level=3")
    assert t("login.step_up.title") in unescape(page.text)
    assert await scene.waiting(phone) == ()
    way = {"way": phone.id, "then": "/settings/phones", "level": "3"}
    sent = await form(desk, page, "/login/step-up", **way)
    assert sent.headers["location"] == "/login/wait"
    waiting = await desk.http.get("/login/wait")
    number = re.search(r'data-slot="challenge">(.*?)</p>', waiting.text)
    assert number is not None
    (text,) = await scene.waiting(phone)
    digits = re.sub(r"\D", "", re.sub("<[^>]+>", "", number[1]))
    await scene.answer(phone.approval(text, now=scene.clock.now(), number=digits))
    done = await desk.http.get("/login/next")
    assert (done.status_code, done.headers["location"]) == (303, "/settings/phones")
    assert desk.http.cookies[cookies.SESSION] == cookie


@pytest.mark.parametrize(
    "then", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/a\nb"]
)
async def test_way_back_is_ours(desk: Desk, then: str) -> None:
    """Nobody is led elsewhere by an address."""
    account = await desk.scene.account()
    await desk.scene.phone(account)
    await desk.sign_in(account)
    page = await desk.http.get("/login/step-up", params={"then": then})
    assert 'name="then" value="/"' in page.text


async def test_account_with_a_password_only_is_led_to_its_first_phone(desk: Desk) -> None:
    """There is nothing stronger to show yet; the page says what to do."""
    await desk.sign_in(await desk.scene.account(), proof=Proof.PASSWORD)
    page = await desk.http.get("/login/step-up?then=/settings/phones")
    assert t("login.step_up.bare.title") in unescape(page.text)


async def test_step_up_needs_a_session(desk: Desk) -> None:
    """Without one the way in is the sign-in."""
    page = await desk.http.get("/login/step-up?then=/")
    assert page.headers["location"] == "/login"
