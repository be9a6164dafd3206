"""One SSH connection: what the library does, less what is not wanted here, and with bounds.

The library (asyncssh) speaks the transport and the channels. This class narrows it: one way to
sign in, no forwarding, a bound on everything that a peer can make us keep, and the two packets
that a transfer consists of on a short way.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final

import structlog
from asyncssh import (
    ChannelOpenError,
    ConnectionLost,
    KeyExchangeFailed,
    PermissionDenied,
    ProtocolError,
    SSHServer,
)
from asyncssh.connection import SSHServerConnection, SSHServerConnectionOptions
from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED, OPEN_RESOURCE_SHORTAGE
from asyncssh.logging import SSHLogger
from asyncssh.misc import OptExcInfo
from asyncssh.packet import Boolean, NameList, SSHPacket, String

from vestibule.base.errors import Fault
from vestibule.delivery.rules import Outcome
from vestibule.statements.sftp import entrance
from vestibule.statements.sftp.entrance import Entrance
from vestibule.statements.sftp.handles import Handles, OpenFile
from vestibule.statements.sftp.lane import Lane
from vestibule.statements.sftp.line import Line
from vestibule.statements.sftp.session import Session
from vestibule.statements.sftp.shelf import Shelf

if TYPE_CHECKING:
    from vestibule.statements.sftp.hall import Hall

_log = structlog.get_logger("vestibule.sftp")

_KEXINIT: Final = 20
_USERAUTH_REQUEST: Final = 50
_USERAUTH_FAILURE: Final = 51
_USERAUTH_PK_OK: Final = 60
_USERAUTH_LAST: Final = 79
_KEX_LAST: Final = 49
_CHANNELS: Final = 10
"""Channels that one connection may have open, as OpenSSH's MaxSessions."""
_INPUT_MOST: Final = 131_072
_PACKET_MOST: Final = 36_864
"""RFC 4253 §6.1 asks for 35,000 at least."""
_OUTPUT_HIGH: Final = 262_144
"""Bytes that the system has not taken from us yet; with more, nothing more is read either."""
_DEFERRED_MOST: Final = 256
_REKEYS: Final = 10
_REKEY_S: Final = 60.0
_REKEY_BYTES: Final = 4 << 20
_USERNAME_MOST: Final = 256
_NOBODY: Final = SSHServer()
"""What the library asks about sign-ins and forwarding: it answers no to everything."""


def nobody() -> SSHServer:
    """For the library's options: one for all, for it keeps nothing."""
    return _NOBODY


class Connection(Line):
    """One client's connection, from its first byte to its last."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: SSHServerConnectionOptions,
        hall: Hall,
        address: str,
    ) -> None:
        super().__init__(loop, options)
        self._hall = hall
        self._rekeys = 0
        self._began = loop.time()
        self.address = address
        self.entrance = Entrance(address)
        self.rooms = hall.rooms
        self.handles = Handles()
        self.shelf: Shelf
        self.account_id: str | None = None
        self.visit: asyncio.Future[str | None] | None = None
        self.touched = self._began
        self.files = 0
        self.sent = 0
        self.ending: Outcome | None = None

    # --- life ----------------------------------------------------------------------------------

    def _cleanup(self, exc: Exception | None) -> None:
        self.handles.drop()
        super()._cleanup(exc)
        self._hall.gone(self, exc)

    def internal_error(
        self, exc_info: OptExcInfo | None = None, error_logger: SSHLogger | None = None
    ) -> None:
        """Something was raised that the library does not expect; the connection ends, no other."""
        del error_logger
        exc_info = exc_info or sys.exc_info()
        fault = exc_info[1]
        # What a peer sent may not be text: that is its fault, and worth no traceback.
        ours = not isinstance(fault, Fault | ValueError)
        _log.warning("sftp.broken", reason=repr(fault)[:300], exc_info=exc_info if ours else None)
        super().internal_error(exc_info)

    def end(self, outcome: Outcome, words: str) -> None:
        """End it from our side, saying why in the least that it must."""
        self.ending = outcome
        self.disconnect(11, words)

    def evict(self) -> None:
        """Make room: it has waited longest of those who have proven nothing."""
        self.entrance.crowded()
        self.abort()

    def ended_as(self, fault: Exception | None) -> Outcome | None:
        """How a visit ended, for its owner; None where its program said goodbye."""
        if self.ending is None and fault is not None and not isinstance(fault, ConnectionLost):
            return Outcome.LOST
        return self.ending

    def worth_telling(self) -> bool:
        """Whether a connection that came to nothing says anything to anybody.

        A program that gave no name and did not fail at agreeing on keys is a scanner's.
        """
        if self.entrance.username is None:
            return self.entrance.outcome is Outcome.ALGORITHM_TOO_OLD
        return self.entrance.outcome is not Outcome.ACCEPTED

    def _login_timer_callback(self) -> None:
        self.entrance.late()
        super()._login_timer_callback()

    async def reload_config(self) -> None:
        """There is no configuration by user to read; the library would do so at each sign-in."""

    def touch(self) -> None:
        """It is in use."""
        self.touched = self.loop.time()

    def count(self, file: OpenFile, reached: int, size: int) -> None:
        """Count what was sent; a file once, when its last byte was among it."""
        self.sent += size
        if reached >= file.leaf.size and not file.whole:
            file.whole = True
            self.files += 1

    # --- signing in ----------------------------------------------------------------------------

    def _process_userauth_request(
        self, _pkttype: int, _pktid: int, packet: SSHPacket
    ) -> Awaitable[None] | None:
        name, service, method = packet.get_string(), packet.get_string(), packet.get_string()
        if not self._auth_in_progress and not self._auth_complete:
            raise ProtocolError("no sign-in was asked for")
        if service != b"ssh-connection" or len(name) > _USERNAME_MOST:
            raise ProtocolError("unexpected sign-in")
        if self._auth_complete:
            # RFC 4252 §5.1: what comes after the success is not answered.
            return None
        username = name.decode("utf-8", "replace")
        if self.entrance.username is None:
            return self._first_request(username, method, packet)
        if username != self.entrance.username:
            # One name is one statement: whoever tries others connects again, and is counted.
            raise PermissionDenied("Change of username is not allowed")
        return self._request(method, packet)

    async def _first_request(self, username: str, method: bytes, packet: SSHPacket) -> None:
        self.entrance.program = self._client_version.decode("ascii", "replace")
        self.entrance.named(username, await self.rooms.door(username))
        success = self._request(method, packet)
        if success is not None:
            await success

    def _request(self, method: bytes, packet: SSHPacket) -> Coroutine[Any, Any, None] | None:
        if method != b"publickey":
            self.entrance.tries += method != b"none"
            self._refuse()
            return None
        with_signature, algorithm = packet.get_boolean(), packet.get_string()
        blob = packet.get_string()
        if not with_signature:
            packet.check_end()
            if self.entrance.knows(algorithm, blob):
                self.send_packet(_USERAUTH_PK_OK, String(algorithm), String(blob))
            else:
                self._refuse()
            return None
        data = entrance.signed_data(self._session_id, packet.get_consumed_payload())
        signature = packet.get_string()
        packet.check_end()
        if not self.entrance.proves(algorithm, blob, data, signature):
            self._refuse()
            return None
        return self._welcome()

    def _refuse(self) -> None:
        if self.entrance.tries > entrance.TRIES:
            raise PermissionDenied("Too many authentication failures")
        self.send_packet(_USERAUTH_FAILURE, NameList([b"publickey"]), Boolean(value=False))

    async def _welcome(self) -> None:
        door = self.entrance.door
        if door is None or not self._transport:
            return
        self.account_id = door.account_id
        self._username = self.entrance.username or ""
        if not self._hall.prove(self, door.account_id):
            self.entrance.outcome = Outcome.TOO_MANY
            raise PermissionDenied("Too many connections")
        self.shelf = self._hall.shelf(door.account_id)
        self.touch()
        await self.send_userauth_success()
        # After the answer: nobody waits for the log.
        self.visit = self._hall.arrived(self)

    # --- channels ------------------------------------------------------------------------------

    def _process_session_open(self, packet: SSHPacket) -> tuple[Lane, Session]:
        packet.check_end()
        if len(self._channels) >= _CHANNELS:
            raise ChannelOpenError(OPEN_RESOURCE_SHORTAGE, "Too many channels")
        return Lane(self), Session(self)

    def _forbidden_open(self, packet: SSHPacket) -> Any:  # noqa: ANN401  -- it never returns
        del packet
        raise ChannelOpenError(OPEN_ADMINISTRATIVELY_PROHIBITED, "Files only")

    _process_direct_tcpip_open = _forbidden_open
    _process_direct_streamlocal_at_openssh_dot_com_open = _forbidden_open
    _process_tun_at_openssh_dot_com_open = _forbidden_open

    def _forbidden_request(self, packet: SSHPacket) -> None:
        del packet
        self._report_global_response(False)

    _process_tcpip_forward_global_request = _forbidden_request
    _process_cancel_tcpip_forward_global_request = _forbidden_request
    _process_streamlocal_forward_at_openssh_dot_com_global_request = _forbidden_request
    _process_cancel_streamlocal_forward_at_openssh_dot_com_global_request = _forbidden_request

    # --- agreeing on keys ----------------------------------------------------------------------

    def _choose_alg(
        self, alg_type: str, local_algs: Sequence[bytes], remote_algs: Sequence[bytes]
    ) -> bytes:
        try:
            return super()._choose_alg(alg_type, local_algs, remote_algs)
        except KeyExchangeFailed:
            offered = b",".join(remote_algs).decode("ascii", "replace")
            self.entrance.program = self._client_version.decode("ascii", "replace")
            self.entrance.too_old({"kind": alg_type, "offered_algorithm": offered[:200]})
            raise

    async def _process_kexinit(self, _pkttype: int, _pktid: int, packet: SSHPacket) -> None:
        # New keys cost a thousand times what it costs to ask for them.
        elapsed = self.loop.time() - self._began
        allowed = _REKEYS + elapsed / _REKEY_S + self.sent / _REKEY_BYTES
        self._rekeys += 1
        if self._rekeys > allowed or (self._rekeys > 1 and not self._auth_complete):
            raise ProtocolError("Too many key exchanges")
        await super()._process_kexinit(_pkttype, _pktid, packet)

    _packet_handlers = {  # noqa: RUF012  -- as the library declares it
        **SSHServerConnection._packet_handlers,  # noqa: SLF001  -- of the class extended here
        _KEXINIT: _process_kexinit,
        _USERAUTH_REQUEST: _process_userauth_request,
    }
