"""Finds the files that are to be published: a folder of accounts, or files named one by one."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vestibule.base.errors import Refused
from vestibule.cli import terminal
from vestibule.client.publishing_calls import Paper
from vestibule.statements import rules


@dataclass(frozen=True, slots=True)
class Unfit:
    """A file that is none of ours to publish, and why."""

    path: Path
    reason: str


@dataclass(slots=True)
class Found:
    """What lies under the paths that were given."""

    papers: list[Paper] = field(default_factory=list)
    unfit: list[Unfit] = field(default_factory=list)


def find(paths: Sequence[Path], *, account: str, kind: str, period: str, replace: bool) -> Found:
    """Every file under the paths, with its account and kind from where it lies or from the options.

    A folder holds `<account>/<kind>/<file>`; with `account` `<kind>/<file>`, with both files only.
    Links are not followed: what they lead to was perhaps never meant for a client. Raises
    StoppedError where a path is none, or a single file lacks its account or kind.
    """
    found = Found()
    given = [word for word in (account, kind) if word]
    for path in paths:
        if path.is_symlink() or not path.exists():
            raise terminal.StoppedError(
                f"{path} is a link." if path.is_symlink() else f"There is no {path}.",
                "Name files and folders.",
                code=terminal.USAGE,
            )
        if not path.is_dir():
            if not (account and kind):
                raise terminal.StoppedError(
                    f"Whose statement is {path}, and of which kind?",
                    "Say --account and --kind, or name a folder of <account>/<kind>/<file>.",
                    code=terminal.USAGE,
                )
            _add(found, path, account, kind, period, replace=replace)
            continue
        if kind and not account:
            raise terminal.StoppedError(
                "--kind needs --account.", "Name the account, too.", code=terminal.USAGE
            )
        for file in _walk(path, found):
            words = [*given, *file.relative_to(path).parts]
            if len(words) == 3:
                _add(found, file, words[0], words[1], period, replace=replace)
            else:
                shape = "/".join(["<account>", "<kind>", "<file>"][len(given) :])
                found.unfit.append(Unfit(file, f"it does not lie at {shape}"))
    return found


def _walk(folder: Path, found: Found) -> Iterator[Path]:
    """The files below, in order, without hidden ones; what is neither file nor folder is told."""
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        path = Path(entry.path)
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(path, found)
        elif entry.is_file(follow_symlinks=False):
            yield path
        else:
            found.unfit.append(Unfit(path, "it is a link, or no ordinary file"))


def _add(found: Found, path: Path, account: str, kind: str, period: str, *, replace: bool) -> None:
    try:
        account.encode()
        path.name.encode()
    except UnicodeEncodeError:
        found.unfit.append(Unfit(path, "its name is no UTF-8"))
        return
    try:
        # What the server would refuse anyhow is not sent, and `--dry-run` tells it.
        name = rules.name_from(path.name)
        dated = _period(rules.kind_from(kind), name, period)
    except Refused as refused:
        stopped = terminal.explain(refused)
        found.unfit.append(Unfit(path, stopped.message if stopped else str(refused)))
        return
    found.papers.append(
        Paper(
            path=path,
            account=account,
            kind=kind,
            name=name,
            period=dated,
            media=mimetypes.guess_type(name)[0] or "application/octet-stream",
            size=path.stat().st_size,
            replace=replace,
        )
    )


def _period(kind: rules.Kind, name: str, period: str) -> str:
    """What the name says; else what was given for all files. Raises Refused."""
    try:
        return rules.period_from(kind, "", name=name)
    except Refused:
        return rules.period_from(kind, period, name=name)
