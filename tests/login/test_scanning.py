"""The page with the rotating code, and the phone's call that claims it."""

from __future__ import annotations

import json

import httpx

from tests.desk import PHONE, Desk
from tests.login.scene import PASSWORD, ScenePhone
from vestibule.base import limits
from vestibule.base.i18n import t
from vestibule.login import service as login
from vestibule.login.pages.scanning import _shown
from vestibule.login.store import login_attempt
from vestibule.protocol import messages
from vestibule.protocol.encoding import render_json
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof
from vestibule.web import cookies, sse
from vestibule.web.rotating_qr import RotatingCode, rotating_code


async def codes() -> RotatingCode:
    """The codes of this house."""
    return await rotating_code(f"{PHONE}/claim#1.", 45)


async def open_code(desk: Desk, then: str = "") -> httpx.Response:
    """Choose the code on the sign-in page, and look at it."""
    begun = await desk.send(f"/login{then}", "/login/qr", then=then.removeprefix("?then="))
    assert begun.headers["location"] == "/login/qr", begun.text
    return await desk.http.get("/login/qr")


async def code_of(desk: Desk) -> str:
    """What the page of the newest sign-in shows now."""
    rows = await desk.scene.rows(login_attempt)
    newest = max(rows, key=lambda row: row["opened_at"])
    return login.code_now(desk.scene.ctx, newest["id"], now=desk.scene.clock.now()).text


async def scan(desk: Desk, phone: ScenePhone, code: str) -> httpx.Response:
    """The phone's call after a scan."""
    raw, now = render_json({"claim": code}), desk.scene.clock.now()
    proof = phone.proof("POST", "/device/claims", raw, now=now)
    headers = {"authorization": proof, "content-type": "application/json"}
    return await desk.phone_http.post("/device/claims", content=raw, headers=headers)


async def approve(desk: Desk, phone: ScenePhone) -> None:
    """Approve the only request that waits."""
    (request,) = await desk.scene.waiting(phone)
    text = phone.approval(request, now=desk.scene.clock.now())
    assert await desk.scene.answer(text) == "approved"


async def test_code_signs_in_without_password(desk: Desk) -> None:
    """Sign-in page, code, scan, "Confirm on …", approval, signed in; where it was to lead."""
    account = await desk.scene.account()
    phone = await desk.scene.phone(account)
    page = await open_code(desk, "?then=/settings/sessions")
    assert t("login.scan.title") in page.text
    code = await code_of(desk)
    assert (await codes()).svg(code) in page.text
    claimed = await scan(desk, phone, code)
    assert claimed.status_code == 200, claimed.text
    asked = messages.parse(claimed.json()["request"], messages.ApprovalRequest).claims
    assert (asked.aud, asked.kind, asked.number) == (phone.id, "sign-in", False)
    moved = await desk.http.get("/login/qr")
    assert moved.headers["location"] == "/login/next"
    moved = await desk.http.get("/login/next")
    assert moved.headers["location"] == "/login/wait"
    page = await desk.http.get("/login/wait")
    assert t("login.claimed.title", phone="Pixel 9") in page.text
    assert "/login/response" not in page.text
    await approve(desk, phone)
    arrived = await desk.http.get("/login/next?approved")
    assert arrived.headers["location"] == "/settings/sessions"
    session = await sessions.get_session(
        desk.scene.ctx, desk.http.cookies.get(cookies.SESSION, domain="portal.example")
    )
    assert (session.account_id, session.proof) == (account.id, Proof.QR)


async def test_code_is_the_second_rung_after_a_notification(desk: Desk) -> None:
    """The waiting page leads to the code and the code back to it, the challenge beside it."""
    phone = await desk.scene.phone(await desk.scene.account())
    await desk.send("/login", "/login", username="morgan", password=PASSWORD)
    assert 'href="/login/qr"' in (await desk.http.get("/login/wait")).text
    page = await desk.http.get("/login/qr")
    assert 'href="/login/wait"' in page.text
    assert 'href="/login/wait?respond"' in page.text
    assert (await scan(desk, phone, await code_of(desk))).status_code == 200
    assert (await desk.http.get("/login/qr")).headers["location"] == "/login/next"


async def test_still_page_loads_itself_anew_in_time(desk: Desk) -> None:
    """Without script a page is renewed after four seconds, and its code is good for six."""
    phone = await desk.scene.phone(await desk.scene.account())
    page = await open_code(desk)
    assert '<noscript><meta http-equiv="refresh" content="4"></noscript>' in page.text
    code = await code_of(desk)
    desk.scene.clock.step(4_000 - 1)
    assert (await scan(desk, phone, code)).status_code == 200


async def test_stream_sends_a_code_each_turn_and_asks_nothing(desk: Desk) -> None:
    """A turn costs no statement; the page is woken at its end, a little late rather than early."""
    await open_code(desk)
    code = await code_of(desk)
    id_ = code.partition(".")[0]
    ctx, family = desk.scene.ctx, await codes()
    seen = []
    ctx.db.observe(lambda kind, sql: seen.append((kind, sql)))
    look = _shown(ctx, family, id_, now=desk.scene.clock.now())
    event, data = look.frames.decode().strip().split("\n")
    assert event == "event: code"
    assert json.loads(data.removeprefix("data: ")) == family.sent(code)
    left = login.code_now(ctx, id_, now=desk.scene.clock.now()).for_ms
    assert left < look.again_s * 1000 < left + 10
    assert look.again_s < sse.BEAT_S
    assert seen == []


async def test_pages_do_not_turn_at_the_same_moment(desk: Desk) -> None:
    """Each attempt has a phase of its own, or a thousand pages would ask at once."""
    ctx, now = desk.scene.ctx, desk.scene.clock.now()
    ids = [(f"{n:02}" + "A" * 20) for n in range(40)]
    assert len({login.code_now(ctx, id_, now=now).for_ms for id_ in ids}) > 20


async def test_claim_needs_the_phones_proof(desk: Desk) -> None:
    """Without a signature, or with one for another body, nothing is claimed."""
    phone = await desk.scene.phone(await desk.scene.account())
    await open_code(desk)
    code = await code_of(desk)
    bare = await desk.phone_http.post("/device/claims", json={"claim": code})
    assert (bare.status_code, bare.json()["code"]) == (400, "message_malformed")
    proof = phone.proof("POST", "/device/claims", b"{}", now=desk.scene.clock.now())
    wrong = await desk.phone_http.post(
        "/device/claims", json={"claim": code}, headers={"authorization": proof}
    )
    assert (wrong.status_code, wrong.json()["code"]) == (403, "signature_wrong")
    assert await desk.scene.waiting(phone) == ()


async def test_refused_claim_says_why_and_what_next(desk: Desk) -> None:
    """The phone gets a code, a sentence and a step."""
    phone = await desk.scene.phone(await desk.scene.account())
    await open_code(desk)
    code = await code_of(desk)
    desk.scene.clock.step(6_000)
    late = await scan(desk, phone, code)
    assert (late.status_code, late.json()["code"]) == (410, "claim_over")
    assert late.json()["next"] == t("error.claim_over.next")


async def test_giving_up_the_code_leads_back_to_the_password(desk: Desk) -> None:
    """The button ends the attempt; the code is worth nothing from then on."""
    phone = await desk.scene.phone(await desk.scene.account())
    await open_code(desk)
    code = await code_of(desk)
    left = await desk.send("/login/qr", "/login/cancel")
    assert left.headers["location"] == "/login"
    assert (await scan(desk, phone, code)).json()["code"] == "claim_over"
    assert (await desk.http.get("/login/qr")).headers["location"] == "/login"


async def test_too_many_pages_are_told_in_the_form(desk: Desk) -> None:
    """The limit is said on the sign-in page, where username and password still work."""
    for _ in range(limits.SOURCE_OPENINGS):
        await desk.send("/login", "/login/qr")
    refused = await desk.send("/login", "/login/qr")
    assert refused.status_code == 429
    assert t("login.sign_in.username") in refused.text
