"""The folders that a client sees. They exist nowhere: no path of the machine is ever made of them.

A path is split into names and looked up in dictionaries; whatever is not in them is not there.
So there is nothing to escape from, and no name is special: not ``..``, not NUL, not a link.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from stat import S_IFDIR, S_IFREG
from typing import Final

from vestibule.statements.sftp import wire

KINDS: Final = (b"daily", b"monthly", b"trade")
_FILE_MODE: Final = S_IFREG | 0o440
_FOLDER_MODE: Final = S_IFDIR | 0o550
_PAGE: Final = 100
"""Names in one answer."""
_PAGE_BYTES: Final = 30_000
"""Bytes of one answer; the draft lets programs refuse what is over 34,000."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One file, as it is shown."""

    name: bytes
    size: int
    at: int
    """When it was published, in seconds since 1970."""
    object: str
    """Where the store keeps it; never shown."""

    @property
    def attributes(self) -> bytes:
        """For stat and fstat."""
        return wire.attributes(size=self.size, mode=_FILE_MODE, at=self.at)

    @property
    def line(self) -> bytes:
        """For a listing."""
        long = wire.long_line(self.name, size=self.size, folder=False, at=self.at)
        return wire.name(self.name, long, self.attributes)


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder: the root, or one kind of statements."""

    name: bytes
    leaves: dict[bytes, Leaf]
    folders: dict[bytes, Folder]
    at: int

    @property
    def attributes(self) -> bytes:
        """For stat."""
        return wire.attributes(size=0, mode=_FOLDER_MODE, at=self.at)

    def line_of(self, name: bytes) -> bytes:
        """For a listing, under one of its names."""
        long = wire.long_line(name, size=0, folder=True, at=self.at)
        return wire.name(name, long, self.attributes)

    def pages(self) -> Iterator[list[bytes]]:
        """The listing in answers of a bounded size, each made when it is asked for."""
        page = [self.line_of(b"."), self.line_of(b"..")]
        page += [folder.line_of(folder.name) for folder in self.folders.values()]
        size = sum(map(len, page))
        for leaf in self.leaves.values():
            line = leaf.line
            if len(page) >= _PAGE or size + len(line) > _PAGE_BYTES:
                yield page
                page, size = [], 0
            page.append(line)
            size += len(line)
        yield page


Node = Folder | Leaf


def grown(leaves: Iterable[tuple[str, Leaf]]) -> Folder:
    """The tree of one account, from its files with the kind of each."""
    sorted_in: dict[bytes, dict[bytes, Leaf]] = {kind: {} for kind in KINDS}
    for kind, leaf in leaves:
        sorted_in[kind.encode("ascii")][leaf.name] = leaf
    latest = max((leaf.at for found in sorted_in.values() for leaf in found.values()), default=0)
    folders = {
        kind: Folder(kind, found, {}, max((leaf.at for leaf in found.values()), default=latest))
        for kind, found in sorted_in.items()
    }
    return Folder(b"", {}, folders, latest)


def steps(path: bytes) -> tuple[bytes, ...] | None:
    """The names on the way from the root, which is also where clients begin; None: no path at all.

    ``..`` is taken back by words: there are no links, so no other way back exists.
    """
    if len(path) > wire.LONGEST_PATH or b"\0" in path:
        return None
    way: list[bytes] = []
    for name in path.split(b"/"):
        if name == b"..":
            del way[-1:]
        elif name not in {b"", b"."}:
            way.append(name)
    return tuple(way)


def find(root: Folder, path: bytes) -> Node | None:
    """What is at a path, or None."""
    way = steps(path)
    if way is None:
        return None
    node: Node = root
    for name in way:
        if isinstance(node, Leaf):
            return None
        found: Node | None = node.folders.get(name) or node.leaves.get(name)
        if found is None:
            return None
        node = found
    # A file is no folder, whatever the slash at its end says.
    if isinstance(node, Leaf) and path.endswith((b"/", b"/.")):
        return None
    return node
