"""Uploads of publishers: opened, gone on with, finished and abandoned (spec/publishing.md §3)."""

from typing import Any

import pytest

from tests.desk import Desk
from tests.statements.press import stored
from tests.statements.publisher_calls import DATA, DAY, call, found, opened, patch, publisher, put
from vestibule.statements.rules import PART


@pytest.fixture
async def token(desk: Desk) -> str:
    """A publisher, and an account to publish for."""
    await desk.scene.account("mira")
    return await publisher(desk)


async def test_upload_in_parts_is_published_when_the_last_arrives(desk: Desk, token: str) -> None:
    """Offsets add up; the call that brings the end publishes; the upload is gone then."""
    data = bytes(range(256)) * (PART // 256 + 1000)
    answer = await opened(desk, token, data)
    assert (answer.status_code, answer.json()["state"]) == (201, "open")
    assert answer.headers["upload-offset"] == "0"
    assert "max-append-size=67108864" in answer.headers["upload-limit"]
    upload = answer.json()["upload"]
    assert answer.headers["location"] == f"/publish/uploads/{upload}"
    offset = 0
    for size in (1, PART + 7, 1000):
        answer = await patch(desk, token, upload, offset, data[offset : offset + size])
        offset += size
        assert answer.status_code == 204
        assert answer.headers["upload-offset"] == str(offset)
        assert answer.headers["upload-complete"] == "?0"
    head = await call(desk, token, "HEAD", f"/publish/uploads/{upload}")
    assert (head.status_code, head.headers["upload-offset"]) == (204, str(offset))
    shown = await call(desk, token, "GET", f"/publish/uploads/{upload}")
    assert shown.json()["offset"] == offset
    again = await opened(desk, token, data)
    assert (again.status_code, again.json()["upload"]) == (200, upload)
    assert again.json()["offset"] == offset
    answer = await patch(desk, token, upload, offset, data[offset:])
    assert (answer.status_code, answer.json()["state"]) == (201, "new")
    assert answer.headers["upload-complete"] == "?1"
    assert await found(desk) == [("trade", DAY, f"{DAY}.bin", len(data))]
    gone = await call(desk, token, "HEAD", f"/publish/uploads/{upload}")
    assert gone.status_code == 404
    answer = await opened(desk, token, data)
    assert (answer.status_code, answer.json()["state"]) == (200, "same")


async def test_wrong_offset_is_told_the_right_one(desk: Desk, token: str) -> None:
    """Bytes that do not fit on are refused, and the answer says where to go on."""
    upload = (await opened(desk, token, DATA)).json()["upload"]
    await patch(desk, token, upload, 0, DATA[:10])
    for offset in (0, 9, 11):
        answer = await patch(desk, token, upload, offset, DATA[offset:])
        assert (answer.status_code, answer.json()["code"]) == (409, "upload_offset")
        assert answer.headers["upload-offset"] == "10"
    assert (await patch(desk, token, upload, 10, DATA[10:])).status_code == 201


async def test_faulty_patch_is_refused_and_the_upload_stays(desk: Desk, token: str) -> None:
    """Afterwards the upload goes on from where it was."""
    upload = (await opened(desk, token, DATA)).json()["upload"]
    for name, value, status, code in [
        ("content-type", "text/plain", 415, "content_type"),
        ("upload-offset", "x", 400, "bad_field"),
        ("upload-offset", "-1", 400, "bad_field"),
        ("upload-offset", "\xb2", 400, "bad_field"),
        ("content-length", str(64 * 2**20 + 1), 413, "body_too_large"),
        ("content-length", str(len(DATA) + 1), 413, "body_too_large"),
    ]:
        raw: Any = {name: value.encode("latin-1")}
        answer = await patch(desk, token, upload, 0, DATA, **raw)
        assert (answer.status_code, answer.json()["code"]) == (status, code), value
    assert (await patch(desk, token, upload, 0, DATA)).status_code == 201


async def test_faulty_opening_is_refused(desk: Desk, token: str) -> None:
    """What is not exactly as specified opens nothing."""
    faults: list[dict[str, Any]] = [
        {"size": -1},
        {"size": "1"},
        {"size": 1.5},
        {"digest": "x"},
        {"digest": "A" * 64},
        {"account": None},
        {"extra": 1},
        {"replace": "true"},
        {"kind": "weekly"},
        {"size": 2**53},
    ]
    for changes in faults:
        answer = await opened(desk, token, DATA, **changes)
        assert answer.status_code in {400, 413}, changes
        assert answer.headers["content-type"] == "application/problem+json"


async def test_upload_belongs_to_its_publisher(desk: Desk, token: str) -> None:
    """Another publisher neither sees it, nor goes on with it, nor ends it."""
    upload = (await opened(desk, token, DATA)).json()["upload"]
    other = await publisher(desk, "other")
    for method in ("HEAD", "GET"):
        assert (await call(desk, other, method, f"/publish/uploads/{upload}")).status_code == 404
    assert (await patch(desk, other, upload, 0, DATA)).status_code == 404
    assert (await call(desk, other, "DELETE", f"/publish/uploads/{upload}")).status_code == 204
    assert (await opened(desk, other, DATA)).json()["upload"] != upload
    assert (await patch(desk, token, upload, 0, DATA)).status_code == 201


async def test_upload_of_other_bytes_is_abandoned_at_its_end(desk: Desk, token: str) -> None:
    """A wrong digest publishes nothing and keeps nothing; the next opening begins anew."""
    first = (await opened(desk, token, DATA)).json()["upload"]
    answer = await patch(desk, token, first, 0, DATA[:-1] + b"x")
    assert (answer.status_code, answer.json()["code"]) == (400, "digest_wrong")
    assert await found(desk) == []
    assert stored(desk.scene.ctx.settings.data / "statements") == []
    again = (await opened(desk, token, DATA)).json()
    assert again["upload"] != first
    assert again["offset"] == 0


async def test_abandoned_upload_is_gone_and_may_be_abandoned_again(desk: Desk, token: str) -> None:
    """DELETE is quiet; nothing of what was sent stays."""
    upload = (await opened(desk, token, DATA)).json()["upload"]
    await patch(desk, token, upload, 0, DATA[:9])
    for _ in range(2):
        answer = await call(desk, token, "DELETE", f"/publish/uploads/{upload}")
        assert answer.status_code == 204
    assert (await patch(desk, token, upload, 9, DATA[9:])).json()["code"] == "upload_unknown"
    assert stored(desk.scene.ctx.settings.data / "statements") == []


async def test_empty_file_is_published_by_an_empty_call(desk: Desk, token: str) -> None:
    """A day on which nothing happened has a statement, too."""
    assert (await put(desk, token, data=b"")).status_code == 201
    upload = (await opened(desk, token, b"")).json()["upload"]
    assert (await patch(desk, token, upload, 0, b"")).status_code == 201
    assert [one[3] for one in await found(desk)] == [0, 0]
