"""Attachments: kept whole or not at all, sealed, and for those they are meant for alone."""

import asyncio
import gzip
import json
import secrets
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.desk import open_session
from tests.login.scene import Scene
from vestibule.base.clock import DAY, HOUR
from vestibule.base.errors import Malformed, Refused, Unavailable
from vestibule.base.sealed_stream import CHUNK
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.staff import service as staff
from vestibule.staff.rules import Member, Role
from vestibule.support import service
from vestibule.support.rules import Ticket, Topic
from vestibule.support.rules.attachments import Kind, State
from vestibule.support.service import attaching, sanitising
from vestibule.support.service.attaching import Attached, Place, attach
from vestibule.support.service.expiring import (
    expire_attachments,
    sweep_attachments,
    sweep_strays,
)
from vestibule.support.service.looking import (
    list_attachments,
    list_requests,
    list_waiting,
    open_attachment,
    open_for_staff,
    read_request,
    remove_attachment,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
SECRET = "hunter2-correct-horse"


def har(*entries: dict[str, Any]) -> bytes:
    """A recording with these requests."""
    log = {"version": "1.2", "creator": {"name": "a", "version": "1"}, "entries": list(entries)}
    return json.dumps({"log": log}).encode()


def request_(url: str = "https://bank.example/login", status: int = 200, **more: Any) -> Any:
    """One request of a recording, with a secret in its header and its body."""
    return {
        "startedDateTime": "2026-11-22T10:00:00.000Z",
        "time": 12.5,
        "request": {
            "method": "POST",
            "url": url,
            "httpVersion": "HTTP/2",
            "cookies": [],
            "headers": [{"name": "Authorization", "value": f"Bearer {SECRET}"}],
            "queryString": [],
            "postData": {"mimeType": "text/plain", "text": SECRET},
            "headersSize": -1,
            "bodySize": 10,
        },
        "response": {
            "status": status,
            "statusText": "OK",
            "httpVersion": "HTTP/2",
            "cookies": [],
            "headers": [{"name": "Content-Type", "value": "text/html"}],
            "content": {"size": 40, "mimeType": "text/html", "text": f"<p>{SECRET}"},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": 40,
        },
        "cache": {},
        "timings": {"send": 1, "wait": 10, "receive": 1.5},
        **more,
    }


async def in_pieces(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    """The bytes as a network brings them."""
    for start in range(0, len(data), size):
        await asyncio.sleep(0)
        yield data[start : start + size]


def stored(scene: Scene) -> list[Path]:
    """Every file of an attachment, also one that is not finished."""
    folder = scene.ctx.settings.data / "statements" / "attachments"
    return [path for path in folder.rglob("*") if path.is_file()]


class Client:
    """A client with a conversation."""

    def __init__(self, scene: Scene, session: Session, cookie: str, ticket: Ticket) -> None:
        self.scene, self.ctx, self.session, self.ticket = scene, scene.ctx, session, ticket
        self.cookie = cookie

    @property
    def place(self) -> Place:
        """The client's own conversation."""
        own = self.session.account_id
        return Place(ticket_id=self.ticket.id, account_id=own, added_by=own)

    async def find(self, number: str) -> Ticket:
        """Another conversation of the same client."""
        return await service.get_ticket(self.ctx, self.session, number)

    async def attach(self, name: str, data: bytes, **more: Any) -> Attached:
        """Add a file."""
        return await attach(self.ctx, self.place, name, in_pieces(data), **more)

    async def reply(self) -> Ticket:
        """Send what waits, a little later than what was written before."""
        self.scene.clock.step(1000)
        return await service.reply(self.ctx, self.session, self.ticket, text="here it is")

    async def read(self, id_: str) -> bytes:
        """Download it."""
        opened = await open_attachment(self.ctx, self.place, id_)
        try:
            return await opened.read(0, opened.attachment.size)
        finally:
            opened.close()


async def open_client(scene: Scene, name: str = "alice") -> Client:
    """A client of that name who has begun a conversation."""
    account = await scene.account(name)
    session, cookie = await open_session(scene, account)
    ticket = await service.open_ticket(
        scene.ctx, session, topic=Topic.OTHER, subject="A picture", text="See what I attach."
    )
    return Client(scene, session, cookie, ticket)


async def open_member(scene: Scene, name: str, role: Role) -> Member:
    """A member of staff."""
    account = await scene.account(name)
    await staff.add_member(scene.ctx, account, role=role)
    return next(one for one in await staff.list_members(scene.ctx) if one.username == name)


@pytest.fixture
async def alice(scene: Scene) -> Client:
    """A client who has begun a conversation."""
    return await open_client(scene)


# --- keeping ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 5000, CHUNK, 3 * CHUNK + 5])
async def test_file_comes_back_as_it_was_sent(alice: Client, size: int) -> None:
    """Byte for byte; in the store there is nothing of it that could be read."""
    data = secrets.token_bytes(size)
    kept = await alice.attach("notes.bin", data)
    assert kept.attachment.size == size
    assert kept.attachment.state is State.WAITING
    assert await alice.read(kept.attachment.id) == data
    [file] = stored(alice.scene)
    assert data[:64] not in file.read_bytes() or size < 8


async def test_file_waits_until_its_message_is_sent(alice: Client) -> None:
    """Then it belongs to that message, and to no other."""
    kept = await alice.attach("screen.png", PNG)
    assert [one.id for one in await list_waiting(alice.ctx, alice.place)] == [kept.attachment.id]
    assert await list_attachments(alice.ctx, alice.ticket) == {}
    await alice.reply()
    assert await list_waiting(alice.ctx, alice.place) == []
    messages = await service.messages_for_client(alice.ctx, alice.ticket)
    attached = await list_attachments(alice.ctx, alice.ticket)
    assert [one.name for one in attached[messages[-1].id]] == ["screen.png"]
    assert set(attached) == {messages[-1].id}


async def test_file_of_a_form_goes_along_with_what_the_form_begins(scene: Scene) -> None:
    """It is attached to a conversation that does not exist yet, by the name of the form."""
    session, _ = await open_session(scene, await scene.account("alice"))
    once = "A" * 22
    own = session.account_id
    id_ = service.ticket_id_of(scene.ctx, session, once)
    place = Place(ticket_id=id_, account_id=own, added_by=own)
    await attach(scene.ctx, place, "a.txt", in_pieces(b"hello"))
    made = await service.open_ticket(
        scene.ctx, session, topic=Topic.OTHER, subject="One", text="Two", once=once
    )
    [files] = (await list_attachments(scene.ctx, made)).values()
    assert [one.name for one in files] == ["a.txt"]


@pytest.mark.parametrize("error", [Malformed("body_cut"), Malformed("body_slow"), KeyError("x")])
@pytest.mark.parametrize("name", ["a.txt", "a.har"])
async def test_nothing_is_left_of_what_broke_off(
    alice: Client, error: Exception, name: str
) -> None:
    """Neither a row nor a file, whatever ended it."""

    async def broken() -> AsyncIterator[bytes]:
        yield har(request_())[:-1] + b" " * 300_000
        raise error

    with pytest.raises(type(error)):
        await attach(alice.ctx, alice.place, name, broken())
    assert stored(alice.scene) == []
    assert await list_waiting(alice.ctx, alice.place) == []


@pytest.mark.parametrize("name", ["a.txt", "a.har"])
async def test_nothing_is_left_of_what_was_cancelled(alice: Client, name: str) -> None:
    """Whoever waits for it is gone: a request that ends takes everything with it."""
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield har(request_())[:-1] + b" " * 300_000
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(attach(alice.ctx, alice.place, name, endless()))
    await begun.wait()
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stored(alice.scene) == []
    assert await list_waiting(alice.ctx, alice.place) == []


async def test_nothing_is_left_when_the_store_fails(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk in the middle of a recording ends the sanitiser's thread too."""

    async def full(name: str, chunks: AsyncIterator[bytes]) -> int:
        await anext(chunks)
        raise Unavailable("store_full")

    with monkeypatch.context() as patch:
        patch.setattr(type(alice.ctx.objects), "write", lambda self, n, c: full(n, c))
        with pytest.raises(Unavailable, match="store_full"):
            await alice.attach("a.har", har(*[request_()] * 3000))
    kept = await alice.attach("a.har", har(request_()))
    assert kept.attachment.entries == 1


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, data, code",
    [
        ("a.txt", b"", "attachment_empty"),
        ("a.har", b"", "attachment_empty"),
        ("a.txt", bytes(1_000_001), "attachment_too_large"),
        ("run.exe", b"hello", "attachment_type"),
        ("a.txt", b"MZ\x90\x00", "attachment_type"),
        ("a.har", b"<html>hello</html>", "capture_not_json"),
        ("a.har", b"{}", "capture_not_har"),
        ("a.har", har(request_())[:-20], "capture_cut"),
        ("a.har", b"PK\x03\x04" + bytes(60), None),
        ("a.zip", b"PK\x03\x04" + bytes(22) + b"\x05\x00\x00\x00x.har", None),
        ("a.json", b'{"a":"' + b"x" * 70_000 + b'","log":{"entries":[]}}', "capture_unnamed"),
    ],
)
async def test_what_cannot_be_kept_is_refused_and_leaves_nothing(
    alice: Client, name: str, data: bytes, code: str | None
) -> None:
    """Each with its own reason; None: some reason of the sanitiser's."""
    object.__setattr__(alice.ctx.settings, "attachment_megabytes", 1)
    with pytest.raises(Refused) as refused:
        await alice.attach(name, data)
    assert refused.value.code.name == code or (
        code is None and refused.value.code.name.startswith("capture_")
    )
    assert stored(alice.scene) == []
    assert await list_waiting(alice.ctx, alice.place) == []


async def test_announced_length_is_refused_before_anything_is_read(alice: Client) -> None:
    """A form that says it brings too much need not bring it."""

    async def never() -> AsyncIterator[bytes]:
        raise AssertionError
        yield b""

    with pytest.raises(Refused, match="attachment_too_large"):
        await attach(alice.ctx, alice.place, "a.txt", never(), length=10**10)


async def test_one_file_more_than_a_message_takes_is_refused(alice: Client) -> None:
    """Also where two come at the same time: the place is counted in the author's turn."""
    most = alice.ctx.settings.attachments_per_message
    for number in range(most - 1):
        await alice.attach(f"{number}.txt", b"x")
    outcomes = await asyncio.gather(
        *(alice.attach("last.txt", b"x") for _ in range(3)), return_exceptions=True
    )
    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert [one.code.name for one in refused] == ["attachments_too_many"] * 2
    assert len(stored(alice.scene)) == most


async def test_files_of_one_day_are_bounded(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking them back does not make room; the next day does."""
    monkeypatch.setattr("vestibule.support.rules.attachments.ADDED_A_DAY", 2)
    for _ in range(2):
        kept = await alice.attach("a.txt", b"x")
        await remove_attachment(alice.ctx, alice.place, kept.attachment.id)
    with pytest.raises(Refused, match="too_many_requests"):
        await alice.attach("a.txt", b"x")
    alice.scene.clock.step(DAY + 1)
    await alice.attach("a.txt", b"x")


# --- recordings -------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", ["", "gzip"])
@pytest.mark.parametrize("name", ["trouble.har", "log.json", "anything"])
async def test_recording_is_made_safe_before_it_is_kept(
    alice: Client, name: str, packed: str
) -> None:
    """By its name or by its content, packed or not; what is kept has no secret, and says so."""
    data = har(request_(), request_("https://bank.example/next?token=abcdef0123456789", 500))
    assert SECRET.encode() in data
    sent = gzip.compress(data) if packed else data
    kept = await alice.attach(f"{name}.gz" if packed and name.endswith("r") else name, sent)
    assert kept.attachment.kind is Kind.CAPTURE
    assert kept.attachment.entries == 2
    safe = await alice.read(kept.attachment.id)
    assert SECRET.encode() not in safe
    assert b"abcdef0123456789" not in safe
    assert [one["response"]["status"] for one in json.loads(safe)["log"]["entries"]] == [200, 500]
    report = json.loads(kept.report)
    assert report["entries"] == 2
    assert report["removed"]["authorization"] == 2


async def test_requests_of_a_recording_are_found_again(scene: Scene, alice: Client) -> None:
    """The list names them in order, and each is read where the list says it is."""
    sent = [request_(f"https://h{n}.example/page", 200 + n) for n in range(30)]
    kept = await alice.attach("a.har", har(*sent))
    opened = await open_attachment(alice.ctx, alice.place, kept.attachment.id)
    listed = await list_requests(opened)
    assert [one.status for one in listed] == [200 + n for n in range(30)]
    assert [one.host for one in listed] == [f"h{n}.example" for n in range(30)]
    for one in listed:
        entry = await read_request(opened, one)
        assert entry is not None
        assert entry["response"]["status"] == one.status
        assert entry["request"]["url"] == one.url
    opened.close()


async def test_list_behind_a_recording_is_no_part_of_the_download(alice: Client) -> None:
    """What is downloaded ends where the recording does."""
    kept = await alice.attach("a.har", har(*[request_()] * 50))
    opened = await open_attachment(alice.ctx, alice.place, kept.attachment.id)
    whole = await opened.read(0, 10**9)
    assert len(whole) == kept.attachment.size < opened.reader.size
    assert await opened.read(kept.attachment.size, 1000) == b""
    json.loads(whole)
    opened.close()


@pytest.mark.parametrize("packed", ["", "gzip"])
@pytest.mark.parametrize("where", ["header", "cookie"])
async def test_session_whose_cookie_was_sent_is_ended(
    scene: Scene, alice: Client, where: str, packed: str
) -> None:
    """As the browser sent it: whoever saw the file could have used it. Others go on."""
    _, cookie = await open_session(scene, await scene.account("bob"))
    _, other = await open_session(scene, await scene.account("carol"))
    sent = request_()
    if where == "header":
        value = f"theme=dark; __Host-session={cookie}; x=1"
        sent["request"]["headers"].append({"name": "Cookie", "value": value})
    else:
        sent["request"]["cookies"].append({"value": cookie, "name": "__Host-session"})
    data = har(*[request_()] * 40, sent)
    kept = await alice.attach("a.har", gzip.compress(data) if packed else data)
    assert kept.signed_out == 1
    assert await sessions.session_of(scene.ctx, cookie) is None
    assert await sessions.session_of(scene.ctx, other) is not None
    assert cookie.encode() not in await alice.read(kept.attachment.id)


async def test_third_recording_waits_for_its_turn(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at a time; who waits too long is told when to come back, and loses nothing else."""
    monkeypatch.setattr(sanitising, "PATIENCE_S", 0.05)
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        data = har(*[request_()] * 300)
        yield data[:70_000]
        await go_on.wait()
        yield data[70_000:]

    under_way = [
        asyncio.create_task(attach(alice.ctx, alice.place, f"{n}.har", slow())) for n in range(2)
    ]
    await asyncio.sleep(0.1)
    with pytest.raises(Unavailable, match="busy") as refused:
        await alice.attach("third.har", har(request_()))
    assert refused.value.facts["wait"] == 30
    go_on.set()
    assert [(await one).attachment.entries for one in under_way] == [300, 300]
    await alice.attach("third.har", har(request_()))


# --- the scanner ------------------------------------------------------------------------------

SCANNER = """
import sys
data = sys.stdin.buffer.read()
sys.exit(1 if b"EICAR" in data else 7 if b"ODD" in data else 0)
"""


@pytest.fixture
def scanner(scene: Scene, tmp_path: Path) -> str:
    """A scanner that knows one virus."""
    program = tmp_path / "scan it.py"
    program.write_text(SCANNER)
    command = shlex.join([sys.executable, str(program)])
    object.__setattr__(scene.ctx.settings, "attachment_scanner", command)
    return command


async def test_scanner_decides_before_anything_is_listed(alice: Client, scanner: str) -> None:
    """What it refuses leaves nothing; what it passes is kept."""
    await alice.attach("a.txt", b"hello" * 50_000)
    with pytest.raises(Refused, match="attachment_infected"):
        await alice.attach("b.txt", b"x" * 300_000 + b"EICAR")
    assert len(stored(alice.scene)) == 1
    assert [one.name for one in await list_waiting(alice.ctx, alice.place)] == ["a.txt"]


@pytest.mark.parametrize("command", ["", "/nonexistent/scanner -", "sh -c 'exit 3'"])
async def test_scanner_that_fails_keeps_nothing(alice: Client, scanner: str, command: str) -> None:
    """It does not start, or ends oddly: nobody has said that the file is well."""
    if command:
        object.__setattr__(alice.ctx.settings, "attachment_scanner", command)
    with pytest.raises(Unavailable, match="attachment_unchecked"):
        await alice.attach("b.txt", b"ODD" * 100_000)
    assert stored(alice.scene) == []


async def test_scanner_gets_none_of_our_settings(
    alice: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a shell read the command: what looks like one is an argument."""
    monkeypatch.setenv("VESTIBULE_DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    seen = tmp_path / "seen"
    program = tmp_path / "spy.py"
    program.write_text(
        "import os, sys, pathlib\n"
        "sys.stdin.buffer.read()\n"
        "pathlib.Path(sys.argv[1]).write_text(repr(sys.argv[2:]) + repr(dict(os.environ)))\n"
    )
    command = f"{sys.executable} {program} {seen} '$(id)' ; ls"
    object.__setattr__(alice.ctx.settings, "attachment_scanner", command)
    await alice.attach("a.txt", b"hello")
    told = seen.read_text()
    assert "['$(id)', ';', 'ls']" in told
    assert "secret" not in told


# --- whose it is ------------------------------------------------------------------------------


async def test_file_of_another_client_is_not_there(scene: Scene, alice: Client) -> None:
    """By its id, in one's own conversation or in theirs; neither is it removed by them."""
    kept = await alice.attach("a.txt", b"mine")
    await alice.reply()
    mallory = await open_client(scene, "mallory")
    theirs = Place(
        ticket_id=alice.ticket.id,
        account_id=mallory.session.account_id,
        added_by=mallory.session.account_id,
    )
    for place in (mallory.place, theirs):
        with pytest.raises(Refused, match="attachment_unknown"):
            await open_attachment(scene.ctx, place, kept.attachment.id)
        with pytest.raises(Refused, match="attachment_unknown"):
            await remove_attachment(scene.ctx, place, kept.attachment.id)
    assert await alice.read(kept.attachment.id) == b"mine"


@pytest.mark.parametrize("role", list(Role))
async def test_staff_sees_what_its_role_allows_and_each_look_is_written_down(
    scene: Scene, alice: Client, role: Role
) -> None:
    """Observers read nothing; what is not sent yet is nobody's but its author's."""
    kept = await alice.attach("a.txt", b"mine")
    member = await open_member(scene, "sam", role)
    look = {"how": "download", "source": "192.0.2.1"}
    may = role is not Role.OBSERVER
    with pytest.raises(Refused, match="attachment_unknown" if may else "staff_role"):
        await open_for_staff(scene.ctx, member, alice.ticket, kept.attachment.id, **look)
    await alice.reply()
    if not may:
        with pytest.raises(Refused, match="staff_role"):
            await open_for_staff(scene.ctx, member, alice.ticket, kept.attachment.id, **look)
        return
    opened = await open_for_staff(scene.ctx, member, alice.ticket, kept.attachment.id, **look)
    assert await opened.read(0, 100) == b"mine"
    opened.close()
    events = [one for one in await scene.events() if one["event"] == "support.attachment_seen"]
    assert len(events) == 1
    assert events[0]["actor"] == f"staff:{member.account_id}"
    assert events[0]["account_id"] == alice.session.account_id
    assert json.loads(events[0]["detail"]) == {
        "member": "sam",
        "ticket": alice.ticket.number,
        "kind": "file",
        "how": "download",
    }


async def test_what_was_altered_in_the_store_is_not_handed_out(alice: Client) -> None:
    """Cut, or another file in its place: it says so, and gives no byte."""
    kept = await alice.attach("a.txt", secrets.token_bytes(2 * CHUNK))
    other = await alice.attach("b.txt", secrets.token_bytes(2 * CHUNK))
    first, second = stored(alice.scene)
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content[:-1])
    for one in (kept, other):
        with pytest.raises(Unavailable, match="attachment_damaged"):
            await alice.read(one.attachment.id)
    second.unlink()
    first.unlink()
    with pytest.raises(Refused, match="attachment_unknown"):
        await alice.read(kept.attachment.id)


# --- taking back, and what time takes ---------------------------------------------------------


async def test_file_is_taken_back_until_somebody_answered(scene: Scene, alice: Client) -> None:
    """While it waits and after it was sent; once staff has written, it stays."""
    waiting = await alice.attach("a.txt", b"one")
    await remove_attachment(scene.ctx, alice.place, waiting.attachment.id)
    sent = await alice.attach("b.txt", b"two")
    kept = await alice.attach("c.txt", b"three")
    await alice.reply()
    await remove_attachment(scene.ctx, alice.place, sent.attachment.id)
    assert len(stored(scene)) == 1
    member = await open_member(scene, "sam", Role.SUPPORT)
    scene.clock.step(1000)
    ticket = await service.get_ticket(scene.ctx, alice.session, alice.ticket.number)
    await service.answer(scene.ctx, member, ticket, "Thank you.")
    [[left]] = (await list_attachments(scene.ctx, alice.ticket)).values()
    assert (left.id, left.removable) == (kept.attachment.id, False)
    with pytest.raises(Refused, match="attachment_answered"):
        await remove_attachment(scene.ctx, alice.place, kept.attachment.id)
    assert await alice.read(kept.attachment.id) == b"three"


async def test_what_was_never_sent_goes_after_a_day(scene: Scene, alice: Client) -> None:
    """The file first, the row a day later."""
    kept = await alice.attach("a.txt", b"one")
    scene.clock.step(23 * HOUR)
    await sweep_attachments(scene.ctx)
    assert len(stored(scene)) == 1
    scene.clock.step(HOUR)
    await sweep_attachments(scene.ctx)
    assert stored(scene) == []
    with pytest.raises(Refused, match="attachment_unknown"):
        await alice.read(kept.attachment.id)


async def test_files_go_when_their_conversation_was_closed_long_ago(
    scene: Scene, alice: Client
) -> None:
    """Its key and report with it; the conversation still names it. An open one keeps all."""
    kept = await alice.attach("a.har", har(request_()))
    await alice.reply()
    scene.clock.step(400 * DAY)
    assert await expire_attachments(scene.ctx) == 0
    ticket = await service.get_ticket(scene.ctx, alice.session, alice.ticket.number)
    await service.cancel(scene.ctx, alice.session, ticket)
    days = scene.ctx.settings.attachment_days
    scene.clock.step(days * DAY - 1)
    assert await expire_attachments(scene.ctx) == 0
    scene.clock.step(1)
    assert await expire_attachments(scene.ctx) == 1
    assert stored(scene) == []
    [[named]] = (await list_attachments(scene.ctx, alice.ticket)).values()
    assert (named.id, named.state, named.kept) == (kept.attachment.id, State.GONE, False)
    [row] = await scene.rows(attaching.store.ticket_attachment)
    assert row["key"] is None
    assert row["report"] is None


async def test_stray_files_are_swept_and_named_ones_stay(scene: Scene, alice: Client) -> None:
    """What a killed process left is taken once it is old enough; nothing else ever is."""
    kept = await alice.attach("a.txt", b"one")
    await alice.reply()
    shelf = stored(scene)[0].parent.parent / "zz"
    shelf.mkdir(exist_ok=True)
    (shelf / ("zz" + "A" * 20)).write_bytes(b"stray")
    (shelf / (".zz" + "B" * 20)).write_bytes(b"half")
    assert await sweep_strays(scene.ctx) == 0
    assert await sweep_strays(scene.ctx, older_than_ms=-1000) == 2
    assert await alice.read(kept.attachment.id) == b"one"
