"""The operator's scanner: it decides before anything is listed."""

import shlex
import sys
from pathlib import Path

import pytest

from tests.login.scene import Scene
from tests.support.clients import (
    Client,
    stored,
)
from vestibule.base.errors import Refused, Unavailable
from vestibule.support.service.looking import (
    list_waiting,
)

# --- the scanner ------------------------------------------------------------------------------

SCANNER = """
import sys
data = sys.stdin.buffer.read()
sys.exit(1 if b"EICAR" in data else 7 if b"ODD" in data else 0)
"""


@pytest.fixture
def scanner(scene: Scene, tmp_path: Path) -> str:
    """A scanner that knows one virus."""
    program = tmp_path / "scan it.py"
    program.write_text(SCANNER)
    command = shlex.join([sys.executable, str(program)])
    object.__setattr__(scene.ctx.settings, "attachment_scanner", command)
    return command


async def test_scanner_decides_before_anything_is_listed(alice: Client, scanner: str) -> None:
    """What it refuses leaves nothing; what it passes is kept."""
    await alice.attach("a.txt", b"hello" * 50_000)
    with pytest.raises(Refused, match="attachment_infected"):
        await alice.attach("b.txt", b"x" * 300_000 + b"EICAR")
    assert len(stored(alice.scene)) == 1
    assert [one.name for one in await list_waiting(alice.ctx, alice.place)] == ["a.txt"]


@pytest.mark.parametrize("command", ["", "/nonexistent/scanner -", "sh -c 'exit 3'"])
async def test_scanner_that_fails_keeps_nothing(alice: Client, scanner: str, command: str) -> None:
    """It does not start, or ends oddly: nobody has said that the file is well."""
    if command:
        object.__setattr__(alice.ctx.settings, "attachment_scanner", command)
    with pytest.raises(Unavailable, match="attachment_unchecked"):
        await alice.attach("b.txt", b"ODD" * 100_000)
    assert stored(alice.scene) == []


async def test_scanner_gets_none_of_our_settings(
    alice: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a shell read the command: what looks like one is an argument."""
    monkeypatch.setenv("VESTIBULE_DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    seen = tmp_path / "seen"
    program = tmp_path / "spy.py"
    program.write_text(
        "import os, sys, pathlib\n"
        "sys.stdin.buffer.read()\n"
        "pathlib.Path(sys.argv[1]).write_text(repr(sys.argv[2:]) + repr(dict(os.environ)))\n"
    )
    command = f"{sys.executable} {program} {seen} '$(id)' ; ls"
    object.__setattr__(alice.ctx.settings, "attachment_scanner", command)
    await alice.attach("a.txt", b"hello")
    told = seen.read_text()
    assert "['$(id)', ';', 'ls']" in told
    assert "secret" not in told
