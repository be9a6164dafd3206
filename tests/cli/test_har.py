"""`vestibule har sanitize`: a capture made safe on one's own machine."""

import gzip
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.captures import planting

VESTIBULE = Path(sys.executable).with_name("vestibule")
SECRET = "Q7zT0aX2kL8mP9wR4bY"


def run(*words: str | Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command as a person runs it."""
    command = [str(VESTIBULE), "har", "sanitize", *map(str, words)]
    return subprocess.run(command, input=given, capture_output=True, check=False, timeout=60)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A capture with secrets in it."""
    path = tmp_path / "login.har"
    made = planting.planted_everywhere(planting.capture(), SECRET)
    path.write_text(json.dumps(made))
    return path


def test_safe_capture_is_written_beside_the_file(capture: Path) -> None:
    """Under a name that says so, for its owner's eyes, and what was taken out is told."""
    done = run(capture)
    written = capture.with_name("login.safe.har")
    assert done.returncode == 0, done.stderr
    assert SECRET.encode() not in written.read_bytes() + done.stdout + done.stderr
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert b"login.safe.har" in done.stdout
    assert b"Cookies" in done.stdout


def test_nothing_is_overwritten(capture: Path) -> None:
    """A file that is there already stays as it was, and the next step is said."""
    written = capture.with_name("login.safe.har")
    written.write_text("mine")
    report = capture.with_name("report.json")
    report.write_text("mine")
    assert run(capture).returncode == 1
    done = run(capture, "-o", capture.with_name("other.har"), "--report", report)
    assert done.returncode == 1
    assert b"--report" in done.stderr
    assert written.read_text() == report.read_text() == "mine"
    assert not capture.with_name("other.har").exists()


def test_report_and_standard_output(capture: Path) -> None:
    """The capture goes where it is told to, the report is JSON, words go beside."""
    report = capture.with_name("report.json")
    done = run("-", "-o", "-", "--report", report, given=capture.read_bytes())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["log"]["entries"]
    told = json.loads(report.read_text())
    assert told["bytes_out"] == len(done.stdout)
    assert told["removed"]["cookie"] > 0


def test_check_says_whether_a_file_is_safe(capture: Path) -> None:
    """Nothing is written; 1 for what holds something, 0 for what was made safe."""
    assert run(capture, "--check").returncode == 1
    assert list(capture.parent.iterdir()) == [capture]
    run(capture)
    done = run(capture.with_name("login.safe.har"), "--check")
    assert done.returncode == 0
    assert b"Nothing had to be taken out" in done.stdout


def test_packed_capture_is_read(capture: Path) -> None:
    """`.har.gz` too, under the same limit."""
    packed = capture.with_name("packed.har.gz")
    packed.write_bytes(gzip.compress(capture.read_bytes()))
    assert run(packed).returncode == 0
    run(capture)
    assert packed.with_name("packed.safe.har").read_bytes() == (
        capture.with_name("login.safe.har").read_bytes()
    )


def test_refused_capture_leaves_nothing(capture: Path) -> None:
    """What happened, why and what to do; no file, exit code 1."""
    capture.write_bytes(capture.read_bytes()[:-100])
    done = run(capture, "--report", capture.with_name("report.json"))
    assert done.returncode == 1
    assert b"stops in the middle" in done.stderr
    assert b"Save the recording once more" in done.stderr
    assert list(capture.parent.iterdir()) == [capture]
    capture.write_bytes(b" " * 3_000_000)
    assert b"too large" in run(capture, "--limit", "1").stderr


def test_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Exit code 3, as for everything that is missing."""
    done = run(tmp_path / "none.har")
    assert done.returncode == 3
    assert b"No such file" in done.stderr


def test_command_loads_no_server() -> None:
    """It starts without database and web framework: captures are made safe anywhere."""
    program = (
        "import sys, vestibule.cli.har; "
        "print([m for m in sys.modules if m.split('.')[0] in {'starlette', 'sqlalchemy'}])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
