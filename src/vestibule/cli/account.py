"""`vestibule account`: the operator's hand on the people who may sign in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from vestibule.accounts import service as accounts
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.cli import contact, terminal
from vestibule.cli.demo import random_password
from vestibule.cli.opening import found, with_context
from vestibule.client.state import handle
from vestibule.devices import service as devices
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import EndReason

app = terminal.typer_app()
app.add_typer(contact.app, name="contact")


@app.callback(no_args_is_help=True)
def root() -> None:
    """Look after the people who may sign in, on the server's own machine."""


Username = Annotated[str, typer.Argument(help="The account's name.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
Generated = Annotated[
    bool, typer.Option("--generate", help="Make a random password and show it once.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def _password(username: str, *, from_stdin: bool, generate: bool) -> str:
    if not generate:
        return terminal.ask_secret(
            f"New password for {username}",
            from_stdin=from_stdin,
            flag="--password-stdin (or --generate)",
            twice=True,
        )
    password = random_password()
    terminal.out.print(f"Password of {escape(username)}: [bold]{password}[/] (not shown again)")
    return password


@app.command()
def add(
    username: Username,
    name: Annotated[str, typer.Option(help="The name shown on pages.")] = "",
    no_seamless: Annotated[
        bool, typer.Option("--no-seamless", help="Send no notifications: typed responses only.")
    ] = False,
    password_stdin: FromStdin = False,
    generate: Generated = False,
) -> None:
    """Add an account. Its owner links a phone at the first sign-in."""
    password = _password(username, from_stdin=password_stdin, generate=generate)

    async def body(ctx: Context) -> None:
        made = await accounts.create_account(
            ctx,
            username=username,
            password=password,
            display_name=name,
            seamless=not no_seamless,
        )
        terminal.out.print(f"Added {escape(made.username)}.")

    with_context(body)


@app.command("list")
def list_accounts() -> None:
    """List all accounts."""

    async def body(ctx: Context) -> None:
        for one in await accounts.list_accounts(ctx):
            state = "  disabled" if one.disabled_at else ""
            line = f"{one.username}  {one.display_name}  since {_day(one.created_at)}"
            terminal.out.print(escape(line + state))

    with_context(body)


@app.command()
def show(username: Username) -> None:
    """Show an account: its phones, its sessions, and what is limited now."""

    async def body(ctx: Context) -> None:
        account = await found(ctx, username)
        now = ctx.clock.now()
        terminal.out.print(escape(f"{account.username}  {account.display_name}"))
        seamless = "on" if account.seamless else "off"
        terminal.out.print(f"Seamless authentication: {seamless}")
        if account.disabled_at:
            terminal.out.print(f"Disabled since {_moment(account.disabled_at)}")
        if account.pushes_stopped_until and account.pushes_stopped_until > now:
            terminal.out.print(f"No notifications until {_moment(account.pushes_stopped_until)}")
        for phone in await devices.list_phones(ctx, account.id):
            used = f"used {_moment(phone.used_at)}" if phone.used_at else "not used yet"
            one = phone.enrollment
            called = f"{handle(one.id)}  {one.label}"
            terminal.out.print(escape(f"Phone {called}  {one.platform}  {used}"))
        for session in await sessions.list_sessions(ctx, account.id):
            seen = _moment(session.seen_at)
            terminal.out.print(escape(f"Session {session.browser}  {session.address}  seen {seen}"))

    with_context(body)


@app.command()
def password(
    username: Username, password_stdin: FromStdin = False, generate: Generated = False
) -> None:
    """Give an account a new password. It must be changed at the next sign-in."""
    secret = _password(username, from_stdin=password_stdin, generate=generate)

    async def body(ctx: Context) -> None:
        account = await found(ctx, username)
        await accounts.set_password(
            ctx, account_id=account.id, password=secret, actor="system", change_needed=True
        )
        terminal.out.print(f"{escape(account.username)} has a new password.")

    with_context(body)


@app.command()
def disable(username: Username, yes: Yes = False) -> None:
    """Let nobody sign in to an account, and end its sessions at once."""
    terminal.confirm(f"Disable {username} and end its sessions?", yes=yes)
    with_context(lambda ctx: _set_disabled(ctx, username, disabled=True))


@app.command()
def enable(username: Username) -> None:
    """Undo `disable`."""
    with_context(lambda ctx: _set_disabled(ctx, username, disabled=False))


async def _set_disabled(ctx: Context, username: str, *, disabled: bool) -> None:
    account = await found(ctx, username)
    await accounts.set_disabled(ctx, account_id=account.id, disabled=disabled)
    state = "disabled" if disabled else "enabled"
    terminal.out.print(f"{escape(account.username)} is {state}.")


@app.command()
def unlock(username: Username) -> None:
    """Lift every limit of an account: wrong passwords, wrong responses, stopped notifications."""

    async def body(ctx: Context) -> None:
        account = await found(ctx, username)
        await accounts.unlock_account(ctx, account_id=account.id)
        terminal.out.print(f"{escape(account.username)} is not limited any more.")

    with_context(body)


@app.command("end-sessions")
def end_sessions(username: Username, yes: Yes = False) -> None:
    """Sign an account out everywhere."""
    terminal.confirm(f"End all sessions of {username}?", yes=yes)

    async def body(ctx: Context) -> None:
        account = await found(ctx, username)

        async def end(tx: Tx) -> int:
            return await sessions.end_others(
                tx,
                account_id=account.id,
                keep=None,
                reason=EndReason.ENDED,
                actor="system",
                source="",
                now=ctx.clock.now(),
            )

        terminal.out.print(f"Ended {await ctx.db.write(end)} sessions.")

    with_context(body)


@app.command("remove-phone")
def remove_phone(
    username: Username,
    phone: Annotated[str, typer.Argument(help="The phone's name or id, as `show` lists it.")],
    yes: Yes = False,
) -> None:
    """Remove a lost phone: nothing that it signs counts any more."""
    terminal.confirm(f"Remove the phone {phone} of {username}?", yes=yes)

    async def body(ctx: Context) -> None:
        account = await found(ctx, username)
        linked = [one.enrollment for one in await devices.list_phones(ctx, account.id)]
        matching = [one for one in linked if phone in (one.id, handle(one.id), one.label)]
        if len(matching) != 1:
            known = ", ".join(f"{one.label} ({handle(one.id)})" for one in linked) or "none"
            raise terminal.StoppedError(f"Which phone? Linked: {known}")
        await devices.remove_by_operator(ctx, matching[0])
        terminal.out.print(escape(f"Removed {matching[0].label}."))

    with_context(body)


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}"
