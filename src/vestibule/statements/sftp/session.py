"""One SFTP session: requests in, answers out, in the order in which they come.

An answer from the disk is made at once. One that has to be waited for (a listing, a store over
the network) goes on beside the next requests, which carry numbers for that (§3), a few at a time.
While a client does not read what it has asked for, no further request of it is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, ClassVar, Final

import structlog
from asyncssh.session import SSHServerSession

from vestibule.base.errors import Fault
from vestibule.statements.sftp import wire
from vestibule.statements.sftp.handles import OpenFile, OpenFolder
from vestibule.statements.sftp.tree import Folder, Leaf, find, steps
from vestibule.statements.sftp.wire import Ask, Garbled, Reader, Status

if TYPE_CHECKING:
    from vestibule.statements.sftp.connection import Connection
    from vestibule.statements.sftp.lane import Lane

_log = structlog.get_logger("vestibule.sftp")
_BESIDE: Final = 16
"""Requests that wait for the store or the database at a time."""
_STDERR: Final = 1
_FILES_ONLY: Final = b"This server hands out files by SFTP only. Use sftp, or scp without -O.\r\n"

_WRITES: Final = frozenset(
    {
        Ask.WRITE,
        Ask.SETSTAT,
        Ask.FSETSTAT,
        Ask.REMOVE,
        Ask.MKDIR,
        Ask.RMDIR,
        Ask.RENAME,
        Ask.SYMLINK,
    }
)
_WRITING_EXTENSIONS: Final = frozenset(
    {
        b"posix-rename@openssh.com",
        b"hardlink@openssh.com",
        b"fsync@openssh.com",
        b"lsetstat@openssh.com",
        b"copy-data",
        b"copy-file",
    }
)


class Session(SSHServerSession[bytes]):
    """The far end of one channel."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._lane: Lane | None = None
        self._sftp = False
        self._greeted = False
        self._buffer = b""
        self._full = False
        self._beside: set[asyncio.Task[None]] = set()
        self._held = False
        self._going = False

    # --- the channel ---------------------------------------------------------------------------

    def connection_made(self, chan: Any) -> None:  # noqa: ANN401  -- as the library says it
        """The channel is open."""
        self._lane = chan
        self._conn.sessions.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is gone, and with it what was open in it."""
        del exc
        self._lane = None
        self._buffer = b""
        self._conn.sessions.discard(self)
        for task in self._beside:
            task.cancel()
        self._conn.handles.drop(self)

    def subsystem_requested(self, subsystem: str) -> bool:
        """SFTP, and nothing else."""
        self._sftp = subsystem == "sftp"
        return self._sftp

    def shell_requested(self) -> bool:
        """Nothing is run; that is said in words, for a bare refusal looks like a fault."""
        return True

    def exec_requested(self, command: str) -> bool:
        """As `shell_requested`: the command is not even looked at."""
        del command
        return True

    def session_started(self) -> None:
        """Say so where somebody wanted a shell."""
        if not self._sftp and self._lane is not None:
            self._lane.write(_FILES_ONLY, _STDERR)
            self._lane.exit(1)

    def eof_received(self) -> bool:
        """The client sends nothing more: what it has asked for is answered first."""
        if self._lane is not None and not self._beside:
            self._lane.exit(0)
        return True

    def pause_writing(self) -> None:
        """More is waiting for the client's window than may."""
        self._full = True

    def resume_writing(self) -> None:
        """It has read on."""
        self._full = False
        self.go_on()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Bytes from the client."""
        del datatype
        if self._sftp:
            self._buffer = self._buffer + data if self._buffer else data
            self.go_on()

    # --- requests ------------------------------------------------------------------------------

    def _stuck(self) -> bool:
        return (
            self._full
            or self._held
            or self._lane is None
            or len(self._beside) >= _BESIDE
            or not self._conn.flowing
        )

    def go_on(self) -> None:
        """Answer what has come whole, until the client has to read first."""
        if self._going:
            return
        buffer, at = self._buffer, 0
        self._going = True
        try:
            while len(buffer) - at >= 5 and not self._stuck():
                size = int.from_bytes(buffer[at : at + 4], "big")
                wire.demand_size(size)
                if len(buffer) - at < 4 + size:
                    break
                request = buffer[at + 4 : at + 4 + size]
                at += 4 + size
                self._conn.touch()
                self._answer(request)
        except Garbled:
            # Without a number there is nothing to answer to.
            self._buffer = b""
            if self._lane is not None:
                self._lane.exit(1)
            return
        finally:
            self._going = False
        self._buffer = buffer[at:] if self._lane is not None else b""
        self._breathe()

    def _breathe(self) -> None:
        """Let the client's window close while it does not read, and open again afterwards."""
        if self._lane is None:
            return
        if self._stuck():
            self._lane.pause_reading()
        else:
            self._lane.resume_reading()

    def _send(self, answer: bytes) -> None:
        if self._lane is not None:
            self._lane.write(answer)

    def _answer(self, request: bytes) -> None:
        kind = request[0]
        if kind == Ask.INIT:
            self._greet(request)
            return
        reader = Reader(request, 1)
        number = reader.u32()
        if not self._greeted:
            raise Garbled
        if kind == Ask.READ:
            self._read(number, reader)
            return
        try:
            handler = self._HANDLERS.get(kind)
            if handler is not None:
                handler(self, number, reader)
            elif kind in _WRITES:
                self._send(wire.status(number, Status.PERMISSION_DENIED))
            else:
                self._send(wire.status(number, Status.OP_UNSUPPORTED))
        except Garbled:
            self._send(wire.status(number, Status.BAD_MESSAGE))

    def _greet(self, request: bytes) -> None:
        # §4: the lower version of both is spoken; nothing below ours has been in use since 2001.
        if self._greeted or Reader(request, 1).u32() < wire.VERSION:
            raise Garbled
        self._greeted = True
        self._send(wire.version())

    def _later(self, number: int, work: Coroutine[Any, Any, None]) -> None:
        async def body() -> None:
            try:
                await work
            except (Fault, OSError) as fault:
                self._unavailable(number, fault)

        task = asyncio.create_task(body())
        self._beside.add(task)
        task.add_done_callback(self._done)

    def _unavailable(self, number: int, fault: Exception) -> None:
        _log.warning("sftp.unavailable", reason=str(fault) or type(fault).__name__)
        self._send(wire.status(number, Status.FAILURE, b"Not available now: try again"))

    def _done(self, task: asyncio.Task[None]) -> None:
        self._beside.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("sftp.failed", exc_info=task.exception())
            self._conn.abort()
        elif self._lane is not None:
            self.go_on()

    def _with_tree(self, number: int, then: Callable[[Folder], None], *, fresh: bool) -> None:
        """Go on with what the account sees: at once where it is known."""
        known = self._conn.shelf.known(fresh=fresh)
        if known is not None:
            then(known)
            return

        async def look() -> None:
            then(await self._conn.shelf.look(fresh=fresh))

        self._later(number, look())

    # --- paths ---------------------------------------------------------------------------------

    def _realpath(self, number: int, reader: Reader) -> None:
        way = steps(reader.string())
        if way is None:
            self._send(wire.status(number, Status.NO_SUCH_FILE))
            return
        path = b"/" + b"/".join(way)
        # §6.11: a path is only brought into its form here; whether there is anything is not said.
        nothing = wire.attributes(size=0, mode=0, at=0)
        self._send(wire.names(number, [wire.name(path, path, nothing)]))

    def _stat(self, number: int, reader: Reader) -> None:
        path = reader.string()

        def then(root: Folder) -> None:
            node = find(root, path)
            if node is None:
                self._send(wire.status(number, Status.NO_SUCH_FILE))
            else:
                self._send(wire.attrs(number, node.attributes))

        self._with_tree(number, then, fresh=False)

    def _readlink(self, number: int, reader: Reader) -> None:
        reader.string()
        self._send(wire.status(number, Status.NO_SUCH_FILE, b"There are no links"))

    def _extended(self, number: int, reader: Reader) -> None:
        name = reader.string()
        if name == b"limits@openssh.com":
            self._send(wire.limits(number))
        elif name in _WRITING_EXTENSIONS:
            self._send(wire.status(number, Status.PERMISSION_DENIED))
        else:
            self._send(wire.status(number, Status.OP_UNSUPPORTED))

    # --- folders -------------------------------------------------------------------------------

    def _opendir(self, number: int, reader: Reader) -> None:
        path = reader.string()

        def then(root: Folder) -> None:
            node = find(root, path)
            if isinstance(node, Folder):
                self._opened(number, OpenFolder(self, node.pages()))
            elif node is None:
                self._send(wire.status(number, Status.NO_SUCH_FILE))
            else:
                self._send(wire.status(number, Status.FAILURE, b"Not a directory"))

        self._with_tree(number, then, fresh=True)

    def _readdir(self, number: int, reader: Reader) -> None:
        found = self._conn.handles.get(reader.string())
        if not isinstance(found, OpenFolder) or found.owner is not self:
            self._send(wire.status(number, Status.FAILURE, b"No such handle"))
            return
        page = next(found.pages, None)
        if page is None:
            self._send(wire.status(number, Status.EOF))
        else:
            self._send(wire.names(number, page))

    # --- files ---------------------------------------------------------------------------------

    def _open(self, number: int, reader: Reader) -> None:
        path, flags = reader.string(), reader.u32()
        if flags != wire.READ_FLAG:
            self._send(wire.status(number, Status.PERMISSION_DENIED))
            return

        def then(root: Folder) -> None:
            node = find(root, path)
            if isinstance(node, Leaf):
                self._open_leaf(number, node)
            elif node is None:
                self._send(wire.status(number, Status.NO_SUCH_FILE))
            else:
                self._send(wire.status(number, Status.FAILURE, b"Is a directory"))

        self._with_tree(number, then, fresh=False)

    def _open_leaf(self, number: int, leaf: Leaf) -> None:
        # Before the file is opened: many at once must not open more than there are handles.
        if not self._conn.handles.room():
            self._send(wire.status(number, Status.FAILURE, b"Too many open files"))
            return
        slot = OpenFile(self, leaf)
        handle = self._conn.handles.add(slot)

        def then(reader: object) -> None:
            slot.reader = reader  # type: ignore[assignment]  # what `Rooms.open` gives
            if self._lane is None:
                slot.close()
            else:
                self._send(wire.handle(number, handle))

        async def wait(opening: Awaitable[object]) -> None:
            try:
                then(await opening)
            except FileNotFoundError:
                self._gone(number, handle)
            except BaseException:
                self._conn.handles.remove(handle)
                raise

        try:
            opening = self._conn.rooms.open(leaf.object)
        except FileNotFoundError:
            self._gone(number, handle)
        except (Fault, OSError) as fault:
            self._conn.handles.remove(handle)
            self._unavailable(number, fault)
        else:
            if isawaitable(opening):
                self._later(number, wait(opening))
            else:
                then(opening)

    def _gone(self, number: int, handle: bytes) -> None:
        """It was purged or replaced since the listing was made."""
        self._conn.handles.remove(handle)
        self._conn.shelf.forget()
        self._send(wire.status(number, Status.NO_SUCH_FILE))

    def _opened(self, number: int, slot: OpenFolder) -> None:
        if self._conn.handles.room():
            self._send(wire.handle(number, self._conn.handles.add(slot)))
        else:
            self._send(wire.status(number, Status.FAILURE, b"Too many open files"))

    def _read(self, number: int, reader: Reader) -> None:
        try:
            handle, offset, size = reader.string(), reader.u64(), reader.u32()
        except Garbled:
            self._send(wire.status(number, Status.BAD_MESSAGE))
            return
        found = self._conn.handles.get(handle)
        if not isinstance(found, OpenFile) or found.owner is not self or found.reader is None:
            self._send(wire.status(number, Status.FAILURE, b"No such handle"))
        elif offset >= found.leaf.size or not size:
            self._send(wire.status(number, Status.EOF))
        else:
            self._read_at(number, found, offset, min(size, wire.LONGEST_READ))

    def _read_at(self, number: int, file: OpenFile, offset: int, size: int) -> None:
        def then(data: bytes) -> None:
            if not data:
                self._send(wire.status(number, Status.FAILURE, b"The file ends too early"))
                return
            self._conn.count(file, offset + len(data), len(data))
            self._send(wire.data_head(number, len(data)) + data)
            self._hold(self._conn.shelf.wait(len(data)))

        async def wait(reading: Awaitable[bytes]) -> None:
            then(await reading)

        try:
            reading = file.read(offset, size)
        except (Fault, OSError) as fault:
            self._unavailable(number, fault)
        else:
            if isinstance(reading, bytes):
                then(reading)
            else:
                self._later(number, wait(reading))

    def _hold(self, seconds: float) -> None:
        """Answer nothing for a while: the account has had its share of this moment."""
        if seconds > 0 and not self._held:
            self._held = True
            self._conn.loop.call_later(seconds, self._let_go)

    def _let_go(self) -> None:
        self._held = False
        self.go_on()

    def _fstat(self, number: int, reader: Reader) -> None:
        found = self._conn.handles.get(reader.string())
        if isinstance(found, OpenFile) and found.owner is self:
            self._send(wire.attrs(number, found.leaf.attributes))
        else:
            self._send(wire.status(number, Status.FAILURE, b"No such handle"))

    def _close(self, number: int, reader: Reader) -> None:
        handle = reader.string()
        found = self._conn.handles.get(handle)
        if found is None or found.owner is not self:
            self._send(wire.status(number, Status.FAILURE, b"No such handle"))
            return
        self._conn.handles.remove(handle)
        self._send(wire.status(number, Status.OK))

    _HANDLERS: ClassVar[dict[int, Callable[[Session, int, Reader], None]]] = {
        Ask.OPEN: _open,
        Ask.CLOSE: _close,
        Ask.LSTAT: _stat,
        Ask.STAT: _stat,
        Ask.FSTAT: _fstat,
        Ask.OPENDIR: _opendir,
        Ask.READDIR: _readdir,
        Ask.REALPATH: _realpath,
        Ask.READLINK: _readlink,
        Ask.EXTENDED: _extended,
    }
