"""`vestibule notify`: the operator tells people something of their own."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.markup import escape

from vestibule.accounts import service as accounts
from vestibule.app import open_context
from vestibule.base.context import Context
from vestibule.cli import terminal
from vestibule.notifications import service as notifications

_TITLE_MOST = 100
_TEXT_MOST = 2_000
_AT_ONCE = 200


def notify(
    username: Annotated[str, typer.Argument(help="Whom to tell.")] = "",
    everybody: Annotated[bool, typer.Option("--all", help="Tell everybody.")] = False,
    title: Annotated[str, typer.Option(help="What it is about, in a few words.")] = "",
    text: Annotated[str, typer.Option(help="What there is to say, in whole sentences.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Tell an account, or all of them, something: in their list, by mail, and on their phones."""
    if bool(username) == everybody:
        raise terminal.StoppedError("Whom to tell?", "Name one account, or say --all.")
    title, text = " ".join(title.split()), text.strip()
    if not 1 <= len(title) <= _TITLE_MOST or not 1 <= len(text) <= _TEXT_MOST:
        raise terminal.StoppedError(
            "What to say?",
            f"--title takes up to {_TITLE_MOST} characters, --text up to {_TEXT_MOST}.",
        )
    if everybody:
        terminal.confirm("Tell everybody?", yes=yes)

    async def run() -> None:
        async with open_context(terminal.settings()) as ctx:
            ids = await _whom(ctx, username)
            for start in range(0, len(ids), _AT_ONCE):
                part = ids[start : start + _AT_ONCE]
                await notifications.send_notice(ctx, account_ids=part, title=title, text=text)
            count = f"{len(ids)} accounts" if everybody else escape(username)
            terminal.out.print(f"Told {count}. The running server sends it within half a minute.")

    asyncio.run(run())


async def _whom(ctx: Context, username: str) -> list[str]:
    if not username:
        listed = await accounts.list_accounts(ctx)
        return [account.id for account in listed if account.disabled_at is None]
    account = await accounts.find_account(ctx, username=username)
    if account is None:
        raise terminal.StoppedError(
            f"There is no account {username}.", "`vestibule account list` shows all of them."
        )
    return [account.id]
