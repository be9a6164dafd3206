"""`vestibule statements setup`: configurations for this machine's programs, written once."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.markup import escape

from vestibule.base import i18n
from vestibule.cli import terminal
from vestibule.cli.login import kept_token, token_path, with_terminal
from vestibule.client.errors import Unreachable
from vestibule.client.terminal import Terminal
from vestibule.delivery.rules.setups import (
    NAMES,
    PROGRAMS,
    Setup,
    SetupFacts,
    fingerprint,
    setups,
)

_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_NEEDS = {"lftp": "openssh"}
"""A program that goes by way of another one's files."""


class _Key(msgspec.Struct):
    label: str
    fingerprint: str


class _Told(msgspec.Struct):
    """What the portal tells; more may stand there."""

    organisation: str
    username: str
    enabled: bool
    host: str
    port: int
    host_keys: list[str]
    keys: list[_Key]
    networks: list[str]


def write_setups(
    *, into: Path | None, key: Path | None, programs: Sequence[str], force: bool
) -> None:
    """Fetch what the portal knows, write the files, and say what to do next."""
    folder = (into or token_path().parent / "sftp").expanduser().absolute()
    private = _private_key(key)
    token = kept_token()
    told: list[_Told] = []

    async def body(calls: Terminal) -> None:
        told.append(_read(await calls.delivery(token.access_token)))

    with_terminal(token.portal, body)
    facts = SetupFacts(
        organisation=told[0].organisation,
        host=told[0].host,
        port=told[0].port,
        username=told[0].username,
        host_keys=tuple(told[0].host_keys),
        key_file=str(private or ""),
        folder=str(folder),
    )
    wanted = [*programs, *(_NEEDS[one] for one in programs if one in _NEEDS)] or list(PROGRAMS)
    files = [one for one in setups(facts) if one.program in wanted]
    _write(folder, files, force=force)
    _tell_next(told[0], files, private, token.portal)


def _read(answer: dict[str, Any]) -> _Told:
    try:
        return msgspec.convert(answer, _Told, strict=True)
    except msgspec.ValidationError as wrong:
        raise Unreachable(f"the portal answered what no portal does ({wrong})") from None


def _private_key(given: Path | None) -> Path | None:
    """The key that was named, else the first of the usual ones. Raises StoppedError."""
    if given is None:
        usual = (Path.home() / ".ssh" / name for name in _KEYS)
        return next((path for path in usual if path.is_file()), None)
    path = given.expanduser().absolute()
    if path.suffix == ".pub":
        raise terminal.StoppedError(
            f"{path} is the public key.", "Name the private one; it does not leave this machine."
        )
    if not path.is_file():
        raise terminal.StoppedError(
            f"There is no key {path}.", f"Make one: ssh-keygen -t ed25519 -f {path}"
        )
    if path.stat().st_mode & 0o077:
        raise terminal.StoppedError(
            f"{path} may be read by others.", f"No program takes it like that: chmod 600 {path}"
        )
    return path


def _write(folder: Path, files: Sequence[Setup], *, force: bool) -> None:
    """All of the files, or none: whoever could write here could have programs run."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = folder.stat()
    if about.st_uid not in {os.geteuid(), 0} or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise terminal.StoppedError(
            f"Others may write into {folder}.", f"chmod go-w {folder}, or choose another folder."
        )
    taken = [
        one.filename
        for one in files
        if os.path.lexists(folder / one.filename) and not _holds(folder / one.filename, one.text)
    ]
    if taken and not force:
        raise terminal.StoppedError(
            f"{folder} has other files of these names: {', '.join(taken)}.",
            "Nothing was written. --force writes over them; --into names another folder.",
        )
    for one in files:
        draft = folder / f".{one.filename}.new"
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(one.text)
        draft.replace(folder / one.filename)
    terminal.out.print(f"{len(files)} files written into {escape(str(folder))}.")


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and not path.is_symlink() and path.read_bytes() == text.encode()


def _tell_next(told: _Told, files: Sequence[Setup], private: Path | None, portal: str) -> None:
    page = f"{portal}/settings/delivery"
    known = {key.fingerprint for key in told.keys}
    mine = _fingerprint_of(private)
    if private is None:
        terminal.out.print(
            "There is no SSH key on this machine yet. Make one and add its public part "
            f"at {page}:\n    ssh-keygen -t ed25519"
        )
    elif mine is None:
        terminal.out.print(f"Check at {page} that the key of {escape(str(private))} is added.")
    elif mine in known:
        terminal.out.print(f"The key {escape(str(private))} is registered: {mine}")
    else:
        terminal.out.print(
            f"The key {escape(str(private))} is not registered yet. Add its public part "
            f"({escape(str(private))}.pub) at {page}"
        )
    if not told.enabled:
        terminal.out.print(f"File delivery is switched off. Switch it on at {page}")
    if not told.networks:
        terminal.out.print(f"No address is allowed yet. Add yours at {page}")
    shown = ""
    for one in files:
        if one.program != shown:
            shown = one.program
            terminal.out.print(f"\n[bold]{NAMES[one.program]}[/]")
        for step in one.steps:
            terminal.out.print(f"  {escape(i18n.t(step, i18n.DEFAULT, **one.facts))}")
        if one.command:
            terminal.out.print(f"    [bold]{escape(one.command)}[/]")


def _fingerprint_of(private: Path | None) -> str | None:
    """The fingerprint of the public part that lies beside a key, where there is one."""
    try:
        line = Path(f"{private}.pub").read_text("ascii")
        return fingerprint(line)
    except (OSError, ValueError, IndexError):
        return None
