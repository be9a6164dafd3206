"""What a connection has open: a bounded number of files and folders, each its session's own."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator

from vestibule.base.context import ObjectReader
from vestibule.statements.sftp import wire
from vestibule.statements.sftp.tree import Leaf


class OpenFile:
    """One open file. It is the one that was listed, though another takes its name meanwhile."""

    __slots__ = ("leaf", "owner", "reached", "reader", "whole")

    def __init__(self, owner: object, leaf: Leaf) -> None:
        self.owner = owner
        self.leaf = leaf
        self.reader: ObjectReader | None = None
        self.reached = 0
        self.whole = False

    def read(self, offset: int, size: int) -> bytes | Awaitable[bytes]:
        """Up to ``size`` bytes. Raises OSError."""
        if self.reader is None:
            return b""
        return self.reader.read(offset, size)

    def close(self) -> None:
        """Give the file back to the store."""
        if self.reader is not None:
            self.reader.close()
            self.reader = None


class OpenFolder:
    """One listing on its way."""

    __slots__ = ("owner", "pages")

    def __init__(self, owner: object, pages: Iterator[list[bytes]]) -> None:
        self.owner = owner
        self.pages = pages

    def close(self) -> None:
        """Nothing to give back."""


class Handles:
    """The handles of one connection. A number names nothing outside of it."""

    __slots__ = ("_next", "_open")

    def __init__(self) -> None:
        self._open: dict[bytes, OpenFile | OpenFolder] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._open)

    def room(self) -> bool:
        """Whether one more may be opened."""
        return len(self._open) < wire.HANDLES

    def add(self, opened: OpenFile | OpenFolder) -> bytes:
        """A handle that was never given before on this connection."""
        handle = self._next.to_bytes(8, "big")
        self._next += 1
        self._open[handle] = opened
        return handle

    def get(self, handle: bytes) -> OpenFile | OpenFolder | None:
        """What is open under a handle."""
        return self._open.get(handle)

    def remove(self, handle: bytes) -> None:
        """Close it; one that is not open is let be."""
        opened = self._open.pop(handle, None)
        if opened is not None:
            opened.close()

    def drop(self, owner: object | None = None) -> None:
        """Close what a session had open, or everything."""
        for handle, opened in list(self._open.items()):
            if owner is None or opened.owner is owner:
                self.remove(handle)
