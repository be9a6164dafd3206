"""What time does to cases: phones that have rested long enough begin, old cases are forgotten."""

from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.devices import service as devices
from vestibule.recovery import store
from vestibule.recovery.service.enrolling import ripen

_KEPT_DAYS = 100
"""Longer than any grace: until then a case can still be stopped. The journal keeps the story."""


async def sweep_cases(ctx: Context) -> int:
    """Finish what has rested, revoke what has retired, delete what is long over; how many."""
    finished = await ripen(ctx)
    revoked = await devices.sweep_retired(ctx)
    deleted = await ctx.db.run(store.SWEEP, before=ctx.clock.now() - _KEPT_DAYS * DAY)
    return finished + revoked + deleted
