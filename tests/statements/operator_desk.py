"""What the operator's systems do in these tests: publishers, files, and what lies in the store."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysequoia
from sqlalchemy import select

from tests.delivery.keeper import owner
from tests.login.scene import HERE, Scene
from vestibule.accounts.rules import Account
from vestibule.base.audit import audit_event
from vestibule.delivery import service as delivery
from vestibule.sessions.rules import Session
from vestibule.statements import service
from vestibule.statements.rules import Published, Publisher, Statement, Upload, Wanted

NAME = "2026-11-22.csv"


def wanted(data: bytes, *, account: str = "alice", name: str = NAME, **changes: Any) -> Wanted:
    """What a publisher says of a file."""
    said: dict[str, Any] = {
        "account": account,
        "kind": "daily",
        "name": name,
        "size": len(data),
        "sha256": hashlib.sha256(data).digest(),
        "media": "text/csv",
    }
    return Wanted(**(said | changes))


async def chunks(data: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """A body as a server reads it."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


@dataclass
class Operator:
    """One publisher and one client."""

    scene: Scene
    publisher: Publisher
    token: str
    account: Account
    session: Session

    async def publish(self, data: bytes, **changes: Any) -> Published:
        """Publish a file in one piece."""
        return await service.publish(
            self.scene.ctx, self.publisher, wanted(data, **changes), chunks=chunks(data)
        )

    async def begin(self, data: bytes, **changes: Any) -> Upload:
        """Open an upload, which must be needed."""
        opened = await service.begin_upload(self.scene.ctx, self.publisher, wanted(data, **changes))
        assert isinstance(opened, Upload)
        return opened

    async def append(self, upload: Upload, data: bytes) -> Upload:
        """Send bytes from the upload's offset on."""
        return await service.append(self.scene.ctx, upload, chunks=chunks(data))

    async def uploaded(self, data: bytes, **changes: Any) -> Published:
        """Publish a file as an upload."""
        upload = await self.append(await self.begin(data, **changes), data)
        return await service.finish(self.scene.ctx, upload)

    async def shown(self) -> list[Statement]:
        """What the client sees."""
        return list((await service.tree(self.scene.ctx, self.account.id)).statements)

    async def read(self, statement: Statement) -> bytes:
        """What the client fetches."""
        _, reader = await service.open_statement(self.scene.ctx, self.account.id, statement.id)
        assert reader.size == statement.stored_size
        try:
            return b"".join([chunk async for chunk in service.content(reader)])
        finally:
            reader.close()

    async def certify(self, certificate: pysequoia.Cert) -> None:
        """Have the client's statements encrypted from now on."""
        await delivery.set_certificate(
            self.scene.ctx, self.session, data=bytes(certificate), source=HERE.address
        )

    async def stored(self) -> set[str]:
        """The names of all objects in the store, drafts among them."""
        return {
            name
            for kind in ("statements", "uploads")
            async for name, _ in self.scene.ctx.objects.list(kind)
        }

    async def events(self, prefix: str = "statement.") -> list[str]:
        """The events so far whose names begin so."""
        rows = await self.scene.ctx.db.all(select(audit_event.c.event).order_by(audit_event.c.id))
        return [row["event"] for row in rows if row["event"].startswith(prefix)]


async def open_operator(scene: Scene) -> Operator:
    """A publisher, and alice, who has signed in."""
    publisher, token = await service.add_publisher(scene.ctx, "reports")
    account, session = await owner(scene)
    return Operator(scene, publisher, token, account, session)


class Keyholder:
    """A client's OpenPGP key: what is encrypted to it can be read again."""

    def __init__(self) -> None:
        self._secret = pysequoia.Tsk.generate("Alice <alice@mail.example>")
        self.certificate = self._secret.extract_certificate()
        self.fingerprint = self.certificate.fingerprint.upper()

    def decrypt(self, message: bytes) -> bytes:
        """The plain text."""
        opened = pysequoia.decrypt(message, decryptor=self._secret.decryptor())
        assert opened.bytes is not None
        return opened.bytes


def random_bytes(size: int) -> bytes:
    """Data that no compression makes smaller, and that is found again wherever it lies."""
    return secrets.token_bytes(size)


def plain_copies(folder: Path, marker: bytes) -> list[str]:
    """Files below a folder in which some bytes of a plain text stand."""
    return [
        str(path) for path in folder.rglob("*") if path.is_file() and marker in path.read_bytes()
    ]
