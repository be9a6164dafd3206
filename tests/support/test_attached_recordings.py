"""Browser recordings at the server: made safe whatever the browser did, listed, read again."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import pytest

from tests.desk import open_session
from tests.login.scene import Scene
from tests.patience import until
from tests.support.clients import (
    SECRET,
    Client,
    har,
    request_,
)
from vestibule.base.errors import Unavailable
from vestibule.sessions import service as sessions
from vestibule.support.rules.attachments import Kind
from vestibule.support.service import sanitising
from vestibule.support.service.attaching import attach
from vestibule.support.service.looking import (
    list_requests,
    open_attachment,
    read_request,
)

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
    go_on, begun = asyncio.Event(), list[int]()

    async def slow() -> AsyncIterator[bytes]:
        data = har(*[request_()] * 300)
        begun.append(1)
        yield data[:70_000]
        await go_on.wait()
        yield data[70_000:]

    under_way = [
        asyncio.create_task(attach(alice.ctx, alice.place, f"{n}.har", slow())) for n in range(2)
    ]
    await until(lambda: len(begun) == 2)
    await asyncio.sleep(0.1)
    with pytest.raises(Unavailable, match="busy") as refused:
        await alice.attach("third.har", har(request_()))
    assert refused.value.facts["wait"] == 30
    go_on.set()
    assert [(await one).attachment.entries for one in under_way] == [300, 300]
    await alice.attach("third.har", har(request_()))
