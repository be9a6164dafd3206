"""Attachments: kept whole or not at all, sealed, and refused with a reason."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from tests.desk import open_session
from tests.login.scene import Scene
from tests.support.clients import (
    PNG,
    Client,
    har,
    in_pieces,
    request_,
    stored,
)
from vestibule.base.clock import DAY
from vestibule.base.errors import Malformed, Refused, Unavailable
from vestibule.base.sealed_stream import CHUNK
from vestibule.support import service
from vestibule.support.rules import Topic
from vestibule.support.rules.attachments import State
from vestibule.support.service.attaching import Place, attach
from vestibule.support.service.looking import (
    list_attachments,
    list_waiting,
    remove_attachment,
)

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
    read = []

    async def noted() -> AsyncIterator[bytes]:
        read.append(1)
        yield b"x"

    with pytest.raises(Refused, match="attachment_too_large"):
        await attach(alice.ctx, alice.place, "a.txt", noted(), length=10**10)
    with pytest.raises(Refused, match="capture_too_large"):
        await attach(alice.ctx, alice.place, "a.har", noted(), length=10**10)
    assert read == []


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
