"""Publishing at a server that is a process of its own: cut, repeated, side by side, killed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.press import Press, content_digest, head, press
from tests.serving import PROGRAM
from vestibule.client.publishing import Publisher
from vestibule.client.publishing_calls import Paper

pytestmark = pytest.mark.processes
KINDS = ("sqlite", "postgresql")


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
    chance, offset, cuts, sent = random.Random(4), 0, 0, 0
    while offset < len(data) - 100_000:
        assert desk.open("2026-01-02-cut.bin", data)["upload"] == upload
        size = chance.choice([1, 1000, 65_536, 700_001, 4_300_000])
        end = min(len(data) - 100_000, offset + size)
        desk.cut(desk.patch_head(upload, offset, len(data) - offset) + data[offset:end])
        cuts, sent = cuts + 1, max(sent, end)
        # This cut one, and those before, may still be writing what they have.
        time.sleep(0.05)
        now = desk.offset(upload)
        assert offset <= now <= sent
        if now == offset:
            desk.patch(upload, offset, data[offset : offset + 100_000])
            sent = max(sent, offset + 100_000)
            now = desk.offset(upload)
        offset = now
    assert cuts > 3
    status, said, _ = desk.patch(upload, offset, data[offset:])
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

    async def both(offset: int, end: int) -> list[int]:
        def one() -> int:
            return desk.patch(upload, offset, data[offset:end])[0]

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


def paper(folder: Path, name: str, data: bytes) -> Paper:
    """A file that is to be published."""
    (folder / name).write_bytes(data)
    return Paper(
        path=folder / name,
        account="mira",
        kind="daily",
        name=name,
        period="",
        media="application/octet-stream",
        size=len(data),
    )


def test_client_publishes_through_a_server_that_is_killed_again_and_again(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Whatever was told as published is there once and whole; the client needs no help."""
    contents = {
        f"2026-02-{n % 28 + 1:02}-{n}.bin": os.urandom(20_000_000 if n % 10 == 9 else 50_000)
        for n in range(30)
    }
    papers = [paper(tmp_path, name, data) for name, data in contents.items()]
    with press(request, "sqlite") as opened:
        states: list[str] = []

        async def soon(_seconds: float) -> None:
            await asyncio.sleep(0.1)

        async def publish() -> None:
            async with Publisher(
                opened.server.portal, opened.token, parallel=4, sleep=soon
            ) as publisher:
                async for one in publisher.publish(papers):
                    states.append(one.state)
                    # While three others are under way.
                    if len(states) in (2, 9, 16, 23):
                        opened.server.kill()
                        await asyncio.to_thread(opened.server.start)

        asyncio.run(publish())
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
        words += ["--portal", opened.server.portal, "--token-file", str(token), "--parallel", "1"]
        running = subprocess.Popen(
            words,
            env=opened.server.environment,
            stderr=subprocess.PIPE,
            text=True,
            # A test run in a shell's background inherits that interrupts are ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        limit = time.monotonic() + 60
        while not opened.holds_any() and time.monotonic() < limit:
            time.sleep(0.005)
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
