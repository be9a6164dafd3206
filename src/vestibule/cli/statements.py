"""`vestibule statements`: publish files to clients, and help clients fetch them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.markup import escape

from vestibule import processes
from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.cli import publishing, terminal
from vestibule.cli.copying import copy_store
from vestibule.cli.opening import found, with_context
from vestibule.cli.publishing_here import Here, own_publisher
from vestibule.cli.setup_files import write_setups
from vestibule.cli.statement_files import Found, find
from vestibule.client.publishing import Publisher
from vestibule.client.publishing_calls import Paper, read_digest
from vestibule.statements import service

app = terminal.typer_app()
publisher_app = terminal.typer_app()
app.add_typer(publisher_app, name="publisher")

Program = StrEnum("Program", ["openssh", "filezilla", "winscp", "cyberduck", "lftp"])
Kind = StrEnum("Kind", ["daily", "monthly", "trade"])


@app.callback(no_args_is_help=True)
def root() -> None:
    """Publish statements, and set up the programs that fetch them.

    To try it beside `vestibule serve --demo`:

        mkdir -p out/mira/daily && date > out/mira/daily/2026-11-22.txt

        vestibule statements publish out
    """


@app.command()
def publish(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of them.")],
    account: Annotated[str, typer.Option(help="Whose they are, by username.")] = "",
    kind: Annotated[Kind | None, typer.Option(help="What they are.")] = None,
    period: Annotated[
        str, typer.Option(help="The day or month they are for, where their names do not say it.")
    ] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where another content has the name already.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    portal: Annotated[
        str, typer.Option(help="Publish at this portal, over HTTP, instead of on this machine.")
    ] = "",
    token_file: Annotated[
        Path | None, typer.Option(help="File of the publisher's token, for --portal.")
    ] = None,
    parallel: Annotated[
        int, typer.Option(min=1, max=32, help="How many files to send at a time.")
    ] = 8,
) -> None:
    """Publish files to clients: a folder of `<username>/<kind>/<file>`, or single files.

    The same command may be given again at any time: what is there already is left alone, and
    what broke off goes on where it broke.
    """
    looked = find(paths, account=account, kind=kind or "", period=period, replace=replace)
    shown = publishing.Shown(looked.papers)
    codes: list[int] = []

    async def go_on(calls: Publisher | Here) -> None:
        if dry_run:
            publishing.plan(looked, await calls.check(read(looked)))
        else:
            codes.append(await publishing.run(calls, looked, shown))

    try:
        if portal:
            token = read_token(token_file)
            asyncio.run(_at_portal(portal, token, parallel, shown, go_on))
        else:
            with_context(partial(_here, parallel, shown, go_on))
    except KeyboardInterrupt:
        terminal.err.print("Interrupted. The same command goes on where it stopped.")
        raise typer.Exit(terminal.INTERRUPTED) from None
    if codes and codes[0]:
        raise typer.Exit(codes[0])


Go = Callable[[Publisher | Here], Awaitable[None]]


async def _at_portal(
    portal: str, token: str, parallel: int, shown: publishing.Shown, go_on: Go
) -> None:
    async with Publisher(portal, token, parallel=parallel, progress=shown.moved) as calls:
        await go_on(calls)


async def _here(parallel: int, shown: publishing.Shown, go_on: Go, ctx: Context) -> None:
    own = await own_publisher(ctx)
    await go_on(Here(ctx, own, parallel=parallel, progress=shown.moved))


def read(looked: Found) -> list[Paper]:
    """The papers with their digests."""
    looked.papers[:] = [read_digest(paper) for paper in looked.papers]
    return looked.papers


def read_token(path: Path | None) -> str:
    """A publisher's token from its file. Raises StoppedError where others may read it."""
    if path is None:
        raise terminal.StoppedError(
            "--portal needs --token-file.",
            "`vestibule statements publisher add` makes a token, on the server.",
            code=terminal.USAGE,
        )
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise terminal.StoppedError(f"{path} may be read by others.", f"chmod 600 {path}")
            return file.read(1000).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise terminal.StoppedError(
            f"{path} cannot be read ({error}).", "It holds the token and nothing else."
        ) from None


@publisher_app.callback(no_args_is_help=True)
def publishers() -> None:
    """The operator's systems that publish over HTTP (spec/publishing.md)."""


Name = Annotated[str, typer.Argument(help="What the publisher is called.")]


@publisher_app.command("add")
def add_publisher(name: Name) -> None:
    """Make a publisher, and show its token this once.

    `vestibule statements publisher add nightly > token` keeps it in a file (umask 077 first).
    """

    async def body(ctx: Context) -> None:
        publisher, token = await service.add_publisher(ctx, name)
        terminal.err.print(f"{escape(publisher.name)} may publish with this token. Keep it secret:")
        terminal.out.print(token)

    with_context(body)


@publisher_app.command("list")
def list_publishers() -> None:
    """List the publishers, when they last published, and which are revoked."""

    async def body(ctx: Context) -> None:
        for one in await service.list_publishers(ctx):
            used = f"used {_day(one.used_at)}" if one.used_at else "never used"
            over = f", revoked {_day(one.revoked_at)}" if one.revoked_at else ""
            terminal.out.print(f"{escape(one.name)}  since {_day(one.created_at)}, {used}{over}")

    with_context(body)


@publisher_app.command("revoke")
def revoke_publisher(name: Name) -> None:
    """Make a publisher's token worthless at once. What it published stays."""

    async def body(ctx: Context) -> None:
        try:
            await service.revoke_publisher(ctx, name)
        except Refused:
            raise terminal.StoppedError(
                f"There is no publisher {name} that could be revoked.",
                "`vestibule statements publisher list` shows all of them.",
            ) from None
        terminal.out.print(f"The token of {escape(name)} is worth nothing any more.")

    with_context(body)


@app.command("list")
def list_statements(
    username: Annotated[str, typer.Argument(help="The account's name.")],
) -> None:
    """List what an account may fetch, the latest first."""

    async def body(ctx: Context) -> None:
        listing = await service.tree(ctx, (await found(ctx, username)).id)
        for one in listing.statements:
            sealed = f"  encrypted to {one.encrypted_to}" if one.encrypted_to else ""
            terminal.out.print(
                f"{one.kind}/{escape(one.shown_name)}  {one.period}  {decimal(one.stored_size)}  "
                f"until {_day(one.purge_at)}{sealed}"
            )
        if listing.hidden:
            terminal.out.print(f"{listing.hidden} more wait to be encrypted.")
        if not listing.statements and not listing.hidden:
            terminal.out.print("There is nothing.")

    with_context(body)


@app.command()
def purge() -> None:
    """Delete what is older than `statement_days`; the running server does the same by itself."""

    async def body(ctx: Context) -> None:
        purged = await service.purge_due(ctx)
        abandoned = await service.sweep_uploads(ctx)
        terminal.out.print(f"{purged} statements purged, {abandoned} uploads abandoned.")

    with_context(body)


@app.command()
def copy(
    to: Annotated[str, typer.Argument(help="A folder, or s3://bucket/prefix.")],
) -> None:
    """Copy all files into another store, before `statement_store` is set to it.

    Once while the server runs, and once more after it was stopped: the second time is short.
    """

    async def body(ctx: Context) -> None:
        await copy_store(ctx, to)

    with_context(body)


@app.command()
def serve() -> None:
    """Serve SFTP alone, for `sftp_alone`: on another machine, with the same database and keys."""
    settings = terminal.settings()
    address = settings.sftp_address
    if address is None:
        raise terminal.StoppedError(
            "There is no SFTP server: the setting sftp_url is empty.",
            "Set VESTIBULE_SFTP_URL, for example to sftp://sftp.example.com:8602.",
            code=terminal.MISSING,
        )
    try:
        processes.serve_sftp(
            settings, announce=lambda: terminal.out.print(f"SFTP  {settings.sftp_url}")
        )
    except processes.CannotServe as error:
        raise terminal.StoppedError(str(error), code=terminal.MISSING) from None


@app.command()
def setup(
    into: Annotated[
        Path | None, typer.Option(help="Folder to write into. Default: beside the token.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="Your private SSH key. Default: the usual one in ~/.ssh.")
    ] = None,
    program: Annotated[
        list[Program] | None, typer.Option(help="Only for these programs. Default: all.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over other files.")] = False,
) -> None:
    """Write configurations for your own SFTP programs; `vestibule login` first.

    They hold your SFTP username and the server's key, and the path of your own key, never the
    key itself.
    """
    names = [one.value for one in program or ()]
    write_setups(into=into, key=key, programs=names, force=force)


def _day(at: int | None) -> str:
    return f"{datetime.fromtimestamp((at or 0) / 1000, UTC):%Y-%m-%d}"
