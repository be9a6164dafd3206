"""Folders that the doctor looks at, and its commands, run by a real shell."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, strategies as st

from vestibule.base import folders
from vestibule.base.folders import Entry, Finding, Seen, Wanted

ME = pwd.getpwuid(os.geteuid()).pw_name
ROOT = os.geteuid() == 0
LISTS = sys.platform == "linux" and shutil.which("setfacl")


def findings(path: Path, wanted: Wanted = Wanted.OWN, person: str = ME) -> list[Finding]:
    """What is wrong with the folder itself; those above it belong to the test's machine."""
    seen = folders.look(path, person=person)
    return folders.judge(replace(seen, parents=()), person=person, wanted=wanted)


def run(command: str) -> None:
    """Run a command of the doctor's as whom it is for."""
    words = command.removeprefix("sudo ") if ROOT else command
    subprocess.run(["sh", "-c", words], check=True, capture_output=True)


def facts(path: Path) -> tuple[int, int, bytes]:
    """Owner, mode and access list."""
    status = path.stat()
    try:
        rights = os.getxattr(path, "system.posix_acl_access")
    except OSError:
        rights = b""
    return status.st_uid, stat.S_IMODE(status.st_mode), rights


def mend_and_set_back(path: Path, wanted: Wanted, person: str = ME) -> list[str]:
    """Every command mends, and in the other order each sets back exactly; the codes found."""
    before = facts(path)
    found = findings(path, wanted, person)
    for finding in found:
        run(finding.mend)
    assert findings(path, wanted, person) == []
    for finding in reversed(found):
        run(finding.back)
    assert facts(path) == before
    return [finding.code for finding in found]


@pytest.mark.parametrize("wanted", Wanted)
@pytest.mark.parametrize("mode", [0o700, 0o755, 0o777, 0o1777, 0o2775, 0o770, 0o555, 0o500, 0o070])
def test_commands_mend_a_mode_and_set_it_back(tmp_path: Path, mode: int, wanted: Wanted) -> None:
    """Whatever the mode was: mended it is the owner's alone, and set back as it was."""
    folder = tmp_path / "a folder; with 'signs"
    folder.mkdir()
    folder.chmod(mode)
    codes = mend_and_set_back(folder, wanted)
    kept = 0o077 if wanted is Wanted.PRIVATE else 0o022
    assert ("not_writable" in codes) == (mode & 0o700 != 0o700)
    assert bool({"open", "readable"} & set(codes)) == bool(mode & kept)


@pytest.mark.skipif(not ROOT, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_becomes_writable_by_the_right_person(tmp_path: Path) -> None:
    """As an installer meets it: it cannot create a file, and after the command it can."""
    tmp_path.chmod(0o755)
    for above in tmp_path.parents:
        if above.stat().st_uid == 0 and str(above).startswith(str(tmp_path.parents[-2])):
            above.chmod(above.stat().st_mode | 0o011)
    folder = tmp_path / "Applications"
    folder.mkdir(mode=0o755)
    create = ["sh", "-c", f"touch '{folder}/installer'"]
    assert subprocess.run(create, user="nobody", check=False, capture_output=True).returncode
    found = findings(folder, person="nobody")
    assert [finding.code for finding in found] == ["foreign"]
    run(found[0].mend)
    subprocess.run(create, user="nobody", check=True)
    (folder / "installer").unlink()
    run(found[0].back)
    assert folder.stat().st_uid == 0


@pytest.mark.skipif(not LISTS, reason="no access lists here")
@pytest.mark.parametrize("wanted", Wanted)
@pytest.mark.parametrize(
    "entries", ["u:nobody:rwx", "g:daemon:rwx,u:nobody:r-x", "u:nobody:rwx,m::r-x", "g::rwx,o::rwx"]
)
def test_commands_mend_an_access_list_and_set_it_back(
    tmp_path: Path, entries: str, wanted: Wanted
) -> None:
    """Rights that the mode does not show are found, taken away, and given back exactly."""
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o755)
    subprocess.run(["setfacl", "-m", f"u:bin:--x,{entries}", str(folder)], check=True)
    codes = mend_and_set_back(folder, wanted)
    hidden_by_mask = entries.endswith("m::r-x") and wanted is Wanted.OWN
    assert codes == ([] if hidden_by_mask else ["entry_open"])


@pytest.mark.skipif(not LISTS, reason="no access lists here")
def test_reading_rights_of_others_are_left_where_they_may_look(tmp_path: Path) -> None:
    """A colleague who may look stays able to."""
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o755)
    words = ["setfacl", "-m", "u:nobody:r-x,u:bin:rwx", str(folder)]
    subprocess.run(words, check=True)
    (found,) = findings(folder)
    run(found.mend)
    shown = subprocess.run(
        ["getfacl", "-c", str(folder)], capture_output=True, text=True, check=True
    )
    assert "user:nobody:r-x" in shown.stdout
    assert "user:bin:r-x" in shown.stdout


def test_a_missing_folder_is_made_with_all_above_it(tmp_path: Path) -> None:
    """One command makes it, private where it has to be; one takes away what that made."""
    folder = tmp_path / "not" / "there"
    seen = folders.look(folder, person=ME)
    (found,) = [
        one
        for one in folders.judge(seen, person=ME, wanted=Wanted.PRIVATE)
        if one.code == "missing"
    ]
    run(found.mend)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    run(found.back)
    assert not folder.parent.exists()


def test_a_file_in_its_place_is_moved_and_not_lost(tmp_path: Path) -> None:
    """Nothing is deleted."""
    place = tmp_path / "keys"
    place.write_text("notes")
    (found,) = findings(place)
    assert found.code == "not_a_folder"
    run(found.mend)
    assert (tmp_path / "keys.moved").read_text() == "notes"
    run(found.back)
    assert place.read_text() == "notes"


def test_who_may_write_above_is_named() -> None:
    """Whoever can rename the folder above can put another one in this one's place."""
    above = Seen(path=PurePosixPath("/srv"), owner=ME, mode=0o777)
    seen = Seen(path=PurePosixPath("/srv/data"), owner=ME, parents=(above,))
    (found,) = folders.judge(seen, person=ME, wanted=Wanted.OWN)
    assert (found.code, found.mend, found.back) == (
        "above_open",
        "chmod go-w /srv",
        "chmod 0777 /srv",
    )
    sticky = replace(seen, parents=(replace(above, mode=0o1777, owner="root"),))
    assert folders.judge(sticky, person=ME, wanted=Wanted.OWN) == []
    foreign = replace(seen, parents=(replace(above, mode=0o755, owner="bin"),))
    assert [one.code for one in folders.judge(foreign, person=ME, wanted=Wanted.OWN)] == [
        "above_foreign"
    ]


MAC = """\
drwx------@ 5 mira  staff  160 22 Nov 10:00 /Users/mira/Applications
 0: group:everyone deny add_file,add_subdirectory
 1: group:everyone deny delete
 2: user:mira allow add_file
 3: user:guest allow list,add_file,search
"""


def test_entries_of_macos_are_removed_by_their_number_from_the_last_on() -> None:
    """“everyone deny delete”, which every home has, stays; numbers stay right meanwhile."""
    entries = tuple(folders.mac_entries(MAC, person="mira"))
    assert [entry.place for entry in entries] == [0, 1, 2, 3]
    path = PurePosixPath("/Users/mira/Applications")
    seen = Seen(path=path, owner="mira", entries=entries, locked=True)
    found = folders.judge(seen, person="mira", wanted=Wanted.OWN)
    assert [(one.code, one.mend, one.back) for one in found] == [
        ("locked", f"chflags nouchg {path}", f"chflags uchg {path}"),
        ("entry_open", f"chmod '-a#' 3 {path}", f"chmod '+a#' 3 '{entries[3].text}' {path}"),
        ("denied", f"chmod '-a#' 0 {path}", f"chmod '+a#' 0 '{entries[0].text}' {path}"),
    ]


@given(
    mode=st.integers(0, 0o7777),
    owner=st.sampled_from(["mira", "root", "guest"]),
    wanted=st.sampled_from(Wanted),
    denies=st.booleans(),
    lets=st.booleans(),
)
def test_no_command_ever_opens_a_folder_to_others(
    mode: int, owner: str, wanted: Wanted, *, denies: bool, lets: bool
) -> None:
    """The article's old remedy was “everyone: read and write”. No command here gives that."""
    entry = Entry(text="group:everyone x", place=0, denies=denies, lets_write=lets)
    seen = Seen(path=PurePosixPath("/x"), owner=owner, mode=mode, entries=(entry,))
    for found in folders.judge(seen, person="mira", wanted=wanted):
        assert found.mend
        assert found.back
        assert not any(sign in found.mend for sign in ("o+", "g+", "a+", "777", "+a#", " allow"))


def test_a_disk_that_takes_nothing_is_said_without_a_command() -> None:
    """No command is made up where none mends it."""
    seen = Seen(path=PurePosixPath("/x"), owner=ME, read_only=True, full=True)
    found = folders.judge(seen, person=ME, wanted=Wanted.OWN)
    assert [(one.code, one.mend) for one in found] == [("read_only", ""), ("full", "")]


def test_writing_is_tried(tmp_path: Path) -> None:
    """Nothing is left behind; what cannot be written into says why."""
    assert folders.try_writing(tmp_path) == ""
    assert list(tmp_path.iterdir()) == []
    assert folders.try_writing(tmp_path / "missing") == "No such file or directory"
