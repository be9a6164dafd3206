"""The knowledge check: whether the PIN that was typed is the right one (specification section 7).

It counts with everything else that a PIN can be tried with, for the whole device: several accounts
on one phone give no more tries.
"""

import hmac

from vestibule.base import audit, limits
from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Malformed, Refused
from vestibule.devices import store
from vestibule.devices.service.proofs import check_proof, parse_proof
from vestibule.devices.service.records import open_knowledge_key
from vestibule.protocol.keys import nonce_proof

NONCE_BYTES = 16


async def check_knowledge(
    ctx: Context,
    *,
    authorization: str | None,
    path: str,
    body: bytes,
    nonce: bytes,
    proof: str,
    source: str,
) -> None:
    """Accept a proof of K_knowledge over a nonce, or count a wrong one.

    Raises Refused ``proof_wrong`` (with ``left``), ``approvals_blocked`` (with ``wait``, seconds)
    or ``pin_locked``, and as `prove`.
    """
    if len(nonce) != NONCE_BYTES:
        raise Malformed("message_malformed")
    message = parse_proof(authorization)

    async def weigh(tx: Tx) -> int | None:
        row = await tx.one(store.TO_CHECK, id_=message.kid)
        check_proof(ctx, row, message, method="POST", path=path, body=body)
        if row is None:  # never: check_proof refused it
            raise Refused("enrollment_unknown")
        now = ctx.clock.now()
        device = limits.Slot.of(
            f"device:{row['device_id']}", row["device_version"], row["device_state"]
        )
        if wait := device.limits.knowledge_wait(now=now):
            raise Refused("approvals_blocked", wait=-(-wait // SECOND))
        if device.limits.knowledge_locked:
            raise Refused("pin_locked")
        key = open_knowledge_key(ctx, message.kid, row["knowledge_key"])
        if hmac.compare_digest(proof, nonce_proof(key, nonce)):
            right = device.limits.knowledge_right(by=message.kid)
            await limits.save(tx, device, right, always=True)
            return None
        return await _count(tx, device, row, message.kid, source=source, now=now)

    left = await ctx.db.write(weigh)
    if left is not None:
        raise Refused("proof_wrong", left=left)


async def _count(
    tx: Tx, device: limits.Slot, row: Row, phone: str, *, source: str, now: int
) -> int:
    """One wrong PIN more on this device; the tries that are left."""
    failed = device.limits.knowledge_failed(by=phone, now=now)
    await limits.save(tx, device, failed)
    locked = failed.knowledge_locked
    await audit.record(
        tx,
        event="enrollment.pin_locked" if locked else "enrollment.pin_refused",
        account_id=row["account_id"],
        subject=phone,
        actor=f"phone:{phone}",
        source=source,
        result="ok" if locked else "proof_wrong",
        at=now,
        detail={"label": row["label"]},
    )
    return failed.knowledge_left
