"""`vestibule phone` at a real server: a sign-in approved, and one answered offline."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import Self

import aiohttp
import pytest
import segno
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from tests.cli.conftest import Run
from tests.patience import PATIENCE_S
from tests.serving import PASSWORD, Server, serving
from vestibule.cli import phone as commands, qr_image, terminal
from vestibule.cli.qr_image import read_qr
from vestibule.client.portal import Page, Portal

pytestmark = pytest.mark.processes
PIN = "2580\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an account for each test."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        for username in ("mira", "tomas", "petra"):
            running.add_account(username)
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Connections for browsers."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


async def _sign_in(
    http: aiohttp.ClientSession, server: Server, username: str
) -> tuple[Portal, Page]:
    browser = Portal(http, server.portal)
    return browser, await browser.begin(username, PASSWORD)


async def test_phone_in_a_terminal_links_approves_and_responds(
    run: Run, http: aiohttp.ClientSession, server: Server, tmp_path: Path
) -> None:
    """Everything that a phone does, one command after the other."""
    _, page = await _sign_in(http, server, "mira")
    picture = tmp_path / "code.png"
    segno.make(page.activation_link).save(str(picture), scale=6)
    words = ("activate", "--image", str(picture), "--label", "Terminal", "--yes", "--pin-stdin")
    linked = run("phone", *words, stdin=PIN)
    assert linked.returncode == 0, linked.stderr
    assert "m\u2026a" in linked.stdout
    assert "Linked mira as Terminal." in linked.stdout
    kept = tmp_path / ".local" / "state" / "vestibule" / "phone.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert run("phone", "list").stdout == "Nothing waits.\n"

    browser, page = await _sign_in(http, server, "mira")
    listed = run("phone", "list").stdout
    assert "asks for the number" in listed
    wanted = listed.split()[0]
    wrong = run(
        "phone", "approve", wanted, "--number", page.challenge, "--pin-stdin", stdin="2581\n"
    )
    assert wrong.returncode == terminal.REFUSED
    assert "PIN" in wrong.stderr
    approved = run("phone", "approve", wanted, "--number", page.challenge, "--pin-stdin", stdin=PIN)
    assert approved.stdout == "Approved.\n", approved.stderr
    page = await browser.get("/login/next")
    assert browser.signed_in
    await browser.logout(page)

    page = await browser.begin("mira", PASSWORD)
    digits = run("phone", "respond", page.challenge, "--pin-stdin", stdin=PIN).stdout
    assert re.fullmatch(r"\d{4} \d{4}\n", digits)
    await browser.respond(page, digits)
    assert browser.signed_in

    assert "mira at Vestibule" in run("phone", "accounts").stdout
    assert run("phone", "remove", "mira", "--yes").returncode == 0
    assert "No account is linked" in run("phone", "accounts").stdout


async def test_sign_in_is_denied_from_a_terminal(
    run: Run, http: aiohttp.ClientSession, server: Server, tmp_path: Path
) -> None:
    """Two state files are two phones; refusing needs no PIN, and what is over is said."""
    _, page = await _sign_in(http, server, "tomas")
    state = ("phone", "--state", str(tmp_path / "other.json"))
    code = page.activation_code
    words = ("activate", code, "--server", server.phone, "--yes", "--pin-stdin")
    assert run(*state, *words, stdin=PIN).returncode == 0
    assert "No account is linked" in run("phone", "accounts").stdout
    nothing = run(*state, "deny")
    assert (nothing.returncode, nothing.stdout) == (terminal.REFUSED, "")
    assert "Nothing waits." in nothing.stderr
    browser, _ = await _sign_in(http, server, "tomas")
    assert run(*state, "deny").stdout == "Denied.\n"
    await browser.get("/login/next")
    assert not browser.signed_in


def test_request_is_named_as_it_is_shown_whatever_its_id_begins_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ids are drawn at random: a hyphen in front is never shown, so never taken for an option."""
    seen = Namespace(
        account="mira", organisation="Bank", browser="Firefox", place="", address="::1", known=True
    )
    ids = ("-TiLgK" + "A" * 16, "--y" + "B" * 19, "C" * 22)
    denied: list[str] = []

    class Waiting:
        """A phone for which three sign-ins wait."""

        def __init__(self, path: Path) -> None: ...

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *raised: object) -> None: ...

        async def requests(self) -> list[Namespace]:
            claims = (Namespace(jti=id_, exp=0, number=False, show=seen) for id_ in ids)
            return [Namespace(claims=one) for one in claims]

        async def deny(self, request: Namespace) -> str:
            denied.append(request.claims.jti)
            return "denied"

    monkeypatch.setattr(commands, "Phone", Waiting)
    listed = CliRunner().invoke(commands.app, ["list"]).stdout
    shown = [line.split()[0] for line in listed.splitlines()]
    assert shown == ["TiLgKA", "yBBBBB", "CCCCCC"]
    for name in shown:
        assert CliRunner().invoke(commands.app, ["deny", name]).exit_code == 0
    assert tuple(denied) == ids


def test_phone_refuses_with_a_next_step(here: Run, tmp_path: Path) -> None:
    """Wrong links, no accounts, no server: one line each."""
    for words, said in (
        (["activate", "https://example.com/", "--yes"], "no activation link"),
        (["activate"], "portal shows them"),
        (["activate", "0123-4567-89AB", "--yes"], "address"),
        (["activate", "0123-4567-89AB", "--server", "http://localhost:9"], "localhost:9"),
        (["respond", "123456", "--pin-stdin"], "no account"),
        (["respond", "12345", "--pin-stdin"], "six digits"),
        (["activate", "--image", str(tmp_path / "none.png")], "no picture"),
    ):
        done = here("phone", *words, stdin=PIN)
        assert done.returncode != 0, words
        assert said in done.stderr.replace("\n", " "), done.stderr
        assert "Traceback" not in done.stderr


def test_qr_code_is_read_from_a_screenshot(tmp_path: Path) -> None:
    """Found inside a larger picture in colour; two codes are too many, none is none."""
    code = tmp_path / "code.png"
    segno.make("https://phone.example/activate#1.x").save(str(code), scale=4)
    picture = Image.new("RGB", (900, 500), "white")
    ImageDraw.Draw(picture).rectangle((600, 100, 850, 300), fill="teal")
    empty, one, two = (tmp_path / f"{name}.png" for name in ("empty", "one", "two"))
    picture.save(empty)
    with Image.open(code) as image:
        picture.paste(image.convert("RGB"), (40, 60))
        picture.save(one)
        picture.paste(image.convert("RGB"), (300, 60))
    picture.save(two)
    assert read_qr(one) == "https://phone.example/activate#1.x"
    for wrong in (empty, two):
        with pytest.raises(terminal.StoppedError, match="codes, not one"):
            read_qr(wrong)


def test_picture_without_the_optional_part_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is left with an import error."""
    monkeypatch.setattr(qr_image, "INSTALLED", False)
    with pytest.raises(terminal.StoppedError) as caught:
        read_qr(tmp_path / "code.png")
    assert caught.value.code == terminal.MISSING
    assert "vestibule[qr]" in caught.value.advice


async def test_phone_in_a_terminal_changes_its_pin(
    run: Run, http: aiohttp.ClientSession, server: Server
) -> None:
    """The old PIN is checked by the portal; a wrong one changes nothing."""
    _, page = await _sign_in(http, server, "petra")
    linked = run("phone", "activate", page.activation_link, "--yes", "--pin-stdin", stdin=PIN)
    assert linked.returncode == 0, linked.stderr
    wrong = run("phone", "pin", "--pin-stdin", stdin="8642\n7391\n")
    assert wrong.returncode == terminal.REFUSED
    done = run("phone", "pin", "--pin-stdin", stdin="2580\n7391\n")
    assert done.returncode == 0, done.stderr
    assert "The PIN is changed" in done.stdout


async def test_phone_in_a_terminal_watches(
    run: Run, http: aiohttp.ClientSession, server: Server, tmp_path: Path
) -> None:
    """What waits already is shown first, then what comes, and how it ends."""
    server.add_account("ida")
    _, page = await _sign_in(http, server, "ida")
    linked = run("phone", "activate", page.activation_link, "--yes", "--pin-stdin", stdin=PIN)
    assert linked.returncode == 0, linked.stderr
    await _sign_in(http, server, "ida")
    watching = await asyncio.create_subprocess_exec(
        *(sys.executable, "-um", "vestibule.cli", "phone", "watch"),
        env=os.environ | {"HOME": str(tmp_path), "COLUMNS": "100"},
        stdout=asyncio.subprocess.PIPE,
        # A test run in a shell's background inherits that interrupts are ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert watching.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            seen = [await watching.stdout.readline() for _ in range(2)]
            assert b"asks for the number" in seen[1]
            assert run("phone", "deny").stdout == "Denied.\n"
            told = await watching.stdout.readline()
            assert told.decode().split()[1:] == [seen[1].decode().split()[0], "denied"]
    finally:
        watching.send_signal(signal.SIGINT)
        await watching.wait()
    assert watching.returncode == terminal.INTERRUPTED


async def test_phone_in_a_terminal_hears_that_a_password_alone_is_no_way(
    run: Run, server: Server
) -> None:
    """Without a number, a printed code or another phone the portal is the way."""
    words = ("add", "petra", "--server", server.phone, "--secrets-stdin")
    refused = run("phone", "--state", "other.json", *words, stdin="not the password\n")
    assert refused.returncode == terminal.REFUSED
    server.add_account("nora")
    words = ("add", "nora", "--server", server.phone, "--secrets-stdin")
    stopped = run("phone", "--state", "other.json", *words, stdin=f"{PASSWORD}\n")
    assert stopped.returncode == terminal.REFUSED
    assert "Nothing beside the password" in stopped.stderr
