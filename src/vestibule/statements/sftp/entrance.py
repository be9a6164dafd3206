"""Who is let in: one connection's sign-in by public key (RFC 4252, section 7), and nothing else.

What a stranger is told is the same for a name that nobody has, an address that is not allowed and
a key that is not registered; the owner reads the difference in the portal. A key is looked for by
its fingerprint, so the bytes of one that is not registered are never parsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from asyncssh import KeyImportError
from asyncssh.packet import PacketDecodeError, SSHPacket, String
from asyncssh.public_key import decode_ssh_public_key
from cryptography.exceptions import UnsupportedAlgorithm

from vestibule.delivery.rules import Door, Outcome, fingerprint_of, judge
from vestibule.statements.sftp.agreement import SIGNATURES, TOO_OLD
from vestibule.statements.sftp.rooms import Visitor

TRIES: Final = 20
"""Keys that a program may offer. Each costs one hash: an agent full of keys is no attack."""
_BLOB_MOST: Final = 16_384


class Entrance:
    """What is known of one connection until its key is proven."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.program = ""
        self.username: str | None = None
        self.door: Door | None = None
        self.outcome: Outcome | None = None
        self.tries = 0
        self.fingerprint: str | None = None
        self._offered: dict[str, None] = {}
        self._detail: dict[str, str | int] = {}

    def named(self, username: str, door: Door | None) -> None:
        """The program has said who it is."""
        self.username = username
        self.door = door
        self.outcome = judge(door, fingerprint=None, address=self.address)

    def late(self) -> None:
        """It took too long; what else is wrong with it matters more."""
        if self.outcome in {None, Outcome.NO_KEY_OFFERED, Outcome.LOST}:
            self.outcome = Outcome.TIMED_OUT

    def crowded(self) -> None:
        """It had to make room."""
        if self.outcome in {None, Outcome.NO_KEY_OFFERED, Outcome.LOST}:
            self.outcome = Outcome.TOO_MANY

    def too_old(self, detail: Mapping[str, str | int]) -> None:
        """Nothing that the program can do is good enough."""
        self.outcome = Outcome.ALGORITHM_TOO_OLD
        self._detail.update(detail)

    def knows(self, algorithm: bytes, blob: bytes) -> bool:
        """Whether a signature by this key would let the program in."""
        self.tries += 1
        if len(blob) > _BLOB_MOST:
            return False
        fingerprint = fingerprint_of(blob)
        self._offered[fingerprint] = None
        found = judge(self.door, fingerprint=fingerprint, address=self.address)
        if found is Outcome.ACCEPTED:
            self.fingerprint = fingerprint
            if algorithm in TOO_OLD:
                self.too_old({"kind": "signature", "offered_algorithm": algorithm.decode("ascii")})
                return False
            # A signature has to follow; without one it was lost on the way.
            self.outcome = Outcome.LOST
            return algorithm in SIGNATURES
        if self.outcome not in {Outcome.ALGORITHM_TOO_OLD, Outcome.SIGNATURE_WRONG}:
            self.outcome = found
        return False

    def proves(self, algorithm: bytes, blob: bytes, data: bytes, signature: bytes) -> bool:
        """Whether this key has signed ``data``; the owner of the key has then come."""
        if not self.knows(algorithm, blob):
            return False
        good = _verified(algorithm, blob, data, signature)
        self.outcome = Outcome.ACCEPTED if good else Outcome.SIGNATURE_WRONG
        return good

    def visitor(self) -> Visitor:
        """For the log."""
        opened = self.outcome is Outcome.ACCEPTED and self.fingerprint is not None
        return Visitor(
            username=self.username or "",
            address=self.address,
            program=self.program,
            outcome=self.outcome or Outcome.LOST,
            door=self.door,
            fingerprints=(self.fingerprint or "",) if opened else tuple(self._offered),
            detail=self._detail,
        )


def _verified(algorithm: bytes, blob: bytes, data: bytes, signature: bytes) -> bool:
    try:
        packet = SSHPacket(signature)
        # RFC 8332 §3.2: the name in the signature is the one that was announced. Without this
        # check, a request for SHA-2 could carry a signature on SHA-1.
        if packet.get_string() != algorithm:
            return False
        key = decode_ssh_public_key(blob)
        if key.algorithm != SIGNATURES[algorithm]:
            return False
        key.set_touch_required(True)
        return key.verify(data, signature)
    except (KeyImportError, PacketDecodeError, ValueError, UnsupportedAlgorithm):
        return False


def signed_data(session_id: bytes, request: bytes) -> bytes:
    """What a signature is over (RFC 4252, section 7): bound to this connection's keys."""
    return String(session_id) + request
