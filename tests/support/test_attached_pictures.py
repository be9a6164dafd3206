"""Pictures on their way in: what they tell beside the picture is never kept, and that is said."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.desk import Desk
from tests.support.clients import PNG, Client, stored
from tests.support.photographs import jpeg, png, saved
from tests.support.sending import post_file, send_form
from vestibule.base.errors import Refused
from vestibule.support.rules.attachments import Details
from vestibule.support.service.looking import list_attachments, list_waiting
from vestibule.web import cookies

REMOVED = "Hidden details such as place and camera removed"
MAY_HOLD = "May hold hidden details such as place and camera"


@pytest.fixture
def page(desk: Desk, alice: Client) -> str:
    """The client's conversation, at the browser."""
    desk.http.cookies.set(cookies.SESSION, alice.cookie, domain="portal.example")
    return f"/messages/{alice.ticket.number}"


@pytest.mark.parametrize("picture", [jpeg, png])
async def test_kept_picture_is_the_one_without_its_details(
    alice: Client, picture: Callable[[], bytes]
) -> None:
    """The size is of what is kept; staff gets the same bytes as the client."""
    data = picture()
    kept = (await alice.attach("photo", data)).attachment
    got = await alice.read(kept.id)
    assert b"PLANTED" in data
    assert b"PLANTED" not in got
    assert kept.size == len(got) < len(data)
    assert kept.details is Details.REMOVED


async def test_client_is_told_while_the_file_waits(desk: Desk, alice: Client, page: str) -> None:
    """By the script's answer, on the page, and nowhere once it was sent."""
    sent = await post_file(desk, page, "photo.jpg", jpeg())
    assert sent.json()["details"] == "removed"
    assert "report" not in sent.json()
    listed = (await desk.http.get(f"{page}/attachments")).json()["attachments"]
    assert [one["details"] for one in listed] == ["removed"]
    assert f"· {REMOVED}" in (await desk.http.get(page)).text
    await alice.reply()
    shown = (await desk.http.get(page)).text
    assert "photo.jpg" in shown
    assert f"· {REMOVED}" not in shown


async def test_form_is_told_the_same(desk: Desk, alice: Client, page: str) -> None:
    """A browser without scripts; of each file what is true of it."""
    files = [("a.jpg", jpeg()), ("b.png", PNG), ("c.tiff", saved("TIFF")), ("d.txt", b"text")]
    shown = await send_form(desk, page, "reply", *files, text="Half a", act="attach")
    assert shown.status_code == 200
    assert shown.text.count(f"· {REMOVED}") == shown.text.count(f"· {MAY_HOLD}") == 1
    there = {one.name: one.details for one in await list_waiting(alice.ctx, alice.place)}
    told = [Details.REMOVED, Details.NONE, Details.KEPT, Details.NONE]
    assert there == {name: told for (name, _), told in zip(files, told, strict=True)}


async def test_picture_that_cannot_be_read_is_refused(desk: Desk, alice: Client, page: str) -> None:
    """With what to do instead, by script and by form; nothing of it is left."""
    refused = await post_file(desk, page, "photo.png", PNG[:-4])
    assert (refused.status_code, refused.json()["code"]) == (400, "picture_unreadable")
    assert "screenshot" in refused.json()["next"]
    sent = await send_form(desk, page, "reply", ("photo.png", PNG[:-4]), text="See:")
    assert sent.status_code == 400
    assert "The picture cannot be read" in sent.text
    assert stored(alice.scene) == []
    assert await list_attachments(alice.ctx, alice.ticket) == {}


async def test_name_does_not_keep_a_picture_from_being_read(alice: Client) -> None:
    """Its content decides."""
    kept = (await alice.attach("notes.txt", jpeg())).attachment
    assert b"PLANTED" not in await alice.read(kept.id)


async def test_what_arrives_counts_against_the_limit(alice: Client) -> None:
    """Not what is left of it: a small picture with a film behind it is a large file."""
    object.__setattr__(alice.ctx.settings, "attachment_megabytes", 1)
    with pytest.raises(Refused, match="attachment_too_large"):
        await alice.attach("photo.jpg", saved("JPEG") + bytes(1_000_000))
    assert stored(alice.scene) == []


async def test_scanner_reads_what_is_kept(alice: Client, tmp_path: Path) -> None:
    """The bytes that somebody will open, and no others: not the place either."""
    seen = tmp_path / "seen"
    program = tmp_path / "scan.py"
    program.write_text(
        "import sys, pathlib\npathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())\n"
    )
    command = shlex.join([sys.executable, str(program), str(seen)])
    object.__setattr__(alice.ctx.settings, "attachment_scanner", command)
    kept = (await alice.attach("photo.jpg", jpeg())).attachment
    assert seen.read_bytes() == await alice.read(kept.id)
