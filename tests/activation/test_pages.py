"""The activation banner: a QR code, the code to type, and word of the phone without a reload."""

import asyncio
import re

from tests.desk import Desk, enrol_response
from tests.login.scene import ScenePhone
from tests.patience import PATIENCE_S, until
from vestibule.accounts.rules import Account
from vestibule.activation import service
from vestibule.base.i18n import t
from vestibule.sessions.rules import Proof


async def newcomer(desk: Desk) -> Account:
    """Somebody without a phone, signed in with the password."""
    account = await desk.scene.account()
    await desk.sign_in(account, proof=Proof.PASSWORD)
    return account


def code_on(page: str) -> str:
    """The code to type, as the page shows it."""
    block = re.search(r'id="typed-code">(.*?)</p>', page)
    assert block is not None
    return "-".join(re.findall(r"<span>(\w{4})</span>", block[1]))


async def link(desk: Desk, code: str, phone: ScenePhone) -> None:
    """Redeem a typed code."""
    request = await service.open_ticket(desk.scene.ctx, code=code, source="192.0.2.1")
    response = enrol_response(desk.scene, request, phone)
    await service.redeem_ticket(desk.scene.ctx, response=response, source="192.0.2.1")


async def test_banner_shows_a_code_that_works(desk: Desk) -> None:
    """Without a phone the start page has a QR code and the same as text; typed, it links."""
    await newcomer(desk)
    page = (await desk.http.get("/")).text
    assert t("activation.banner.title") in page
    assert 'class="qr-code"' in page
    assert "style=" not in page
    await link(desk, code_on(page), ScenePhone(desk.scene.ctx.settings.portal_url))
    after = (await desk.http.get("/")).text
    assert t("activation.banner.title") not in after
    assert "Pixel 9" in after


async def test_reload_shows_the_same_code_and_the_button_a_new_one(desk: Desk) -> None:
    """Looking costs nothing; "New code" withdraws the one before."""
    await newcomer(desk)
    first = code_on((await desk.http.get("/")).text)
    assert code_on((await desk.http.get("/")).text) == first
    answer = await desk.send("/", "/activation/new", back="/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert code_on((await desk.http.get("/")).text) != first


async def test_expired_code_is_replaced_when_the_page_is_looked_at(desk: Desk) -> None:
    """Nobody is shown a code that is over."""
    await newcomer(desk)
    first = code_on((await desk.http.get("/")).text)
    desk.scene.clock.step(600_000)
    assert code_on((await desk.http.get("/")).text) != first


async def test_page_hears_of_the_phone_by_itself(desk: Desk) -> None:
    """The event stream tells of the scan, then of the link with the phone's name, and ends."""
    await newcomer(desk)
    code = code_on((await desk.http.get("/")).text)
    stream = asyncio.create_task(desk.http.get("/activation/wait"))
    await until(lambda: desk.scene.bus.waiters)
    await asyncio.sleep(0.05)
    await link(desk, code, ScenePhone(desk.scene.ctx.settings.portal_url, label="Robin's Pixel"))
    answer = await asyncio.wait_for(stream, PATIENCE_S)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert 'event: step\ndata: {"name":"scan"}' in answer.text
    assert '"label":"Robin\'s Pixel"' in answer.text


async def test_late_listener_hears_what_it_missed(desk: Desk) -> None:
    """A page that connects after the phone was linked is told at once."""
    await newcomer(desk)
    code = code_on((await desk.http.get("/")).text)
    await link(desk, code, ScenePhone(desk.scene.ctx.settings.portal_url))
    answer = await asyncio.wait_for(desk.http.get("/activation/wait"), PATIENCE_S)
    assert "event: show" in answer.text


async def test_exhausted_code_is_told_to_its_owner(desk: Desk) -> None:
    """Whoever's code was typed wrong five times reads why there is none, and makes a new one."""
    await newcomer(desk)
    code = code_on((await desk.http.get("/")).text)
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    answers = [await desk.ask("POST", "/device/tickets", {"code": wrong}) for _ in range(5)]
    assert answers[-1].json()["code"] == "ticket_exhausted"
    page = (await desk.http.get("/")).text
    assert t("activation.banner.exhausted") in page
    assert "qr-code" not in page


async def test_another_phone_needs_a_session_with_a_phone(desk: Desk) -> None:
    """The page for another phone shows a code to a phone's session and refuses a password's."""
    account = await desk.scene.account()
    phone = await desk.scene.phone(account)
    await desk.sign_in(account, phone=phone)
    assert code_on((await desk.http.get("/activation")).text)
    await desk.sign_in(account, proof=Proof.PASSWORD)
    answer = await desk.http.get("/activation")
    assert answer.status_code == 403
    assert t("error.activation_needs_phone.title") in answer.text


async def test_pages_lead_to_sign_in_without_a_session(desk: Desk) -> None:
    """Whoever is not signed in is sent to the form; the stream refuses."""
    for path in ("/", "/activation"):
        answer = await desk.http.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert (await desk.http.get("/activation/wait")).status_code == 303
    assert (await desk.http.post("/activation/new", data={})).status_code == 401
