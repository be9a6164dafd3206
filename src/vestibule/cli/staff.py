"""`vestibule staff`: who of the accounts are members of staff."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
from rich.markup import escape

from vestibule.accounts import service as accounts
from vestibule.accounts.rules import Account
from vestibule.app import open_context
from vestibule.base.context import Context
from vestibule.cli import terminal
from vestibule.staff import service as members
from vestibule.staff.rules import Role

app = terminal.typer_app()


@app.callback(no_args_is_help=True)
def root() -> None:
    """Name the members of staff, on the server's own machine.

    Members of staff are accounts that sign in like everybody else. Their pages begin at /staff,
    and open to an approval on the phone only.
    """


Username = Annotated[str, typer.Argument(help="The account's name.")]


def _with_account(username: str, body: Callable[[Context, Account], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_context(terminal.settings()) as ctx:
            account = await accounts.find_account(ctx, username=username)
            if account is None:
                raise terminal.StoppedError(
                    f"There is no account {username}.", "`vestibule account add` makes one."
                )
            await body(ctx, account)

    asyncio.run(run())


@app.command()
def add(
    username: Username,
    role: Annotated[
        Role,
        typer.Option(
            help="support answers clients; an officer also decides, reads what is about security "
            "and writes the canned answers; an observer sees how long clients wait, and nothing "
            "that they wrote."
        ),
    ] = Role.SUPPORT,
) -> None:
    """Make an account a member of staff, or change a member's role."""

    async def body(ctx: Context, account: Account) -> None:
        await members.add_member(ctx, account, role=role)
        terminal.out.print(f"{escape(account.username)} is of the staff: {role.value}.")

    _with_account(username, body)


@app.command()
def remove(username: Username) -> None:
    """Make a member of staff a client again."""

    async def body(ctx: Context, account: Account) -> None:
        if not await members.remove_member(ctx, account):
            raise terminal.StoppedError(
                f"{account.username} is not of the staff.", "`vestibule staff list` shows who is."
            )
        terminal.out.print(f"{escape(account.username)} is not of the staff any more.")

    _with_account(username, body)


@app.command("list")
def list_members() -> None:
    """List the members of staff and their roles."""

    async def run() -> None:
        async with open_context(terminal.settings()) as ctx:
            for member in await members.list_members(ctx):
                line = f"{member.username}  {member.role.value}  {member.display_name}"
                terminal.out.print(escape(line))

    asyncio.run(run())
