"""The help articles on recording a browser (3512) and on a folder that takes no file (3513)."""

import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Playwright, expect

from tests.captures import recording, site
from tests.captures.canaries import Canaries
from tests.captures.finder import find
from tests.journeys.portal import Portal
from tests.journeys.words import PORTAL


def test_a_session_is_recorded_made_safe_and_sent(
    portal: Portal, playwright: Playwright, account: str, tmp_path: Path
) -> None:
    """Recorded by the browser's own tools, attached, looked at, sent; the command agrees."""
    canaries = Canaries.fresh()
    with site.served(canaries) as origin:
        written = recording.by_chromium(playwright, canaries, origin, tmp_path / "profile")
    capture = tmp_path / "trouble.har"
    capture.write_text(written[False])
    assert find(capture.read_bytes(), canaries)

    portal.log_in(account)
    portal.is_signed_in()
    portal.open("/messages/new")
    page = portal.page
    page.locator("select[name=topic]").select_option("sign-in")
    portal.fill("support.new.subject", "It does not load")
    portal.fill("support.new.text", "I pressed the button, and the page stayed empty.")
    portal.unfold("support.attach.record")
    page.locator("#recording-file").set_input_files(capture)
    portal.says("captures.block.ready")
    shown = page.locator("[data-recording]").inner_text()
    assert find(shown.encode(), canaries) == {}
    page.get_by_role("button", name=PORTAL["captures.block.send"], exact=True).click()
    portal.says("captures.block.done")
    portal.press("support.new.send")
    expect(page).to_have_url(re.compile(r"/messages/[0-9A-Z]{4}-[0-9A-Z]{4}"))
    expect(page.locator(".attached")).to_contain_text(PORTAL["support.attach.recording"])

    words = [sys.executable, "-m", "vestibule.cli", "har", "sanitize", str(capture)]
    subprocess.run(words, check=True, capture_output=True)
    safe = (tmp_path / "trouble.safe.har").read_bytes()
    assert find(safe, canaries) == {}
    subprocess.run([*words[:-1], "--check", str(tmp_path / "trouble.safe.har")], check=True)


def test_an_installer_creates_its_file_after_the_doctors_command(tmp_path: Path) -> None:
    """It cannot, the doctor says why and how; afterwards it can; set back, all is as it was."""
    person = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    home = Path(shutil.copytree(tmp_path, f"/var/tmp/vestibule-{os.getpid()}-home"))
    try:
        home.chmod(0o755)
        folder = home / "Applications"
        folder.mkdir()
        folder.chmod(0o755 if person == "nobody" else 0o555)
        before = (folder.stat().st_uid, folder.stat().st_mode)
        assert not _installs(folder, person)
        said = _doctor(folder, person)
        assert said.returncode == 1
        mend = re.findall(r"Mend it: +(.+)", said.stdout)
        back = re.findall(r"Set it back: +(.+)", said.stdout)
        assert mend
        for command in mend:
            _run(command)
        assert _installs(folder, person)
        assert _doctor(folder, person).returncode == 0
        for command in reversed(back):
            _run(command)
        assert (folder.stat().st_uid, folder.stat().st_mode) == before
        assert not _installs(folder, person)
    finally:
        shutil.rmtree(home)


def _installs(folder: Path, person: str) -> bool:
    """Whether a program of this person can create its file there."""
    user = person if os.geteuid() == 0 else None
    words = ["sh", "-c", 'touch "$1/program" && rm "$1/program"', "installer", str(folder)]
    return subprocess.run(words, user=user, capture_output=True, check=False).returncode == 0


def _doctor(folder: Path, person: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "vestibule.cli", "doctor", "--person", person, str(folder)]
    wide = os.environ | {"COLUMNS": "200"}
    return subprocess.run(words, capture_output=True, text=True, check=False, env=wide)


def _run(command: str) -> None:
    """As the person at the keyboard does; root needs no `sudo`."""
    words = command.removeprefix("sudo ") if os.geteuid() == 0 else command
    subprocess.run(["sh", "-c", words], check=True)
