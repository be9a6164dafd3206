"""`vestibule doctor`: are the folders there, and writable by the right person and nobody else."""

from __future__ import annotations

import json
import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from vestibule.base import folders
from vestibule.base.folders import Finding, Wanted
from vestibule.cli import terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    path: Path
    what: str
    findings: list[Finding]


def doctor(
    folder: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders to look at, such as ~/Applications. Default: Vestibule's."),
    ] = None,
    person: Annotated[
        str, typer.Option("--person", help="Whose the folders are to be. Default: yours.")
    ] = "",
    private: Annotated[
        bool, typer.Option("--private", help="Others may not even look into them.")
    ] = False,
    inside: Annotated[
        bool, typer.Option("--inside", help="Look at the folders directly inside, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Look at folders; where something is wrong, say the command that mends it.

    Each problem comes with the exact command that mends it, and the one that sets it back to what
    it was. Nothing is changed. Exit code: 0 all is well, 1 something is wrong.

    Example, when an installer says that it cannot create a file:

        vestibule doctor ~/Applications
    """
    who = person or _myself()
    wanted = Wanted.PRIVATE if private else Wanted.OWN
    given = [(path, "", wanted) for path in _with_inside(folder or [], inside=inside)]
    checked = [_check(path, what, wants, who) for path, what, wants in given or _ours()]
    if as_json:
        terminal.out.print_json(json.dumps([_plain(one) for one in checked]))
    else:
        _show(checked)
    if any(one.findings for one in checked):
        raise typer.Exit(terminal.REFUSED)


def _myself() -> str:
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _with_inside(given: list[Path], *, inside: bool) -> list[Path]:
    paths = [path.expanduser().absolute() for path in given]
    if not inside:
        return paths
    found: list[Path] = []
    for path in paths:
        found.append(path)
        try:
            found += sorted(one for one in path.iterdir() if one.is_dir() and not one.is_symlink())
        except OSError:
            # What keeps us out of the folder is said of the folder itself.
            continue
    return found


def _ours() -> list[tuple[Path, str, Wanted]]:
    """The folders that this installation uses; a client's only where it has them."""
    settings = terminal.settings()
    data = settings.data.absolute()
    asked = [(data, "data", Wanted.PRIVATE), (data / "keys", "keys", Wanted.PRIVATE)]
    if not settings.statement_store.startswith("s3://"):
        store = Path(settings.statement_store or data / "statements").absolute()
        asked.append((store, "statements", Wanted.PRIVATE))
    for variable, usual, what in (
        ("XDG_CONFIG_HOME", ".config", "sign-in of this terminal"),
        ("XDG_STATE_HOME", ".local/state", "reference phone"),
    ):
        path = Path(os.environ.get(variable) or Path.home() / usual) / "vestibule"
        if path.exists():
            asked.append((path, what, Wanted.PRIVATE))
    return asked


def _check(path: Path, what: str, wanted: Wanted, person: str) -> _Checked:
    seen = folders.look(path, person=person)
    findings = folders.judge(seen, person=person, wanted=wanted)
    if not findings and person == _myself() and (refusal := folders.try_writing(path)):
        # Owner and mode are right and it still fails: something that they do not tell of.
        says = f"Writing into it fails: {refusal}. Another program or a security policy forbids it."
        findings = [Finding(code="refused", path=path, says=says)]
    return _Checked(path=path, what=what, findings=findings)


def _show(checked: list[_Checked]) -> None:
    for one in checked:
        note = f"  ({one.what})" if one.what else ""
        mark = "[bold red]✗[/]" if one.findings else "[green]✓[/]"
        terminal.out.print(f"{mark} {escape(str(one.path))}{note}")
        for finding in one.findings:
            about = "" if finding.path == one.path else f"{finding.path}: "
            terminal.out.print(f"    {escape(about + finding.says)}")
            if finding.mend:
                terminal.out.print(f"      Mend it:     {escape(finding.mend)}")
                terminal.out.print(f"      Set it back: {escape(finding.back)}")
    wrong = sum(bool(one.findings) for one in checked)
    if wrong:
        terminal.out.print(
            "\nRun the commands in this order, then `vestibule doctor` once more. "
            "To set things back, go in the other order."
        )
    else:
        terminal.out.print("\nAll is well.")


def _plain(one: _Checked) -> dict[str, object]:
    return {
        "folder": str(one.path),
        "what": one.what,
        "findings": [
            {
                "code": finding.code,
                "path": str(finding.path),
                "says": finding.says,
                "mend": finding.mend,
                "back": finding.back,
            }
            for finding in one.findings
        ],
    }
