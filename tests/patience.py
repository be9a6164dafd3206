"""How long a test waits, and for what."""

import asyncio
from collections.abc import Callable

PATIENCE_S = 30.0
"""Far more than anything here takes: a busy machine is no fault, and what hangs still ends."""


async def until(true: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait for a condition.

    Raises TimeoutError after so many seconds.
    """
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  -- what it waits for tells nobody
            await asyncio.sleep(0.01)
