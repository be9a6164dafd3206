"""`vestibule har sanitize FILE`: makes a browser's capture safe to pass on, on this machine.

Useful without any portal: it talks to nothing, and needs no settings and no keys.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, BinaryIO

import typer
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn
from rich.table import Table

from vestibule import captures
from vestibule.base.i18n import t
from vestibule.captures import CaptureRefused, Report
from vestibule.cli import terminal
from vestibule.cli.terminal import StoppedError

app = terminal.typer_app()

_MEGABYTE = 1024 * 1024
_STANDARD = "-"
_OWN_EYES = 0o600
"""What is left in a capture is still nobody else's business on this machine."""


@app.callback()
def _har() -> None:
    """Browser captures (HAR files), made safe to pass on."""


@app.command()
def sanitize(
    file: str = typer.Argument(..., metavar="FILE", help="A .har or .har.gz file; - reads it."),
    output: str = typer.Option(
        "", "-o", "--output", metavar="FILE", help="Where to write it; - for standard output."
    ),
    report: str = typer.Option(
        "", "--report", metavar="FILE", help="Also write what was taken out, as JSON."
    ),
    check: bool = typer.Option(
        False, "--check", help="Write nothing: exit 0 if the file is safe as it is, else 1."
    ),
    limit: int = typer.Option(
        captures.LIMITS["bytes"] // _MEGABYTE, "--limit", min=1, metavar="MB", help="Most to read."
    ),
) -> None:
    """Take passwords, cookies, tokens and contents out of a browser's capture.

    Which request failed, how long it took and what the server's headers say stays. The result
    is written beside FILE as NAME.safe.har. Nothing is overwritten and nothing leaves this machine.
    """
    target = None if check else output or _beside(file)
    if report and target and _same(report, target):
        raise StoppedError("Capture and report are the same file.", code=terminal.USAGE)
    if report and report != _STANDARD and Path(report).exists():
        raise _there_already(report, "--report")
    with _source(file) as source, _target(target) as write, _bar(source) as read:
        try:
            made = captures.sanitise(read, write, limit=limit * _MEGABYTE)
        except CaptureRefused as refused:
            raise _refusal(refused) from None
    if report:
        with _target(report) as write_report:
            write_report(made.as_json().encode("ascii") + b"\n")
    _tell(made, target)
    if check and not made.already_safe:
        raise typer.Exit(terminal.REFUSED)


def _beside(file: str) -> str:
    """The name of the safe capture of a file: `login.har.gz` gives `login.safe.har`."""
    if file == _STANDARD:
        return _STANDARD
    path = Path(file)
    return str(path.with_name(path.name.removesuffix(".gz").removesuffix(".har") + ".safe.har"))


def _same(one: str, other: str) -> bool:
    return one == other or (
        _STANDARD not in {one, other} and Path(one).resolve() == Path(other).resolve()
    )


def _there_already(name: str, option: str) -> StoppedError:
    return StoppedError(
        f"{name} is there already, and is not overwritten.", f"Name another file with {option}."
    )


@contextmanager
def _source(file: str) -> Iterator[BinaryIO]:
    if file == _STANDARD:
        yield sys.stdin.buffer
        return
    try:
        opened = Path(file).open("rb")  # noqa: SIM115 - closed below, with errors of opening apart
    except OSError as error:
        raise StoppedError(f"{file}: {error.strerror}", code=terminal.MISSING) from None
    with opened:
        yield opened


@contextmanager
def _target(name: str | None) -> Iterator[Callable[[bytes], object]]:
    """Where to write; a file is there whole or not at all."""
    if name is None or name == _STANDARD:
        stream: IO[bytes] = sys.stdout.buffer
        yield (lambda _piece: None) if name is None else stream.write
        stream.flush()
        return
    path = Path(name)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWN_EYES)
    except FileExistsError:
        raise _there_already(name, "--output") from None
    except OSError as error:
        raise StoppedError(f"{name}: {error.strerror}", code=terminal.MISSING) from None
    try:
        with os.fdopen(descriptor, "wb") as written:
            yield written.write
    except BaseException as error:
        with suppress(OSError):
            path.unlink()
        if isinstance(error, OSError):
            raise StoppedError(f"{name}: {error.strerror}", code=terminal.MISSING) from None
        raise


@contextmanager
def _bar(source: BinaryIO) -> Iterator[Callable[[int], bytes]]:
    """Reading, with a bar for people who watch."""
    total = os.fstat(source.fileno()).st_size or None if source is not sys.stdin.buffer else None
    bar = Progress(
        BarColumn(bar_width=None),
        DownloadColumn(binary_units=True),
        TimeRemainingColumn(compact=True),
        console=terminal.err,
        transient=True,
    )
    with bar if terminal.err.is_terminal else nullcontext():
        task = bar.add_task("", total=total)

        def read(most: int) -> bytes:
            piece = source.read(most)
            bar.advance(task, len(piece))
            return piece

        yield read


def _refusal(refused: CaptureRefused) -> StoppedError:
    said = [t(f"error.{refused.code}.{part}") for part in ("title", "cause", "next")]
    return StoppedError(f"{said[0]} (byte {refused.at}). {said[1]}", said[2])


def _tell(made: Report, target: str | None) -> None:
    """What was taken out; beside the capture, if that goes to standard output."""
    console = terminal.err if target == _STANDARD else terminal.out
    if made.already_safe:
        console.print(f"{made.entries} requests. Nothing had to be taken out.")
    else:
        table = Table("Taken out", box=None, pad_edge=False)
        table.add_column("Times", justify="right")
        for reason, count in made.removed.items():
            table.add_row(t(f"captures.reason.{reason}"), str(count))
        console.print(table)
        console.print(
            f"{made.entries} requests; {decimal(made.bytes_in)} before, "
            f"{decimal(made.bytes_out)} safe."
        )
    if target not in {None, _STANDARD}:
        console.print(f"Written: [bold]{escape(str(target))}[/]")
