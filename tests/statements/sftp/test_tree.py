"""The folders that exist nowhere: whatever is asked for, only what was put there is found."""

import random

import pytest

from vestibule.statements.sftp.tree import Folder, Leaf, find, grown, steps

ROOT = grown(
    [
        ("daily", Leaf(b"a.csv", 3, 0, "object-a")),
        ("trade", Leaf("Ü b.csv".encode(), 3, 5, "object-b")),
    ]
)


def corpus() -> list[bytes]:
    """More than two thousand ways out, none of which there is."""
    ups = [b"..", b"../", b"..//", b"./..", b".../", b"..;", b"%2e%2e", b"%2e%2e%2f", b"..%2f"]
    ups += [b"..%c0%af", b"\xc0\xae\xc0\xae", b"..\\", b"\\..", b"..\x00", b"%252e%252e", b"~"]
    ups += ["．．".encode(), "‥".encode(), b"..\xef\xbc\x8f", b"..%u2215", b"..\r", b"..\n", b" .."]
    targets = [b"etc/passwd", b"etc/shadow", b"root/.ssh/id_ed25519", b"proc/self/environ"]
    targets += [b"var/lib/vestibule/keys/master.key", b"vestibule.db", b"windows/win.ini"]
    targets += [b"other/daily/a.csv", b"object-a", b"statements/object-a", b"dev/zero", b"b.csv"]
    starts = [b"", b"/", b"//", b"daily/", b"/daily/", b"/daily/a.csv/", b"C:\\", b"file://"]
    paths = [
        start + (up + b"/") * depth + target
        for start in starts
        for up in ups
        for target in targets
        for depth in (1, 2)
    ]
    chance = random.Random(4)
    paths += [chance.randbytes(chance.randrange(1, 80)) for _ in range(500)]
    paths += [b"/daily/" + b"a" * size for size in (255, 256, 4095, 4096, 5000, 100_000)]
    paths += [b"/daily/a.csv\0", b"/daily\0/a.csv", b"/daily/a.csv/", b"/daily/a.csv/.", b"\xff"]
    paths += ["/trade/U\u0308 b.csv".encode(), b"/DAILY/a.csv", b"/daily/A.CSV", b"/daily/a.csv "]
    return paths


def test_no_path_of_the_corpus_finds_anything() -> None:
    """Traversal, coded traversal, foreign names, NUL, case and bytes that are no text: nothing."""
    paths = corpus()
    assert len(paths) >= 2000
    found = [path for path in paths if isinstance(find(ROOT, path), Leaf)]
    assert found == []


@pytest.mark.parametrize(
    "path", [b"/daily/a.csv", b"daily/a.csv", b"//daily//a.csv", b"/../../daily/a.csv"]
)
def test_forms_of_a_path_lead_to_the_same_file(path: bytes) -> None:
    """Above the root is the root, and slashes may be many."""
    leaf = find(ROOT, path)
    assert isinstance(leaf, Leaf)
    assert leaf.object == "object-a"


@pytest.mark.parametrize("path", [b"", b"/", b".", b"..", b"/daily/..", b"/daily/../../.."])
def test_way_back_ends_at_the_root(path: bytes) -> None:
    """No number of steps back leads further than the root."""
    assert find(ROOT, path) is ROOT


def test_path_that_is_none_has_no_steps() -> None:
    """NUL and endless paths are not even split."""
    assert steps(b"/a\0b") is None
    assert steps(b"a/" * 3000) is None


def test_three_folders_are_there_without_any_file() -> None:
    """A new client sees where its files will be."""
    empty = grown([])
    assert list(empty.folders) == [b"daily", b"monthly", b"trade"]
    assert isinstance(find(empty, b"/monthly"), Folder)


def test_listing_of_a_huge_folder_comes_in_pages() -> None:
    """Ten thousand files are answered a hundred at a time, each name once."""
    leaves = [("daily", Leaf(b"%05d.csv" % n, n, n, str(n))) for n in range(10_000)]
    folder = find(grown(leaves), b"/daily")
    assert isinstance(folder, Folder)
    pages = list(folder.pages())
    assert max(map(len, pages)) == 100
    assert max(sum(map(len, page)) for page in pages) < 32_000
    lines = b"".join(line for page in pages for line in page)
    assert all(lines.count(leaf.name) == 2 for _, leaf in leaves[:50])
    assert sum(map(len, pages)) == 10_002
