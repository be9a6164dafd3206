"""AES-GCM for SSH (RFC 5647 as OpenSSH does it), with the key schedule kept between packets.

The SSH library makes a new cipher for every packet and copies each four times; at 32 KiB a
packet that is what a transfer costs most.
"""

from __future__ import annotations

from asyncssh.encryption import GCMEncryption, register_encryption_alg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TAG = 16
BLOCK = 16


class Gcm(GCMEncryption):
    """One direction of one connection."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._aead = AESGCM(key)
        self._fixed = iv[:4]
        self._counter = int.from_bytes(iv[4:], "big")
        self._opened: tuple[int, bytes | None] = (-1, None)

    @classmethod
    def new(  # noqa: PLR0917  -- as the library calls it
        cls,
        cipher_name: str,
        key: bytes,
        iv: bytes,
        mac_alg: bytes = b"",
        mac_key: bytes = b"",
        etm: bool = False,  # noqa: FBT001, FBT002  -- as above
    ) -> Gcm:
        """As the library makes ciphers. The name is implied by the length of the key."""
        del cipher_name, mac_alg, mac_key, etm
        return cls(key, iv)

    def _nonce(self) -> bytes:
        # A nonce never comes again: the counter has 64 bits, and keys change every GiB.
        nonce = self._fixed + self._counter.to_bytes(8, "big")
        self._counter = (self._counter + 1) & 0xFFFFFFFFFFFFFFFF
        return nonce

    def sealed(self, packet: bytes) -> bytearray:
        """Length, ciphertext and tag of a packet that begins with its padding's length."""
        size = len(packet)
        head = size.to_bytes(4, "big")
        out = bytearray(4 + size + TAG)
        out[:4] = head
        self._aead.encrypt_into(self._nonce(), packet, head, memoryview(out)[4:])
        return out

    def encrypt_packet(self, seq: int, header: bytes, packet: bytes) -> tuple[bytes, bytes]:
        """As the library asks: what goes out, and a tag to go behind it."""
        del seq, header
        return bytes(self.sealed(packet)), b""

    def opened(self, head: bytes, rest: bytes) -> bytes | None:
        """The packet of a length field and what follows it; None when it is not genuine."""
        try:
            return self._aead.decrypt(self._nonce(), rest, head)
        except InvalidTag:
            return None

    @property
    def holding(self) -> bool:
        """Whether a packet is kept that the library has not asked for yet."""
        return self._opened[0] >= 0

    def keep(self, seq: int, packet: bytes | None) -> None:
        """Hold an opened packet until the library asks for it: a nonce opens once."""
        self._opened = (seq, packet)

    def decrypt_packet(
        self, seq: int, first: bytes, rest: bytes, header_len: int, mac: bytes
    ) -> bytes | None:
        """As the library asks."""
        held, packet = self._opened
        if held == seq:
            self._opened = (-1, None)
            return packet
        return self.opened(first[:header_len], first[header_len:] + rest + mac)


def register() -> None:
    """Give the library these ciphers in place of its own; once a process."""
    for name in ("aes256-gcm", "aes128-gcm"):
        register_encryption_alg(f"{name}@openssh.com".encode("ascii"), Gcm, name, default=False)
