"""Homes and statements written past the services: for tests that are about fetching them.

How they come to be by the services and pages is tested in `tests/delivery`, `tests/statements` and
the journeys.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

from sqlalchemy import bindparam, select

from vestibule.accounts.store import account
from vestibule.base import audit
from vestibule.base.clock import DAY
from vestibule.base.database import Database, Tx, insert
from vestibule.base.ids import new_id
from vestibule.delivery import rules, store as delivery
from vestibule.statements import store as statements

HERE = "127.0.0.0/8"
"""Every address that a client in a test has."""
_KEPT_DAYS = 100
_USERNAME = select(delivery.delivery_home.c.username).where(
    delivery.delivery_home.c.account_id == bindparam("account_id")
)
_SHELVE = insert(statements.statement).values(
    {column.name: bindparam(column.name) for column in statements.statement.c}
)
_ID_OF = select(account.c.id).where(account.c.username_key == bindparam("username"))


class Shelves:
    """A server's database and store, from outside of it."""

    def __init__(self, database: Database, data: Path) -> None:
        self.database = database
        self._store = data / "statements" / "statements"

    @classmethod
    @asynccontextmanager
    async def opened(cls, database_url: str, data: Path) -> AsyncIterator[Shelves]:
        """Open the database of a server whose data is in that folder."""
        database = await Database.open(database_url)
        try:
            yield cls(database, data)
        finally:
            await database.close()

    async def account_id(self, username: str) -> str:
        """The id of the account that signs in to the portal by this name."""
        row = await self.database.one(_ID_OF, username=username)
        assert row is not None, username
        return str(row["id"])

    async def username(self, account_id: str) -> str:
        """The SFTP username of an account that has a home."""
        row = await self.database.one(_USERNAME, account_id=account_id)
        assert row is not None, account_id
        return str(row["username"])

    async def let_in(
        self, account_id: str, *keys: bytes, networks: tuple[str, ...] = (HERE,)
    ) -> str:
        """Make the account's home, open, with these public keys; its SFTP username."""
        return (await self.let_all_in([account_id], *keys, networks=networks))[0]

    async def let_all_in(
        self, account_ids: Iterable[str], *keys: bytes, networks: tuple[str, ...] = (HERE,)
    ) -> list[str]:
        """The same for several accounts, which share the keys."""
        read = [rules.parse_public_key(key) for key in keys]

        async def body(tx: Tx) -> list[str]:
            return [await _home(tx, account_id, read, networks) for account_id in account_ids]

        return await self.database.write(body)

    async def remove_keys(self, account_id: str) -> None:
        """Take all of the account's keys away, as the portal does."""

        async def body(tx: Tx) -> None:
            for row in await tx.all(delivery.KEYS, account_id=account_id):
                key = {"id_": row["id"], "account_id_": account_id}
                await tx.run(delivery.REMOVE_KEY, **key, **_told("delivery.key_removed"))

        await self.database.write(body)

    async def set_networks(self, account_id: str, *networks: str) -> None:
        """Allow these networks and no other, as the portal does."""
        said = {"account_id_": account_id, "networks_": json.dumps(networks)}
        told = _told("delivery.networks_changed")
        await self.database.run(delivery.SET_NETWORKS, **said, **told)

    async def certify(self, account_id: str, exported: bytes) -> None:
        """Use this OpenPGP certificate for the account's statements from now on."""
        now = _now()
        read = rules.parse_certificate(exported, now=now)
        await self.database.run(
            delivery.ADD_CERTIFICATE,
            id=new_id(),
            account_id=account_id,
            fingerprint=read.fingerprint,
            version=read.version,
            user_id=read.user_id,
            algorithm=read.algorithm,
            expires_at=read.expires_at,
            data=read.data,
            added_at=now,
            removed_at=None,
            warned=None,
            **audit.journal(event="delivery.certificate_set", actor="system", at=now),
        )

    async def shelve(self, account_id: str, kind: str, *files: Path) -> None:
        """Put files into the store, by a second name for the same bytes, and list them."""
        rows = [self._taken(account_id, kind, file) for file in files]

        async def body(tx: Tx) -> None:
            for row in rows:
                await tx.run(_SHELVE, **row)

        await self.database.write(body)

    def _taken(self, account_id: str, kind: str, file: Path) -> dict[str, str | int | bytes | None]:
        object_ = new_id()
        shelf = self._store / object_[:2]
        shelf.mkdir(parents=True, exist_ok=True)
        os.link(file, shelf / object_)
        size, now = file.stat().st_size, _now()
        return {
            "id": new_id(),
            "account_id": account_id,
            "kind": kind,
            "period": "2026-11-22",
            "name": file.name,
            "name_key": file.name.casefold(),
            "media": "text/csv",
            "size": size,
            "stored_size": size,
            # Nothing asks for the digest of a file that lies there already.
            "sha256": sha256(file.name.encode()).digest(),
            "encrypted_to": None,
            "object": f"statements/{object_}",
            "published_at": now,
            "purge_at": now + _KEPT_DAYS * DAY,
            "told_at": now,
            "seen_at": None,
            **audit.journal(event="statement.published", actor="system", at=now),
        }


async def _home(
    tx: Tx, account_id: str, keys: list[rules.PublicKey], networks: tuple[str, ...]
) -> str:
    username, now = rules.username_from(secrets.token_bytes(rules.USERNAME_BYTES)), _now()
    await tx.run(
        delivery.MAKE_HOME,
        account_id=account_id,
        id=account_id,
        username=username,
        enabled=True,
        networks=json.dumps(networks),
        notices=rules.Notices().written(),
        created_at=now,
        **audit.journal(event="delivery.switched_on", actor="system", at=now),
    )
    for network in networks:
        await tx.run(delivery.ADD_NETWORK, account_id=account_id, network=network)
    for key in keys:
        await tx.run(
            delivery.ADD_KEY,
            id=new_id(),
            account_id=account_id,
            label=key.comment or key.algorithm,
            algorithm=key.algorithm,
            bits=key.bits,
            fingerprint=key.fingerprint,
            blob=key.blob,
            added_at=now,
            used_at=None,
            used_from=None,
            removed_at=None,
            **audit.journal(event="delivery.key_added", actor="system", at=now),
        )
    return username


def _told(event: str) -> dict[str, str | int]:
    """The parameters by which a statement of the store writes its event."""
    said: dict[str, str | int] = {"event_": event, "actor_": "system", "source_": ""}
    return {**said, "now": _now(), "detail": "{}"}


def _now() -> int:
    return time.time_ns() // 1_000_000
