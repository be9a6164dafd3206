"""A publisher at hand, and files that it publishes by the real service."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from pysequoia import Tsk

from tests.desk import open_session
from tests.login.scene import HERE, Scene
from vestibule.accounts.rules import Account
from vestibule.base.clock import SystemClock
from vestibule.delivery import service as delivery
from vestibule.sessions.rules import Proof, Session
from vestibule.statements import service
from vestibule.statements.rules import Statement, Wanted

OWNER = Tsk.generate("M. Rossi <m.rossi@example.com>")
"""The key pair of an owner who wants files encrypted."""
CSV = b"date,amount\r\n2026-11-22,12.50\r\n"


async def publish(
    scene: Scene,
    account: Account,
    name: str = "activity-2026-11-22.csv",
    *,
    kind: str = "daily",
    period: str = "",
    data: bytes = CSV,
    media: str = "text/csv",
    replace: bool = False,
) -> Statement:
    """Publish one file, as one of the operator's systems does."""
    publishers = await service.list_publishers(scene.ctx)
    publisher = publishers[0] if publishers else (await service.add_publisher(scene.ctx, "p"))[0]
    wanted = Wanted(
        account=account.username,
        kind=kind,
        name=name,
        size=len(data),
        sha256=hashlib.sha256(data).digest(),
        period=period,
        media=media,
        replace=replace,
    )

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    published = await service.publish(scene.ctx, publisher, wanted, chunks=chunks())
    return await service.get_statement(scene.ctx, account.id, published.id)


async def certified(scene: Scene, account: Account) -> Session:
    """Give the account an OpenPGP certificate; a session of it that was proven just now."""
    # The library makes keys by the machine's clock; the scene's may be behind it one day.
    scene.clock.step(max(0, SystemClock().now() - scene.clock.now()))
    session, _ = await open_session(scene, account, proof=Proof.NUMBER)
    await delivery.set_certificate(
        scene.ctx, session, data=bytes(OWNER.extract_certificate()), source=HERE.address
    )
    return session


def stored(folder: Path) -> list[Path]:
    """Every file of the store."""
    return [path for path in folder.rglob("*") if path.is_file()]
