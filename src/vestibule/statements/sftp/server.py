"""The SFTP server: its options, its host keys, and the rooms behind it."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from collections.abc import Awaitable, Iterable, Mapping
from typing import Final

import asyncssh
import structlog
from asyncssh.connection import SSHServerConnectionOptions

from vestibule.base.context import Context, ObjectReader
from vestibule.base.delivering import Delivering
from vestibule.delivery import service as delivery
from vestibule.delivery.rules import Door, Outcome
from vestibule.outside.disk_objects import DiskObjects
from vestibule.statements import service as statements
from vestibule.statements.sftp import agreement, connection, sealing
from vestibule.statements.sftp.hall import Hall
from vestibule.statements.sftp.rooms import Rooms, Visitor
from vestibule.statements.sftp.tree import Folder, Leaf, grown

_log = structlog.get_logger("vestibule.sftp")
_VERSION: Final = "Vestibule"
_REKEY_BYTES: Final = 1 << 30
_REKEY_S: Final = 3600


async def options(settings: Delivering, host_keys: Iterable[bytes]) -> SSHServerConnectionOptions:
    """The library's options: what is offered, and that everything else is off.

    ``host_keys`` are private keys as OpenSSH or PKCS #8 write them, in PEM.
    """
    programs = settings.sftp_programs
    made: SSHServerConnectionOptions = await SSHServerConnectionOptions.construct(
        server_factory=connection.nobody,
        server_version=_VERSION,
        server_host_keys=[asyncssh.import_private_key(key) for key in host_keys],
        kex_algs=list(agreement.KEX[programs]),
        encryption_algs=list(agreement.CIPHERS[programs]),
        mac_algs=list(agreement.MACS),
        # Compressing before signing in is where SSH servers have been exhausted from.
        compression_algs=["none"],
        signature_algs=[name.decode("ascii") for name in agreement.SIGNATURES],
        public_key_auth=True,
        password_auth=False,
        kbdint_auth=False,
        host_based_auth=False,
        gss_host=None,
        gss_kex=False,
        gss_auth=False,
        allow_pty=False,
        agent_forwarding=False,
        x11_forwarding=False,
        allow_scp=False,
        encoding=None,
        rekey_bytes=_REKEY_BYTES,
        rekey_seconds=_REKEY_S,
        login_timeout=settings.sftp_login_seconds,
        keepalive_interval=0,
        config=None,
    )
    return made


async def serve(ctx: Context, listener: socket.socket, *, stop: asyncio.Event) -> None:
    """Serve SFTP on a listening socket until ``stop``.

    Raises base.errors.Unavailable when the host keys cannot be read.
    """
    host_keys = await delivery.host_keys(ctx)
    await serve_rooms(
        ServiceRooms(ctx), ctx.settings, [key.private for key in host_keys], listener, stop=stop
    )


async def serve_rooms(
    rooms: Rooms,
    settings: Delivering,
    host_keys: Iterable[bytes],
    listener: socket.socket,
    *,
    stop: asyncio.Event,
) -> None:
    """As `serve`, for any rooms: tests bring their own."""
    # The library logs every step of everybody; what matters is logged here.
    asyncssh.set_log_level(logging.CRITICAL)
    agreement.register()
    sealing.register()
    hall = Hall(rooms, settings, await options(settings, host_keys), listener)
    # What is here now stays: the collector need not look through it ever again.
    gc.collect()
    gc.freeze()
    _log.info("sftp.listening", address=str(listener.getsockname()[:2]))
    await hall.serve(stop)


class ServiceRooms:
    """The services, with the context bound."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def door(self, username: str) -> Door | None:
        """See `Rooms`."""
        return await delivery.door(self._ctx, username)

    async def doors(self, account_ids: Iterable[str]) -> Mapping[str, Door]:
        """See `Rooms`."""
        return await delivery.doors(self._ctx, tuple(account_ids))

    async def arrived(self, visitor: Visitor) -> str | None:
        """See `Rooms`."""
        return await delivery.record_visit(
            self._ctx,
            username=visitor.username,
            address=visitor.address,
            program=visitor.program,
            outcome=visitor.outcome,
            door=visitor.door,
            fingerprints=visitor.fingerprints,
            detail=visitor.detail,
        )

    async def left(
        self, visit_id: str, *, files: int, bytes_sent: int, outcome: Outcome | None
    ) -> None:
        """See `Rooms`."""
        await delivery.end_visit(
            self._ctx, visit_id, files=files, bytes=bytes_sent, outcome=outcome
        )

    async def tree(self, account_id: str) -> Folder:
        """See `Rooms`."""
        listing = await statements.tree(self._ctx, account_id)
        return grown(
            (
                one.kind,
                Leaf(
                    one.shown_name.encode(), one.stored_size, one.published_at // 1000, one.object
                ),
            )
            for one in listing.statements
        )

    def open(self, name: str) -> ObjectReader | Awaitable[ObjectReader]:
        """See `Rooms`."""
        opening = self._ctx.objects.open(name)
        if not isinstance(self._ctx.objects, DiskObjects):
            return opening
        # A disk answers at once: there is nothing to wait for, and no task to be made for it.
        try:
            opening.send(None)
        except StopIteration as done:
            reader: ObjectReader = done.value
            return reader
        raise RuntimeError("a disk kept us waiting")
