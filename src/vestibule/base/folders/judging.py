"""What is wrong with a folder, and the commands that mend it and set it back. Pure.

A command is only ever about the one folder and the one thing: nobody who is told "cannot write"
should end up with a folder that everybody may write into.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import Final

_READ_ENTER: Final = 5
_STICKY: Final = 0o1000
_OWN: Final = 0o700


class Wanted(StrEnum):
    """Who may do what with a folder."""

    PRIVATE = "private"
    """Its owner alone: others may not even look."""
    OWN = "own"
    """Its owner writes; others may look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a folder's access list on macOS."""

    text: str
    """As `chmod +a` takes it: ``group:everyone deny add_file``."""
    place: int
    """Its number in the list."""
    lets_read: bool = False
    lets_write: bool = False
    """Whether it lets somebody else than the folder's owner do so."""
    denies: bool = False
    """Whether it keeps its owner from writing."""


@dataclass(frozen=True, slots=True)
class Right:
    """One row of a POSIX access list (acl(5)): ``u:mira:rwx``."""

    who: str
    """u, g, m (mask) or o."""
    name: str
    """Empty: the owner, the folder's group, and the rows that have no name."""
    bits: int

    def __str__(self) -> str:
        letters = "".join(
            letter if self.bits & bit else "-" for letter, bit in (("r", 4), ("w", 2), ("x", 1))
        )
        return f"{self.who}:{self.name}:{letters}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A folder as it was found."""

    path: PurePath
    """Absolute."""
    exists: bool = True
    is_folder: bool = True
    owner: str = ""
    group: str = ""
    mode: int = 0o700
    """Permission bits, sticky and set-id among them."""
    rights: tuple[Right, ...] = ()
    """Linux: its whole access list, where it has one beyond its mode."""
    entries: tuple[Entry, ...] = ()
    """macOS: its access list."""
    locked: bool = False
    """Marked as not to be changed (macOS: the Finder's "Locked")."""
    read_only: bool = False
    """On a disk that is mounted for reading."""
    full: bool = False
    parents: "tuple[Seen, ...]" = ()
    """The folders above it, from the root on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    code: str
    path: PurePath
    says: str
    """What it is and what it means, in one sentence."""
    mend: str = ""
    """The exact command; empty: no command mends it, the sentence says what does."""
    back: str = ""
    """The exact command that sets it back to what was found."""


def judge(seen: Seen, *, person: str, wanted: Wanted) -> list[Finding]:
    """Everything that keeps ``person`` from writing into the folder, or lets somebody else.

    In the order in which the commands are to be run.
    """
    above = [one for parent in seen.parents for one in _above(parent, person)]
    if not seen.exists:
        return [*above, _missing(seen, person, wanted)]
    if not seen.is_folder:
        moved = seen.path.with_name(f"{seen.path.name}.moved")
        return [
            *above,
            Finding(
                code="not_a_folder",
                path=seen.path,
                says="This is a file where a folder has to be.",
                mend=_line("mv", "-n", seen.path, moved),
                back=_line("mv", "-n", moved, seen.path),
            ),
        ]
    return [*above, *_disk(seen), *_itself(seen, person, wanted)]


def _above(parent: Seen, person: str) -> Iterator[Finding]:
    """Who may change a folder above may put another one in this one's place."""
    if not parent.exists:
        return
    if parent.owner not in (person, "root"):
        yield Finding(
            code="above_foreign",
            path=parent.path,
            says=f"{parent.owner} owns this folder above it and can put another one in its place.",
        )
    open_to = parent.mode & 0o022
    if open_to and not parent.mode & _STICKY:
        taken = "".join(who for who, bit in (("g", 0o020), ("o", 0o002)) if open_to & bit)
        yield Finding(
            code="above_open",
            path=parent.path,
            says="Others may write into this folder above it and put another one in its place.",
            mend=_as(parent, person, "chmod", f"{taken}-w", parent.path),
            back=_as(parent, person, "chmod", _octal(parent.mode), parent.path),
        )


def _missing(seen: Seen, person: str, wanted: Wanted) -> Finding:
    mode = "700" if wanted is Wanted.PRIVATE else "755"
    made = [one.path for one in seen.parents if not one.exists]
    nearest = next((one for one in reversed(seen.parents) if one.exists), None)
    words: list[str | PurePath] = ["mkdir", "-p", "-m", mode, seen.path]
    if nearest is not None and nearest.owner != person:
        words = ["sudo", "install", "-d", "-o", person, "-m", mode, seen.path]
    return Finding(
        code="missing",
        path=seen.path,
        says="There is no such folder.",
        mend=_line(*words),
        back=_line(*words[:1] * (words[0] == "sudo"), "rmdir", seen.path, *reversed(made)),
    )


def _disk(seen: Seen) -> Iterator[Finding]:
    if seen.read_only:
        yield Finding(
            code="read_only",
            path=seen.path,
            says="Its disk is mounted for reading only: mount it for writing, or choose a folder "
            "on another disk.",
        )
    if seen.full:
        yield Finding(
            code="full", path=seen.path, says="Its disk is full: make room, then try again."
        )


def _itself(seen: Seen, person: str, wanted: Wanted) -> Iterator[Finding]:
    if seen.locked:
        yield Finding(
            code="locked",
            path=seen.path,
            says="It is marked as locked: nobody can change it.",
            mend=_as(seen, person, "chflags", "nouchg", seen.path),
            back=_as(seen, person, "chflags", "uchg", seen.path),
        )
    if seen.owner != person:
        yield Finding(
            code="foreign",
            path=seen.path,
            says=f"It belongs to {seen.owner}, not to {person}.",
            mend=_line("sudo", "chown", person, seen.path),
            back=_line("sudo", "chown", seen.owner, seen.path),
        )
    # After a change of owner the next commands are that person's own.
    if seen.rights:
        yield from _listed(seen, person, wanted)
        return
    if seen.mode & _OWN != _OWN:
        yield Finding(
            code="not_writable",
            path=seen.path,
            says="Its owner may not write into it.",
            mend=_line("chmod", "u+rwx", seen.path),
            back=_line("chmod", _octal(seen.mode), seen.path),
        )
    yield from _others(seen, wanted)
    yield from _entries(seen, wanted)


def _others(seen: Seen, wanted: Wanted) -> Iterator[Finding]:
    kept = 0o077 if wanted is Wanted.PRIVATE else 0o022
    if not seen.mode & kept:
        return
    writes = seen.mode & 0o022
    yield Finding(
        code="open" if writes else "readable",
        path=seen.path,
        says="Others than its owner may write into it."
        if writes
        else "Others than its owner may look into it.",
        mend=_line("chmod", "go-rwx" if wanted is Wanted.PRIVATE else "go-w", seen.path),
        back=_line("chmod", _octal(seen.mode | _OWN), seen.path),
    )


def _listed(seen: Seen, person: str, wanted: Wanted) -> Iterator[Finding]:
    """A POSIX access list is set as a whole: `chmod` would move its mask, and hide what it lets."""
    keep = 0 if wanted is Wanted.PRIVATE else _READ_ENTER
    tight = []
    for right in seen.rights:
        bits = right.bits & keep
        if (right.who, right.name) in (("u", ""), ("u", person)):
            bits = right.bits | 7 if not right.name else right.bits
        elif right.who == "m":
            bits = 7
        if bits or not right.name:
            tight.append(Right(right.who, right.name, bits))
    if tight == list(seen.rights) or _harmless(seen.rights, person, keep):
        return
    yield Finding(
        code="entry_open",
        path=seen.path,
        says="Its access list lets others in, or keeps its owner out.",
        mend=_line("setfacl", "--set", ",".join(map(str, tight)), seen.path),
        back=_line("setfacl", "--set", ",".join(map(str, seen.rights)), seen.path),
    )


def _harmless(rights: tuple[Right, ...], person: str, keep: int) -> bool:
    """Whether, with its mask, the list lets its owner write and others do no more than ``keep``."""
    mask = next((right.bits for right in rights if right.who == "m"), 7)
    for right in rights:
        if right.who == "m" or (right.who, right.name) == ("u", person):
            continue
        if (right.who, right.name) == ("u", ""):
            if right.bits != 7:
                return False
        elif right.bits & (mask if right.who != "o" else 7) & ~keep:
            return False
    return True


def _entries(seen: Seen, wanted: Wanted) -> Iterator[Finding]:
    """Entries of macOS; from the last to the first, so that their numbers stay right."""
    for entry in reversed(seen.entries):
        lets = entry.lets_write or (entry.lets_read and wanted is Wanted.PRIVATE)
        if lets or entry.denies:
            yield Finding(
                code="denied" if entry.denies else "entry_open",
                path=seen.path,
                says=f"Its access list says “{entry.text}”: "
                + ("its owner is kept out." if entry.denies else "somebody else is let in."),
                mend=_line("chmod", "-a#", str(entry.place), seen.path),
                back=_line("chmod", "+a#", str(entry.place), entry.text, seen.path),
            )


def _as(seen: Seen, person: str, *words: str | PurePath) -> str:
    """A command about something that may be another's."""
    return _line(*words) if seen.owner == person else _line("sudo", *words)


def _line(*words: str | PurePath) -> str:
    return shlex.join(str(word) for word in words)


def _octal(mode: int) -> str:
    return f"{mode:04o}"
