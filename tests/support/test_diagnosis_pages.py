"""Diagnoses as the phone sends them and as its owner's browser shows them."""

import json
import re
from typing import Any

import httpx
import pytest

from tests.desk import Desk
from tests.login.scene import ScenePhone
from tests.support.clients import Client, open_client
from vestibule.accounts import service as accounts
from vestibule.base.clock import DAY
from vestibule.support.rules.diagnoses import BODY_MOST, TEXT_MOST
from vestibule.support.service.diagnosing import list_diagnoses
from vestibule.support.service.looking import list_waiting
from vestibule.web import cookies

SAID = "Vestibule diagnosis\nproblems: offline <script>alert(1)</script>\n"
EVIL = '"><img src=x onerror=alert(1)>'


async def post(desk: Desk, phone: ScenePhone, raw: bytes, **changes: Any) -> httpx.Response:
    """The call with these bytes; `changes` are what its proof was made for instead."""
    made = {"method": "POST", "path": "/device/diagnosis", "body": raw} | changes
    proof = phone.proof(made["method"], made["path"], made["body"], now=desk.scene.clock.now())
    headers = {"authorization": proof, "content-type": "application/json"}
    return await desk.phone_http.post("/device/diagnosis", content=raw, headers=headers)


async def send(desk: Desk, phone: ScenePhone, text: str = SAID) -> httpx.Response:
    """The call with this text."""
    return await post(desk, phone, json.dumps({"text": text}).encode())


async def visit(desk: Desk, name: str, *, label: str = "Pixel 9") -> tuple[Client, ScenePhone]:
    """A client at the browser, with a conversation and a phone."""
    client = await open_client(desk.scene, name)
    desk.http.cookies.set(cookies.SESSION, client.cookie, domain="portal.example")
    everybody = await accounts.list_accounts(desk.scene.ctx)
    account = next(one for one in everybody if one.username == name)
    return client, await desk.scene.phone(account, label=label)


async def form_of(desk: Desk, page: str) -> dict[str, str]:
    """What a form of the page sends by itself: its token and its name."""
    shown = (await desk.http.get(page)).text
    found = {name: re.search(rf'name="{name}" value="([^"]+)"', shown) for name in ("form", "once")}
    return {name: one[1] for name, one in found.items() if one}


# --- from the phone ---------------------------------------------------------------------------


async def test_phone_is_told_reference_and_time(desk: Desk) -> None:
    """And nothing else; asking again for the same text tells the same."""
    _, phone = await visit(desk, "alice")
    first, again = await send(desk, phone), await send(desk, phone)
    told = first.json()
    assert set(told) == {"now", "reference", "kept_until"}
    assert told["kept_until"] == desk.scene.clock.now() + 14 * DAY
    assert again.json()["reference"] == told["reference"]


@pytest.mark.parametrize(
    "raw, status, code",
    [
        (b"", 400, "json_malformed"),
        (b"{}", 400, "json_malformed"),
        (b'{"text":7}', 400, "json_malformed"),
        (b'{"text":"x","language":"en"}', 400, "json_malformed"),
        (b'{"text":"x","text":"y"}', 400, "json_malformed"),
        (b'{"text":"\xff"}', 400, "json_malformed"),
        (b'{"text":"\\ud800"}', 400, "json_malformed"),
        (b'{"text":""}', 400, "diagnosis_text"),
        (b'{"text":"\\u0000"}', 400, "diagnosis_text"),
        (b'{"text":"\\u202e"}', 400, "diagnosis_text"),
        (b'{"text":"%s"}' % (b"x" * (TEXT_MOST + 1)), 413, "body_too_large"),
        (b'{"text":"%s"}' % (b" " * BODY_MOST), 413, "body_too_large"),
    ],
)
async def test_what_is_no_diagnosis_is_refused(
    desk: Desk, raw: bytes, status: int, code: str
) -> None:
    """Each with its code, and nothing is kept."""
    client, phone = await visit(desk, "alice")
    answer = await post(desk, phone, raw)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await list_diagnoses(client.ctx, client.session.account_id) == []


async def test_longest_text_in_the_longest_writing_is_taken(desk: Desk) -> None:
    """What JSON makes of it is the sender's affair."""
    _, phone = await visit(desk, "alice")
    text = "携" * (TEXT_MOST // 3)
    answer = await post(desk, phone, json.dumps({"text": text}, ensure_ascii=True).encode())
    assert answer.status_code == 200


async def test_proof_of_something_else_is_refused(desk: Desk) -> None:
    """Another body, path or method; of a phone that is unknown; none at all."""
    client, phone = await visit(desk, "alice")
    raw = json.dumps({"text": SAID}).encode()
    for changes in ({"body": b"{}"}, {"path": "/device/label"}, {"method": "PUT"}):
        answer = await post(desk, phone, raw, **changes)
        assert (answer.status_code, answer.json()["code"]) == (403, "signature_wrong")
    stranger = ScenePhone(desk.scene.ctx.settings.portal_url)
    assert (await post(desk, stranger, raw)).json()["code"] == "enrollment_unknown"
    bare = await desk.ask("POST", "/device/diagnosis", {"text": SAID})
    assert bare.json()["code"] == "message_malformed"
    assert await list_diagnoses(client.ctx, client.session.account_id) == []


# --- at the portal ----------------------------------------------------------------------------


@pytest.mark.parametrize("multipart", [False, True])
async def test_button_attaches_it_to_a_new_message(desk: Desk, multipart: bool) -> None:  # noqa: FBT001
    """What was typed is still there; the message takes it along; then it is not offered again."""
    client, phone = await visit(desk, "alice", label=EVIL)
    reference = (await send(desk, phone)).json()["reference"]
    page = "/messages/new"
    shown = (await desk.http.get(page)).text
    assert reference in shown
    assert EVIL not in shown
    fields = await form_of(desk, page) | {"subject": "typed before"}
    act = {"act": f"diagnosis.attach:{reference}"}
    files = {"files": ("", b"")} if multipart else None
    paused = await desk.http.post(page, data=fields | act, files=files)
    assert paused.status_code == 200
    assert "typed before" in paused.text
    assert f"diagnosis-{reference}.txt" in paused.text
    assert "diagnosis.attach:" not in paused.text
    rest = {"topic": "sign-in", "text": "See the diagnosis.", "priority": "normal"}
    made = await desk.http.post(page, data=fields | rest)
    assert made.status_code == 303
    conversation = (await desk.http.get(made.headers["location"])).text
    assert f"diagnosis-{reference}.txt" in conversation
    link = re.search(r'href="(/messages/[^"]+/attachments/[^"]+)"', conversation)
    assert link is not None
    assert (await desk.http.get(link[1])).text == SAID
    assert await list_diagnoses(client.ctx, client.session.account_id) == []


async def test_button_attaches_it_to_a_reply(desk: Desk) -> None:
    """In a conversation that goes on."""
    client, phone = await visit(desk, "alice")
    reference = (await send(desk, phone)).json()["reference"]
    page = f"/messages/{client.ticket.number}"
    act = f"diagnosis.attach:{reference}"
    paused = await desk.send(page, f"{page}/reply", text="as I said", act=act, once="A" * 22)
    assert "as I said" in paused.text
    assert [one.name for one in await list_waiting(client.ctx, client.place)] == [
        f"diagnosis-{reference}.txt"
    ]


async def test_button_deletes_it(desk: Desk) -> None:
    """At once, and the page says no more of it; pressed again it says why."""
    client, phone = await visit(desk, "alice")
    reference = (await send(desk, phone)).json()["reference"]
    page = f"/messages/{client.ticket.number}"
    fields = {"text": "still here", "act": f"diagnosis.delete:{reference}"}
    first, again = [await desk.send(page, f"{page}/reply", **fields) for _ in range(2)]
    for shown in (first, again):
        assert "still here" in shown.text
        assert f"diagnosis.delete:{reference}" not in shown.text
    assert (first.status_code, again.status_code) == (200, 404)
    assert "The diagnosis is not there any more" in again.text


async def test_link_of_the_phone_puts_it_first(desk: Desk) -> None:
    """It stands above the form, is not attached by itself, and Enter does not attach it."""
    client, phone = await visit(desk, "alice")
    references = [(await send(desk, phone, f"number {n}")).json()["reference"] for n in range(2)]
    shown = (await desk.http.get(f"/messages/new?diagnosis={references[0].lower()}")).text
    named, other = (shown.index(f"diagnosis.attach:{one}") for one in references)
    assert named < shown.index('name="topic"') < other
    assert shown.index("<button hidden>") < named
    assert len(await list_diagnoses(client.ctx, client.session.account_id)) == 2


async def test_owner_reads_it_as_text(desk: Desk) -> None:
    """All of it, and none of it as markup."""
    _, phone = await visit(desk, "alice")
    reference = (await send(desk, phone)).json()["reference"]
    shown = await desk.http.get(f"/messages/diagnoses/{reference}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown.text
    assert "<script>alert" not in shown.text


async def test_those_of_others_do_not_exist(desk: Desk) -> None:
    """Not offered, not shown, not attached, not deleted; as one that never was."""
    _, phone = await visit(desk, "alice")
    theirs = (await send(desk, phone)).json()["reference"]
    mallory, _ = await visit(desk, "mallory")
    page = f"/messages/{mallory.ticket.number}"
    for reference in (theirs, "0000-0000", "nonsense", "%00"):
        assert (await desk.http.get(f"/messages/diagnoses/{reference}")).status_code == 404
        shown = await desk.http.get("/messages/new", params={"diagnosis": reference})
        assert shown.status_code == 200
        assert theirs not in shown.text
        for act in ("attach", "delete"):
            answer = await desk.send(
                page, f"{page}/reply", text="mine", act=f"diagnosis.{act}:{reference}"
            )
            assert answer.status_code == 404
            assert "mine" in answer.text
    assert await list_waiting(mallory.ctx, mallory.place) == []
    assert (await send(desk, phone)).json()["reference"] == theirs
    desk.http.cookies.delete(cookies.SESSION)
    assert (await desk.http.get(f"/messages/diagnoses/{theirs}")).status_code == 303
