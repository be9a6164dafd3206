"""What the operator's systems are answered, call by call (spec/publishing.md)."""

import asyncio
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import pytest
from starlette.requests import Request

from tests.desk import Desk
from tests.statements.press import stored
from tests.statements.publisher_calls import (
    DATA,
    DAY,
    call,
    digest,
    found,
    opened,
    publisher,
    put,
)
from vestibule.base.errors import Fault
from vestibule.statements import publisher_api, service


@pytest.fixture
async def token(desk: Desk) -> str:
    """A publisher, and an account to publish for."""
    await desk.scene.account("mira")
    return await publisher(desk)


# --- one call ---------------------------------------------------------------------------------


async def test_file_is_published_once_however_often_it_is_sent(desk: Desk, token: str) -> None:
    """201 for the first, 200 for the same again, and it is there once."""
    first = await put(desk, token)
    assert (first.status_code, first.json()["state"]) == (201, "new")
    assert first.headers["upload-complete"] == "?1"
    assert first.headers["cache-control"] == "no-store"
    again = await put(desk, token)
    assert (again.status_code, again.json()["state"]) == (200, "same")
    assert again.json()["id"] == first.json()["id"]
    assert await found(desk) == [("daily", DAY, f"{DAY}.csv", len(DATA))]


async def test_other_content_is_refused_unless_it_is_to_replace(desk: Desk, token: str) -> None:
    """Nothing is overwritten by accident; the refusal changes nothing."""
    await put(desk, token)
    other = await put(desk, token, data=b"other")
    assert (other.status_code, other.json()["code"]) == (409, "statement_differs")
    assert other.headers["content-type"] == "application/problem+json"
    assert (await found(desk))[0][3] == len(DATA)
    replaced = await put(desk, token, f"mira/daily/{DAY}.csv?replace=true", data=b"other")
    assert (replaced.status_code, replaced.json()["state"]) == (201, "replaced")
    assert (await found(desk))[0][3] == 5


async def test_period_of_the_query_stands_before_that_of_the_name(desk: Desk, token: str) -> None:
    """Named, it counts; not named, the name says it; neither, and it is refused."""
    path = "mira/monthly/statement.pdf"
    assert (await put(desk, token, path)).json()["code"] == "statement_period"
    assert (await put(desk, token, f"{path}?period=2026-13")).status_code == 400
    assert (await put(desk, token, f"{path}?period=2026-11")).status_code == 201
    assert await found(desk) == [("monthly", "2026-11", "statement.pdf", len(DATA))]


FAULTY_PUTS: list[tuple[dict[str, str], int, str]] = [
    ({"authorization": ""}, 401, "publisher_unknown"),
    ({"authorization": "Bearer vsp_" + "x" * 43}, 401, "publisher_unknown"),
    ({"authorization": "Bearer "}, 401, "publisher_unknown"),
    ({"authorization": "Basic dnNwOng="}, 401, "publisher_unknown"),
    ({"content-digest": ""}, 400, "digest_missing"),
    ({"content-digest": "sha-256=abc"}, 400, "digest_missing"),
    ({"content-digest": "md5=:abc=:"}, 400, "digest_missing"),
    ({"content-digest": f"sha-256=:{'A' * 42}==:"}, 400, "digest_missing"),
    ({"content-digest": digest(b"else")}, 400, "digest_wrong"),
    ({"content-length": "x"}, 411, "length_missing"),
    ({"content-length": "-1"}, 411, "length_missing"),
    ({"content-length": "9" * 30}, 411, "length_missing"),
    ({"content-length": str(8 * 2**20 + 1)}, 413, "body_too_large"),
    ({"content-length": str(len(DATA) + 1)}, 400, "digest_wrong"),
]


async def test_faulty_put_is_refused_and_leaves_nothing(desk: Desk, token: str) -> None:
    """Each fault has its code; no statement, no file."""
    for headers, status, code in FAULTY_PUTS:
        answer = await put(desk, token, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), headers
        if status == 401:
            assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert await found(desk) == []
    assert stored(desk.scene.ctx.settings.data / "statements") == []


FAULTY_PATHS = [
    ("mira/daily/2026-11-22.csv?token=vsp_x", 400, "bad_field"),
    ("mira/daily/2026-11-22.csv?replace=yes", 400, "bad_field"),
    ("mira/daily/2026-11-22.csv?period=2026-11-22&period=2026-11-23", 400, "bad_field"),
    ("nobody/daily/2026-11-22.csv", 404, "statement_account"),
    ("%00/daily/2026-11-22.csv", 404, "statement_account"),
    ("mira/weekly/2026-11-22.csv", 400, "statement_kind"),
    ("mira/daily/", 404, "not_found"),
    ("mira/daily", 404, "not_found"),
    ("mira/daily/a/2026-11-22.csv", 404, "not_found"),
]


async def test_address_that_means_nothing_is_refused(desk: Desk, token: str) -> None:
    """Unknown accounts, kinds, parameters and paths: problem details, nothing changed."""
    for path, status, code in FAULTY_PATHS:
        answer = await put(desk, token, path)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
    assert stored(desk.scene.ctx.settings.data / "statements") == []


TRICKS = [
    "..",
    ".",
    "../2026-11-22.csv",
    "..%2f2026-11-22.csv",
    "/etc/2026-11-22",
    "a\\2026-11-22.csv",
    "C:2026-11-22.csv",
    "2026-11-22.csv:stream",
    "2026-11-22.csv\x00.pdf",
    "2026-11-22\n.csv",
    "\u202e2026-11-22.csv",
    "2026-11-22\u202efdp.exe",
    "2026-11-22.csv ",
    "2026-11-22.csv.",
    ".2026-11-22.csv",
    "-2026-11-22.csv",
    "con.2026-11-22",
    "AUX",
    "com¹.2026-11-22",
    "2026-11-22.csv.pgp",
    "2026-11-22.PGP",
    "2026-11-22?.csv",
    "2026-11-22|id.csv",
    "\ud800",
    "2026-11-22" + "x" * 111,
    "2026-11-22" + "é" * 110,
    " 2026-11-22.csv",
    "2026-11-22\u200b.csv",
    "2026-11-22\u2028.csv",
    "\x7f2026-11-22",
]


async def test_tricky_names_are_refused_whole_and_as_uploads(desk: Desk, token: str) -> None:
    """No name leads out of a folder, hides what it is, or cannot be kept by some machine."""
    for name in TRICKS:
        path = f"mira/daily/{quote(name.encode('utf-8', 'surrogatepass'), safe='')}"
        answer = await put(desk, token, path)
        assert answer.status_code in {400, 404}, name
        assert answer.json()["code"] in {"statement_name", "not_found"}, name
        if "\ud800" not in name:
            answer = await opened(desk, token, DATA, name=name)
            assert (answer.status_code, answer.json()["code"]) == (400, "statement_name"), name
    assert await found(desk) == []


async def test_lawful_names_arrive_as_they_were_sent(desk: Desk, token: str) -> None:
    """Every sign that means something in an address stands for itself when it is encoded."""
    names = ["2026-11-22 Umsätze 100% #1 & more+x=y;z.csv", "東京 2026-11-22.pdf"]
    for name in names:
        assert (await put(desk, token, f"mira/daily/{quote(name, safe='')}")).status_code == 201
    assert sorted(one[2] for one in await found(desk)) == sorted(names)


async def test_revoked_token_is_worth_nothing_from_then_on(desk: Desk, token: str) -> None:
    """What was published stays; nothing more comes."""
    await put(desk, token)
    await service.revoke_publisher(desk.scene.ctx, "nightly")
    answer = await put(desk, token, f"mira/daily/{DAY}b.csv")
    assert (answer.status_code, answer.json()["code"]) == (401, "publisher_unknown")
    assert len(await found(desk)) == 1


async def test_no_call_is_answered_without_a_token(desk: Desk, token: str) -> None:
    """The token is asked for first, in the header and nowhere else."""
    for method, path in [
        ("POST", "/publish/uploads"),
        ("POST", "/publish/check"),
        ("HEAD", "/publish/uploads/x"),
        ("GET", "/publish/uploads/x"),
        ("PATCH", "/publish/uploads/x"),
        ("DELETE", "/publish/uploads/x"),
    ]:
        answer = await desk.http.request(method, f"{path}?access_token={token}")
        assert answer.status_code == 401, path


async def test_what_is_not_there_is_told_to_a_program(desk: Desk, token: str) -> None:
    """Below /publish/ no answer is a page, whatever the method."""
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = await call(desk, token, method, "/publish/nothing")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = await call(desk, token, "GET", "/publish/check")
    assert answer.json()["code"] == "not_found"


async def test_check_tells_each_in_order(desk: Desk, token: str) -> None:
    """absent, same, differs, account_unknown; whatever else is refused when it is sent."""
    await put(desk, token)

    def asked(account: str, name: str, data: bytes) -> dict[str, str]:
        return {
            "account": account,
            "kind": "daily",
            "name": name,
            "digest": sha256(data).hexdigest(),
        }

    statements = [
        asked("mira", f"{DAY}.csv", DATA),
        asked("mira", f"{DAY}.csv", b"other"),
        asked("mira", f"{DAY}.CSV", DATA),
        asked("mira", "absent", DATA),
        asked("nobody", f"{DAY}.csv", DATA),
        asked("mira", "../x", DATA),
    ]
    answer = await call(desk, token, "POST", "/publish/check", json={"statements": statements})
    assert answer.json()["states"] == [
        "same",
        "differs",
        "same",
        "absent",
        "account_unknown",
        "absent",
    ]
    many = {"statements": [statements[0]] * 1001}
    answer = await call(desk, token, "POST", "/publish/check", json=many)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_field")
    answer = await call(desk, token, "POST", "/publish/check", json={"statements": []})
    assert answer.json()["states"] == []


# --- bodies -----------------------------------------------------------------------------------


async def test_too_many_bodies_at_a_time_are_turned_away(
    desk: Desk, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes too much waits, is told for how long, and has lost nothing."""
    monkeypatch.setattr(publisher_api, "BODIES_MOST", 0)
    answer = await put(desk, token)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert int(answer.headers["retry-after"]) >= 1
    monkeypatch.setattr(publisher_api, "BODIES_MOST", 1)
    assert (await put(desk, token)).status_code == 201
    assert (await put(desk, token, data=b"x")).status_code == 409
    assert (await put(desk, token)).status_code == 200


def sending(*messages: dict[str, Any] | float) -> Request:
    """A request whose body comes as told; numbers are seconds of silence."""
    waiting = list(messages)

    async def receive() -> dict[str, Any]:
        while waiting:
            message = waiting.pop(0)
            if isinstance(message, dict):
                return message
            await asyncio.sleep(message)
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "PUT", "headers": []}, receive)


def piece(size: int, *, more: bool = True) -> dict[str, Any]:
    """A part of a body."""
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


async def test_body_that_keeps_the_pace_may_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each 64 KiB buy another half minute; our own slowness counts for nobody."""
    monkeypatch.setattr(publisher_api, "PACE_S", 0.2)
    slow = [part for _ in range(4) for part in (0.1, piece(65536))]
    size = 0
    async for chunk in publisher_api._chunks(sending(*slow, piece(1, more=False))):
        size += len(chunk)
        await asyncio.sleep(0.3)
    assert size == 4 * 65536 + 1


@pytest.mark.parametrize(
    "messages, code",
    [
        ([1.0, piece(1, more=False)], "body_slow"),
        ([part for _ in range(20) for part in (0.05, piece(1000))], "body_slow"),
        ([piece(1000)], "body_cut"),
    ],
)
async def test_slow_and_broken_bodies_end(
    messages: list[Any], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence, a trickle and a cut are each told by a code; nobody holds a place for ever."""
    monkeypatch.setattr(publisher_api, "PACE_S", 0.2)
    with pytest.raises(Fault, match=code):
        async for _ in publisher_api._chunks(sending(*messages)):
            pass
