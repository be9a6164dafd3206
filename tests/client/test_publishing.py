"""The publishing client against a portal that fails in every way that networks know."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from vestibule.client.errors import Refused, Unreachable
from vestibule.client.publishing import Outcome, Publisher
from vestibule.client.publishing_calls import Paper

TOKEN = "vsp_" + "t" * 43
BIG = 9 * 2**20
Trouble = Callable[[web.Request], str]


class Portal:
    """As the specification has it, in memory; `trouble` names what goes wrong with a request.

    `cut` ends the connection before the answer and keeps half of what came, `lost` after the work
    was done; a number is a status.
    """

    def __init__(self) -> None:
        self.files: dict[tuple[str, str, str], bytes] = {}
        self.uploads: dict[str, dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()
        self.published: Counter[str] = Counter()
        self.trouble: Trouble = lambda _request: ""
        self.at_once = self.most_at_once = 0

    def app(self) -> web.Application:
        """The routes."""
        app = web.Application(client_max_size=2**30)
        app.router.add_put("/publish/statements/{account}/{kind}/{name}", self.told(self.put))
        app.router.add_post("/publish/uploads", self.told(self.open))
        app.router.add_patch("/publish/uploads/{id}", self.told(self.append))
        app.router.add_post("/publish/check", self.told(self.check))
        return app

    def told(self, call: Callable[[web.Request, str], Any]) -> Any:
        """The call, with its trouble."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            self.calls[request.method] += 1
            trouble = self.trouble(request)
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self.no(401, "publisher_unknown")
            if trouble.isdecimal():
                await request.read()
                return self.no(int(trouble), "busy" if trouble == "503" else "internal")
            self.at_once += 1
            self.most_at_once = max(self.at_once, self.most_at_once)
            await asyncio.sleep(0.002)  # long enough for the others to come as well
            try:
                answer: web.StreamResponse = await call(request, trouble)
            finally:
                self.at_once -= 1
            if trouble in {"cut", "lost"}:
                assert request.transport is not None
                request.transport.abort()
            return answer

        return guarded

    def no(self, status: int, code: str, **headers: str) -> web.Response:
        """A refusal."""
        body = {"code": code, "title": code, "detail": "", "next": "", "now": 1}
        return web.json_response(body, status=status, headers=headers)

    def keep(self, key: tuple[str, str, str], data: bytes, *, replace: bool) -> web.Response:
        """Publish."""
        if key not in self.files or (self.files[key] != data and replace):
            state = "replaced" if key in self.files else "new"
            self.files[key] = data
            self.published[key[2]] += 1
            return web.json_response({"now": 1, "state": state, "id": "i"}, status=201)
        if self.files[key] != data:
            return self.no(409, "statement_differs")
        return web.json_response({"now": 1, "state": "same", "id": "i"})

    async def put(self, request: web.Request, trouble: str) -> web.Response:
        """PUT of a whole file."""
        data = await request.read()
        if trouble == "cut":
            return web.Response()
        about = request.match_info
        key = (about["account"], about["kind"], about["name"])
        return self.keep(key, data, replace=request.query.get("replace") == "true")

    async def open(self, request: web.Request, _trouble: str) -> web.Response:
        """POST of an upload."""
        sent = await request.json()
        key = (sent["account"], sent["kind"], sent["name"])
        held = self.files.get(key)
        if held is not None and sha256(held).hexdigest() == sent["digest"]:
            return web.json_response({"now": 1, "state": "same", "id": "i"})
        upload = self.uploads.setdefault(sent["digest"], {**sent, "key": key, "data": b""})
        return web.json_response(
            {"now": 1, "state": "open", "upload": sent["digest"], "offset": len(upload["data"])},
            headers={"Upload-Limit": "max-size=99999999, max-append-size=3000000, max-age=9"},
        )

    async def append(self, request: web.Request, trouble: str) -> web.StreamResponse:
        """PATCH of an upload."""
        upload = self.uploads.get(request.match_info["id"])
        if upload is None:
            return self.no(404, "upload_unknown")
        if int(request.headers["Upload-Offset"]) != len(upload["data"]):
            return self.no(409, "upload_offset")
        data = await request.read()
        assert len(data) <= 3_000_000
        upload["data"] += data[: len(data) // 2] if trouble == "cut" else data
        if len(upload["data"]) < upload["size"]:
            return web.Response(status=204, headers={"Upload-Offset": str(len(upload["data"]))})
        del self.uploads[request.match_info["id"]]
        if sha256(upload["data"]).hexdigest() != upload["digest"]:
            return self.no(400, "digest_wrong")
        return self.keep(upload["key"], upload["data"], replace=upload["replace"])

    async def check(self, request: web.Request, _trouble: str) -> web.Response:
        """POST of a check."""
        states = []
        for one in (await request.json())["statements"]:
            held = self.files.get((one["account"], one["kind"], one["name"]))
            same = held is not None and sha256(held).hexdigest() == one["digest"]
            states.append("absent" if held is None else "same" if same else "differs")
        return web.json_response({"now": 1, "states": states})


@asynccontextmanager
async def opened(
    portal: Portal, token: str = TOKEN, patience_s: float = 900
) -> AsyncIterator[Publisher]:
    """A publisher that does not wait in earnest."""

    async def no_time(_seconds: float) -> None:
        await asyncio.sleep(0)

    async with TestServer(portal.app()) as server:
        address = f"http://127.0.0.1:{server.port}"
        async with Publisher(
            address, token, parallel=4, patience_s=patience_s, sleep=no_time
        ) as publisher:
            yield publisher


def paper(folder: Path, name: str, data: bytes, *, replace: bool = False) -> Paper:
    """A file that is to be published."""
    path = folder / name
    path.write_bytes(data)
    return Paper(
        path=path,
        account="mira",
        kind="daily",
        name=name,
        period="2026-11-22",
        media="text/plain",
        size=len(data),
        replace=replace,
    )


async def published(publisher: Publisher, papers: list[Paper]) -> dict[str, str]:
    """What became of each."""
    outcomes: list[Outcome] = [one async for one in publisher.publish(papers)]
    assert len(outcomes) == len(papers)
    return {
        one.paper.name: one.state if one.reason is None else getattr(one.reason, "code", "?")
        for one in outcomes
    }


async def test_files_are_published_once_and_the_same_again_is_not_sent(tmp_path: Path) -> None:
    """The second run asks one question and sends nothing."""
    portal = Portal()
    papers = [paper(tmp_path, f"{n}.txt", b"%d" % n) for n in range(20)]
    papers.append(paper(tmp_path, "Säule 100% #1?&.txt", b"x"))
    papers.append(paper(tmp_path, "big.bin", bytes(BIG)))
    papers.append(paper(tmp_path, "empty.txt", b""))
    async with opened(portal) as publisher:
        first = await published(publisher, papers)
        assert set(first.values()) == {"new"}
        assert portal.files["mira", "daily", "Säule 100% #1?&.txt"] == b"x"
        assert portal.files["mira", "daily", "big.bin"] == bytes(BIG)
        assert 1 < portal.most_at_once <= 5
        portal.calls.clear()
        again = await published(publisher, papers)
    assert set(again.values()) == {"same"}
    assert portal.calls["PUT"] == portal.calls["PATCH"] == 0
    assert portal.calls["POST"] == 1


@pytest.mark.parametrize("trouble", ["cut", "lost", "500", "503", "429", "408", "502"])
async def test_every_second_call_fails_and_every_file_arrives_once(
    trouble: str, tmp_path: Path
) -> None:
    """Cut connections, lost answers and busy servers cost time, never a file and never a copy."""
    portal = Portal()
    seen: Counter[str] = Counter()

    def every_second(request: web.Request) -> str:
        seen[request.method + request.path] += 1
        return trouble if seen[request.method + request.path] % 2 else ""

    portal.trouble = every_second
    papers = [paper(tmp_path, f"{n}.txt", b"%d" % n) for n in range(5)]
    papers.append(paper(tmp_path, "big.bin", b"b" * BIG))
    async with opened(portal) as publisher:
        states = await published(publisher, papers)
    # Where an answer was lost the file is found there.
    assert set(states.values()) <= {"new", "same"}
    assert portal.files["mira", "daily", "big.bin"] == b"b" * BIG
    assert set(portal.published.values()) == {1}
    assert len(portal.published) == 6


async def test_refused_file_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """Each refusal is told with its code; with `replace` the other content is taken."""
    portal = Portal()
    portal.files["mira", "daily", "a.txt"] = b"old"
    papers = [paper(tmp_path, "a.txt", b"a"), paper(tmp_path, "b.txt", b"b")]
    gone = paper(tmp_path, "gone.txt", b"gone")
    gone.path.unlink()
    async with opened(portal) as publisher:
        states = await published(publisher, [*papers, gone])
        assert states == {"a.txt": "statement_differs", "b.txt": "new", "gone.txt": "?"}
        states = await published(publisher, [paper(tmp_path, "a.txt", b"a", replace=True)])
    assert states == {"a.txt": "replaced"}


async def test_file_that_changes_while_it_is_sent_is_read_again(tmp_path: Path) -> None:
    """What is published is one content of the file, whole: never half of two."""
    portal = Portal()
    big = paper(tmp_path, "big.bin", b"1" * BIG)

    def change_once(request: web.Request) -> str:
        if request.method == "PATCH" and portal.calls["PATCH"] == 2:
            big.path.write_bytes(b"2" * (BIG - 4_000_000))
        return ""

    portal.trouble = change_once
    async with opened(portal) as publisher:
        states = await published(publisher, [big])
    assert states == {"big.bin": "new"}
    assert portal.files["mira", "daily", "big.bin"] == b"2" * (BIG - 4_000_000)


async def test_wrong_token_ends_everything_at_once(tmp_path: Path) -> None:
    """Thousands of files are not tried with a token that is worth nothing."""
    portal = Portal()
    papers = [paper(tmp_path, f"{n}.txt", b"%d" % n) for n in range(50)]
    async with opened(portal, token="vsp_wrong") as publisher:
        with pytest.raises(Refused, match="publisher_unknown"):
            await published(publisher, papers)
    assert sum(portal.calls.values()) == 1


async def test_silent_portal_is_given_up_after_the_patience(tmp_path: Path) -> None:
    """Nobody waits for ever, and what went wrong is said."""
    portal = Portal()
    portal.trouble = lambda _request: "cut"
    async with opened(portal, patience_s=0.05) as publisher:
        with pytest.raises(Unreachable, match="does not answer"):
            await published(publisher, [paper(tmp_path, "a.txt", b"a")])


async def test_server_that_fails_at_one_file_is_not_asked_for_ever(tmp_path: Path) -> None:
    """After a few tries that file is refused, and the others are published."""
    portal = Portal()
    portal.trouble = lambda request: "500" if request.path.endswith("bad.txt") else ""
    papers = [paper(tmp_path, "bad.txt", b"a"), paper(tmp_path, "good.txt", b"b")]
    async with opened(portal) as publisher:
        states = await published(publisher, papers)
    assert states == {"bad.txt": "internal", "good.txt": "new"}
    assert portal.calls["PUT"] == 7


async def test_progress_ends_at_the_size_of_each_file(tmp_path: Path) -> None:
    """The bar of a command line ends where it should, for small files and large."""
    portal = Portal()
    sent: dict[str, int] = {}
    papers = [paper(tmp_path, "a.txt", b"abc"), paper(tmp_path, "b.bin", bytes(BIG))]
    async with opened(portal) as publisher:
        publisher._progress = lambda one, count: sent.__setitem__(one.name, count)
        await published(publisher, papers)
    assert sent == {"a.txt": 3, "b.bin": BIG}
