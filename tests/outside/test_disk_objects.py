"""What is true of the store on a disk alone: the order of its steps, its rights, a full disk."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from vestibule.base.errors import Unavailable
from vestibule.base.ids import new_id
from vestibule.outside.disk_objects import DiskObjects

MIB = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / "store"


@pytest.fixture
def objects(folder: Path) -> Iterator[DiskObjects]:
    """An empty store."""
    made = DiskObjects(folder)
    yield made
    made.close()


def below(folder: Path) -> list[Path]:
    """All that is in the store."""
    return list(folder.rglob("*"))


def files(folder: Path) -> list[Path]:
    """The files in the store."""
    return [path for path in folder.rglob("*") if path.is_file()]


def open_files() -> int:
    """How many files this process holds open."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def once(data: bytes, times: int = 1) -> AsyncIterator[bytes]:
    """The data, some times over."""
    for _ in range(times):
        yield data


async def test_content_is_forced_out_before_its_name(
    objects: DiskObjects, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File, rename, folder: in any other order a power cut leaves a name without its content."""
    steps: list[tuple[str, str]] = []
    fsync, rename = os.fsync, Path.rename

    def synced(descriptor: int) -> None:
        steps.append(("fsync", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        fsync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        steps.append(("rename", path.name))
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    where = f"statements/{new_id()}"
    await objects.write(where, once(b"x" * MIB, 3))
    file = where.partition("/")[2]
    assert steps[-3:] == [("fsync", f".{file}"), ("rename", f".{file}"), ("fsync", file[:2])]
    # Each new folder on the way was made durable in the one above it.
    assert steps[:-3] == [
        ("fsync", folder.parent.name),
        ("fsync", folder.name),
        ("fsync", "statements"),
    ]


async def test_files_and_folders_are_their_owners_only(objects: DiskObjects, folder: Path) -> None:
    """Nobody else of the machine reads them, nor their names."""
    await objects.write(f"statements/{new_id()}", once(b"x"))
    found = below(folder)
    assert len(found) == 3
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder, *found))


@pytest.mark.parametrize(
    "name",
    [
        "statements/../../etc/passwd",
        "/etc/passwd",
        "statements/" + "a" * 21,
        "statements/" + "a" * 23,
        "statements/aa/" + "a" * 19,
        "statements/" + "a" * 21 + "\n",
        "Statements/" + "a" * 22,
        "",
    ],
)
async def test_a_name_that_is_not_ours_touches_nothing(objects: DiskObjects, name: str) -> None:
    """Names are made by us; whatever else comes is a mistake, and no path."""
    for attempt in (objects.write(name, once(b"x")), objects.open(name), objects.delete(name)):
        with pytest.raises(ValueError, match="not a name of ours"):
            await attempt


async def test_a_link_in_the_place_of_a_file_is_not_followed(
    objects: DiskObjects, folder: Path, tmp_path: Path
) -> None:
    """Whoever can write there cannot make us hand out another file."""
    where = new_id()
    shelf = folder / "statements" / where[:2]
    shelf.mkdir(parents=True)
    (tmp_path / "secret").write_text("master key")
    (shelf / where).symlink_to(tmp_path / "secret")
    with pytest.raises(Unavailable):
        await objects.open(f"statements/{where}")


async def test_what_a_crash_left_is_listed_and_can_be_deleted(
    objects: DiskObjects, folder: Path
) -> None:
    """A draft has a name of its own, so that the sweeper finds it; strangers' files it leaves."""
    where = new_id()
    shelf = folder / "statements" / where[:2]
    shelf.mkdir(parents=True)
    (shelf / f".{where}").write_bytes(b"half")
    (shelf / "notes.txt").write_bytes(b"not ours")
    found = [name async for name, _ in objects.list("statements")]
    assert found == [f"statements/.{where}"]
    await objects.delete(found[0])
    assert [path.name for path in shelf.iterdir()] == ["notes.txt"]


FULL = """
import asyncio, resource, sys
from pathlib import Path
from vestibule.base.errors import Unavailable
from vestibule.outside.disk_objects import DiskObjects

async def chunks():
    for _ in range(40):
        yield b"x" * 100_000

async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    objects = DiskObjects(Path(sys.argv[1]))
    try:
        await objects.write("statements/" + "a" * 22, chunks())
    except Unavailable as fault:
        print(fault.code.name)

asyncio.run(main())
"""


@pytest.mark.parametrize("limit", [0, 1, 1_048_576, 3_999_999])
def test_a_disk_that_takes_no_more_leaves_nothing(folder: Path, limit: int) -> None:
    """Wherever in the file the room ends, it is told as such and nothing is left."""
    command = [sys.executable, "-c", FULL, str(folder), str(limit)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "store_full\n"
    assert files(folder) == []


async def test_no_room_for_the_name_is_a_full_store(
    objects: DiskObjects, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the disk is full only at the last step, the rename."""

    def no_room(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", no_room)
    with pytest.raises(Unavailable) as caught:
        await objects.write(f"statements/{new_id()}", once(b"x"))
    assert caught.value.code.name == "store_full"
    assert files(folder) == []


async def test_cancelled_at_any_moment_nothing_or_all_is_there(
    objects: DiskObjects, folder: Path
) -> None:
    """A sender that goes away while threads write leaves neither a draft nor an open file."""
    before = open_files()
    for step in range(60):
        writing = asyncio.create_task(
            objects.write(f"statements/{new_id()}", once(b"x" * MIB, 1 + step % 3))
        )
        await asyncio.sleep(step * 0.0003)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    objects.close()
    left = files(folder)
    assert all(path.stat().st_size % MIB == 0 and path.name[0] != "." for path in left)
    assert open_files() <= before + 1
