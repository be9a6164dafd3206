"""Everybody who is connected: counted, watched, and sent away when they may not stay."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from contextlib import suppress
from typing import Final

import structlog
from asyncssh.connection import SSHServerConnectionOptions

from vestibule.base.delivering import Delivering
from vestibule.base.errors import Fault
from vestibule.delivery.rules import Outcome, judge
from vestibule.statements.sftp.connection import Connection
from vestibule.statements.sftp.gate import Gate
from vestibule.statements.sftp.rooms import Rooms
from vestibule.statements.sftp.shelf import Shelf
from vestibule.statements.sftp.visits import Visits

_log = structlog.get_logger("vestibule.sftp")
WATCH_S: Final = 5.0
"""Seconds until a key that was removed, or a network, ends what came in by it."""
MINUTE_S: Final = 60.0
_ACCEPT_MOST: Final = 64
_SHUT_S: Final = 5.0
_NO_DESCRIPTORS_S: Final = 1.0


class Hall:
    """One process's connections."""

    def __init__(
        self,
        rooms: Rooms,
        settings: Delivering,
        options: SSHServerConnectionOptions,
        listener: socket.socket,
    ) -> None:
        self.rooms = rooms
        self._settings = settings
        self._options = options
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._gate = Gate(
            total=settings.sftp_connections,
            waiting=settings.sftp_handshakes,
            per_account=settings.sftp_connections_per_account,
            rate=settings.sftp_handshakes_per_second,
        )
        self._visits = Visits(rooms)
        self._connections: set[Connection] = set()
        self._shelves: dict[str, Shelf] = {}
        self._joining: set[asyncio.Task[object]] = set()
        self._turned_away = 0
        self._nobody = asyncio.Event()
        self._nobody.set()

    # --- the street ----------------------------------------------------------------------------

    async def serve(self, stop: asyncio.Event) -> None:
        """Let people in until ``stop``; then end what is open, and write down who was here."""
        self._listener.setblocking(False)
        self._loop.add_reader(self._listener.fileno(), self._accept)
        tasks = [asyncio.create_task(self._visits.run()), asyncio.create_task(self._watch())]
        try:
            await stop.wait()
        finally:
            self._loop.remove_reader(self._listener.fileno())
            tasks[1].cancel()
            await self._empty()
            await self._visits.settle()
            tasks[0].cancel()

    def _accept(self) -> None:
        for _ in range(_ACCEPT_MOST):
            try:
                peer, where = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as fault:
                # No descriptors left: asked again at once, this would only burn the processor.
                _log.error("sftp.accept", reason=str(fault))
                self._loop.remove_reader(self._listener.fileno())
                self._loop.call_later(_NO_DESCRIPTORS_S, self._listen_again)
                return
            address = str(where[0])
            if not self._gate.admit(address, now=self._loop.time()):
                self._turned_away += 1
                peer.close()
                continue
            peer.setblocking(False)
            self._join(peer, address)

    def _listen_again(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener.fileno(), self._accept)

    def _join(self, peer: socket.socket, address: str) -> None:
        connection = Connection(self._loop, self._options, self, address)
        self._connections.add(connection)
        self._nobody.clear()
        victim = self._gate.enter(connection, address)
        task = asyncio.ensure_future(self._loop.connect_accepted_socket(lambda: connection, peer))
        self._joining.add(task)
        task.add_done_callback(lambda done: self._joined(done, connection))
        if isinstance(victim, Connection):
            victim.evict()

    def _joined(self, task: asyncio.Task[object], connection: Connection) -> None:
        self._joining.discard(task)
        if task.cancelled() or task.exception() is not None:
            self.gone(connection, None)

    # --- the people ----------------------------------------------------------------------------

    def prove(self, connection: Connection, account_id: str) -> bool:
        """Count a connection with its account; False when there are too many of it."""
        return self._gate.prove(connection, connection.address, account_id)

    def shelf(self, account_id: str) -> Shelf:
        """What this account's sessions share."""
        shelf = self._shelves.get(account_id)
        if shelf is None:
            rate = float(self._settings.sftp_rate_mib << 20)
            shelf = Shelf(self.rooms, account_id, self._loop.time, rate)
            self._shelves[account_id] = shelf
        return shelf

    def arrived(self, connection: Connection) -> asyncio.Future[str | None]:
        """Write down that it came in."""
        return self._visits.arrived(connection.entrance.visitor())

    def gone(self, connection: Connection, fault: Exception | None) -> None:
        """It is over, however it began."""
        if connection not in self._connections:
            return
        self._connections.discard(connection)
        if not self._connections:
            self._nobody.set()
        self._gate.leave(connection, connection.address, connection.account_id)
        if connection.visit is not None:
            self._visits.left(
                connection.visit,
                files=connection.files,
                bytes_sent=connection.sent,
                outcome=connection.ended_as(fault),
            )
        elif connection.worth_telling():
            self._visits.arrived(connection.entrance.visitor())

    # --- the watch -----------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            if self._turned_away:
                _log.warning("sftp.turned_away", connections=self._turned_away)
                self._turned_away = 0
            try:
                await self.look_around()
            except Fault as fault:
                # Who is in stays in: a database that restarts must not end every transfer.
                _log.warning("sftp.watch", reason=str(fault))
            except Exception:  # noqa: BLE001  -- the watch goes on
                _log.exception("sftp.watch_failed")

    async def look_around(self) -> None:
        """End what may not be open any more: no use, no right."""
        now = self._loop.time()
        idle_s = self._settings.sftp_idle_minutes * MINUTE_S
        inside = [one for one in self._connections if one.visit is not None and not one.is_closed()]
        for one in inside:
            if now - one.touched > idle_s:
                one.end(Outcome.TIMED_OUT, "Idle for too long")
        accounts = Counter(one.account_id for one in inside if one.account_id)
        for account_id in self._shelves.keys() - accounts.keys():
            del self._shelves[account_id]
        for shelf in self._shelves.values():
            shelf.dust()
        if not accounts:
            return
        doors = await self.rooms.doors(tuple(accounts))
        for one in inside:
            outcome = judge(
                doors.get(one.account_id or ""),
                fingerprint=one.entrance.fingerprint,
                address=one.address,
            )
            if outcome is not Outcome.ACCEPTED:
                one.end(outcome, "Permission denied")

    async def _empty(self) -> None:
        for one in tuple(self._connections):
            one.end(Outcome.LOST, "The server is going down")
        with suppress(TimeoutError):
            async with asyncio.timeout(_SHUT_S):
                await self._nobody.wait()
