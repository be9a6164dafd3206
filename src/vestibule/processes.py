"""Which faces run in which process: today every worker serves everything.

The parent prepares what all of them share (keys, schema, the two listening sockets) and then
either serves itself or looks after the workers.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

import uvicorn
from uvicorn.supervisors import Multiprocess

from vestibule import schema
from vestibule.app import House
from vestibule.base.errors import Unavailable
from vestibule.base.sealing import Keys
from vestibule.base.settings import Settings

_BACKLOG: Final = 4096


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
    Keys.create(settings.data)
    try:
        asyncio.run(schema.upgrade(settings.database))
    except Unavailable as fault:
        raise CannotServe(f"the database cannot be reached: {fault}") from fault
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(_listen(address))
            for address in (settings.portal_address, settings.phone_address)
        ]
        announce()
        _run(settings, sockets)


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
            "VESTIBULE_PORTAL_LISTEN and VESTIBULE_PHONE_LISTEN choose other ports"
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
