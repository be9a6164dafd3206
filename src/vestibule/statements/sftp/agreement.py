"""How keys are agreed and what protects the lines: which algorithms, and nothing else.

Every agreement joins a method that quantum computers do not break with X25519, so what is
recorded today stays closed (NIST IR 8547). Only ciphers that check while they decrypt, only
signatures on SHA-2 (RFC 8332). `docs/decisions/0012` says why sntrup761 is computed here.
"""

from __future__ import annotations

from hashlib import sha256, sha512
from typing import Final, Literal

from asyncssh.crypto import Curve25519DH
from asyncssh.kex import register_kex_alg
from asyncssh.kex_dh import _KexHybridECDH
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey

from vestibule.statements.sftp import sntrup

Programs = Literal["current", "older"]

_JOINED: Final = ("mlkem768x25519-sha256", "sntrup761x25519-sha512")
_ALIASES: Final = ("sntrup761x25519-sha512@openssh.com",)
_CURVE_ALONE: Final = ("curve25519-sha256", "curve25519-sha256@libssh.org")

KEX: Final[dict[Programs, tuple[str, ...]]] = {
    "current": (*_JOINED, *_ALIASES),
    "older": (*_JOINED, *_ALIASES, *_CURVE_ALONE),
}
CIPHERS: Final[dict[Programs, tuple[str, ...]]] = {
    # Whatever agrees keys as above has these; the client chooses, so what it prefers without
    # reason (OpenSSH: ChaCha20, which Python seals at a third of the rate) is not on offer.
    "current": ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com"),
    "older": (
        "aes256-gcm@openssh.com",
        "aes128-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
        "aes256-ctr",
        "aes128-ctr",
    ),
}
MACS: Final = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com")
"""Used with counter mode only, but some programs end when the list shares nothing with theirs."""

SIGNATURES: Final = {
    b"ssh-ed25519": b"ssh-ed25519",
    b"sk-ssh-ed25519@openssh.com": b"sk-ssh-ed25519@openssh.com",
    b"ecdsa-sha2-nistp256": b"ecdsa-sha2-nistp256",
    b"ecdsa-sha2-nistp384": b"ecdsa-sha2-nistp384",
    b"ecdsa-sha2-nistp521": b"ecdsa-sha2-nistp521",
    b"sk-ecdsa-sha2-nistp256@openssh.com": b"sk-ecdsa-sha2-nistp256@openssh.com",
    b"rsa-sha2-256": b"ssh-rsa",
    b"rsa-sha2-512": b"ssh-rsa",
}
"""Signature algorithm → the type of key that makes it (RFC 8332 §3)."""
TOO_OLD: Final = frozenset({b"ssh-rsa", b"ssh-dss"})
"""Signatures on SHA-1: broken since 2020, and what programs from before 2017 offer."""


class _MlKem:
    """ML-KEM-768 (FIPS 203) without the key pair that only a client needs."""

    pubkey_bytes = 1184
    privkey_bytes = 2400
    ciphertext_bytes = 1088
    secret_bytes = 32

    def __init__(self, _name: bytes) -> None:
        self._private: MLKEM768PrivateKey | None = None

    def get_public(self) -> bytes:
        """A client's public key."""
        self._private = MLKEM768PrivateKey.generate()
        return self._private.public_key().public_bytes_raw()

    def encaps(self, peer_public: bytes) -> tuple[bytes, bytes]:
        """A secret and its ciphertext. Raises ValueError."""
        return MLKEM768PublicKey.from_public_bytes(peer_public).encapsulate()

    def decaps(self, ciphertext: bytes) -> bytes:
        """A client's half. Raises ValueError."""
        if self._private is None:
            raise ValueError("no key was made")
        return self._private.decapsulate(ciphertext)


class _Sntrup:
    """sntrup761 as a server needs it."""

    pubkey_bytes = sntrup.PUBLIC_KEY_BYTES
    privkey_bytes = 1763
    ciphertext_bytes = sntrup.CIPHERTEXT_BYTES
    secret_bytes = sntrup.SECRET_BYTES

    def __init__(self, _name: bytes) -> None: ...

    def get_public(self) -> bytes:
        """Only clients need it, and this is a server."""
        raise NotImplementedError

    def encaps(self, peer_public: bytes) -> tuple[bytes, bytes]:
        """A secret and its ciphertext. Raises ValueError."""
        return sntrup.encapsulate(peer_public)

    def decaps(self, ciphertext: bytes) -> bytes:
        """As get_public."""
        raise NotImplementedError


def register() -> None:
    """Teach the SSH library these agreements; to be called once a process, before it listens."""
    for name, kem, digest in (
        (b"mlkem768x25519-sha256", _MlKem, sha256),
        (b"sntrup761x25519-sha512", _Sntrup, sha512),
        (b"sntrup761x25519-sha512@openssh.com", _Sntrup, sha512),
    ):
        register_kex_alg(name, _KexHybridECDH, digest, (kem, name, Curve25519DH), default=False)
