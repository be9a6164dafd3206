"""Attachments at a running server: cut at every point, slow, too large, strangers', killed."""

import json
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.acceptance.raw_browser import Browser, sign_in
from tests.serving import Server, serving
from tests.support.photographs import PICTURES

CREDENTIAL = "s3cr3t-that-nobody-may-keep"
BOUNDARY = "boundary"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes small files, with two clients and a member of staff."""
    data = tmp_path_factory.mktemp("attachments")
    with serving(
        data,
        telling=False,
        attachment_megabytes=1,
        attachments_per_message=100,
        capture_megabytes=3,
        # Everything here comes from one address.
        trusted_proxies='["127.0.0.0/8"]',
    ) as up:
        up.add_accounts(["alice", "mallory", "sam"])
        up.command("staff", "add", "sam", "--role", "support")
        yield up


@pytest.fixture(scope="module")
def alice(server: Server) -> Browser:
    """A client."""
    return sign_in(server, "alice")


@pytest.fixture(scope="module")
def _conversation(alice: Browser) -> str:
    return alice.open_ticket()


@pytest.fixture
def number(alice: Browser, _conversation: str) -> Iterator[str]:
    """Her conversation, in which nothing waits to be sent."""
    yield _conversation
    page = f"/messages/{_conversation}"
    _, _, text = alice.ask("GET", f"{page}/attachments")
    for one in json.loads(text)["attachments"]:
        assert alice.post_form(page, f"{page}/attachments/remove", id=one["id"])[0] == 303


def kept(server: Server) -> list[Path]:
    """Every file of an attachment in the store, finished or not."""
    folder = server.data / "statements" / "attachments"
    return [path for path in folder.rglob("*") if path.is_file()]


def until(true: Callable[[], bool], seconds: float = 40) -> None:
    """Wait until it is so."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.02)


def har(requests: int = 1) -> bytes:
    """A recording with a credential in each request."""
    entry = {
        "startedDateTime": "2026-11-22T10:00:00.000Z",
        "time": 5,
        "request": {
            "method": "GET",
            "url": f"https://bank.example/?token={CREDENTIAL}",
            "httpVersion": "HTTP/2",
            "headers": [{"name": "Authorization", "value": f"Bearer {CREDENTIAL}"}],
            "queryString": [],
            "cookies": [],
            "headersSize": -1,
            "bodySize": 0,
        },
        "response": {
            "status": 200,
            "statusText": "OK",
            "httpVersion": "HTTP/2",
            "headers": [],
            "cookies": [],
            "content": {"size": 0, "mimeType": "text/html"},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": 0,
        },
        "cache": {},
        "timings": {"send": 1, "wait": 3, "receive": 1},
    }
    log = {
        "version": "1.2",
        "creator": {"name": "a", "version": "1"},
        "entries": [entry] * requests,
    }
    return json.dumps({"log": log}).encode()


# --- cut --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.txt", "a.har"])
def test_upload_that_is_cut_leaves_nothing(
    server: Server, alice: Browser, number: str, name: str
) -> None:
    """Wherever: within the head, at its end, and at points all over the body."""
    data = har(600) if name == "a.har" else b"x" * 400_000
    before = set(kept(server))
    cuts = [0, 1, 2, 100, 65_535, 65_536, 65_537, len(data) // 2, len(data) - 1]
    for cut in cuts:
        with alice.begin(number, len(data), name) as connection:
            connection.sendall(data[:cut])
        with alice.begin(number, len(data), name) as connection:
            connection.sendall(data[:cut])
            # As a network that goes away, not as a program that says goodbye.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    until(lambda: set(kept(server)) == before)
    assert alice.waiting(number) == []
    # The places of what was cut come free; until then a client is told to come back.
    until(lambda: alice.upload(number, name, data)[0] != 503)
    assert len(alice.waiting(number)) == 1


def test_form_that_is_cut_leaves_nothing(server: Server, alice: Browser, number: str) -> None:
    """A form with a file, cut at every tenth byte: no message, no file."""
    page = f"/messages/{number}"
    token = alice.field(page, "form")
    part = 'Content-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    body = "".join(
        f"--{BOUNDARY}\r\n" + part.format(name, value)
        for name, value in (("form", token), ("once", "A" * 22), ("text", "hello"))
    ).encode()
    body += (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
    ).encode()
    body += b"content" * 20 + f"\r\n--{BOUNDARY}--\r\n".encode()
    before, shown = set(kept(server)), alice.page(page).count('class="said')
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    head = alice.head(
        "POST", f"{page}/reply", **{"Content-Type": kind, "Content-Length": str(len(body))}
    )
    for cut in range(0, len(body), 10):
        with socket.create_connection(("127.0.0.1", alice.port), timeout=30) as connection:
            connection.sendall(head + body[:cut])
    until(lambda: set(kept(server)) - before == set() or bool(alice.waiting(number)))
    assert alice.page(page).count('class="said') == shown
    until(lambda: alice.ask("POST", f"{page}/reply", body, **{"Content-Type": kind})[0] != 503)
    assert "a.txt" in alice.page(page)


def test_server_that_is_killed_loses_nothing_that_it_acknowledged(
    server: Server, alice: Browser, number: str
) -> None:
    """What was acknowledged is there, whole; what was under way is not, and can be sent again."""
    first = os.urandom(300_000)
    status, said = alice.upload(number, "first.bin", first)
    assert status == 201, said
    connection = alice.begin(number, 900_000, "second.bin")
    connection.sendall(os.urandom(800_000))
    time.sleep(0.3)
    server.kill()
    connection.close()
    server.start()
    assert alice.waiting(number) == ["first.bin"]
    got = alice.ask("GET", f"/messages/{number}/attachments/{said['id']}")
    assert got[2] == first
    assert alice.upload(number, "second.bin", os.urandom(900_000))[0] == 201


# --- slow and large ---------------------------------------------------------------------------


def test_slow_upload_hinders_nobody(server: Server, alice: Browser, number: str) -> None:
    """One that trickles is waited for; others go on meanwhile. It ends well in the end."""
    data = b"y" * 20_000
    with alice.begin(number, len(data), "slow.txt") as connection:
        for start in range(0, len(data), 1000):
            connection.sendall(data[start : start + 1000])
            if start % 5000 == 0:
                assert alice.upload(number, f"{start}.txt", b"quick")[0] == 201
        answer = connection.recv(65_536)
    assert b" 201 " in answer.split(b"\r\n")[0]
    assert "slow.txt" in alice.waiting(number)


@pytest.mark.parametrize("announced", ["", "announced"])
@pytest.mark.parametrize(
    "name, size, code",
    [
        ("a.txt", 1_000_001, "attachment_too_large"),
        ("a.bin", 2_900_000, "attachment_too_large"),
        ("a.har", 3_000_001, "capture_too_large"),
    ],
)
def test_file_over_the_limit_is_refused_with_a_reason(  # noqa: PLR0917  -- fixtures and cases
    server: Server, alice: Browser, number: str, name: str, size: int, code: str, announced: str
) -> None:
    """Whether its length was announced or not, the sender hears why, and nothing is kept."""
    before = set(kept(server))
    data = har() + b" " * size if name == "a.har" else b"z" * size
    data = data[:size]
    if announced:
        status, said = alice.upload(number, name, data)
    else:
        page = f"/messages/{number}"
        chunked = {
            "x-form-token": alice.field(page, "form"),
            "Transfer-Encoding": "chunked",
        }
        head = alice.head("POST", f"{page}/attachments?name={name}", **chunked)
        with socket.create_connection(("127.0.0.1", alice.port), timeout=30) as connection:
            connection.sendall(head)
            for start in range(0, size, 50_000):
                piece = data[start : start + 50_000]
                connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            connection.sendall(b"0\r\n\r\n")
            answer = connection.makefile("rb").read()
        top, _, text = answer.partition(b"\r\n\r\n")
        status, said = int(top.split()[1]), json.loads(text)
    assert (status, said["code"]) == (413, code)
    assert set(kept(server)) == before
    assert alice.waiting(number) == []


# --- recordings -------------------------------------------------------------------------------


def test_recording_never_reaches_the_disk_as_it_was_sent(
    server: Server, alice: Browser, number: str
) -> None:
    """Its credential is in no file of the server: store, database or log."""
    status, said = alice.upload(number, "trouble.har", har(50))
    assert status == 201, said
    assert said["report"]["removed"]["authorization"] == 50
    _, _, safe = alice.ask("GET", f"/messages/{number}/attachments/{said['id']}")
    assert CREDENTIAL.encode() not in safe
    for path in server.data.rglob("*"):
        if path.is_file():
            assert CREDENTIAL.encode() not in path.read_bytes(), path


# --- pictures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp", "avif"])
def test_place_and_owner_of_a_picture_never_reach_the_disk(
    server: Server, alice: Browser, number: str, kind: str
) -> None:
    """Neither in what is handed out nor in any file of the server; the picture is the same."""
    data = PICTURES[kind]()
    status, said = alice.upload(number, f"photo.{kind}", data)
    assert status == 201, said
    assert said["details"] == "removed"
    _, _, safe = alice.ask("GET", f"/messages/{number}/attachments/{said['id']}")
    assert len(safe) == said["size"]
    assert b"PLANTED" in data
    assert b"PLANTED" not in safe
    with Image.open(BytesIO(safe)) as picture:
        picture.load()
        told = picture.getexif()
        assert set(told) <= {0x0112}
        assert not told.get_ifd(0x8825)
    for path in server.data.rglob("*"):
        if path.is_file():
            assert b"PLANTED" not in path.read_bytes(), path


# --- strangers --------------------------------------------------------------------------------


def test_another_client_finds_nothing(server: Server, alice: Browser, number: str) -> None:
    """Neither file, list nor place: the same answer as for what there is not."""
    status, said = alice.upload(number, "mine.txt", b"only mine")
    assert status == 201
    mallory = sign_in(server, "mallory")
    own = mallory.open_ticket()
    token = {"x-form-token": mallory.field(f"/messages/{own}", "form")}
    answers = [
        mallory.ask("GET", f"/messages/{number}/attachments/{said['id']}"),
        mallory.ask("GET", f"/messages/{own}/attachments/{said['id']}"),
        mallory.ask("GET", f"/messages/{own}/attachments/{'A' * 22}"),
        mallory.ask("GET", f"/messages/{number}/attachments"),
        mallory.ask("POST", f"/messages/{number}/attachments?name=a.txt", b"x", **token),
        mallory.ask("GET", f"/staff/tickets/{number}/attachments/{said['id']}"),
        mallory.ask("GET", f"/staff/tickets/{number}/captures/{said['id']}"),
    ]
    assert [answer[0] for answer in answers] == [404] * len(answers)
    assert not any(b"only mine" in answer[2] for answer in answers)
    stranger = Browser(server, "")
    assert stranger.ask("GET", f"/messages/{number}/attachments/{said['id']}")[0] in {303, 401}


def test_member_of_staff_without_a_phone_reads_nothing(
    server: Server, alice: Browser, number: str
) -> None:
    """A password alone opens no file of a client."""
    status, said = alice.upload(number, "mine.txt", b"only mine")
    assert status == 201
    sam = sign_in(server, "sam")
    for kind in ("attachments", "captures"):
        status, _, text = sam.ask("GET", f"/staff/tickets/{number}/{kind}/{said['id']}")
        assert status == 403
        assert b"only mine" not in text


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>.html",
        '"; filename=evil.txt',
        "../../../etc/passwd",
        "C:\\Windows\\system32\\x.txt",
        "line\r\nSet-Cookie: a=b",
        "photo\u202egnp.txt",
        "\u2066hidden\u2069.txt",
        "con.txt",
        "." * 300,
        "\x00\x01",
        "n" * 900 + ".txt",
    ],
)
def test_name_is_harmless_wherever_it_is_shown(
    server: Server, alice: Browser, number: str, name: str
) -> None:
    """In the page and in the head of a download: one plain line that is no path and no markup."""
    status, said = alice.upload(number, name, b"<script>alert(document.cookie)</script>")
    assert status == 201, said
    shown: str = said["name"]
    assert shown.isprintable()
    assert 1 <= len(shown) <= 120
    assert not re.search(r'[/\\<>"|?*:]', shown)
    assert "<script>alert" not in alice.page(f"/messages/{number}")
    _, headers, _ = alice.ask("GET", f"/messages/{number}/attachments/{said['id']}")
    assert headers["content-disposition"].startswith('attachment; filename="')
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert "set-cookie" not in headers
