"""What browsers send and get of attachments: with a script and by a form."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.desk import Desk
from tests.support.clients import PNG, SECRET, Client, har, open_client, request_, stored
from tests.support.sending import post_file, send_form, token_of
from vestibule.support.service.looking import list_attachments, list_waiting
from vestibule.web import cookies

EVIL = '"><img src=x onerror=alert(1)>\r\nX-Evil: 1/../\u202egpj.exe.txt'


async def visit(desk: Desk, name: str = "alice") -> Client:
    """A client at the browser, with a conversation."""
    client = await open_client(desk.scene, name)
    desk.http.cookies.set(cookies.SESSION, client.cookie, domain="portal.example")
    return client


@pytest.fixture
async def alice(desk: Desk) -> Client:
    """A client at the browser, who has begun a conversation."""
    return await visit(desk)


async def once_of(desk: Desk, page: str) -> str:
    """The name of the page's form."""
    found = re.search(r'name="once" value="([^"]+)"', (await desk.http.get(page)).text)
    assert found is not None
    return found[1]


async def post(
    desk: Desk, client: Client, name: str, data: bytes, **headers: str
) -> httpx.Response:
    """A file as the script sends it."""
    return await post_file(desk, f"/messages/{client.ticket.number}", name, data, **headers)


# --- by script --------------------------------------------------------------------------------


async def test_file_sent_by_script_waits_on_the_page(desk: Desk, alice: Client) -> None:
    """The answer names it; the page lists it, and it goes along with the reply."""
    kept = await post(desk, alice, "photo.png", PNG)
    assert kept.status_code == 201
    assert kept.json()["name"] == "photo.png"
    page = f"/messages/{alice.ticket.number}"
    assert "photo.png" in (await desk.http.get(page)).text
    listed = await desk.http.get(f"{page}/attachments")
    assert [one["id"] for one in listed.json()["attachments"]] == [kept.json()["id"]]
    await desk.send(page, f"{page}/reply", text="See the picture.", once="A" * 22)
    shown = (await desk.http.get(page)).text
    assert f"{page}/attachments/{kept.json()['id']}/picture" in shown


async def test_recording_sent_by_script_is_made_safe_and_reported(
    desk: Desk, alice: Client
) -> None:
    """The answer says what was taken out, whatever the browser did before."""
    kept = await post(desk, alice, "trouble.har", har(request_()))
    assert kept.json()["entries"] == 1
    assert kept.json()["report"]["removed"]["authorization"] == 1
    page = f"/messages/{alice.ticket.number}/attachments/{kept.json()['id']}"
    assert SECRET not in (await desk.http.get(page)).text


@pytest.mark.parametrize(
    "headers, code",
    [
        ({"x-form-token": "wrong"}, "form_expired"),
        ({"x-form-token": ""}, "form_expired"),
        ({"origin": "https://evil.example"}, "cross_site"),
        ({"sec-fetch-site": "cross-site"}, "cross_site"),
    ],
)
async def test_file_sent_by_another_site_is_refused(
    desk: Desk, alice: Client, headers: dict[str, str], code: str
) -> None:
    """Without the page's token, or from elsewhere: nothing is kept."""
    refused = await post(desk, alice, "a.txt", b"hello", **headers)
    assert refused.status_code == 403
    assert refused.json()["code"] == code
    assert stored(desk.scene) == []


async def test_refusal_is_told_as_problem_details(desk: Desk, alice: Client) -> None:
    """With the words that the page shows."""
    refused = await post(desk, alice, "run.exe", b"MZ")
    assert refused.status_code == 400
    told = refused.json()
    assert told["code"] == "attachment_type"
    assert told["title"] == "Programs are not taken"


async def test_file_for_a_new_conversation_goes_along_with_it(desk: Desk, alice: Client) -> None:
    """The form's own name says which; another form's files are not taken."""
    token, once = await token_of(desk, "/messages/new"), await once_of(desk, "/messages/new")
    for name, form in (("mine.txt", once), ("other.txt", "B" * 22)):
        kept = await desk.http.post(
            f"/messages/new/{form}/attachments?name={name}",
            content=b"hello",
            headers={"x-form-token": token},
        )
        assert kept.status_code == 201
    sent = await desk.send(
        "/messages/new", "/messages/new", topic="other", subject="A", text="B", once=once
    )
    shown = (await desk.http.get(sent.headers["location"])).text
    assert "mine.txt" in shown
    assert "other.txt" not in shown


async def test_file_is_taken_back_by_script(desk: Desk, alice: Client) -> None:
    """Its id and the token; a second time it is not there any more."""
    kept = (await post(desk, alice, "a.txt", b"hello")).json()
    page = f"/messages/{alice.ticket.number}"
    form = {"form": await token_of(desk, page), "id": kept["id"]}
    address = f"{page}/attachments/remove"
    gone = await desk.http.post(address, data=form, headers={"accept": "application/json"})
    assert gone.status_code == 204
    assert stored(desk.scene) == []
    assert (await desk.http.post(address, data=form)).status_code == 404


# --- by a form --------------------------------------------------------------------------------


async def reply(
    desk: Desk, client: Client, *files: tuple[str, bytes], **fields: str
) -> httpx.Response:
    """The reply form, as a browser without scripts sends it."""
    return await send_form(desk, f"/messages/{client.ticket.number}", "reply", *files, **fields)


async def test_form_brings_its_files_with_the_message(desk: Desk, alice: Client) -> None:
    """One request: text and files, without a script."""
    sent = await reply(desk, alice, ("a.txt", b"one"), ("b.har", har(request_())), text="Two.")
    assert sent.status_code == 303
    [files] = (await list_attachments(desk.scene.ctx, alice.ticket)).values()
    assert {one.name: one.kind.value for one in files} == {"a.txt": "file", "b.har": "capture"}


async def test_form_without_a_file_sends_its_text(desk: Desk, alice: Client) -> None:
    """An empty field for files is no file."""
    assert (await reply(desk, alice, text="Only words.")).status_code == 303
    assert stored(desk.scene) == []


async def test_form_with_a_refused_file_comes_back_with_all_that_was_typed(
    desk: Desk, alice: Client
) -> None:
    """It says which reason, sends nothing, and keeps the files that were well."""
    text = "A long story & <more>"
    sent = await reply(
        desk, alice, ("good.txt", b"one"), ("bad.exe", b"MZ"), ("late.txt", b"x"), text=text
    )
    assert sent.status_code == 400
    assert "Programs are not taken" in sent.text
    assert "A long story &amp; &lt;more&gt;" in sent.text
    assert "good.txt" in sent.text
    assert [one.name for one in await list_waiting(desk.scene.ctx, alice.place)] == ["good.txt"]
    assert await list_attachments(desk.scene.ctx, alice.ticket) == {}


async def test_button_to_add_files_shows_the_page_again(desk: Desk, alice: Client) -> None:
    """Nothing is sent yet; the text and the files are there. Then one is taken away."""
    added = await reply(desk, alice, ("a.txt", b"one"), text="Half a", act="attach")
    assert added.status_code == 200
    assert "Half a" in added.text
    [waits] = await list_waiting(desk.scene.ctx, alice.place)
    assert f'value="remove:{waits.id}"' in added.text
    gone = await reply(desk, alice, text="Half a", act=f"remove:{waits.id}")
    assert gone.status_code == 200
    assert "Half a" in gone.text
    assert "a.txt" not in gone.text
    assert stored(desk.scene) == []


@pytest.mark.parametrize("place", ["first", "last", "never"])
async def test_form_without_its_token_keeps_nothing(desk: Desk, alice: Client, place: str) -> None:
    """A file before the token is as good as one without."""
    page = f"/messages/{alice.ticket.number}"
    token = ("form", (None, await token_of(desk, page)))
    text, file = ("text", (None, "hello")), ("files", ("a.txt", b"one", "text/plain"))
    parts: Any = {
        "first": [file, token, text],
        "last": [text, file, token],
        "never": [text, file],
    }[place]
    refused = await desk.http.post(f"{page}/reply", files=parts)
    assert refused.status_code == 403
    assert stored(desk.scene) == []


@pytest.mark.parametrize(
    "kind, body",
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx"),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"x" * 20_000),
        ("multipart/form-data; boundary=b", b"no boundary at all"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="nobody"\r\n\r\nx\r\n--b--',
        ),
    ],
)
async def test_form_that_is_none_is_refused(
    desk: Desk, alice: Client, kind: str, body: bytes
) -> None:
    """With a 4xx, and nothing changed."""
    page = f"/messages/{alice.ticket.number}/reply"
    refused = await desk.http.post(page, content=body, headers={"content-type": kind})
    assert 400 <= refused.status_code < 500


# --- what comes out ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, data",
    [
        ("page.html", b"<script>alert(1)</script>"),
        ("picture.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        ("photo.png", b"<script>alert(1)</script>"),
        ("photo.png", PNG),
        (EVIL, b"hello"),
    ],
)
async def test_file_is_saved_and_never_shown(
    desk: Desk, alice: Client, name: str, data: bytes
) -> None:
    """Of no type, in a sandbox, and under a name that is one plain line."""
    kept = (await post(desk, alice, name, data)).json()
    page = f"/messages/{alice.ticket.number}"
    got = await desk.http.get(f"{page}/attachments/{kept['id']}")
    assert got.content == data
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith("attachment; ")
    assert got.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "x-evil" not in got.headers
    assert not re.search(r"[\x00-\x1f\u202e]", kept["name"])
    assert "<img src=x" not in (await desk.http.get(page)).text
    picture = await desk.http.get(f"{page}/attachments/{kept['id']}/picture")
    assert picture.status_code == (200 if data == PNG else 404)
    if data == PNG:
        assert picture.headers["content-type"] == "image/png"
        assert picture.headers["content-security-policy"] == "sandbox; default-src 'none'"


async def test_download_goes_on_where_it_broke_off(desk: Desk, alice: Client) -> None:
    """A part of it, over the border of two sealed chunks."""
    data = bytes(range(256)) * 600
    kept = (await post(desk, alice, "a.bin", data)).json()
    address = f"/messages/{alice.ticket.number}/attachments/{kept['id']}"
    got = await desk.http.get(address, headers={"range": "bytes=65000-70000"})
    assert (got.status_code, got.content) == (206, data[65000:70001])


async def test_file_of_another_client_is_not_found(desk: Desk, alice: Client) -> None:
    """The same answer as for one that there is not; neither may anything be added there."""
    kept = (await post(desk, alice, "a.txt", b"mine")).json()
    page = f"/messages/{alice.ticket.number}/attachments"
    mallory = await visit(desk, "mallory")
    own = f"/messages/{mallory.ticket.number}/attachments"
    answers = [
        await desk.http.get(f"{page}/{kept['id']}"),
        await desk.http.get(f"{own}/{kept['id']}"),
        await desk.http.get(f"{own}/{'A' * 22}"),
        await desk.http.get(page),
        await desk.http.get(f"{page}/{kept['id']}/picture"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 5
    token = await token_of(desk, f"/messages/{mallory.ticket.number}")
    added = await desk.http.post(page, content=b"x", headers={"x-form-token": token})
    assert added.status_code == 404
    assert "mine" not in "".join(answer.text for answer in answers)


async def test_file_sent_in_pieces_is_read_as_it_comes(desk: Desk, alice: Client) -> None:
    """Without an announced length too."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 10_000

    page = f"/messages/{alice.ticket.number}"
    token = await token_of(desk, page)
    kept = await desk.http.post(
        f"{page}/attachments?name=a.txt", content=pieces(), headers={"x-form-token": token}
    )
    assert kept.json()["size"] == 500_000
