"""What the SFTP server asks of the rooms behind it; `server` binds this to the services."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from vestibule.base.context import ObjectReader
from vestibule.delivery.rules import Door, Outcome
from vestibule.statements.sftp.tree import Folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """What is known of who knocked, for the client's log."""

    username: str
    address: str
    program: str
    outcome: Outcome
    door: Door | None = None
    """What was found under the username."""
    fingerprints: tuple[str, ...] = ()
    """Of the keys that were offered, in their order; of an accepted one, of that which opened."""
    detail: Mapping[str, str | int] = field(default_factory=dict)
    """What the server says of it."""


class Rooms(Protocol):
    """The services, with the context bound. All raise base.errors.Fault."""

    async def door(self, username: str) -> Door | None:
        """Who may come in under this name, and how; one statement, whether there is one or not."""
        ...

    async def doors(self, account_ids: Iterable[str]) -> Mapping[str, Door]:
        """The same for those who are in; who is missing may not stay."""
        ...

    async def arrived(self, visitor: Visitor) -> str | None:
        """Write a visit down; its id where it has an owner."""
        ...

    async def left(
        self, visit_id: str, *, files: int, bytes_sent: int, outcome: Outcome | None
    ) -> None:
        """Write down how a visit ended; no outcome where its program said goodbye."""
        ...

    async def tree(self, account_id: str) -> Folder:
        """What this account sees; one statement."""
        ...

    def open(self, name: str) -> ObjectReader | Awaitable[ObjectReader]:
        """A file of the store. Raises FileNotFoundError for one that was purged."""
        ...
