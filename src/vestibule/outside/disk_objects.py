"""Statements on a disk: one file each, under a folder that belongs to us alone.

A file is written under a name with a dot, then renamed: whole or absent, whatever dies. The order
makes it durable. The content is forced out first, for a rename may reach the disk before the data
does, and a crash then leaves a whole name over half a file; then the rename; then the folder that
holds the name is forced out, without which a crash may take the name back. Only after that is
``write`` over, and only after that do our callers insert the row that lists the file.
"""

import asyncio
import errno
import os
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from vestibule.base.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")

# What a crash left of an object has its name, with a dot before it.
_NAME: Final = re.compile(r"([a-z]+)/(\.?)([A-Za-z0-9_-]{2})([A-Za-z0-9_-]{20})")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_AT_ONCE: Final = 1 << 20
"""A file up to this size is written in one go by one thread: most statements are smaller."""
_THREADS: Final = 16
"""They wait for the disk, which forces out what many of them wrote together at one cost."""


class DiskReader:
    """A file that stays readable after it was deleted, for it is open."""

    __slots__ = ("_descriptor", "size")

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)

    def read(self, offset: int, size: int) -> bytes:
        """As ``ObjectReader.read``, at once."""
        return os.pread(self._descriptor, size, offset)

    def close(self) -> None:
        """Let go of the file."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class _Folders:
    """Makes folders that outlive a crash."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._durable: set[Path] = set()

    def make(self, folder: Path) -> None:
        """Make a folder and those above it where they are missing.

        One that is there may have been made by another worker this moment, and not be durable
        yet: each process forces every folder out once before it relies on it.
        """
        if folder in self._durable and folder.is_dir():
            return
        made = not folder.is_dir()
        if not made and folder != self._top and self._top not in folder.parents:
            return  # above our own: somebody else's
        if made or folder != self._top:
            self.make(folder.parent)
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
        try:
            _sync_folder(folder.parent)
        except PermissionError:
            if made:
                raise  # what lies above our own folders we need not be able to read
        self._durable.add(folder)


class _Draft:
    """A file being written. Its steps run in threads, one after the other.

    The lock is for the one case where two meet: the writer was cancelled, and its last step is
    still under way in its thread when it is abandoned.
    """

    def __init__(self, path: Path, folders: "_Folders") -> None:
        self._path = path
        self._folders = folders
        self._draft = path.with_name(f".{path.name}")
        self._lock = threading.Lock()
        self._file: int | None = None
        self._over = False

    def write(self, chunks: Iterable[bytes]) -> None:
        with self._lock:
            if self._over:
                return
            if self._file is None:
                self._folders.make(self._path.parent)
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
                self._file = os.open(self._draft, flags, 0o600)
            for chunk in chunks:
                view = memoryview(chunk)
                while view:
                    view = view[os.write(self._file, view) :]

    def finish(self, chunks: Iterable[bytes]) -> None:
        self.write(chunks)
        with self._lock:
            if self._file is None or self._over:
                return
            os.fsync(self._file)
            os.close(self._file)
            self._file = None
            self._draft.rename(self._path)
            _sync_folder(self._path.parent)
            self._over = True

    def abandon(self) -> None:
        with self._lock:
            self._over = True
            if self._file is not None:
                os.close(self._file)
                self._file = None
            self._draft.unlink(missing_ok=True)
            # Renamed, but not known to be durable: whoever wrote it was not told that it is there.
            self._path.unlink(missing_ok=True)


class DiskObjects:
    """Keeps objects in a folder, which is made where it is missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folders = _Folders(folder)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="objects")

    async def write(self, name: str, chunks: AsyncIterator[bytes]) -> int:
        """As ``Objects.write``."""
        draft = _Draft(self._path(name), self._folders)
        size, held, waiting = 0, 0, list[bytes]()
        try:
            async for chunk in chunks:
                waiting.append(chunk)
                held += len(chunk)
                if held >= _AT_ONCE:
                    await self._run(draft.write, waiting)
                    size, held, waiting = size + held, 0, []
            await self._run(draft.finish, waiting)
        except BaseException:
            # The pool takes it even where this task is cancelled and may wait for nothing more.
            abandoned = self._pool.submit(draft.abandon)
            with suppress(OSError):
                await asyncio.wrap_future(abandoned)
            raise
        return size + held

    async def open(self, name: str) -> DiskReader:
        """As ``Objects.open``."""
        # At once: a look into a folder that the kernel remembers costs less than a thread.
        try:
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
            return DiskReader(os.open(self._path(name), flags))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise _fault(error) from error

    async def delete(self, name: str) -> None:
        """As ``Objects.delete``."""
        with suppress(FileNotFoundError):
            await self._run(self._path(name).unlink)

    async def list(self, prefix: str) -> AsyncIterator[tuple[str, int]]:
        """As ``Objects.list``."""
        for shelf in await self._run(_names, self._folder / prefix):
            for found in await self._run(_files, self._folder / prefix / shelf):
                name = f"{prefix}/{found[0]}"
                if _NAME.fullmatch(name):
                    yield name, found[1]

    def close(self) -> None:
        """Finish what threads are at, and end them."""
        self._pool.shutdown()

    async def _run(self, step: Callable[P, T], *args: P.args, **_none: P.kwargs) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, step, *args)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise _fault(error) from error

    def _path(self, name: str) -> Path:
        """``statements/abcd…`` lies in ``statements/ab/``: no folder grows beyond use."""
        parts = _NAME.fullmatch(name)
        if parts is None:
            raise ValueError(f"not a name of ours: {name!r}")
        kind, dot, shelf, rest = parts.groups()
        return self._folder / kind / shelf / f"{dot}{shelf}{rest}"


def _fault(error: OSError) -> Unavailable:
    code = "store_full" if error.errno in _FULL else "store_unavailable"
    return Unavailable(code, reason=error.strerror or str(error))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _names(folder: Path) -> list[str]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    return []


def _files(folder: Path) -> list[tuple[str, int]]:
    found = []
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                at = entry.stat(follow_symlinks=False).st_mtime_ns // 1_000_000
                found.append((entry.name, at))
    return found
