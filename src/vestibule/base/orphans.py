"""Stored objects that no row names: what a crash left between a file and its row."""

import asyncio
from collections.abc import Iterable
from time import time
from typing import Any, Final

import structlog
from sqlalchemy import BindParameter, bindparam

from vestibule.base.context import Context
from vestibule.base.errors import Unavailable

AT_A_TIME: Final = 100
NAMES: Final[list[BindParameter[str]]] = [
    bindparam(f"name_{number}") for number in range(AT_A_TIME)
]
"""What the ``named`` statement of `sweep` asks for: ``column.in_(NAMES)``."""
_DELETED_AT_A_TIME: Final = 16
_log = structlog.get_logger("vestibule.objects")


async def discard(ctx: Context, names: Iterable[str]) -> None:
    """Delete what no row names. Failing harms nobody: the sweep finds it."""
    places = asyncio.Semaphore(_DELETED_AT_A_TIME)

    async def one(name: str) -> None:
        async with places:
            try:
                await ctx.objects.delete(name)
            except Unavailable as fault:
                _log.warning("objects.left_over", object=name, reason=str(fault))

    await asyncio.gather(*map(one, names))


async def sweep(
    ctx: Context,
    *,
    kinds: Iterable[str],
    named: Any,  # noqa: ANN401  -- a statement, whose type says nothing of its columns
    older_than_ms: int,
) -> int:
    """Delete the objects of these kinds that are old enough and have no row; how many.

    ``named`` selects the column ``object`` of the rows that name one of `NAMES`. Their age is told
    by the machine's clock, not by the house's: the store dates them by such a one, and a house
    whose clock is moved may not take away what is being written.
    """
    before, swept, old = int(time() * 1000) - older_than_ms, 0, list[str]()
    for kind in kinds:
        async for name, at in ctx.objects.list(kind):
            if at < before:
                old.append(name)
            if len(old) == AT_A_TIME:
                swept += await _sweep_some(ctx, named, old)
                old = []
    return swept + (await _sweep_some(ctx, named, old) if old else 0)


async def _sweep_some(ctx: Context, named: Any, names: list[str]) -> int:  # noqa: ANN401  -- as above
    asked = [*names, *[""] * (AT_A_TIME - len(names))]
    rows = await ctx.db.all(named, **{f"name_{number}": name for number, name in enumerate(asked)})
    kept = {row["object"] for row in rows}
    orphans = [name for name in names if name not in kept]
    await discard(ctx, orphans)
    return len(orphans)
