"""`vestibule serve`: the portal and the phone app, with demo accounts if asked."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from vestibule import processes
from vestibule.base.settings import Settings
from vestibule.cli import demo, terminal


def serve(
    demo_accounts: Annotated[
        bool, typer.Option("--demo", help="Make demo accounts and show how to begin.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            help="Serve the portal on this port of localhost, the phone app on the next, SFTP on "
            "the one after."
        ),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes to serve with.")] = None,
    portal_url: Annotated[
        str | None, typer.Option(help="The portal's address, as browsers see it.")
    ] = None,
    phone_url: Annotated[
        str | None, typer.Option(help="The phone app's address, as phones see it.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Folder of the keys and the database.")] = None,
) -> None:
    """Serve the portal, the phone app and SFTP until interrupted.

    Makes keys and database where they are missing. Options stand for the settings of the same
    name (`vestibule settings list`).
    """
    sftp_url = None
    if port is not None:
        portal_url = portal_url or f"http://localhost:{port}"
        phone_url = phone_url or f"http://localhost:{port + 1}"
        sftp_url = f"sftp://localhost:{port + 2}"
    settings = terminal.settings(
        workers=workers, portal_url=portal_url, phone_url=phone_url, sftp_url=sftp_url, data=data
    )
    accounts = asyncio.run(demo.prepare(settings)) if demo_accounts else []
    try:
        processes.serve(settings, announce=lambda: announce(settings, accounts))
    except processes.CannotServe as error:
        raise terminal.StoppedError(str(error), code=terminal.MISSING) from None


def announce(settings: Settings, accounts: list[demo.DemoAccount]) -> None:
    """Say where to go and what to do."""
    if not accounts:
        terminal.out.print(f"Portal     {settings.portal_url}\nPhone app  {settings.phone_url}")
        if settings.sftp_url and not settings.sftp_alone:
            terminal.out.print(f"Statements {settings.sftp_url}")
        return
    table = Table.grid(padding=(0, 2))
    table.add_row("Portal", Text(settings.portal_url, style="bold"))
    table.add_row("Phone app", Text(settings.phone_url, style="bold"))
    if settings.sftp_url:
        table.add_row("Statements", Text(settings.sftp_url, style="bold"))
    table.add_row("")
    for account in accounts:
        who = f"   at the desk: {account.role}" if account.role else ""
        table.add_row(
            "Account", f"[bold]{account.username}[/]   password [bold]{account.password}[/]{who}"
        )
    table.add_row("")
    for number, step in enumerate(_steps(settings, accounts[0]), 1):
        table.add_row(f"{number}", step)
    panel = Panel(table, title="Vestibule", title_align="left", padding=(1, 2), expand=False)
    terminal.out.print(panel, soft_wrap=False, width=max(terminal.out.width, 90))
    terminal.out.print(f"The passwords are kept in {demo.path(settings)}. Ctrl-C ends it.")


def _steps(settings: Settings, account: demo.DemoAccount) -> list[str]:
    return [
        f"Open the portal and sign in as {account.username}. Its first page shows a QR code.",
        f"Open {settings.phone_url} in a second window: link this phone by code or camera.",
        "Sign out, sign in again, and approve it in the second window.",
        "In the settings, under File delivery, let a program of yours fetch the statements.",
        "Sign in as one of the desk and link the phone: the menu then leads to the clients.",
    ]
