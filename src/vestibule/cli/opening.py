"""How a verb reaches the house: its context for one task, and the account that was named."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from vestibule.accounts import service as accounts
from vestibule.accounts.rules import Account
from vestibule.app import open_context
from vestibule.base.context import Context
from vestibule.cli import terminal


def with_context(body: Callable[[Context], Awaitable[None]]) -> None:
    """Run a task within the house of this machine's settings."""

    async def run() -> None:
        async with open_context(terminal.settings()) as ctx:
            await body(ctx)

    asyncio.run(run())


async def found(ctx: Context, username: str) -> Account:
    """The account of that name. Raises StoppedError."""
    account = await accounts.find_account(ctx, username=username)
    if account is None:
        raise terminal.StoppedError(
            f"There is no account {username}.", "`vestibule account list` shows all of them."
        )
    return account
