"""The transport of a connection (RFC 4253), with bounds, and a short way for file transfers.

The library (asyncssh) keeps whatever a peer makes it keep: what it has to send to one that does
not read, what it has received while it waits, what it may not send during an exchange of keys.
Here each of them has a bound. And the packets that a transfer consists of are taken and sent
without the steps that only other packets need.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable
from typing import Final, Protocol, cast

from asyncssh import DisconnectError, ProtocolError
from asyncssh.connection import SSHServerConnection, SSHServerConnectionOptions
from asyncssh.packet import SSHPacket, SSHPacketLogger

from vestibule.statements.sftp import sealing
from vestibule.statements.sftp.lane import DATA, WINDOW_ADJUST, Lane
from vestibule.statements.sftp.silence import SILENT

_KEX_LAST: Final = 49
_USERAUTH_LAST: Final = 79
_INPUT_MOST: Final = 131_072
_PACKET_MOST: Final = 36_864
"""RFC 4253 §6.1 asks for 35,000 at least."""
_OUTPUT_HIGH: Final = 262_144
"""Bytes that the system has not taken from us yet; with more, nothing more is read either."""
_DEFERRED_MOST: Final = 256


class Waiting(Protocol):
    """A session that stops while answers do not leave."""

    def go_on(self) -> None:
        """They leave again."""
        ...


class Line(SSHServerConnection):
    """What goes in and out, in bounds."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, options: SSHServerConnectionOptions
    ) -> None:
        super().__init__(loop, options)
        self._logger = SILENT
        self._max_recv_pktlen = _PACKET_MOST
        self._outbox: list[bytes | bytearray] = []
        self._outbox_size = 0
        self._wire: asyncio.Transport | None = None
        self._receiving = False
        self._congested = False
        self._deaf = False
        self.loop = loop
        self.sessions: set[Waiting] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The library sends its version; from here on bounds hold."""
        # The library lets go of it before the last words are sent. Not asked with isinstance:
        # uvloop's transports are transports without being called so.
        self._wire = cast("asyncio.Transport", transport)
        self._wire.set_write_buffer_limits(high=_OUTPUT_HIGH)
        super().connection_made(transport)

    async def reload_config(self) -> None:
        """There is no configuration by user to read; the library would do so at each sign-in."""

    def _log_packet(self, *_facts: object) -> None:
        """Packets hold what is secret."""

    def send_newkeys(self, k: bytes, h: bytes) -> None:
        """New keys: what waited for them goes on."""
        super().send_newkeys(k, h)
        self.loop.call_soon(self._go_on)

    # --- flow ----------------------------------------------------------------------------------

    @property
    def flowing(self) -> bool:
        """Whether answers leave: the peer reads, and no exchange of keys is going on."""
        return self._kex_complete and not self._congested and self._outbox_size <= _OUTPUT_HIGH

    def pause_writing(self) -> None:
        """The peer does not read. Then nothing is read of it either, so that nothing piles up."""
        self._congested = True
        self._regulate()

    def resume_writing(self) -> None:
        """It has read on."""
        self._congested = False
        self._regulate()
        self._go_on()

    def _go_on(self) -> None:
        for session in tuple(self.sessions):
            session.go_on()

    def _regulate(self) -> None:
        deaf = self._congested or len(self._inpbuf) > _INPUT_MOST
        transport = self._transport
        if deaf == self._deaf or transport is None:
            return
        self._deaf = deaf
        if deaf:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def _recv_data(self) -> None:
        self._receiving = True
        if not self._short_way():
            super()._recv_data()
        self._receiving = False
        if self._outbox:
            self._flush()
        self._regulate()

    def process_packet(self, pkttype: int, pktid: int, packet: SSHPacket) -> bool | Awaitable[None]:
        """As the library, but nothing beside an exchange of keys (RFC 4253, section 7.1)."""
        self.demand_no_kex(pkttype)
        return super().process_packet(pkttype, pktid, packet)

    def demand_no_kex(self, pkttype: int) -> None:
        """Raises ProtocolError: what is answered during an exchange would pile up until its end."""
        if self._kex is not None and pkttype > _KEX_LAST:
            raise ProtocolError("Unexpected packet during key exchange")

    def _send(self, data: bytes | bytearray) -> None:
        # What one turn of the loop answers goes out by one call to the system.
        if self._transport is not None:
            if not self._outbox and not self._receiving:
                self.loop.call_soon(self._flush)
            self._outbox.append(data)
            self._outbox_size += len(data)

    def _flush(self) -> None:
        outbox, self._outbox = self._outbox, []
        full = self._outbox_size > _OUTPUT_HIGH
        self._outbox_size = 0
        wire = self._wire
        if wire is None or not outbox or wire.is_closing():
            return
        if len(outbox) == 1:
            wire.write(outbox[0])
        else:
            wire.writelines(outbox)
        if full and not self._congested:
            self.loop.call_soon(self._go_on)

    # --- the short way: the packets that a transfer consists of --------------------------------

    def _short_way(self) -> bool:
        """Take what is on the input; whether nothing is left of it for the library."""
        cipher = self._recv_encryption
        if (
            not isinstance(cipher, sealing.Gcm)
            or not self._auth_complete
            or self._kex is not None
            or self._recv_handler != self._recv_pkthdr
        ):
            return False
        try:
            self._recv_short(cipher)
        except DisconnectError as fault:
            self._send_disconnect(fault.code, fault.reason, fault.lang)
            self._force_close(fault)
        except Exception:  # noqa: BLE001  -- as the library: the connection ends, no other
            self.internal_error()
        return not cipher.holding

    def _recv_pkthdr(self) -> bool:
        cipher = self._recv_encryption
        if isinstance(cipher, sealing.Gcm) and self._auth_complete and self._kex is None:
            if not cipher.holding:
                self._recv_short(cipher)
            if not cipher.holding:
                return False
        return super()._recv_pkthdr()

    def _recv_short(self, cipher: sealing.Gcm) -> None:
        """Take requests off the input. Whatever is anything else stays there, already opened."""
        data, at, end = self._inpbuf, 0, len(self._inpbuf)
        while end - at >= 4 + sealing.BLOCK + sealing.TAG:
            size = int.from_bytes(data[at : at + 4], "big")
            if size > self._max_recv_pktlen or size % sealing.BLOCK or not size:
                raise ProtocolError("Bad packet length")
            after = at + 4 + size + sealing.TAG
            if after > end:
                break
            packet = cipher.opened(data[at : at + 4], data[at + 4 : after])
            if packet is None or not self._took(packet):
                cipher.keep(self._recv_seq, packet)
                break
            at = after
            self._recv_seq = (self._recv_seq + 1) & 0xFFFFFFFF
            if self._transport is None:
                at = end
        self._inpbuf = data[at:]

    def _took(self, packet: bytes) -> bool:
        kind = packet[1]
        if kind not in {DATA, WINDOW_ADJUST}:
            return False
        lane = self._channels.get(int.from_bytes(packet[2:6], "big"))
        body = len(packet) - packet[0]
        number = int.from_bytes(packet[6:10], "big")
        if not isinstance(lane, Lane):
            return False
        if kind == WINDOW_ADJUST:
            return body == 10 and lane.widen(number)
        return body == 10 + number and lane.take(packet[10:body])

    def send_packet(
        self, pkttype: int, *args: bytes, handler: SSHPacketLogger | None = None
    ) -> None:
        """As the library, on a short way where nothing but a ciphertext has to be made.

        The library sends an empty packet before each one, against attacks on ciphers in CBC
        mode; GCM needs none.
        """
        cipher = self._send_encryption
        if (
            not isinstance(cipher, sealing.Gcm)
            or pkttype <= _KEX_LAST
            or (pkttype > _USERAUTH_LAST and not self._auth_complete)
            or not self._sends_now()
        ):
            if len(self._deferred_packets) > _DEFERRED_MOST:
                self.abort()
            super().send_packet(pkttype, *args, handler=handler)
        else:
            self._send_sealed(cipher, pkttype, args)

    def _sends_now(self) -> bool:
        """Whether no keys are being agreed on, and none are due."""
        return (
            self._kex_complete
            and self._transport is not None
            and self._rekey_bytes_sent < self._rekey_bytes
            and time.monotonic() < self._rekey_time
        )

    def _send_sealed(self, cipher: sealing.Gcm, pkttype: int, args: tuple[bytes, ...]) -> None:
        # RFC 4253 §6: at least four bytes of padding, to a whole number of blocks.
        padding = sealing.BLOCK - (2 + sum(map(len, args))) % sealing.BLOCK
        if padding < 4:
            padding += sealing.BLOCK
        packet = b"".join((bytes((padding, pkttype)), *args, os.urandom(padding)))
        self._send(cipher.sealed(packet))
        self._send_seq = (self._send_seq + 1) & 0xFFFFFFFF
        self._rekey_bytes_sent += len(packet)

    def send_data(self, head: bytes, data: bytes) -> bool:
        """Send a channel's data, ``head`` being its number; False: `send_packet` has to do it."""
        cipher = self._send_encryption
        if not isinstance(cipher, sealing.Gcm) or not self._auth_complete or not self._sends_now():
            return False
        self._send_sealed(cipher, DATA, (head, len(data).to_bytes(4, "big"), data))
        return True
