"""`vestibule phone`: the reference phone in a terminal."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from platform import node
from typing import Annotated

import typer
from rich.markup import escape

from vestibule.cli import terminal
from vestibule.cli.qr_image import read_qr
from vestibule.client import cases
from vestibule.client.offers import Offer, Request
from vestibule.client.phone import Phone
from vestibule.client.state import handle

app = terminal.typer_app()

Pin = Annotated[bool, typer.Option("--pin-stdin", help="Read the PIN from standard input.")]
Account = Annotated[
    str | None, typer.Option(help="Which account, where this phone has several: name or id.")
]
Wanted = Annotated[
    str | None, typer.Argument(help="Which request, as `list` shows it; not needed for a single.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.callback(no_args_is_help=True)
def phone(
    ctx: typer.Context,
    state: Annotated[
        Path | None,
        typer.Option(help="File that is this phone. Default: in the user's state folder."),
    ] = None,
) -> None:
    """Be a phone: made for tests, for scripts and for those who live in a terminal.

    The state file holds the device keys. Whoever may read it has the phone, though not the PIN.
    """
    ctx.obj = state or _default_state()


def _default_state() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "vestibule" / "phone.json"


def _with_phone(ctx: typer.Context, body: Callable[[Phone], Awaitable[None]]) -> None:
    async def run() -> None:
        async with Phone(ctx.obj) as phone:
            await body(phone)

    asyncio.run(run())


def _ask_pin(*, from_stdin: bool, twice: bool = False) -> str:
    return terminal.ask_secret("PIN", from_stdin=from_stdin, flag="--pin-stdin", twice=twice)


@app.command()
def activate(
    ctx: typer.Context,
    link_or_code: Annotated[
        str | None, typer.Argument(help="The activation link, or the typed code below it.")
    ] = None,
    image: Annotated[
        Path | None, typer.Option(help="A picture of the portal's QR code, in place of the link.")
    ] = None,
    server: Annotated[
        str, typer.Option(help="The phone app's address; needed with a typed code only.")
    ] = "",
    label: Annotated[str, typer.Option(help="This phone's name, as the portal shows it.")] = "",
    pin_stdin: Pin = False,
    yes: Yes = False,
) -> None:
    """Link an account to this phone."""
    if (link_or_code is None) == (image is None):
        raise terminal.StoppedError(
            "Give the activation link, the typed code, or --image.",
            "The portal shows them after the first sign-in.",
            code=terminal.USAGE,
        )
    given = read_qr(image) if image else link_or_code or ""

    async def body(phone: Phone) -> None:
        offer = await phone.fetch_offer(given, address=server)
        _show_offer(offer)
        terminal.confirm("Link this account?", yes=yes)
        # Nothing here can tell a mistyped PIN, so it is typed twice, each time an account is added.
        pin = _ask_pin(from_stdin=pin_stdin, twice=True)
        name = label or f"Terminal on {node()}"[:40]
        linked = await phone.activate(offer, pin=pin, label=name)
        terminal.out.print(f"Linked [bold]{escape(linked.account)}[/] as {escape(name)}.")

    _with_phone(ctx, body)


def _show_offer(offer: Offer) -> None:
    request = offer.request
    terminal.out.print(
        f"[bold]{escape(request.organisation)}[/], {escape(request.application)}: "
        f"account {escape(request.account)}, server {escape(request.iss)}"
    )
    policy = request.policy
    terminal.out.print(f"PIN: {policy.pin_min} to {policy.pin_max} letters, digits or signs.")


@app.command("list")
def list_requests(ctx: typer.Context) -> None:
    """Show the sign-ins that wait for an answer."""

    async def body(phone: Phone) -> None:
        _show_requests(await phone.requests())

    _with_phone(ctx, body)


def _short(request: str) -> str:
    return handle(request)[:6]


def _show_requests(requests: list[Request]) -> None:
    if not requests:
        terminal.out.print("Nothing waits.")
    for request in requests:
        show, left = request.claims.show, max(0, request.claims.exp - int(time.time()))
        place = f", {show.place}" if show.place else ""
        known = "known browser" if show.known else "[bold]browser not seen before[/]"
        number = ", asks for the number on its page" if request.claims.number else ""
        terminal.out.print(
            f"[bold]{_short(request.claims.jti)}[/]  {escape(show.account)} at "
            f"{escape(show.organisation)}: {escape(show.browser)}{escape(place)} "
            f"({escape(show.address)}), {known}{number}, {left} s left"
        )


@app.command()
def approve(
    ctx: typer.Context,
    request: Wanted = None,
    number: Annotated[
        str, typer.Option(help="The six digits that the browser shows, if it is asked for.")
    ] = "",
    pin_stdin: Pin = False,
) -> None:
    """Approve a sign-in that is yours."""

    async def body(phone: Phone) -> None:
        found = await _one(phone, request)
        typed = number
        if found.claims.number and not typed:
            typed = typer.prompt("Number shown in the browser", err=True)
        pin = _ask_pin(from_stdin=pin_stdin)
        result = await phone.approve(found, pin=pin, number=typed if found.claims.number else "")
        terminal.out.print(f"{result.capitalize()}.")

    _with_phone(ctx, body)


@app.command()
def deny(ctx: typer.Context, request: Wanted = None) -> None:
    """Refuse a sign-in."""

    async def body(phone: Phone) -> None:
        result = await phone.deny(await _one(phone, request))
        terminal.out.print(f"{result.capitalize()}.")

    _with_phone(ctx, body)


@app.command()
def report(ctx: typer.Context, request: Wanted = None) -> None:
    """Refuse a sign-in that somebody else tries; the account is guarded."""

    async def body(phone: Phone) -> None:
        result = await phone.report(await _one(phone, request))
        terminal.out.print(f"{result.capitalize()}.")

    _with_phone(ctx, body)


async def _one(phone: Phone, wanted: str | None) -> Request:
    waiting = await phone.requests()
    begins = handle(wanted or "")
    found = [one for one in waiting if handle(one.claims.jti).startswith(begins)]
    if len(found) == 1:
        return found[0]
    if not waiting:
        raise terminal.StoppedError(
            "Nothing waits.", "Begin a sign-in in the browser; it waits for three minutes."
        )
    known = ", ".join(_short(one.claims.jti) for one in waiting)
    raise terminal.StoppedError(
        f"Say which request: {known}.", "`vestibule phone list` shows them."
    )


@app.command()
def respond(
    ctx: typer.Context,
    challenge: Annotated[str, typer.Argument(help="The six digits that the browser shows.")],
    account: Account = None,
    pin_stdin: Pin = False,
) -> None:
    """Make the response to a challenge, without any network."""
    phone = Phone(ctx.obj)
    pin = _ask_pin(from_stdin=pin_stdin)
    digits = phone.respond(challenge, pin=pin, account=account).response
    terminal.out.print(f"[bold]{digits[:4]} {digits[4:]}[/]")


@app.command()
def watch(ctx: typer.Context, account: Account = None) -> None:
    """Wait for sign-ins and show them as they come, until interrupted."""

    async def body(phone: Phone) -> None:
        while True:
            async for name, data in phone.watch(account=account):
                stamp = f"{datetime.now(UTC):%H:%M:%S}"
                if name == "outcome":
                    which = _short(data["request"])
                    terminal.out.print(f"{stamp} {which} {escape(data['result'])}")
                else:
                    terminal.out.print(stamp)
                    _show_requests(await phone.requests(account=account))
            # The server ends a stream after an hour; one that ends at once must not be hammered.
            await asyncio.sleep(1)

    _with_phone(ctx, body)


@app.command()
def accounts(ctx: typer.Context) -> None:
    """List the accounts on this phone."""
    linked = Phone(ctx.obj).state.accounts
    if not linked:
        terminal.out.print("No account is linked. `vestibule phone activate --help` says how.")
    for one in linked:
        where = f"{one.account} at {one.organisation}  {one.issuer}"
        terminal.out.print(escape(f"{handle(one.id)}  {where}"))


@app.command()
def rename(
    ctx: typer.Context,
    label: Annotated[str, typer.Argument(help="This phone's new name.")],
    account: Account = None,
) -> None:
    """Give this phone another name in an account's list."""
    _with_phone(ctx, lambda phone: phone.rename(label, account=account))


@app.command()
def remove(
    ctx: typer.Context,
    account: Annotated[str, typer.Argument(help="The account's name or id.")],
    yes: Yes = False,
) -> None:
    """Unlink an account from this phone, here and at the portal."""
    terminal.confirm(f"Unlink {account} from this phone?", yes=yes)

    async def body(phone: Phone) -> None:
        await phone.remove(account)
        terminal.out.print(f"Unlinked {escape(account)}.")

    _with_phone(ctx, body)


@app.command("pin")
def change_pin(ctx: typer.Context, pin_stdin: Pin = False) -> None:
    """Change this phone's PIN: first the old one, which the portal checks, then the new one."""
    old = _ask_pin(from_stdin=pin_stdin)
    new = terminal.ask_secret("New PIN", from_stdin=pin_stdin, flag="--pin-stdin", twice=True)

    async def body(phone: Phone) -> None:
        await phone.change_pin(old, new)
        terminal.out.print("The PIN is changed, for every account on this phone.")

    _with_phone(ctx, body)


@app.command("add")
def add(
    ctx: typer.Context,
    username: Annotated[str, typer.Argument(help="Your username at the portal.")],
    server: Annotated[str, typer.Option(help="The phone app's address.")],
    way: Annotated[
        str, typer.Option(help="What beside the password: sms, voice, code or phone.")
    ] = "",
    replaces: Annotated[
        str, typer.Option(help="The phone that this one replaces: its id, `all`, or nothing.")
    ] = "",
    forgotten: Annotated[
        bool, typer.Option("--forgotten-pin", help="Make a new PIN: the old one is forgotten.")
    ] = False,
    label: Annotated[str, typer.Option(help="This phone's name, as the portal shows it.")] = "",
    secrets_stdin: Annotated[
        bool, typer.Option(help="Read the password, then the PIN, from standard input.")
    ] = False,
) -> None:
    """Link an account by username and password: by text message, printed code or another phone."""
    password = terminal.ask_secret(
        "Password", from_stdin=secrets_stdin, flag="--secrets-stdin", twice=False
    )

    name = label or f"Terminal on {node()}"[:40]

    async def body(phone: Phone) -> None:
        case = await cases.begin(phone, server, username, password, label=name, afresh=forgotten)
        offer = await _prove(phone, case, way, replaces)
        _show_offer(offer)
        pin = _ask_pin(from_stdin=secrets_stdin, twice=True)
        linked, rests_until = await cases.finish(phone, case, offer, pin=pin)
        terminal.out.print(f"Linked [bold]{escape(linked.account)}[/] as {escape(name)}.")
        if rests_until is not None:
            begins = datetime.fromtimestamp(rests_until / 1000, UTC)
            terminal.out.print(f"It begins to approve at {begins:%Y-%m-%d %H:%M} UTC.")

    _with_phone(ctx, body)


async def _prove(phone: Phone, case: cases.Case, way: str, replaces: str) -> Offer:
    """Go a way with the case, and return what it leads to."""
    for one in case.phones:
        terminal.out.print(f"Phone {one['id']}  {escape(one['label'])}")
    if not case.ways:
        raise terminal.StoppedError(
            "Nothing beside the password is known of this account.",
            "Sign in at the portal by another factor, and link this phone there.",
        )
    kinds = ", ".join(dict.fromkeys(str(one["kind"]) for one in case.ways))
    kind = way or typer.prompt(f"Which way ({kinds})", err=True)
    chosen = await cases.choose(phone, case, case.way(kind), replaces=replaces)
    return await _offer_of(phone, case, kind, chosen["number"])


async def _offer_of(phone: Phone, case: cases.Case, kind: str, number: str | None) -> Offer:
    """What the way leads to: a code is asked for, another phone is waited for."""
    if kind != "phone":
        return await cases.type_code(phone, case, typer.prompt("Code", err=True))
    terminal.out.print(
        f"Approve on the other phone{f', with the number {number}' if number else ''}."
    )
    while True:
        outcome = await cases.outcome(phone, case)
        if outcome.offer is not None:
            return outcome.offer
        if outcome.state != "waiting":
            raise terminal.StoppedError(
                f"It was not approved: {outcome.state}.", "Begin again, or choose another way."
            )
        await asyncio.sleep(2)
