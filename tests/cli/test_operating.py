"""An operator's verbs on a data folder: init, accounts, serving the demo."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cli.conftest import Run
from tests.serving import PASSWORD, reserved_port
from vestibule.cli import terminal

pytestmark = pytest.mark.processes


def test_init_makes_private_keys_and_a_database_once(run: Run, tmp_path: Path) -> None:
    """Run twice, it changes nothing: keys are never replaced."""
    data = tmp_path / "house"
    words = ("init", "--data", str(data), "--account", "mira", "--password-stdin")
    first = run(*words, stdin=f"{PASSWORD}\n")
    assert first.returncode == 0, first.stderr
    assert "Account   mira" in first.stdout
    keys = {path.name: path.read_bytes() for path in (data / "keys").iterdir()}
    assert keys.keys() >= {"master.key", "signing.pem", "encryption.pem", "vapid.pem"}
    assert (data / "keys").stat().st_mode & 0o77 == 0
    assert all(path.stat().st_mode & 0o77 == 0 for path in (data / "keys").iterdir())
    again = run("init", "--data", str(data))
    assert again.returncode == 0, again.stderr
    assert {path.name: path.read_bytes() for path in (data / "keys").iterdir()} == keys


def test_accounts_are_added_shown_and_changed(here: Run) -> None:
    """What an operator does with an account, one verb after the other."""
    assert here("init").returncode == 0
    added = here(
        "account",
        "add",
        "mira",
        "--name",
        "Mira B",
        "--password-stdin",
        stdin=f"{PASSWORD}\n",
    )
    assert added.stdout == "Added mira.\n"
    assert "mira  Mira B" in here("account", "list").stdout
    changed = here("account", "password", "mira", "--generate")
    assert re.search(r"Password of mira: [0-9a-z]{4}(-[0-9a-z]{4}){2} ", changed.stdout)
    assert here("account", "disable", "mira", "--yes").stdout == "mira is disabled.\n"
    assert "Disabled since" in here("account", "show", "mira").stdout
    assert here("account", "enable", "mira").returncode == 0
    assert here("account", "unlock", "mira").returncode == 0
    assert here("account", "end-sessions", "mira", "--yes").stdout == "Ended 0 sessions.\n"


@pytest.mark.parametrize(
    "words,said",
    [
        (["add", "mira", "--password-stdin"], "taken"),
        (["add", "x", "--password-stdin"], "name"),
        (["show", "nobody"], "There is no account nobody."),
        (["remove-phone", "mira", "none", "--yes"], "Linked: none"),
    ],
)
def test_refused_verb_says_why_in_one_line(here: Run, words: list[str], said: str) -> None:
    """Exit code one, the reason on standard error, no trace."""
    here("init", "--account", "mira", "--password-stdin", stdin=f"{PASSWORD}\n")
    done = here("account", *words, stdin=f"{PASSWORD}\n")
    assert done.returncode == terminal.REFUSED
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["add", "tomas"], ["disable", "mira"]])
def test_question_without_a_terminal_is_refused(here: Run, words: list[str]) -> None:
    """A script that forgot a flag is told which, and does not hang."""
    done = here("account", *words)
    assert done.returncode == terminal.USAGE
    assert "--password-stdin" in done.stderr or "--yes" in done.stderr


def test_missing_keys_are_named_with_the_verb_that_makes_them(here: Run) -> None:
    """A first command in an empty folder leads to `init`."""
    done = here("account", "list")
    assert done.returncode == terminal.MISSING
    assert "vestibule init" in done.stderr


def _serve_until_told(tmp_path: Path, portal: int, phone: int) -> str:
    """Start the demo, wait until it announced itself and answers, stop it; what it said."""
    environment = {n: v for n, v in os.environ.items() if not n.startswith("VESTIBULE_")}
    log = tmp_path / "said.txt"
    with log.open("w") as out:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "vestibule.cli", "serve", "--demo"),
                *("--data", str(tmp_path / "var")),
                *("--portal-url", f"http://localhost:{portal}"),
                *("--phone-url", f"http://localhost:{phone}"),
            ],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=tmp_path,
        )
        try:
            limit = time.monotonic() + 60
            while "Ctrl-C" not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < limit
                time.sleep(0.05)
            with urlopen(f"http://localhost:{portal}/readyz", timeout=30) as answer:
                assert answer.status == 200
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)
    return log.read_text()


def test_demo_tells_everything_and_the_same_the_second_time(tmp_path: Path) -> None:
    """Addresses, accounts with passwords, three steps; kept privately, shown again."""
    with reserved_port() as portal, reserved_port() as phone:
        first = _serve_until_told(tmp_path, portal, phone)
        second = _serve_until_told(tmp_path, portal, phone)
    kept = tmp_path / "var" / "demo.txt"
    assert kept.stat().st_mode & 0o777 == 0o600
    for text in (first, second):
        assert f"http://localhost:{portal}" in text
        assert f"http://localhost:{phone}" in text
        assert "\x1b" not in text
        for line in kept.read_text().splitlines():
            username, password = line.split()
            assert re.search(rf"{username}\s+password {password}", text)
        assert all(re.search(rf"^.\s+{step}\s", text, re.MULTILINE) for step in (1, 2, 3))


def test_busy_port_is_explained(run: Run, tmp_path: Path) -> None:
    """Another server runs: which port, and what to do."""
    with reserved_port() as portal, reserved_port() as phone:
        words = (
            "--portal-url",
            f"http://localhost:{portal}",
            "--phone-url",
            f"http://localhost:{phone}",
        )
        environment = {n: v for n, v in os.environ.items() if not n.startswith("VESTIBULE_")}
        with subprocess.Popen(
            [sys.executable, "-m", "vestibule.cli", "serve", "--data", str(tmp_path / "a"), *words],
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                assert str(portal) in process.stdout.readline()
                done = run("serve", "--data", str(tmp_path / "b"), *words)
            finally:
                process.terminate()
    assert done.returncode == terminal.MISSING
    assert str(portal) in done.stderr
    assert "Traceback" not in done.stderr
