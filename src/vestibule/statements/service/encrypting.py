"""Statements that were published in clear before their owner wanted encryption.

From the moment a certificate is set they are shown to nobody (`reading`); this encrypts them, and
only then they are there again. What was encrypted to a former certificate stays as it is: we have
no plain text of it.
"""

from typing import Final

import structlog

from vestibule.accounts import service as accounts
from vestibule.base import audit, orphans
from vestibule.base.clock import HOUR
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Fault
from vestibule.base.ids import new_id
from vestibule.delivery import service as delivery
from vestibule.statements import store
from vestibule.statements.service.placing import certificate_in, checked, write
from vestibule.statements.service.reading import content

_log = structlog.get_logger("vestibule.statements")

_AT_A_TIME: Final = 50
_EVERY_S: Final = 60.0
"""For what another process did, where no bus joins them, or left undone."""
_LOOKED_BACK_MS: Final = HOUR
"""Certificates are dated by whichever worker took them, and clocks differ."""


async def encrypt_for_ever(ctx: Context) -> None:
    """Encrypt soon after a certificate is set: until then its owner sees too little."""
    since = ctx.clock.now() - _LOOKED_BACK_MS
    async with ctx.wake.subscribe(delivery.CERTIFICATES) as waiter:
        while True:
            await waiter.wait(_EVERY_S)
            now = ctx.clock.now()
            try:
                await encrypt_plain(ctx, since=since)
            except Exception:  # noqa: BLE001
                # The database is away, perhaps. The same again, and all of it every sweep.
                _log.exception("statements.encrypting_failed")
            else:
                since = now - _LOOKED_BACK_MS


async def encrypt_plain(ctx: Context, *, since: int = 0) -> int:
    """Encrypt what lies in clear in accounts with a certificate set after ``since``; how many.

    Several workers may do it at once: of two, one's work counts.
    """
    done, after = 0, ""
    while True:
        rows = await ctx.db.all(
            store.IN_CLEAR, since=since, now=ctx.clock.now(), after=after, most=_AT_A_TIME
        )
        for row in rows:
            after = row["id"]
            try:
                done += await _encrypt(ctx, row)
            except FileNotFoundError:
                continue  # purged or replaced meanwhile
            except Fault as fault:
                # It stays hidden, which is safe; the next round tries again.
                _log.error("statements.not_encrypted", statement=row["id"], reason=str(fault))
        if len(rows) < _AT_A_TIME:
            return done


async def _encrypt(ctx: Context, row: Row) -> bool:
    target = f"statements/{new_id()}"
    reader = await ctx.objects.open(row["object"])
    try:
        plain = checked(content(reader), size=row["size"], sha256=row["sha256"])
        stored = await write(ctx, target, plain, certificate_in(row))
    finally:
        reader.close()
    now = ctx.clock.now()
    told = audit.journal(
        event="statement.encrypted",
        actor="system",
        at=now,
        detail={"kind": row["kind"], "name": row["name"], "fingerprint": row["fingerprint"]},
    )

    async def body(tx: Tx) -> bool:
        # In turn with whoever changes the certificate, as when publishing.
        await accounts.lock_account(tx, row["account_id"])
        moved = await tx.run(
            store.ENCRYPTED,
            id_=row["id"],
            from_object=row["object"],
            object=target,
            stored_size=stored,
            encrypted_to=row["fingerprint"],
            certificate_id=row["certificate_id"],
            **told,
        )
        return bool(moved)

    won = await ctx.db.write(body)
    await orphans.discard(ctx, [row["object"] if won else target])
    return won
