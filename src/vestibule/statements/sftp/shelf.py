"""What an account sees, kept for a moment and shared by its sessions; and its share of the rate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from vestibule.statements.sftp.gate import Flow
from vestibule.statements.sftp.rooms import Rooms
from vestibule.statements.sftp.tree import Folder

FRESH_S: Final = 2.0
"""A folder is listed as it was at most so long ago."""
KNOWN_S: Final = 20.0
"""A file is found by a listing that is at most so old; what was purged since cannot be opened."""
UNUSED_S: Final = 60.0


class Shelf:
    """One account's."""

    def __init__(
        self, rooms: Rooms, account_id: str, clock: Callable[[], float], rate: float
    ) -> None:
        self._rooms = rooms
        self._account_id = account_id
        self._clock = clock
        self._flow = Flow(rate) if rate else None
        self._tree: Folder | None = None
        self._at = 0.0
        self._used = 0.0
        self._looking: asyncio.Task[Folder] | None = None

    def known(self, *, fresh: bool) -> Folder | None:
        """The tree, if it was read lately enough."""
        now = self._clock()
        self._used = now
        good = self._tree is not None and now - self._at < (FRESH_S if fresh else KNOWN_S)
        return self._tree if good else None

    async def look(self, *, fresh: bool) -> Folder:
        """The tree, read once for all who wait for it. Raises base.errors.Fault."""
        known = self.known(fresh=fresh)
        if known is not None:
            return known
        if self._looking is None:
            self._looking = asyncio.create_task(self._read())
        # One who goes away must not take the others' answer along.
        return await asyncio.shield(self._looking)

    async def _read(self) -> Folder:
        try:
            began = self._clock()
            self._tree = await self._rooms.tree(self._account_id)
            self._at = began
            return self._tree
        finally:
            self._looking = None

    def forget(self) -> None:
        """It is known to be wrong."""
        self._tree = None

    def dust(self) -> None:
        """Let go of what nobody has looked at for a minute."""
        if self._clock() - self._used > UNUSED_S:
            self._tree = None

    def wait(self, size: int) -> float:
        """Seconds until the next answer may go, after one of ``size`` bytes."""
        return self._flow.wait(size, now=self._clock()) if self._flow else 0.0
