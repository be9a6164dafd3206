"""`vestibule login`, `logout`, `whoami`: this terminal's own session at a portal."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from platform import node
from typing import Annotated

import segno
import typer
from rich.markup import escape

from vestibule.cli import terminal
from vestibule.client.errors import Refused
from vestibule.client.terminal import Asked, Challenged, Terminal, Token
from vestibule.client.token_file import keep_token, read_token

# After these another response may be typed.
_ANOTHER = frozenset({"response_invalid", "response_wrong", "response_again"})


def token_path() -> Path:
    """Where the token is kept: in the user's configuration folder."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "vestibule" / "token.json"


def kept_token() -> Token:
    """The token of this terminal. Raises `StoppedError` where there is none."""
    token = read_token(token_path())
    if token is None:
        raise terminal.StoppedError("This terminal is not signed in.", "Run `vestibule login`.")
    return token


def with_terminal(portal: str, body: Callable[[Terminal], Awaitable[None]]) -> None:
    """Run `body` with calls to a portal."""

    async def run() -> None:
        async with Terminal(portal) as calls:
            await body(calls)

    asyncio.run(run())


def login(
    portal: Annotated[
        str, typer.Option(help="The portal's address. Default: the one in the settings.")
    ] = "",
    username: Annotated[
        str, typer.Option(help="Sign in with username, password and challenge instead of a code.")
    ] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    name: Annotated[str, typer.Option(help="What your phone calls this terminal.")] = "",
) -> None:
    """Sign this terminal in at a portal; your phone approves it."""
    address = portal or terminal.settings().portal_url
    shown = name or f"vestibule login on {node()}"

    async def body(calls: Terminal) -> None:
        if username:
            password = terminal.ask_secret(
                "Password", from_stdin=password_stdin, flag="--password-stdin"
            )
            token = await _by_challenge(calls, username, password, shown)
        else:
            token = await _by_code(calls, shown)
        keep_token(token_path(), token)
        me = await calls.whoami(token.access_token)
        terminal.out.print(f"Signed in as [bold]{escape(me['username'])}[/] ({token.proof}).")

    with_terminal(address, body)


async def _by_code(calls: Terminal, name: str) -> Token:
    asked = await calls.begin(name=name)
    _show(asked)
    return await calls.wait(asked)


def _show(asked: Asked) -> None:
    if sys.stdout.isatty():
        segno.make(asked.verification_uri_complete, error="l").terminal(compact=True)
    terminal.out.print(f"Open [bold]{escape(asked.verification_uri)}[/]")
    terminal.out.print(f"and type the code [bold]{asked.user_code}[/]")
    terminal.out.print(f"It is good for {asked.expires_in // 60} minutes. Waiting.")


async def _by_challenge(calls: Terminal, username: str, password: str, name: str) -> Token:
    asked = await calls.challenge(username=username, password=password, name=name)
    _show_challenge(asked)
    # Whichever comes first: the approval on the phone, or the response typed here.
    tasks = {
        asyncio.create_task(calls.wait(asked)),
        asyncio.create_task(_typed_response(calls, asked)),
    }
    try:
        while tasks:
            done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if (token := task.result()) is not None:
                    return token
    finally:
        for task in tasks:
            task.cancel()
    raise terminal.StoppedError("Nobody let this terminal in.", "Run `vestibule login` again.")


def _show_challenge(asked: Challenged) -> None:
    grouped = f"{asked.challenge[:3]} {asked.challenge[3:]}"
    if asked.push:
        what = "and type this number there" if asked.number else "there"
        terminal.out.print(f"Approve on [bold]{escape(asked.phone)}[/] {what}, or")
    terminal.out.print(f"Challenge: [bold]{grouped}[/]")
    terminal.out.print("In the app choose Authenticate, type it, and enter the response here.")


async def _typed_response(calls: Terminal, asked: Challenged) -> Token | None:
    """Ask for a response until one is accepted; None where nobody can be asked."""
    while True:
        terminal.err.print("Enter response code: ", end="")
        line = await _line()
        if line is None:
            return None
        if not line.strip():
            continue
        try:
            return await calls.respond(asked, line)
        except Refused as refused:
            if refused.code not in _ANOTHER:
                raise
            terminal.err.print(f"{escape(str(refused))}. {escape(refused.next)}")
            if refused.code == "response_again" and (again := refused.facts.get("challenge")):
                terminal.out.print(f"Challenge: [bold]{escape(str(again))}[/]")


async def _line() -> str | None:
    """What is typed next, read without a thread that nobody could end; None at the input's end."""
    loop, handle, ready = asyncio.get_running_loop(), sys.stdin.fileno(), asyncio.Event()
    try:
        loop.add_reader(handle, ready.set)
    except PermissionError:  # a file, which never lets anybody wait
        pass
    else:
        try:
            await ready.wait()
        finally:
            loop.remove_reader(handle)
    raw = os.read(handle, 4096)
    return raw.decode("utf-8", "replace") if raw else None
