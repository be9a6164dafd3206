"""Files encrypted with OpenPGP while they pass by (RFC 9580, and RFC 4880 for older programs).

Two do this together. Sequoia, which knows every kind of key, makes the session key and encrypts it
to the client's certificate; OpenSSL encrypts the file under it, which is several times faster and
lets others run meanwhile. The session key is come by as any reader would: the message that Sequoia
encrypts, an empty one, goes to a key of our own as well. What leaves us names the client's keys
only, and our key is never written anywhere. docs/decisions/0013 says why not otherwise.
"""

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Final, Protocol, TypeVar

import pysequoia
import structlog
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESOCB3
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

from vestibule.base.errors import Refused
from vestibule.base.openpgp import Tag, packets

_AT_ONCE: Final = 512 * 1024
"""So much is encrypted in one go: it weighs more than the way to a thread and back."""
_PART_BITS: Final = 16
_CHUNK_BITS: Final = 16
_AES_256: Final = 9
_OCB: Final = 2
_X25519: Final = 25
_LITERAL: Final = 11

_T = TypeVar("_T")
_log = structlog.get_logger("vestibule.openpgp")


async def encrypted(
    chunks: AsyncIterator[bytes], certificate: bytes
) -> AsyncGenerator[bytes, None]:
    """The binary message for the holder of ``certificate``, as ``chunks`` come in.

    Neither compressed (what is published may be so already, and how well data compresses tells of
    it) nor named or dated inside. What is held is a few times half a MiB, or one chunk where that
    is larger. A source that fails ends this by its own exception; what came out until then can be
    recognised as cut.

    The certificate is one of `delivery.rules.parse_certificate`; whether it has expired since is
    for the caller to know: keys that have are used all the same. Raises Refused
    ``certificate_cannot_encrypt`` where the library no longer takes it.
    """
    message = await _elsewhere(_Message, certificate)
    held: list[bytes] = []
    size = 0
    async for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= _AT_ONCE:
            yield await _elsewhere(message.more, b"".join(held))
            held.clear()
            size = 0
    yield await _elsewhere(message.end, b"".join(held))


async def _elsewhere(work: Callable[[bytes], _T], data: bytes) -> _T:
    """Done in a thread: one for each processor, so that many files take turns."""
    return await asyncio.get_running_loop().run_in_executor(_threads(), work, data)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="openpgp")


# --- the session key --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _OurKey:
    """The second recipient of each empty message: made for this process, kept in its memory."""

    certificate: pysequoia.Cert
    public: bytes
    secret: X25519PrivateKey

    def opened(self, body: bytes) -> bytes:
        """The session key in a packet for this key (RFC 9580 section 5.1.6)."""
        # Version 3: version, key id, algorithm. Version 6: version, length, version, fingerprint.
        start = 10 if body[0] == 3 else 3 + body[1]
        ephemeral, wrapped = body[start : start + 32], body[start + 33 :]
        if body[start - 1] != _X25519 or body[start + 32] != len(wrapped):
            raise ValueError("not for our key")
        if body[0] == 3:
            if wrapped[0] != _AES_256:
                raise ValueError("another cipher than AES-256")
            wrapped = wrapped[1:]
        shared = self.secret.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        kdf = HKDF(algorithm=SHA256(), length=16, salt=None, info=b"OpenPGP X25519")
        return aes_key_unwrap(kdf.derive(ephemeral + self.public + shared), wrapped)


@cache
def _our_key() -> _OurKey:
    made = pysequoia.Tsk.generate(profile=pysequoia.Profile.RFC9580)
    # Version 6 with X25519 (section 5.5.3): version, time (4), algorithm, length (4), public (32),
    # 0 (no password), secret (32).
    body = next(
        packet.body
        for packet in packets(bytes(made))
        if packet.tag == Tag.SECRET_SUBKEY and packet.body[5] == _X25519
    )
    secret = X25519PrivateKey.from_private_bytes(body[43:75])
    return _OurKey(made.extract_certificate(), body[10:42], secret)


@dataclass(frozen=True, slots=True)
class _Opening:
    """How a message begins, and what it goes on under."""

    keys: bytes
    """The packets with the session key, for the client's keys alone."""
    session_key: bytes
    modern: bool
    """Whether all of the client's keys announce version 2 of encrypted data (RFC 9580)."""


def _opening(certificate: bytes) -> _Opening:
    ours = _our_key()
    try:
        recipients = [pysequoia.Cert.from_bytes(certificate), ours.certificate]
        message = pysequoia.encrypt(b"", recipients, armor=False)
    except RuntimeError as error:
        # Its words carry the places of its source code behind the first line.
        _log.warning("openpgp.unfit", reason=str(error).partition("\n")[0][:200])
        raise Refused("certificate_cannot_encrypt") from None
    *keys, ours_in, data = packets(message)
    modern = data.body[0] == 2
    if not keys or data.tag != Tag.ENCRYPTED or {p.tag for p in keys} != {Tag.SESSION_KEY}:
        raise ValueError("not the message that was asked for")
    if modern and tuple(data.body[1:3]) != (_AES_256, _OCB):
        raise ValueError("another cipher than AES-256 in OCB")
    return _Opening(b"".join(packet.raw for packet in keys), ours.opened(ours_in.body), modern)


# --- the file ---------------------------------------------------------------------------------


class _Message:
    """One message being written. Not for two threads at a time."""

    def __init__(self, certificate: bytes) -> None:
        opening = _opening(certificate)
        self._head = opening.keys
        self._cipher: _Cipher = (
            _Authenticated(opening.session_key)
            if opening.modern
            else _Feedback(opening.session_key)
        )
        self._outer = _Parts(Tag.ENCRYPTED, self._cipher.opens)
        # Binary, no file name, no date (section 5.9): the file's name is told outside.
        self._literal = _Parts(_LITERAL, b"b\0\0\0\0\0")

    def more(self, plain: bytes) -> bytes:
        """What is ready when this has been added."""
        head, self._head = self._head, b""
        return head + self._outer.more(self._cipher.more(self._literal.more(plain)))

    def end(self, plain: bytes) -> bytes:
        """The rest, when this is the last."""
        head, self._head = self._head, b""
        rest = self._cipher.more(self._literal.end(plain)) + self._cipher.end()
        return head + self._outer.end(rest)


class _Parts:
    """A packet whose length nobody knows before its end (RFC 9580 section 4.2.1.4)."""

    _SIZE: Final = 1 << _PART_BITS
    _MARK: Final = bytes((224 + _PART_BITS,))

    def __init__(self, tag: int, begins: bytes) -> None:
        self._head = bytes((0xC0 | tag,))
        self._held = begins

    def more(self, data: bytes) -> bytes:
        """What is ready when this has been added."""
        lacking = self._SIZE - len(self._held)
        if len(data) < lacking:
            self._held += data
            return b""
        # Copied once, by the joining: copies are most of what this costs beside the cipher.
        view = memoryview(data)
        pieces: list[bytes | memoryview] = [self._head, self._MARK, self._held, view[:lacking]]
        self._head = b""
        at = lacking
        while len(data) - at >= self._SIZE:
            pieces += (self._MARK, view[at : at + self._SIZE])
            at += self._SIZE
        self._held = data[at:]
        return b"".join(pieces)

    def end(self, data: bytes) -> bytes:
        before = self.more(data)
        head, self._head = self._head, b""
        return before + head + b"\xff" + len(self._held).to_bytes(4) + self._held


class _Cipher(Protocol):
    opens: bytes

    def more(self, plain: bytes) -> bytes: ...

    def end(self) -> bytes: ...


class _Feedback:
    """Version 1 of encrypted data (section 5.13.1): what GnuPG 2.2 and all older programs read."""

    opens = b"\x01"

    def __init__(self, key: bytes) -> None:
        # The standard's own construction: a random block stands for the initial vector, and the
        # SHA-1 of everything, itself encrypted, shows that nothing was changed or cut.
        self._cipher = Cipher(algorithms.AES256(key), CFB(bytes(16))).encryptor()
        self._hash = hashlib.sha1(usedforsecurity=False)
        prefix = secrets.token_bytes(16)
        self._begins = prefix + prefix[-2:]

    def more(self, plain: bytes) -> bytes:
        if self._begins:
            plain, self._begins = self._begins + plain, b""
        self._hash.update(plain)
        return self._cipher.update(plain)

    def end(self) -> bytes:
        last = self.more(b"\xd3\x14")
        return last + self._cipher.update(self._hash.digest()) + self._cipher.finalize()


class _Authenticated:
    """Version 2 of encrypted data (section 5.13.2): AES-256 in OCB, chunk by chunk."""

    _SIZE: Final = 1 << _CHUNK_BITS

    def __init__(self, session_key: bytes) -> None:
        salt = secrets.token_bytes(32)
        facts = bytes((2, _AES_256, _OCB, _CHUNK_BITS - 6))
        self.opens = facts + salt
        self._info = bytes((0xC0 | Tag.ENCRYPTED,)) + facts
        kdf = HKDF(algorithm=SHA256(), length=32 + 7, salt=salt, info=self._info)
        derived = kdf.derive(session_key)
        self._cipher, self._nonce = AESOCB3(derived[:32]), derived[32:]
        self._held = b""
        self._index = 0
        self._total = 0

    def more(self, plain: bytes) -> bytes:
        data = self._held + plain
        # The last chunk is known as such at the end only; a full one can be that as well.
        whole = len(data) - len(data) % self._SIZE
        self._held = data[whole:]
        return b"".join(
            self._chunk(data[at : at + self._SIZE]) for at in range(0, whole, self._SIZE)
        )

    def end(self) -> bytes:
        last = self._chunk(self._held) if self._held else b""
        # Without this tag over the number of bytes, whole chunks could be cut off unnoticed.
        nonce = self._nonce + self._index.to_bytes(8)
        return last + self._cipher.encrypt(nonce, b"", self._info + self._total.to_bytes(8))

    def _chunk(self, plain: bytes) -> bytes:
        nonce = self._nonce + self._index.to_bytes(8)
        self._index += 1
        self._total += len(plain)
        return self._cipher.encrypt(nonce, plain, self._info)
