"""Publishing at a server that is a process of its own: cut, repeated, side by side, killed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests import services
from tests.delivering import Shelves
from tests.fetching import Machine, wait_for_sftp
from tests.serving import PROGRAM, Server, serving
from vestibule.app import open_context
from vestibule.base.database import Tx
from vestibule.base.settings import Settings
from vestibule.client.publishing import Publisher
from vestibule.client.publishing_calls import Paper
from vestibule.client.terminal import Token
from vestibule.client.token_file import keep_token
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof
from vestibule.web.visitor import Visitor

pytestmark = pytest.mark.processes
KINDS = ("sqlite", "postgresql")


@dataclass
class Press:
    """A running server, and a publisher's token."""

    server: Server
    url: str
    token: str

    @property
    def address(self) -> str:
        """host:port of the portal."""
        return self.server.portal.removeprefix("http://")

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """One call on a connection of its own: status, JSON, headers."""
        sent = {"Authorization": f"Bearer {self.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(HTTPConnection(self.address, timeout=30)) as connection:
            connection.request(method, path, body, sent)
            answer: HTTPResponse = connection.getresponse()
            raw = answer.read()
        told = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, msgspec.json.decode(raw) if raw else {}, told

    def put(self, name: str, data: bytes) -> tuple[int, dict[str, Any], dict[str, str]]:
        """PUT of a whole file."""
        path = f"/publish/statements/mira/daily/{name}"
        return self.ask("PUT", path, data, Content_Digest=content_digest(data))

    def open(self, name: str, data: bytes) -> dict[str, Any]:
        """POST of an upload."""
        body = {
            "account": "mira",
            "kind": "trade",
            "name": name,
            "size": len(data),
            "digest": sha256(data).hexdigest(),
        }
        encoded = msgspec.json.encode(body)
        return self.ask("POST", "/publish/uploads", encoded, Content_Type="application/json")[1]

    def cut(self, request: bytes) -> None:
        """Send these bytes of a request, and end the connection at once."""
        host, _, port = self.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as wire:
            # A reset, as from a machine that lost its network, every other time.
            if len(request) % 2:
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            wire.sendall(request)

    def listed(self) -> list[str]:
        """What mira may fetch, as the operator sees it."""
        said = self.server.command("statements", "list", "mira")
        return [] if "There is nothing" in said else said.splitlines()

    def stored(self) -> list[bytes]:
        """The files of statements in the store, by their content."""
        folder = self.server.data / "statements" / "statements"
        return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def content_digest(data: bytes) -> str:
    """A Content-Digest header (RFC 9530)."""
    return f"sha-256=:{b64encode(sha256(data).digest()).decode()}:"


def head(method: str, path: str, size: int, **headers: str) -> bytes:
    """The head of a request, as bytes."""
    lines = [f"{method} {path} HTTP/1.1", f"Content-Length: {size}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@contextmanager
def press(
    request: pytest.FixtureRequest, kind: str, **settings: str | int | bool
) -> Iterator[Press]:
    """A server on this kind of database, with an account and a publisher."""
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp(f"press-{kind}")
    url, databases = f"sqlite:///{folder / 'vestibule.db'}", None
    if kind == "postgresql":
        databases = request.getfixturevalue("databases")
        assert isinstance(databases, services.Databases)
        url = databases.fresh()
    try:
        with serving(folder, database_url=url, **settings) as server:
            server.add_account("mira")
            token = server.command("statements", "publisher", "add", "nightly").strip()
            yield Press(server, url, token)
    finally:
        if databases is not None:
            databases.drop(url)


@pytest.fixture(scope="module", params=KINDS)
def desk(request: pytest.FixtureRequest) -> Iterator[Press]:
    """One server for all tests of this module, on each kind of database."""
    with press(request, request.param) as opened:
        yield opened


def test_put_that_is_cut_anywhere_leaves_nothing(desk: Press) -> None:
    """At each point of the head and of the body: absent, and sent again it is there."""
    data = os.urandom(300_000)
    path = "/publish/statements/mira/daily/2026-01-01-cut.bin"
    request = head(
        "PUT",
        path,
        len(data),
        Host=desk.address,
        Authorization=f"Bearer {desk.token}",
        Content_Digest=content_digest(data),
    )
    points = [*range(0, len(request), 29), len(request)]
    points += [len(request) + n for n in (1, 2, 65_535, 65_536, 65_537, 150_001, 299_999)]
    for point in points:
        desk.cut((request + data)[:point])
    assert not any("cut.bin" in line for line in desk.listed())
    assert data not in desk.stored()
    assert desk.put("2026-01-01-cut.bin", data)[0] == 201
    assert desk.stored().count(data) == 1


def test_upload_that_is_cut_anywhere_goes_on_and_arrives_once(desk: Press) -> None:
    """After each cut the server says what it has; the rest completes it, byte for byte."""
    data = os.urandom(9_000_000)
    upload = desk.open("2026-01-02-cut.bin", data)["upload"]
    path, chance = f"/publish/uploads/{upload}", random.Random(4)
    offset, cuts = 0, 0
    while offset < len(data) - 1:
        assert desk.open("2026-01-02-cut.bin", data)["upload"] == upload
        end = min(len(data) - 1, offset + chance.choice([1, 1000, 65_536, 700_001, 4_300_000]))
        request = head(
            "PATCH",
            path,
            len(data) - offset,
            Host=desk.address,
            Authorization=f"Bearer {desk.token}",
            Content_Type="application/partial-upload",
            Upload_Offset=str(offset),
        )
        desk.cut(request + data[offset:end])
        cuts += 1
        # The cut one may still be writing what it has.
        time.sleep(0.05)
        status, _, told = desk.ask("HEAD", path)
        assert status == 204
        now = int(told["upload-offset"])
        assert offset <= now <= end
        if now == offset:
            kept = data[offset : offset + 100_000]
            status, _, told = desk.ask(
                "PATCH",
                path,
                kept,
                Content_Type="application/partial-upload",
                Upload_Offset=str(offset),
            )
            # Whoever was cut may have been faster after all.
            now = int(told.get("upload-offset", len(data)))
            if status in {200, 201}:
                break
        offset = now
    assert cuts > 3
    if offset < len(data):
        status, said, _ = desk.ask(
            "PATCH",
            path,
            data[offset:],
            Content_Type="application/partial-upload",
            Upload_Offset=str(offset),
        )
        assert (status, said["state"]) == (201, "new")
    assert desk.stored().count(data) == 1
    assert desk.open("2026-01-02-cut.bin", data)["state"] == "same"


def test_the_same_file_from_many_at_once_is_published_once(desk: Press) -> None:
    """One is told that it is new, all others that it is there; nobody sees an error."""
    data = os.urandom(100_000)

    async def all_at_once() -> list[tuple[int, Any]]:
        def one() -> tuple[int, Any]:
            status, said, _ = desk.put("2026-01-03-many.bin", data)
            return status, said.get("state", said.get("code"))

        return await asyncio.gather(*(asyncio.to_thread(one) for _ in range(8)))

    answers = asyncio.run(all_at_once())
    assert sorted(answers) == [(200, "same")] * 7 + [(201, "new")]
    assert desk.stored().count(data) == 1


def test_two_who_write_one_upload_lose_no_byte(desk: Press) -> None:
    """At one offset one of them is taken; what is published has the digest."""
    data = os.urandom(2_000_000)
    upload = desk.open("2026-01-04-two.bin", data)["upload"]
    path = f"/publish/uploads/{upload}"

    async def both(offset: int, end: int) -> list[int]:
        def one() -> int:
            return desk.ask(
                "PATCH",
                path,
                data[offset:end],
                Content_Type="application/partial-upload",
                Upload_Offset=str(offset),
            )[0]

        return await asyncio.gather(*(asyncio.to_thread(one) for _ in range(2)))

    first = asyncio.run(both(0, 1_000_000))
    assert 204 in first
    assert set(first) <= {204, 409}
    last = asyncio.run(both(1_000_000, len(data)))
    assert 201 in last
    assert set(last) <= {200, 201, 404, 409}
    assert desk.stored().count(data) == 1


def test_body_that_nobody_wants_is_not_read(desk: Press) -> None:
    """A wrong token or a size beyond the limit ends the connection at once."""
    for token, status in (("vsp_" + "x" * 43, 401), (desk.token, 413)):
        request = head(
            "PUT",
            "/publish/statements/mira/daily/2026-01-05.bin",
            10**12,
            Host=desk.address,
            Authorization=f"Bearer {token}",
            Content_Digest=content_digest(b""),
            Expect="100-continue",
        )
        host, _, port = desk.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as wire:
            wire.sendall(request)
            said = b""
            while chunk := wire.recv(65_536):
                said += chunk
        assert said.startswith(f"HTTP/1.1 {status} ".encode())
        assert b"100 Continue" not in said


def test_client_publishes_through_a_server_that_is_killed_again_and_again(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Whatever was told as published is there once and whole; the client needs no help."""
    with press(request, "sqlite") as opened:
        papers, contents = [], {}
        for number in range(30):
            size = 20_000_000 if number % 10 == 9 else 50_000
            contents[f"2026-02-{number % 28 + 1:02}-{number}.bin"] = os.urandom(size)
        for name, data in contents.items():
            (tmp_path / name).write_bytes(data)
            papers.append(
                Paper(
                    path=tmp_path / name,
                    account="mira",
                    kind="daily",
                    name=name,
                    period="",
                    media="application/octet-stream",
                    size=len(data),
                )
            )

        async def publish() -> list[str]:
            async def soon(_seconds: float) -> None:
                await asyncio.sleep(0.1)

            async with Publisher(
                opened.server.portal, opened.token, parallel=4, sleep=soon
            ) as publisher:
                return [one.state async for one in publisher.publish(papers)]

        async def kill(publishing: asyncio.Task[list[str]]) -> int:
            kills = 0
            while not publishing.done() and kills < 4:
                await asyncio.sleep(0.6)
                process = opened.server.process
                assert process is not None
                os.killpg(process.pid, signal.SIGKILL)
                await asyncio.to_thread(process.wait)
                await asyncio.to_thread(opened.server.start)
                kills += 1
            return kills

        async def both() -> tuple[list[str], int]:
            publishing = asyncio.create_task(publish())
            kills = await kill(publishing)
            return await publishing, kills

        states, kills = asyncio.run(both())
        assert kills >= 2
        assert len(states) == len(papers)
        assert set(states) <= {"new", "same"}
        # A kill between a file and its row leaves a file that nobody lists: never the reverse.
        assert set(contents.values()) <= set(opened.stored())
        listed = opened.listed()
        assert len(listed) == len(papers)
        assert all(any(f"/{name} " in line for line in listed) for name in contents)


def test_command_goes_on_where_an_interrupt_stopped_it(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Ctrl-C says what to do; the same command sends what is missing, and nothing twice."""
    with press(request, "sqlite") as opened:
        token, out = tmp_path / "token", tmp_path / "out" / "mira" / "trade"
        token.write_text(opened.token)
        token.chmod(0o600)
        out.mkdir(parents=True)
        for number in range(1, 13):
            (out / f"2026-03-{number:02}.bin").write_bytes(os.urandom(12_000_000))
        words = [*PROGRAM, "statements", "publish", str(tmp_path / "out")]
        words += ["--portal", opened.server.portal, "--token-file", str(token), "--parallel", "2"]
        running = subprocess.Popen(
            words, env=opened.server.environment, stderr=subprocess.PIPE, text=True
        )
        limit = time.monotonic() + 60
        while not opened.stored() and time.monotonic() < limit:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
        assert running.returncode == 130, said
        assert "The same command goes on" in said
        before = len(opened.listed())
        assert 0 < before < 12
        again = subprocess.run(
            words, env=opened.server.environment, capture_output=True, text=True, check=False
        )
        assert again.returncode == 0, again.stderr
        assert f"{12 - before} new, {before} there already, 0 refused" in again.stdout
        opened.server.command("statements", "publisher", "revoke", "nightly")
        refused = subprocess.run(
            words, env=opened.server.environment, capture_output=True, text=True, check=False
        )
        assert refused.returncode == 1
        assert "This publisher is not known" in refused.stderr


def test_setup_leads_real_programs_to_the_real_server(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """`statements setup` writes what OpenSSH and lftp fetch with, and says how."""
    with press(request, "sqlite", sftp_alone=False) as opened:
        server = opened.server
        wait_for_sftp(server.sftp)
        assert opened.put("2026-04-01.csv", b"a,b\r\n")[0] == 201
        machine = Machine(tmp_path / "client", server.sftp)
        public = machine.make_key()
        token = asyncio.run(_signed_in(opened, public))
        config = tmp_path / "client" / "config" / "vestibule"
        keep_token(config / "token.json", token)
        environment = {**server.environment, "XDG_CONFIG_HOME": str(config.parent)}
        done = subprocess.run(
            [*PROGRAM, "statements", "setup", "--key", str(machine.key)],
            env=environment | {"HOME": str(machine.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "is registered: SHA256:" in done.stdout
        commands = [line.strip() for line in done.stdout.splitlines() if "statements" in line]
        mirror = next(line for line in commands if line.startswith("sftp") and " -b " in line)
        assert machine.run("sh", "-c", mirror).code == 0
        assert (machine.folder / "daily" / "2026-04-01.csv").read_bytes() == b"a,b\r\n"
        mirror = next(line for line in commands if line.startswith("lftp"))
        fetched = machine.run("sh", "-c", mirror)
        assert fetched.code == 0, fetched
        fetched_file = machine.folder / "statements" / "daily" / "2026-04-01.csv"
        assert fetched_file.read_bytes() == b"a,b\r\n"


async def _signed_in(opened: Press, public: bytes) -> Token:
    """Mira's home, open to this key, and a terminal of hers, which her phone let in before."""
    async with Shelves.opened(opened.url, opened.server.data) as shelves:
        account_id = await shelves.account_id("mira")
        await shelves.let_in(account_id, public)
    here = Visitor(address="127.0.0.1", source="127.0.0.1", browser="", place="")
    settings = Settings(data=opened.server.data, database_url=opened.url)
    async with open_context(settings) as ctx:

        async def body(tx: Tx) -> sessions.NewSession:
            return await sessions.open_terminal_session(
                tx,
                ctx,
                account_id=account_id,
                attempt_id=None,
                proof=Proof.PUSH,
                enrollment_id=None,
                name="laptop",
                visitor=here,
                now=ctx.clock.now(),
            )

        token = (await ctx.db.write(body)).cookie
    return Token(
        portal=opened.server.portal, access_token=token, expires_at=0, acr="", proof="push"
    )
