"""What terminals call: the device grant, the challenge, the token and its end."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.desk import Desk
from tests.login.scene import PASSWORD, ScenePhone
from vestibule.accounts.rules import Account
from vestibule.base import limits
from vestibule.protocol import messages
from vestibule.relying.oauth import DEVICE_GRANT, RESPONSE_GRANT
from vestibule.relying.rules import INTERVAL_S
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import EndReason, Kind, Proof
from vestibule.web import cookies

CLIENT = {"client_id": "vestibule-terminal"}


async def call(desk: Desk, path: str, **fields: str) -> httpx.Response:
    """A terminal's call: no cookie, no origin."""
    headers = {"origin": "", "user-agent": "vestibule"}
    request = desk.http.build_request("POST", path, data=CLIENT | fields, headers=headers)
    del request.headers["origin"]
    request.headers.pop("cookie", None)
    return await desk.http.send(request)


async def begin(desk: Desk, name: str = "laptop") -> dict[str, Any]:
    """A terminal that shows a code."""
    answer = await call(desk, "/oauth/device_authorization", device_name=name)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def poll(desk: Desk, begun: dict[str, Any], *, wait: bool = True) -> httpx.Response:
    """Ask for the token, after the interval unless told otherwise."""
    if wait:
        desk.scene.clock.step(begun["interval"] * 1000)
    code = begun["device_code"]
    return await call(desk, "/oauth/token", grant_type=DEVICE_GRANT, device_code=code)


async def me(desk: Desk, token: str) -> httpx.Response:
    """GET /api/me with a token."""
    headers = {"authorization": f"Bearer {token}"}
    return await desk.http.get("/api/me", headers=headers)


async def somebody(desk: Desk) -> tuple[Account, ScenePhone]:
    """Somebody with a phone."""
    account = await desk.scene.account()
    return account, await desk.scene.phone(account)


async def answer(desk: Desk, phone: ScenePhone, number: str, act: str = "approve") -> str:
    """The phone's answer to the only request that waits, which is about a terminal."""
    (request,) = await desk.scene.waiting(phone)
    asked = messages.parse(request, messages.ApprovalRequest).claims
    assert asked.kind == "terminal"
    assert asked.show.detail == "laptop"
    typed = number if asked.number and act == "approve" else ""
    now = desk.scene.clock.now()
    return await desk.scene.answer(phone.approval(request, now=now, act=act, number=typed))


async def confirm(desk: Desk, begun: dict[str, Any]) -> httpx.Response:
    """Type the code on the portal and say that it is mine; the page that waits for the phone."""
    found = await desk.send("/device", "/device", user_code=begun["user_code"].lower())
    assert found.status_code == 303, found.text
    shown = found.headers["location"]
    about = shown.partition("grant=")[2]
    asked = await desk.send(shown, "/device/confirm", grant=about)
    assert asked.status_code == 303, asked.text
    return await desk.http.get(asked.headers["location"])


def number_of(page: httpx.Response) -> str:
    """The six digits of a page."""
    digits = page.text.partition('<p class="number" dir="ltr">')[2].partition("</p>")[0]
    return "".join(c for c in digits if c.isdigit())


async def test_terminal_is_let_in_by_code_and_phone(desk: Desk) -> None:
    """Code, portal, number, phone, token; and the token says truthfully how that came about."""
    account, phone = await somebody(desk)
    await desk.sign_in(account, phone=phone)
    begun = await begin(desk)
    assert begun["verification_uri"] == "https://portal.example/device"
    assert begun["verification_uri_complete"].endswith(f"?user_code={begun['user_code']}")
    assert (await poll(desk, begun)).json() == {"error": "authorization_pending"}
    page = await confirm(desk, begun)
    assert (await poll(desk, begun)).json() == {"error": "authorization_pending"}
    assert await answer(desk, phone, number_of(page)) == "approved"
    token = await poll(desk, begun)
    assert token.status_code == 200
    body = token.json()
    assert (body["token_type"], body["acr"], body["proof"]) == (
        "Bearer",
        "urn:vestibule:assurance:high",
        "number",
    )
    who = (await me(desk, body["access_token"])).json()
    assert (who["username"], who["acr"], who["proof"]) == ("morgan", body["acr"], "number")
    assert (await poll(desk, begun)).json() == {"error": "invalid_grant"}


async def test_impatient_terminal_is_slowed_down_for_good(desk: Desk) -> None:
    """A call before the interval is refused and makes the interval longer for all that follow."""
    begun = await begin(desk)
    assert (await poll(desk, begun)).json()["error"] == "authorization_pending"
    assert (await poll(desk, begun, wait=False)).json()["error"] == "slow_down"
    assert (await poll(desk, begun)).json()["error"] == "slow_down"
    desk.scene.clock.step((INTERVAL_S + 10) * 1000)
    assert (await poll(desk, begun, wait=False)).json()["error"] == "authorization_pending"


async def test_denied_terminal_is_told_so(desk: Desk) -> None:
    """Deny on the phone ends it for the terminal and its page."""
    account, phone = await somebody(desk)
    await desk.sign_in(account, phone=phone)
    begun = await begin(desk)
    await confirm(desk, begun)
    assert await answer(desk, phone, "", act="deny") == "denied"
    assert (await poll(desk, begun)).json() == {"error": "access_denied"}


async def test_forgotten_code_runs_out(desk: Desk) -> None:
    """After ten minutes the terminal hears that its time is over."""
    begun = await begin(desk)
    desk.scene.clock.step(begun["expires_in"] * 1000)
    assert (await poll(desk, begun)).json() == {"error": "expired_token"}


async def test_code_of_one_terminal_never_approves_another(desk: Desk) -> None:
    """Two terminals wait; what is confirmed for one leaves the other waiting."""
    account, phone = await somebody(desk)
    await desk.sign_in(account, phone=phone)
    mine, other = await begin(desk), await begin(desk, "somebody else's")
    page = await confirm(desk, mine)
    await answer(desk, phone, number_of(page))
    assert (await poll(desk, other)).json() == {"error": "authorization_pending"}
    assert (await poll(desk, mine, wait=False)).status_code == 200


async def test_another_page_cannot_speak_of_this_grant(desk: Desk) -> None:
    """What names a grant is bound to its session: taken to another it is nothing."""
    account, phone = await somebody(desk)
    await desk.sign_in(account, phone=phone)
    begun = await begin(desk)
    found = await desk.send("/device", "/device", user_code=begun["user_code"])
    await desk.sign_in(await desk.scene.account("tomas"))
    stolen = await desk.http.get(found.headers["location"])
    assert stolen.status_code == 410
    assert (await poll(desk, begun)).json() == {"error": "authorization_pending"}


async def test_wrong_codes_are_counted(desk: Desk) -> None:
    """After twenty wrong ones even a right one is not looked at."""
    account, phone = await somebody(desk)
    await desk.sign_in(account, phone=phone)
    begun = await begin(desk)
    for _ in range(limits.SOURCE_CLAIMS):
        wrong = await desk.send("/device", "/device", user_code="BCDF-GHJK")
        assert wrong.status_code == 404
    right = await desk.send("/device", "/device", user_code=begun["user_code"])
    assert right.status_code == 429


async def test_code_asks_to_sign_in_first_and_comes_back(desk: Desk) -> None:
    """The address in the terminal's QR code survives the sign-in."""
    sent = await desk.http.get("/device?user_code=BCDF-GHJK")
    assert sent.headers["location"] == "/login?then=/device%3Fuser_code%3DBCDF-GHJK"
    page = await desk.http.get(sent.headers["location"])
    assert 'name="then" value="/device?user_code=BCDF-GHJK"' in page.text


async def test_code_in_the_address_still_has_to_be_sent_by_hand(desk: Desk) -> None:
    """Opening a link that somebody sent confirms nothing: the page only fills the field."""
    account, phone = await somebody(desk)
    await desk.sign_in(account, phone=phone)
    begun = await begin(desk)
    page = await desk.http.get(f"/device?user_code={begun['user_code']}")
    assert f'value="{begun["user_code"]}"' in page.text
    assert await desk.scene.waiting(phone) == ()


async def test_account_without_a_phone_confirms_with_its_session(desk: Desk) -> None:
    """There is nothing stronger, and the token says so."""
    account = await desk.scene.account()
    await desk.sign_in(account, proof=Proof.PASSWORD)
    begun = await begin(desk)
    await confirm(desk, begun)
    body = (await poll(desk, begun)).json()
    assert (body["acr"], body["proof"]) == ("urn:vestibule:assurance:password", "password")


# --- username, password and challenge ---------------------------------------------------------


async def challenged(desk: Desk, password: str = PASSWORD) -> httpx.Response:
    """Username and password, typed into a terminal."""
    fields = {"username": "morgan", "password": password, "device_name": "laptop"}
    return await call(desk, "/oauth/challenge", **fields)


async def respond(desk: Desk, asked: dict[str, Any], response: str) -> httpx.Response:
    """Eight digits, typed into a terminal."""
    fields = {"grant_type": RESPONSE_GRANT, "device_code": asked["device_code"]}
    return await call(desk, "/oauth/token", **fields, response=response)


async def test_terminal_signs_in_by_challenge_and_response(desk: Desk) -> None:
    """Password, six digits, eight digits: a token, whose proof is a response."""
    _, phone = await somebody(desk)
    asked = (await challenged(desk)).json()
    assert len(asked["challenge"]) == 6
    wrong = await respond(desk, asked, "0000 0000")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    assert (wrong.json()["code"], wrong.json()["left"]) == ("response_wrong", 2)
    digits = phone.respond(asked["challenge"])
    token = (await respond(desk, asked, f"{digits[:4]} {digits[4:]}")).json()
    assert (token["proof"], token["acr"]) == ("response", "urn:vestibule:assurance:standard")
    assert (await me(desk, token["access_token"])).json()["username"] == "morgan"
    assert (await respond(desk, asked, digits)).json() == {"error": "invalid_grant"}


async def test_terminal_with_a_password_is_approved_on_the_phone(desk: Desk) -> None:
    """The same sign-in, answered by the notification and the number that the terminal shows."""
    _, phone = await somebody(desk)
    asked = (await challenged(desk)).json()
    assert asked["number"]
    assert asked["phone"] == "Pixel 9"
    assert await answer(desk, phone, asked["challenge"]) == "approved"
    assert (await poll(desk, asked)).json()["proof"] == "number"


async def test_counter_that_ran_ahead_brings_another_challenge(desk: Desk) -> None:
    """The terminal is told the new six digits, to which the next response fits."""
    _, phone = await somebody(desk)
    asked = (await challenged(desk)).json()
    again = (await respond(desk, asked, phone.respond(asked["challenge"], ahead=20))).json()
    assert again["code"] == "response_again"
    token = await respond(desk, asked, phone.respond(again["challenge"]))
    assert token.json()["proof"] == "response"


async def test_wrong_password_is_refused_like_an_unknown_name(desk: Desk) -> None:
    """The terminal learns as little as the sign-in page says."""
    await somebody(desk)
    wrong = await challenged(desk, "not the password at all")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    assert wrong.json()["code"] == "wrong_credentials"


async def test_password_alone_lets_no_terminal_in(desk: Desk) -> None:
    """Without a phone there is no challenge to answer."""
    await desk.scene.account()
    refused = await challenged(desk)
    assert refused.json()["code"] == "terminal_needs_phone"


async def test_code_of_the_other_way_takes_no_response(desk: Desk) -> None:
    """Eight digits for a terminal that never gave a password are nothing."""
    begun = await begin(desk)
    assert (await respond(desk, begun, "12345678")).json() == {"error": "invalid_grant"}


# --- the token --------------------------------------------------------------------------------


async def signed_in(desk: Desk) -> tuple[Account, ScenePhone, str]:
    """A terminal with a token."""
    account, phone = await somebody(desk)
    asked = (await challenged(desk)).json()
    token = (await respond(desk, asked, phone.respond(asked["challenge"]))).json()
    return account, phone, token["access_token"]


async def test_token_stands_among_the_sessions_and_is_ended_there(desk: Desk) -> None:
    """Its owner sees the terminal by name and ends it; the token is worth nothing from then."""
    account, phone, token = await signed_in(desk)
    await desk.sign_in(account, phone=phone)
    page = await desk.http.get("/settings/sessions")
    assert "laptop" in page.text
    (listed,) = [
        one
        for one in await sessions.list_sessions(desk.scene.ctx, account.id)
        if one.kind is Kind.TERMINAL
    ]
    await desk.send("/settings/sessions", "/settings/sessions/end", id=listed.id)
    over = await me(desk, token)
    assert over.status_code == 401
    assert 'error="invalid_token"' in over.headers["www-authenticate"]


async def test_token_is_revoked(desk: Desk) -> None:
    """RFC 7009: 200 for whatever was sent, and the token is over."""
    _, _, token = await signed_in(desk)
    assert (await call(desk, "/oauth/revoke", token=token)).status_code == 200
    assert (await me(desk, token)).status_code == 401
    assert (await call(desk, "/oauth/revoke", token="nothing")).status_code == 200


async def test_token_opens_no_page_and_a_cookie_no_interface(desk: Desk) -> None:
    """What a terminal holds and what a browser holds are never taken for each other."""
    account, phone, token = await signed_in(desk)
    desk.http.cookies.set(cookies.SESSION, token, domain="portal.example")
    assert (await desk.http.get("/")).status_code in (303, 401)
    await desk.sign_in(account, phone=phone)
    cookie = desk.http.cookies.get(cookies.SESSION, domain="portal.example")
    assert (await me(desk, cookie or "")).status_code == 401


async def test_report_after_the_fact_ends_the_token(desk: Desk) -> None:
    """A person who notices late ends what came of it."""
    _, phone = await somebody(desk)
    asked = (await challenged(desk)).json()
    (request,) = await desk.scene.waiting(phone)
    await answer(desk, phone, asked["challenge"])
    token = (await poll(desk, asked)).json()["access_token"]
    text = phone.approval(request, now=desk.scene.clock.now(), act="report")
    assert await desk.scene.answer(text) == "reported"
    assert (await me(desk, token)).status_code == 401


async def test_token_does_not_grow_old_by_resting(desk: Desk) -> None:
    """Unlike a browser's session it has no idle end, only an end."""
    _, _, token = await signed_in(desk)
    hours = desk.scene.ctx.settings.terminal_session_hours
    desk.scene.clock.step(hours * 3_600_000 - 60_000)
    assert (await me(desk, token)).status_code == 200
    desk.scene.clock.step(60_000)
    assert (await me(desk, token)).status_code == 401


async def test_removed_phone_takes_its_terminals_along(desk: Desk) -> None:
    """Whoever loses the phone ends what it let in."""
    account, phone, token = await signed_in(desk)
    ctx = desk.scene.ctx

    await ctx.db.write(
        lambda tx: sessions.end_others(
            tx,
            account_id=account.id,
            keep=None,
            reason=EndReason.PHONE_REMOVED,
            actor="browser",
            source="",
            now=desk.scene.clock.now(),
            enrollment_id=phone.id,
        )
    )
    assert (await me(desk, token)).status_code == 401


@pytest.mark.parametrize(
    "fields,error",
    [
        ({"client_id": "another"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": DEVICE_GRANT, "device_code": "nothing"}, "invalid_grant"),
    ],
)
async def test_malformed_calls_are_told_by_the_standards_names(
    desk: Desk, fields: dict[str, str], error: str
) -> None:
    """RFC 6749 section 5.2."""
    refused = await call(desk, "/oauth/token", **fields)
    assert (refused.status_code, refused.json()["error"]) == (400, error)
    assert refused.headers["cache-control"] == "no-store"


async def test_terminals_from_one_source_are_limited(desk: Desk) -> None:
    """Whoever asks for codes by the dozen waits."""
    for _ in range(limits.SOURCE_OPENINGS):
        await begin(desk)
    refused = await call(desk, "/oauth/device_authorization")
    assert (refused.status_code, refused.json()["error"]) == (429, "temporarily_unavailable")
    assert int(refused.headers["retry-after"]) > 0
