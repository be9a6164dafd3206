"""`vestibule login` as a process of its own, a real server, and the reference phone."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from tests.serving import PASSWORD, Server, serving
from vestibule.client.phone import Phone
from vestibule.client.portal import Portal

pytestmark = pytest.mark.processes
PIN = "2580"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an account for each test."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        for username in ("mira", "tomas", "ines", "scan"):
            running.add_account(username)
        yield running


@asynccontextmanager
async def at_home(
    server: Server, username: str, folder: Path
) -> AsyncIterator[tuple[Portal, Phone]]:
    """Somebody who is signed in in a browser, and has linked a phone."""
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        Phone(folder / "phone.json") as phone,
    ):
        browser = Portal(http, server.portal)
        page = await browser.begin(username, PASSWORD)
        offer = await phone.fetch_offer(page.activation_link)
        await phone.activate(offer, pin=PIN, label="Pocket")
        yield browser, phone


class Typed:
    """A terminal: a real process, its output as it comes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.seen = ""

    async def until(self, pattern: str) -> re.Match[str]:
        """Read until the output says this."""
        assert self.process.stdout is not None
        while not (found := re.search(pattern, self.seen)):
            more = await asyncio.wait_for(self.process.stdout.read(4096), 30)
            assert more, self.seen
            self.seen += more.decode()
        return found

    async def type(self, line: str) -> None:
        """Type a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()

    async def ended(self) -> int:
        """Its exit code."""
        return await asyncio.wait_for(self.process.wait(), 30)


async def run(folder: Path, *words: str) -> Typed:
    """Start `vestibule <words>` with a home of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VESTIBULE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "vestibule.cli", *words,
        env=clean | {"HOME": str(folder), "PYTHONUNBUFFERED": "1"},
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    return Typed(process)


async def test_terminal_signs_in_by_code_and_out_again(server: Server, tmp_path: Path) -> None:
    """Code in the terminal, typed on the portal, approved on the phone; then whoami and logout."""
    async with at_home(server, "mira", tmp_path) as (browser, phone):
        shell = await run(tmp_path, "login", "--portal", server.portal, "--name", "laptop")
        code = (await shell.until(r"type the code ([A-Z]{4}-[A-Z]{4})"))[1]
        page = await browser.submit(await browser.get("/device"), "/device", user_code=code)
        assert "laptop" in page.text
        about = page.path.partition("grant=")[2]
        page = await browser.submit(page, "/device/confirm", grant=about)
        waiting = await phone.requests()
        assert [one.claims.kind for one in waiting] == ["terminal"]
        assert waiting[0].claims.show.detail == "laptop"
        assert await phone.approve(waiting[0], pin=PIN, number=page.challenge) == "approved"
        await shell.until(r"Signed in as mira \(number\)")
        assert await shell.ended() == 0
        kept = tmp_path / ".config" / "vestibule" / "token.json"
        assert kept.stat().st_mode & 0o777 == 0o600
        token = json.loads(kept.read_text())["access_token"]
        who = await run(tmp_path, "whoami")
        await who.until(r"mira at .* high by number")
        assert "laptop" in (await browser.get("/settings/sessions")).text
        out = await run(tmp_path, "logout")
        await out.until("Signed out")
        assert not kept.exists()
        assert (await _me(server, token)) == 401
        assert await (await run(tmp_path, "whoami")).ended() == 1


async def test_terminal_signs_in_by_response(server: Server, tmp_path: Path) -> None:
    """Username, password, challenge; a wrong response, then the right one, typed there."""
    async with at_home(server, "tomas", tmp_path) as (_, phone):
        words = ("--username", "tomas", "--password-stdin", "--portal", server.portal)
        shell = await run(tmp_path, "login", *words)
        await shell.type(PASSWORD)
        shown = await shell.until(r"Challenge: (\d{3}) (\d{3})")
        await shell.until("Enter response code")
        await shell.type("1234 5678")
        await shell.until(r"was not accepted|not right|wrong|2 ")
        await shell.type(phone.respond(shown[1] + shown[2], pin=PIN).response)
        await shell.until(r"Signed in as tomas \(response\)")
        assert await shell.ended() == 0


async def test_terminal_with_a_password_is_approved_on_the_phone(
    server: Server, tmp_path: Path
) -> None:
    """The same sign-in answered on the phone, while the terminal waits for a response."""
    async with at_home(server, "ines", tmp_path) as (_, phone):
        words = ("--username", "ines", "--password-stdin", "--portal", server.portal)
        shell = await run(tmp_path, "login", *words)
        await shell.type(PASSWORD)
        shown = await shell.until(r"Challenge: (\d{3}) (\d{3})")
        (waiting,) = await phone.requests()
        number = shown[1] + shown[2] if waiting.claims.number else ""
        assert await phone.approve(waiting, pin=PIN, number=number) == "approved"
        await shell.until(r"Signed in as ines \((number|push)\)")
        assert await shell.ended() == 0


async def _me(server: Server, token: str) -> int:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{server.portal}/api/me", headers={"Authorization": f"Bearer {token}"}) as answer,
    ):
        return answer.status


async def test_scanned_code_signs_a_browser_in(server: Server, tmp_path: Path) -> None:
    """The rotating code as its page shows it, claimed by the reference phone, and approved."""
    async with (
        at_home(server, "scan", tmp_path) as (_, phone),
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        browser = Portal(http, server.portal)
        page = await browser.submit(await browser.get("/login"), "/login/qr")
        assert page.path == "/login/qr"
        request = await phone.claim(_scan(page.text))
        page = await browser.get("/login/next")
        assert "Pocket" in page.title
        assert await phone.approve(request, pin=PIN) == "approved"
        await browser.get("/login/next")
        assert browser.signed_in


def _scan(page: str) -> str:
    """What a camera reads off the page's picture."""
    drawing = re.search(
        r'<svg viewBox="0 0 (\d+) \d+" class="qr-code"><path [^>]*d="([^"]*)"', page
    )
    assert drawing
    size, scale = int(drawing[1]), 4
    picture = Image.new("L", (size * scale, size * scale), 255)
    draw = ImageDraw.Draw(picture)
    for line in re.findall(r"M([\d.]+) ([\d.]+)((?:[hm]\d+(?: 0)?)+)", drawing[2]):
        x, y = int(float(line[0])), int(float(line[1]) - 0.5)
        for kind, count in re.findall(r"([hm])(\d+)", line[2]):
            if kind == "h":
                box = (x * scale, y * scale, (x + int(count)) * scale - 1, (y + 1) * scale - 1)
                draw.rectangle(box, fill=0)
            x += int(count)
    (found,) = zxingcpp.read_barcodes(picture)
    return str(found.text)
