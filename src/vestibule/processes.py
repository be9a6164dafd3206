"""Which faces run in which process: every worker serves all that is HTTP, one process serves SFTP.

The parent prepares what all of them share (keys, schema, the listening sockets) and then either
serves itself or looks after the workers. SFTP has a process of its own beside them, for a transfer
at full rate must not keep a sign-in waiting; it ends with its parent, however that ends.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.process
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Final

import structlog
import uvicorn
import uvloop
from uvicorn.supervisors import Multiprocess

from vestibule import schema
from vestibule.app import House, open_context
from vestibule.base import log
from vestibule.base.errors import Unavailable
from vestibule.base.sealing import Keys
from vestibule.base.settings import Settings
from vestibule.statements import sftp

_BACKLOG: Final = 4096
_AGAIN_S: Final = 0.5
_AGAIN_MOST_S: Final = 30.0
_STEADY_S: Final = 60.0
_ASKED_S: Final = 6.0
_END_S: Final = 15.0
_TERMINATED: Final = 128 + signal.SIGTERM

_log = structlog.get_logger("vestibule.processes")


class CannotServe(Exception):  # noqa: N818  -- reads as what it is
    """The server cannot start; the message says why and what to do."""


def serve(settings: Settings, *, announce: Callable[[], None] = lambda: None) -> None:
    """Prepare, listen and serve until a signal ends it; `announce` runs once it listens.

    Raises CannotServe.
    """
    if settings.workers > 1 and not settings.redis_url:
        raise CannotServe(
            "several workers wake each other over Redis: set VESTIBULE_REDIS_URL, or run one worker"
        )
    _prepare(settings)
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(_listen(address))
            for address in (settings.portal_address, settings.phone_address)
        ]
        if settings.sftp_address and not settings.sftp_alone:
            listener = stack.enter_context(_listen(settings.sftp_address))
            stack.enter_context(_sftp_beside(settings, listener))
        announce()
        _run(settings, sockets)


def serve_sftp(settings: Settings, *, announce: Callable[[], None] = lambda: None) -> None:
    """Serve SFTP and nothing else, in this process, until a signal ends it.

    Raises CannotServe.
    """
    if settings.sftp_address is None:
        raise CannotServe("there is no SFTP server here: VESTIBULE_SFTP_URL is empty")
    _prepare(settings)
    with _listen(settings.sftp_address) as listener:
        announce()
        _sftp(settings, listener)


def _prepare(settings: Settings) -> None:
    Keys.create(settings.data)
    try:
        asyncio.run(schema.upgrade(settings.database))
    except Unavailable as fault:
        raise CannotServe(f"the database cannot be reached: {fault}") from fault


def _listen(address: tuple[str, int]) -> socket.socket:
    host, port = address
    family, kind, proto, _, where = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, proto)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(where)
    except OSError as error:
        listener.close()
        raise CannotServe(
            f"{host}:{port} cannot be listened on ({error.strerror}): is another server running? "
            "VESTIBULE_PORTAL_LISTEN, VESTIBULE_PHONE_LISTEN and VESTIBULE_SFTP_LISTEN choose "
            "other ports"
        ) from error
    listener.listen(_BACKLOG)
    listener.set_inheritable(True)
    return listener


def _run(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    config = uvicorn.Config(
        House(settings),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        interface="asgi3",
        workers=settings.workers,
        # Visitors' addresses are read by the house itself, which knows whose word to take.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
        backlog=_BACKLOG,
    )
    if settings.workers > 1:
        Multiprocess(config, sockets=list(sockets)).run()
    else:
        uvicorn.Server(config).run(sockets=list(sockets))


# --- SFTP --------------------------------------------------------------------------------------


@contextmanager
def _sftp_beside(settings: Settings, listener: socket.socket) -> Iterator[None]:
    """A process that serves SFTP, started again whenever it dies, until the block ends."""
    keeper = _Keeper(settings, listener)
    thread = threading.Thread(target=keeper.look_after, name="sftp", daemon=True)
    # Without a handler the web server's last act on SIGTERM is to die of it, and nobody would
    # wait for visits to be written.
    before = signal.signal(signal.SIGTERM, _leave)
    thread.start()
    try:
        yield
    finally:
        keeper.end()
        thread.join(_END_S)
        signal.signal(signal.SIGTERM, before)


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(_TERMINATED)


class _Keeper:
    """Looks after one child process, from a thread."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._child: SpawnProcess | None = None

    def look_after(self) -> None:
        """Start it, wait for its end, start it again; later each time that it does not last."""
        pause = _AGAIN_S
        while True:
            began = time.monotonic()
            child = self._start()
            if child is None:
                return
            child.join()
            if self._ending.is_set():
                return
            _log.error("sftp.died", exit_status=child.exitcode)
            pause = _AGAIN_S if time.monotonic() - began > _STEADY_S else pause * 2
            # Whoever asks a whole group of processes to end asks its parent too: wait for that.
            asked = child.exitcode == 0
            if self._ending.wait(_ASKED_S if asked else min(pause, _AGAIN_MOST_S)):
                return

    def _start(self) -> SpawnProcess | None:
        with self._lock:
            if self._ending.is_set():
                return None
            # Spawned: a fork would take the parent's threads and database along.
            made = multiprocessing.get_context("spawn").Process(
                target=_sftp_child, args=(self._settings, self._listener), daemon=True
            )
            made.start()
            self._child = made
            return made

    def end(self) -> None:
        """Ask the child to end; insist when it does not."""
        self._ending.set()
        with self._lock:
            child = self._child
        if child is None:
            return
        child.terminate()
        child.join(_END_S)
        if child.is_alive():
            child.kill()


def _sftp_child(settings: Settings, listener: socket.socket) -> None:
    # The terminal's Ctrl-C reaches the whole group; the parent ends this process in its time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _sftp(settings, listener, parent=multiprocessing.parent_process())


def _sftp(
    settings: Settings,
    listener: socket.socket,
    *,
    parent: multiprocessing.process.BaseProcess | None = None,
) -> None:
    async def body() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        if parent is None:
            loop.add_signal_handler(signal.SIGINT, stop.set)
        else:
            # Readable once the parent is gone, even killed: it held the other end of a pipe.
            loop.add_reader(parent.sentinel, stop.set)
        async with open_context(settings) as ctx:
            await sftp.serve(ctx, listener, stop=stop)

    log.configure(settings.log_level)
    uvloop.run(body())
