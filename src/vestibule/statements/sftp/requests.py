"""What an SFTP session is asked, and the answers: reading only, by names that are looked up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TYPE_CHECKING, ClassVar, Final

from vestibule.base.context import ObjectReader
from vestibule.base.errors import Fault
from vestibule.statements.sftp import wire
from vestibule.statements.sftp.handles import OpenFile, OpenFolder
from vestibule.statements.sftp.tree import Folder, Leaf, find, steps
from vestibule.statements.sftp.wire import Ask, Garbled, Reader, Status

if TYPE_CHECKING:
    from vestibule.statements.sftp.connection import Connection
    from vestibule.statements.sftp.session import Session

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


class Requests:
    """Answers one session's requests."""

    def __init__(self, session: Session, conn: Connection) -> None:
        self._session = session
        self._conn = conn
        self._greeted = False

    def _send(self, answer: bytes) -> None:
        self._session.send(answer)

    def answer(self, request: bytes) -> None:
        """Answer a request, or begin to. Raises Garbled where there is nothing to answer to."""
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

    def _with_tree(self, number: int, then: Callable[[Folder], None], *, fresh: bool) -> None:
        """Go on with what the account sees: at once where it is known."""
        known = self._conn.shelf.known(fresh=fresh)
        if known is not None:
            then(known)
            return

        async def look() -> None:
            then(await self._conn.shelf.look(fresh=fresh))

        self._session.later(number, look())

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
                self._opened(number, OpenFolder(self._session, node.pages()))
            elif node is None:
                self._send(wire.status(number, Status.NO_SUCH_FILE))
            else:
                self._send(wire.status(number, Status.FAILURE, b"Not a directory"))

        self._with_tree(number, then, fresh=True)

    def _readdir(self, number: int, reader: Reader) -> None:
        found = self._conn.handles.get(reader.string())
        if not isinstance(found, OpenFolder) or found.owner is not self._session:
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
        slot = OpenFile(self._session, leaf)
        handle = self._conn.handles.add(slot)
        try:
            opening = self._conn.rooms.open(leaf.object)
        except FileNotFoundError:
            self._gone(number, handle)
        except (Fault, OSError) as fault:
            self._conn.handles.remove(handle)
            self._session.unavailable(number, fault)
        else:
            if isawaitable(opening):
                self._session.later(number, self._wait_open(number, handle, slot, opening))
            else:
                self._filled(number, handle, slot, opening)

    async def _wait_open(
        self, number: int, handle: bytes, slot: OpenFile, opening: Awaitable[ObjectReader]
    ) -> None:
        try:
            self._filled(number, handle, slot, await opening)
        except FileNotFoundError:
            self._gone(number, handle)
        except BaseException:
            self._conn.handles.remove(handle)
            raise

    def _filled(self, number: int, handle: bytes, slot: OpenFile, reader: ObjectReader) -> None:
        slot.reader = reader
        if self._session.is_open:
            self._send(wire.handle(number, handle))
        else:
            slot.close()

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
            handle, offset, size = reader.read_fields()
        except Garbled:
            self._send(wire.status(number, Status.BAD_MESSAGE))
            return
        found = self._conn.handles.get(handle)
        if (
            not isinstance(found, OpenFile)
            or found.owner is not self._session
            or found.reader is None
        ):
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
            self._session.hold(self._conn.shelf.wait(len(data)))

        async def wait(reading: Awaitable[bytes]) -> None:
            then(await reading)

        try:
            reading = file.read(offset, size)
        except (Fault, OSError) as fault:
            self._session.unavailable(number, fault)
        else:
            if isinstance(reading, bytes):
                then(reading)
            else:
                self._session.later(number, wait(reading))

    def _fstat(self, number: int, reader: Reader) -> None:
        found = self._conn.handles.get(reader.string())
        if isinstance(found, OpenFile) and found.owner is self._session:
            self._send(wire.attrs(number, found.leaf.attributes))
        else:
            self._send(wire.status(number, Status.FAILURE, b"No such handle"))

    def _close(self, number: int, reader: Reader) -> None:
        handle = reader.string()
        found = self._conn.handles.get(handle)
        if found is None or found.owner is not self._session:
            self._send(wire.status(number, Status.FAILURE, b"No such handle"))
            return
        self._conn.handles.remove(handle)
        self._send(wire.status(number, Status.OK))

    _HANDLERS: ClassVar[dict[int, Callable[[Requests, int, Reader], None]]] = {
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
