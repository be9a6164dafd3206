"""`vestibule account contact`: the addresses and numbers of an account."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from vestibule.base.context import Context
from vestibule.cli import terminal
from vestibule.cli.opening import found, with_context
from vestibule.contacts import service as contacts
from vestibule.contacts.rules import Contact, Kind

app = terminal.typer_app()


@app.callback(no_args_is_help=True)
def root() -> None:
    """Look after the addresses and numbers at which an account's owner is reached."""


Username = Annotated[str, typer.Argument(help="The account's name.")]
Address = Annotated[str, typer.Argument(help="An e-mail address, or a number with +.")]


def _kind(address: str) -> Kind:
    return Kind.MAIL if "@" in address else Kind.NUMBER


@app.command()
def add(
    username: Username,
    address: Address,
    unverified: Annotated[
        bool,
        typer.Option("--unverified", help="Its owner has to show by a code that it is theirs."),
    ] = False,
) -> None:
    """Add an address or a number. You vouch for whose it is, unless you say --unverified."""

    async def body(ctx: Context) -> None:
        account = await found(ctx, username)
        contact = await contacts.add_by_operator(
            ctx,
            account_id=account.id,
            kind=_kind(address),
            typed=address,
            country=ctx.settings.home_country,
            verified=not unverified,
        )
        terminal.out.print(f"Added {escape(contact.written)}{_state(contact)}.")

    with_context(body)


@app.command("list")
def list_contacts(username: Username) -> None:
    """List the addresses and numbers of an account."""

    async def body(ctx: Context) -> None:
        account = await found(ctx, username)
        for contact in await contacts.list_contacts(ctx, account.id):
            first = "  used first" if contact.preferred else ""
            terminal.out.print(escape(f"{contact.written}{_state(contact)}{first}"))

    with_context(body)


@app.command()
def remove(
    username: Username,
    address: Address,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove an address or a number. It is told for some days more what happens."""
    terminal.confirm(f"Remove {address} of {username}?", yes=yes)

    async def body(ctx: Context) -> None:
        account = await found(ctx, username)
        listed = await contacts.list_contacts(ctx, account.id)
        plain = "".join(address.split())
        matching = [
            one for one in listed if plain in (one.address, "".join(one.written.split()), one.id)
        ]
        if not matching:
            known = ", ".join(one.written for one in listed) or "none"
            raise terminal.StoppedError(f"Which one? Known: {known}")
        await contacts.remove_by_operator(ctx, matching[0])
        terminal.out.print(f"Removed {escape(matching[0].written)}.")

    with_context(body)


def _state(contact: Contact) -> str:
    return "" if contact.verified_at else "  not verified"
