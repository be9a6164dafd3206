"""Looks at a folder: owner, mode, access list, disk, and whether writing works."""

import contextlib
import grp
import os
import platform
import pwd
import re
import stat
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from vestibule.base.folders.judging import Entry, Right, Seen

_ACL: Final = "system.posix_acl_access"
_USER, _GROUP = 0x02, 0x08
_KINDS: Final = {0x01: "u", 0x02: "u", 0x04: "g", 0x08: "g", 0x10: "m", 0x20: "o"}
_LINE: Final = re.compile(r"^ *(\d+): (.+?) (allow|deny) (.+)$")
_MAC_WRITES: Final = frozenset(
    {"write", "append", "add_file", "add_subdirectory", "delete_child", "delete", "chown"}
    | {"writesecurity"}
)
_MAC_READS: Final = frozenset({"read", "list", "search", "execute"})


def look(path: Path, *, person: str) -> Seen:
    """The folder as it is, and those above it. Never raises for what is missing or closed."""
    real = Path(os.path.realpath(path))
    parents = tuple(_one(parent, person) for parent in reversed(real.parents))
    seen = _one(real, person)
    return replace(seen, parents=parents)


def try_writing(path: Path) -> str:
    """Make a file in the folder and take it away; what the system says against it, or nothing."""
    try:
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"vestibule")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _one(path: Path, person: str) -> Seen:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return Seen(path=path, exists=False)
    except PermissionError:
        # Not to be looked at: the folder above that keeps us out is found by its own mode.
        return Seen(path=path, exists=False)
    if not stat.S_ISDIR(status.st_mode):
        return Seen(path=path, is_folder=False)
    disk = os.statvfs(path)
    return Seen(
        path=path,
        owner=_name(status.st_uid),
        group=_group(status.st_gid),
        mode=stat.S_IMODE(status.st_mode),
        rights=_posix(path),
        entries=tuple(_mac(path, person)),
        locked=bool(getattr(status, "st_flags", 0) & getattr(stat, "UF_IMMUTABLE", 0)),
        read_only=bool(disk.f_flag & os.ST_RDONLY),
        full=disk.f_blocks > 0 and disk.f_bavail == 0,
    )


def _posix(path: Path) -> tuple[Right, ...]:
    """The access list (acl(5)), empty where the mode says it all."""
    if not hasattr(os, "getxattr"):
        return ()
    try:
        raw = os.getxattr(path, _ACL)
    except OSError:
        return ()
    return tuple(
        Right(_KINDS[tag], _named(tag, id_), bits)
        for tag, bits, id_ in struct.iter_unpack("<HHI", raw[4:])
    )


def _named(tag: int, id_: int) -> str:
    if tag == _USER:
        return _name(id_)
    return _group(id_) if tag == _GROUP else ""


def _mac(path: Path, person: str) -> Iterator[Entry]:
    """The access list as `ls -lde` prints it, one numbered line an entry."""
    if platform.system() != "Darwin":
        return
    shown = subprocess.run(  # noqa: S603  -- a fixed program, and the path behind "--"
        ["/bin/ls", "-lde", "--", str(path)], capture_output=True, text=True, check=False
    )
    yield from mac_entries(shown.stdout, person=person)


def mac_entries(shown: str, *, person: str) -> Iterator[Entry]:
    """The entries in the output of `ls -lde`."""
    for line in shown.splitlines():
        if found := _LINE.match(line):
            place, who, verb, rights = found.groups()
            named = frozenset(rights.split(","))
            own = who == f"user:{person}"
            yield Entry(
                text=f"{who} {verb} {rights}",
                place=int(place),
                lets_read=verb == "allow" and not own and bool(named & _MAC_READS),
                lets_write=verb == "allow" and not own and bool(named & _MAC_WRITES),
                # "everyone deny delete" stands on every home folder: it keeps nobody from writing.
                denies=verb == "deny" and bool(named & (_MAC_WRITES - {"delete"})),
            )


def _name(uid: int) -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def _group(gid: int) -> str:
    with contextlib.suppress(KeyError):
        return grp.getgrgid(gid).gr_name
    return str(gid)
