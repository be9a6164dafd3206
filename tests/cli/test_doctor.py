"""`vestibule doctor`: what it says about real folders, and that it changes nothing."""

from __future__ import annotations

import json
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.serving import PASSWORD

pytestmark = pytest.mark.processes


def test_a_new_house_is_well_and_an_open_one_is_mended_by_its_commands(
    run: Run, tmp_path: Path
) -> None:
    """What `init` makes passes; what somebody opened is found, mended, and found well again."""
    data = tmp_path / "house"
    run("init", "--data", str(data), "--account", "mira", "--password-stdin", stdin=f"{PASSWORD}\n")
    (data / "statements").mkdir(mode=0o700)
    folders = [str(data), str(data / "keys"), str(data / "statements")]
    well = run("doctor", "--private", *folders)
    assert well.returncode == 0, well.stdout
    assert "All is well." in well.stdout
    (data / "keys").chmod(0o755)
    data.chmod(0o777)
    found = run("doctor", "--private", "--json", *folders)
    assert found.returncode == 1
    assert stat.S_IMODE(data.stat().st_mode) == 0o777
    commands = [
        finding["mend"]
        for folder in json.loads(found.stdout)
        for finding in folder["findings"]
        if finding["path"] == folder["folder"]
    ]
    assert len(commands) == 2
    for command in commands:
        subprocess.run(shlex.split(command), check=True)
    assert run("doctor", "--private", *folders).returncode == 0


def test_folders_inside_are_looked_at_where_asked(run: Run, tmp_path: Path) -> None:
    """What an older installation left unwritable is found; a link elsewhere is not followed."""
    folder = tmp_path / "Applications"
    (folder / "Old").mkdir(parents=True, mode=0o755)
    (folder / "Old").chmod(0o555)
    (folder / "elsewhere").symlink_to("/usr")
    assert run("doctor", str(folder)).returncode == 0
    found = run("doctor", "--inside", str(folder))
    assert found.returncode == 1
    assert "Its owner may not write into it." in found.stdout
    assert f"Mend it:     chmod u+rwx {folder}/Old" in found.stdout
    assert f"Set it back: chmod 0555 {folder}/Old" in found.stdout
    assert "/usr" not in found.stdout


def test_without_folders_it_looks_at_its_own(run: Run, tmp_path: Path) -> None:
    """Those that the settings name; what is missing comes with the command that makes it."""
    found = run("doctor", VESTIBULE_DATA=str(tmp_path / "nowhere"))
    assert found.returncode == 1
    assert f"mkdir -p -m 700 {tmp_path}/nowhere/keys" in found.stdout
