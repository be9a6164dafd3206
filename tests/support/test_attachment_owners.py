"""Whose an attachment is, who looks at it, and what time takes away."""

import json
import secrets
from pathlib import Path

import pytest

from tests.login.scene import Scene
from tests.support.clients import (
    Client,
    har,
    open_client,
    open_member,
    request_,
    stored,
)
from vestibule.base.clock import DAY, HOUR
from vestibule.base.errors import Refused, Unavailable
from vestibule.base.sealed_stream import CHUNK
from vestibule.cli.copying import copy_store
from vestibule.staff.rules import Role
from vestibule.statements.service import purging
from vestibule.support import service
from vestibule.support.rules.attachments import State
from vestibule.support.service.attaching import Place
from vestibule.support.service.expiring import (
    expire_attachments,
    sweep_attachments,
    sweep_strays,
)
from vestibule.support.service.looking import (
    list_attachments,
    open_attachment,
    open_for_staff,
    remove_attachment,
)
from vestibule.support.store.attachments import ticket_attachment

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
    [row] = await scene.rows(ticket_attachment)
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


async def test_attachments_outlive_the_tending_of_statements(
    scene: Scene, alice: Client, tmp_path: Path
) -> None:
    """They lie in one store: its sweeper leaves them alone, and copying takes them along."""
    kept = await alice.attach("a.txt", b"one")
    await alice.reply()
    assert await purging.sweep_orphans(scene.ctx, older_than_ms=-1000) == 0
    assert await alice.read(kept.attachment.id) == b"one"
    await copy_store(scene.ctx, str(tmp_path / "elsewhere"))
    [here] = stored(scene)
    [there] = [path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()]
    assert there.relative_to(tmp_path / "elsewhere").parts[0] == "attachments"
    assert there.read_bytes() == here.read_bytes()
