"""An account that fetches statements, and keys made for it."""

from collections.abc import Awaitable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pysequoia import Tsk
from sqlalchemy import select

from tests.desk import open_session
from tests.login.scene import HERE, Scene
from vestibule.accounts.rules import Account
from vestibule.base.audit import audit_event
from vestibule.base.errors import Refused
from vestibule.delivery import rules, service
from vestibule.delivery.rules import Door, Home, Key
from vestibule.sessions.rules import Proof, Session

NETWORK = "192.0.2.0/24"
INSIDE = "192.0.2.77"
OUTSIDE = "198.51.100.9"
FROM: dict[str, Any] = {"source": HERE.address}


async def owner(scene: Scene, username: str = "alice") -> tuple[Account, Session]:
    """An account, and a session of it that was proven just now."""
    account = await scene.account(username)
    session, _ = await open_session(scene, account, proof=Proof.NUMBER)
    return account, session


def fresh_line(comment: str = "laptop") -> bytes:
    """A new public key as OpenSSH writes it."""
    public = Ed25519PrivateKey.generate().public_key()
    return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + f" {comment}\n".encode()


def certificate() -> bytes:
    """An OpenPGP certificate made just now."""
    return bytes(Tsk.generate("Morgan <morgan@example.org>").extract_certificate())


async def added(scene: Scene, session: Session, data: bytes | None = None, label: str = "") -> Key:
    """A key registered for the session's account."""
    return await service.add_key(scene.ctx, session, data=data or fresh_line(), label=label, **FROM)


async def opened(scene: Scene, session: Session) -> tuple[Home, Key]:
    """A home that lets programs of `NETWORK` in by one key."""
    key = await added(scene, session)
    await service.set_networks(
        scene.ctx, session, networks=rules.delivery_networks(NETWORK), **FROM
    )
    await service.switch(scene.ctx, session, on=True, **FROM)
    home = await service.home_of(scene.ctx, session.account_id)
    assert home is not None
    return home, key


async def door_of(scene: Scene, home: Home) -> Door:
    """The door of a home that is there."""
    door = await service.door(scene.ctx, home.username)
    assert door is not None
    return door


async def refused(call: Awaitable[object]) -> Refused:
    """The refusal that a call ends with."""
    with pytest.raises(Refused) as caught:
        await call
    return caught.value


async def events(scene: Scene, prefix: str = "delivery.") -> list[str]:
    """The names of the events so far that begin so."""
    rows = await scene.ctx.db.all(select(audit_event.c.event).order_by(audit_event.c.id))
    return [row["event"] for row in rows if row["event"].startswith(prefix)]
