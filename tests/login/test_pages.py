"""The sign-in's pages: what they show at each step, where they lead, what they keep."""

import re
from html import unescape

import httpx
import pytest

from tests.desk import AGENT, PORTAL, Desk
from tests.login.scene import PASSWORD, ScenePhone
from vestibule.accounts.rules import Account
from vestibule.base import limits
from vestibule.base.clock import SECOND
from vestibule.base.i18n import t
from vestibule.client.portal import Page
from vestibule.protocol import messages
from vestibule.web import cookies


def token_of(page: httpx.Response) -> str:
    """The hidden field of the page's forms."""
    found = re.search(r'name="form" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


async def sign_in(desk: Desk, username: str = "morgan", password: str = PASSWORD) -> httpx.Response:
    """Send the sign-in form."""
    return await desk.send("/login", "/login", username=username, password=password)


async def at_waiting(desk: Desk) -> tuple[Account, ScenePhone, httpx.Response]:
    """Somebody whose phone has been asked, and the waiting page."""
    account = await desk.scene.account()
    phone = await desk.scene.phone(account)
    began = await sign_in(desk)
    assert began.headers["location"] == "/login/wait", began.text
    return account, phone, await desk.http.get("/login/wait")


def challenge_of(page: httpx.Response) -> str:
    """The six digits that the page shows."""
    shown = Page(page.status_code, "", "", page.text).challenge
    assert len(shown) == 6, page.text
    return shown


async def answer(desk: Desk, phone: ScenePhone, page: httpx.Response, act: str = "approve") -> str:
    """The phone's answer to the only request that waits."""
    (request,) = await desk.scene.waiting(phone)
    number = challenge_of(page) if act == "approve" else ""
    now = desk.scene.clock.now()
    return await desk.scene.answer(phone.approval(request, now=now, act=act, number=number))


async def send(desk: Desk, page: httpx.Response, path: str, **fields: str) -> httpx.Response:
    """Send a form of a page that is at hand."""
    return await desk.http.post(path, data={"form": token_of(page), **fields})


# --- name and password --------------------------------------------------------------------------


async def test_form_marks_the_browser(desk: Desk) -> None:
    """The form gives the browser a lasting secret by which it is known again."""
    desk.http.cookies.clear()
    shown = await desk.http.get("/login")
    (line,) = shown.headers.get_list("set-cookie")
    assert line.startswith(f"{cookies.BROWSER}=")
    for attribute in ("Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age="):
        assert attribute in line


async def test_form_without_cookies_says_so(desk: Desk) -> None:
    """A browser that refuses cookies is told that they are needed."""
    shown = await desk.http.get("/login")
    desk.http.cookies.clear()
    refused = await desk.http.post(
        "/login", data={"form": token_of(shown), "username": "morgan", "password": PASSWORD}
    )
    assert refused.status_code == 400
    assert t("error.cookies_needed.title") in unescape(refused.text)


async def test_wrong_password_is_said_in_the_form(desk: Desk) -> None:
    """The form again, the name still in it, the password not, and what happened."""
    await desk.scene.account()
    shown = await sign_in(desk, password="not this one")
    assert shown.status_code == 401
    assert 'value="morgan"' in shown.text
    assert "not this one" not in shown.text
    assert t("error.wrong_credentials.title") in unescape(shown.text)


async def test_form_says_how_long_to_wait(desk: Desk) -> None:
    """After five wrong passwords the page and its Retry-After name the seconds."""
    await desk.scene.account()
    for _ in range(limits.PASSWORDS_IN_A_ROW):
        await sign_in(desk, password="wrong")
    shown = await sign_in(desk)
    assert shown.status_code == 429
    assert "10" in shown.text


async def test_account_without_phone_is_signed_in(desk: Desk) -> None:
    """The password alone leads to the first page, which asks to bring a phone."""
    await desk.scene.account()
    done = await sign_in(desk)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert "/activate#1." in (await desk.http.get("/")).text


async def test_signed_in_browser_is_led_past_the_form(desk: Desk) -> None:
    """Who is signed in does not see the form."""
    await desk.sign_in(await desk.scene.account())
    assert (await desk.http.get("/login")).headers["location"] == "/"


# --- waiting ------------------------------------------------------------------------------------


async def test_waiting_page_shows_number_and_way_out(desk: Desk) -> None:
    """Which phone, the number for an unknown browser, the challenge behind one click."""
    _, _, page = await at_waiting(desk)
    assert "Pixel 9" in page.text
    assert t("login.wait.sent").partition("…")[0] in page.text
    assert len(challenge_of(page)) == 6
    assert t("login.wait.not_received") in unescape(page.text)
    assert 'action="/login/response"' in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_waiting_page_without_seamless_asks_for_the_response(desk: Desk) -> None:
    """Seamless authentication off: the challenge is the page, says why, and still listens."""
    await desk.scene.phone(await desk.scene.account(seamless=False))
    await sign_in(desk)
    page = await desk.http.get("/login/wait")
    assert t("login.response.why_seamless_off") in unescape(page.text)
    assert 'data-wait="/login/wait/events"' in page.text
    assert t("login.wait.sent").partition("…")[0] not in page.text


async def test_known_browser_shows_no_number(desk: Desk) -> None:
    """The second sign-in from one browser needs a tap, not a number."""
    account, phone, page = await at_waiting(desk)
    await answer(desk, phone, page)
    await desk.http.get("/login/next")
    desk.http.cookies.delete(cookies.SESSION)
    await sign_in(desk)
    page = await desk.http.get("/login/wait")
    assert re.search(r'data-part="number"[^>]* hidden', page.text)
    (request,) = await desk.scene.waiting(phone)
    claims = messages.parse(request, messages.ApprovalRequest).claims
    assert (claims.number, claims.show.browser) == (False, "Firefox on Windows")
    assert account.username == claims.show.account


async def test_approval_leads_to_a_session(desk: Desk) -> None:
    """After the approval the next step opens the session, once, and drops the attempt."""
    _, phone, page = await at_waiting(desk)
    assert await answer(desk, phone, page) == "approved"
    done = await desk.http.get("/login/next")
    assert (done.status_code, done.headers["location"]) == (303, "/")
    set_ = "\n".join(done.headers.get_list("set-cookie"))
    assert re.search(rf"{cookies.SESSION}=[\w-]{{43}}; Path=/; Secure; HttpOnly", set_)
    assert f"{cookies.LOGIN}=; Max-Age=0" in set_
    assert (await desk.http.get("/")).status_code == 200


async def test_next_before_an_answer_leads_back(desk: Desk) -> None:
    """Reloading by hand leads to the waiting page again, whatever the address claims."""
    await at_waiting(desk)
    assert (await desk.http.get("/login/next")).headers["location"] == "/login/wait"
    told = await desk.http.get("/login/next?approved")
    assert told.headers["location"] == "/login/next"


@pytest.mark.parametrize("act,ends", [("deny", "denied"), ("report", "reported")])
async def test_no_from_the_phone_is_explained(desk: Desk, act: str, ends: str) -> None:
    """Denied and reported have words of their own, and a way to begin again."""
    _, phone, page = await at_waiting(desk)
    await answer(desk, phone, page, act)
    ended = await desk.http.get("/login/next")
    assert t(f"login.ended.{ends}.title") in unescape(ended.text)
    assert 'href="/login"' in ended.text
    assert (await desk.http.get("/login/next")).status_code == 404


async def test_request_that_ran_out_can_be_renewed(desk: Desk) -> None:
    """After the request's time the page offers a new one; the password still counts."""
    _, phone, page = await at_waiting(desk)
    desk.scene.clock.step(300 * SECOND)
    resume = await desk.http.get("/login/next")
    assert t("login.ended.resume.title") in unescape(resume.text)
    renewed = await send(desk, resume, "/login/again")
    assert renewed.headers["location"] == "/login/wait"
    fresh = await desk.http.get("/login/wait")
    assert challenge_of(fresh) != challenge_of(page)
    assert await answer(desk, phone, fresh) == "approved"
    assert (await desk.http.get("/login/next")).headers["location"] == "/"


async def test_cancelling_leads_back_to_the_form(desk: Desk) -> None:
    """Giving up drops the attempt, and the phone's request with it."""
    _, phone, page = await at_waiting(desk)
    gone = await send(desk, page, "/login/cancel")
    assert gone.headers["location"] == "/login"
    assert await desk.scene.waiting(phone) == ()


async def test_signing_in_again_replaces_the_attempt(desk: Desk) -> None:
    """The back button and the form again: one request on the phone, the newer one."""
    _, phone, _ = await at_waiting(desk)
    (first,) = await desk.scene.waiting(phone)
    await sign_in(desk)
    (second,) = await desk.scene.waiting(phone)
    assert first != second


# --- the response -------------------------------------------------------------------------------


async def test_response_signs_in(desk: Desk) -> None:
    """Eight digits in the field under the challenge: signed in."""
    _, phone, page = await at_waiting(desk)
    done = await send(desk, page, "/login/response", response=phone.respond(challenge_of(page)))
    assert done.headers["location"] == "/"
    assert cookies.SESSION in "".join(done.headers.get_list("set-cookie"))


async def test_wrong_response_is_said_on_the_page(desk: Desk) -> None:
    """The page stays, opened at the challenge, with the tries left; then a new challenge."""
    _, phone, page = await at_waiting(desk)
    right = phone.respond(challenge_of(page))
    for _ in range(3):
        page = await send(desk, page, "/login/response", response="00000000")
        assert page.status_code == 401
        assert t("error.response_wrong.title") in unescape(page.text)
    spent = await send(desk, page, "/login/response", response=right)
    assert spent.status_code == 429
    assert t("login.response.new_challenge") in unescape(spent.text)
    renewed = await send(desk, spent, "/login/again")
    assert renewed.headers["location"].startswith("/login/wait")
    fresh = await desk.http.get("/login/wait")
    done = await send(desk, fresh, "/login/response", response=phone.respond(challenge_of(fresh)))
    assert done.headers["location"] == "/"


async def test_realignment_shows_a_new_challenge(desk: Desk) -> None:
    """A counter that ran ahead: the page asks once more, with another challenge."""
    _, phone, page = await at_waiting(desk)
    first = challenge_of(page)
    again = await send(desk, page, "/login/response", response=phone.respond(first, ahead=30))
    assert again.status_code == 409
    assert t("error.response_again.title") in unescape(again.text)
    second = challenge_of(again)
    assert second != first
    done = await send(desk, again, "/login/response", response=phone.respond(second))
    assert done.headers["location"] == "/"


# --- several phones -----------------------------------------------------------------------------


async def test_chooser_asks_the_chosen_phone(desk: Desk) -> None:
    """Two phones: the chooser lists both, and only the chosen one is asked."""
    account = await desk.scene.account()
    phones = [await desk.scene.phone(account, label=label) for label in ("Pixel", "iPhone")]
    assert (await sign_in(desk)).headers["location"] == "/login/choose"
    chooser = await desk.http.get("/login/choose")
    assert all(phone.id in chooser.text for phone in phones)
    sent = await send(desk, chooser, "/login/choose", way=phones[1].id)
    assert sent.headers["location"] == "/login/wait"
    assert [len(await desk.scene.waiting(phone)) for phone in phones] == [0, 1]
    page = await desk.http.get("/login/wait")
    assert 'href="/login/choose"' in page.text
    assert await answer(desk, phones[1], page) == "approved"
    assert (await desk.http.get("/login/next")).headers["location"] == "/"


async def test_foreign_phone_cannot_be_chosen(desk: Desk) -> None:
    """Another account's phone, or none, is refused; the chooser goes on."""
    account = await desk.scene.account()
    phones = [await desk.scene.phone(account, label=label) for label in ("Pixel", "iPhone")]
    other = await desk.scene.phone(await desk.scene.account("robin"))
    await sign_in(desk)
    chooser = await desk.http.get("/login/choose")
    for phone_id in (other.id, "", "x" * 22):
        refused = await send(desk, chooser, "/login/choose", way=phone_id)
        assert refused.status_code == 404
    assert (await send(desk, chooser, "/login/choose", way=phones[0].id)).status_code == 303


# --- the frame ----------------------------------------------------------------------------------


async def test_pages_are_framed_by_a_strict_policy(desk: Desk) -> None:
    """No inline script, no foreign source, no frame, nothing cached."""
    _, _, page = await at_waiting(desk)
    policy = page.headers["content-security-policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
    assert not re.search(r"\son\w+=|style=", page.text)
    assert "strict-transport-security" in page.headers


async def test_phone_sees_who_asks(desk: Desk) -> None:
    """What the request shows is what the house saw: browser, address, organisation."""
    _, phone, _ = await at_waiting(desk)
    (request,) = await desk.scene.waiting(phone)
    shown = messages.parse(request, messages.ApprovalRequest).claims
    assert "Firefox" in AGENT
    assert (shown.iss, shown.show.organisation, shown.show.browser, shown.show.address) == (
        PORTAL,
        "Northgate Bank",
        "Firefox on Windows",
        "127.0.0.1",
    )
