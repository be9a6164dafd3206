"""SFTP version 3 on the wire (draft-ietf-secsh-filexfer-02): what is asked and answered here."""

from __future__ import annotations

import time
from enum import IntEnum
from struct import Struct
from typing import Final

VERSION: Final = 3
LONGEST_REQUEST: Final = 40_000
"""Bytes of one request; the longest lawful one names two paths."""
LONGEST_READ: Final = 261_120
"""As OpenSSH's own server: 256 KiB less the heads."""
LONGEST_PATH: Final = 4096
HANDLES: Final = 64
"""That one connection may have open."""


class Ask(IntEnum):
    """Types of requests (§3)."""

    INIT = 1
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    SETSTAT = 9
    FSETSTAT = 10
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RMDIR = 15
    REALPATH = 16
    STAT = 17
    RENAME = 18
    READLINK = 19
    SYMLINK = 20
    EXTENDED = 200


class Status(IntEnum):
    """Codes of a status answer (§7)."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4
    BAD_MESSAGE = 5
    OP_UNSUPPORTED = 8


_ANSWER_VERSION: Final = 2
_ANSWER_STATUS: Final = 101
_ANSWER_HANDLE: Final = 102
_ANSWER_DATA: Final = 103
_ANSWER_NAME: Final = 104
_ANSWER_ATTRS: Final = 105
_ANSWER_EXTENDED: Final = 201

READ_FLAG: Final = 1
"""SSH_FXF_READ: the only flag that opens anything here."""
_HAS: Final = 0x1 | 0x4 | 0x8  # size, permissions, times: nobody owns what is only shown
_ATTRS: Final = Struct(">IQIII")
_U32: Final = Struct(">I")
_HEAD: Final = Struct(">IBI")
_DATA_HEAD: Final = Struct(">IBII")
_LIMITS: Final = Struct(">QQQQ")
_READ: Final = Struct(">I8sQI")

_WORDS: Final = {
    Status.OK: b"Success",
    Status.EOF: b"End of file",
    Status.NO_SUCH_FILE: b"No such file",
    Status.PERMISSION_DENIED: b"Read-only file system",
    Status.FAILURE: b"Failure",
    Status.BAD_MESSAGE: b"Bad message",
    Status.OP_UNSUPPORTED: b"Operation unsupported",
}


class Garbled(Exception):  # noqa: N818  -- reads as what it is
    """A request is cut short, too long, or is not what its type says."""


def demand_size(size: int) -> None:
    """Raises Garbled for a length that no request has."""
    if not 1 <= size <= LONGEST_REQUEST:
        raise Garbled


class Reader:
    """Takes fields off a request. Every method raises Garbled."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._at = at

    def u32(self) -> int:
        """An unsigned number of four bytes."""
        return int.from_bytes(self._take(4), "big")

    def u64(self) -> int:
        """An unsigned number of eight bytes."""
        return int.from_bytes(self._take(8), "big")

    def string(self) -> bytes:
        """Bytes after their length."""
        return self._take(self.u32())

    def read_fields(self) -> tuple[bytes, int, int]:
        """Handle, place and length of a READ; most requests are one."""
        if len(self._data) - self._at == _READ.size:
            length, handle, offset, size = _READ.unpack_from(self._data, self._at)
            if length == len(handle):
                return handle, offset, size
        return self.string(), self.u64(), self.u32()

    def _take(self, size: int) -> bytes:
        at = self._at
        taken = self._data[at : at + size]
        if len(taken) != size:
            raise Garbled
        self._at = at + size
        return taken


def string(value: bytes) -> bytes:
    """Bytes after their length."""
    return _U32.pack(len(value)) + value


def version() -> bytes:
    """The answer to INIT: version 3, and the one extension that tells how much may be read."""
    body = _U32.pack(VERSION) + string(b"limits@openssh.com") + string(b"1")
    return _U32.pack(1 + len(body)) + bytes((_ANSWER_VERSION,)) + body


def _answer(kind: int, request: int, body: bytes) -> bytes:
    return _HEAD.pack(5 + len(body), kind, request) + body


def status(request: int, code: Status, words: bytes = b"") -> bytes:
    """How a request ended."""
    said = words or _WORDS[code]
    return _answer(_ANSWER_STATUS, request, _U32.pack(code) + string(said) + string(b"en"))


def handle(request: int, value: bytes) -> bytes:
    """A file or folder is open under this handle."""
    return _answer(_ANSWER_HANDLE, request, string(value))


def data_head(request: int, size: int) -> bytes:
    """What goes before ``size`` bytes of a file."""
    return _DATA_HEAD.pack(9 + size, _ANSWER_DATA, request, size)


def attributes(*, size: int, mode: int, at: int) -> bytes:
    """Attributes (§5): bytes, type and permissions, seconds since 1970."""
    when = min(max(at, 0), 0xFFFFFFFF)
    return _ATTRS.pack(_HAS, size, mode, when, when)


def attrs(request: int, packed: bytes) -> bytes:
    """Attributes as an answer."""
    return _answer(_ANSWER_ATTRS, request, packed)


def names(request: int, entries: list[bytes]) -> bytes:
    """Names as `name` packs them."""
    return _answer(_ANSWER_NAME, request, _U32.pack(len(entries)) + b"".join(entries))


def name(value: bytes, long: bytes, packed: bytes) -> bytes:
    """One name, its line in a long listing, its attributes (§7)."""
    return string(value) + string(long) + packed


def long_line(value: bytes, *, size: int, folder: bool, at: int) -> bytes:
    """A line as `ls -l` writes it; some programs show it as it is."""
    kind = b"dr-xr-x---" if folder else b"-r--r-----"
    when = time.strftime("%b %d  %Y", time.gmtime(at)).encode("ascii")
    return b"%s    1 statements statements %12d %s %s" % (kind, size, when, value)


def limits(request: int) -> bytes:
    """The answer to limits@openssh.com: packet, read, write, handles."""
    body = _LIMITS.pack(LONGEST_READ + 1024, LONGEST_READ, LONGEST_READ, HANDLES)
    return _answer(_ANSWER_EXTENDED, request, body)
