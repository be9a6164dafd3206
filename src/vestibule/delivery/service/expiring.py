"""Owners are told before their OpenPGP certificate expires: 30, 7 and 1 days, and when it has.

Nothing is published to an account whose certificate has expired: never in clear instead, and not
to a key whose owner said that it ends. So its owner has to hear of it in time (decision 0013).
"""

from datetime import UTC, datetime
from typing import Final

from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row
from vestibule.delivery import rules, store
from vestibule.delivery.service import records

_AT_ONCE: Final = 1000
"""The next sweep goes on."""


async def warn_expiring(ctx: Context) -> int:
    """Write the events that are due, each once whoever sweeps; how many there were."""
    now = ctx.clock.now()
    within = {f"within_{days}": now + days * DAY for days in rules.WARN_DAYS}
    rows = await ctx.db.all(store.EXPIRING, most=_AT_ONCE, **within)
    return sum([await _warn(ctx, row, now) for row in rows])


async def _warn(ctx: Context, row: Row, now: int) -> int:
    days = rules.warning_due(row["expires_at"], now=now, warned=row["warned"])
    if days is None:
        return 0
    event = "delivery.certificate_expires" if days else "delivery.certificate_expired"
    day = datetime.fromtimestamp(row["expires_at"] / 1000, UTC).date().isoformat()
    detail = {"fingerprint": row["fingerprint"], "day": day, "days": days}
    said = records.told(ctx, event, actor="system", source="", detail=detail)
    return await ctx.db.run(store.WARN_OF_CERTIFICATE, id_=row["id"], days=days, **said)
