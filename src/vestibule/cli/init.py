"""`vestibule init`: everything a server needs before it can start."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from vestibule import schema
from vestibule.accounts import service as accounts
from vestibule.app import open_context
from vestibule.base.sealing import Keys
from vestibule.base.settings import Settings
from vestibule.cli import terminal


def init(
    data: Annotated[str | None, typer.Option(help="Folder of the keys and the database.")] = None,
    account: Annotated[
        str | None, typer.Option(help="Name of a first account; its password is asked for.")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Make the data folder with its keys, and bring the database to this version.

    May be run again: keys are never replaced, and a database is only moved forward.
    """
    settings = terminal.settings(data=data)
    password = ""
    if account is not None:
        password = terminal.ask_secret(
            f"Password for {account}",
            from_stdin=password_stdin,
            flag="--password-stdin",
            twice=True,
        )
    Keys.create(settings.data)
    terminal.out.print(f"Keys      {settings.data / 'keys'}")
    asyncio.run(_prepare(settings, account, password))
    terminal.out.print("Next: `vestibule serve`, or `vestibule account add <name>`.")


async def _prepare(settings: Settings, username: str | None, password: str) -> None:
    await schema.upgrade(settings.database)
    terminal.out.print(f"Database  {_without_password(settings.database)}")
    if username is None:
        return
    async with open_context(settings) as ctx:
        made = await accounts.create_account(ctx, username=username, password=password)
    terminal.out.print(f"Account   {made.username}")


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
