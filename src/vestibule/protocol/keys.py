"""Key ids, derivations, the PIN and the secrets' envelope (sections 2, 3, 4 and 6).

Nothing here tells a right PIN from a wrong one: `open_root` gives 32 bytes for every PIN.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Literal

import msgspec
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from vestibule.protocol.encoding import (
    b64u,
    b64u_decode,
    parse_json_as,
    parse_segment,
    render_json,
)
from vestibule.protocol.errors import JsonMalformed, MessageMalformed, PinRefused

# Canonical base64url of 16 and of 32 bytes: the last character's spare bits are zero.
Id = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{21}[AQgw]\Z")]
Bytes32 = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\Z")]

PIN_CEILING = 12


class Jwk(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A public P-256 key (RFC 7518 section 6.2.1) and nothing else: no `kid`, no `use`."""

    # No defaults: a member left out is not the member that we expect.
    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: Bytes32
    y: Bytes32


class Stretch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a PIN was stretched: stored beside `Cpin`, for the floor may rise later.

    `m` is KiB and `t` passes (argon2id); `rounds` is for pbkdf2-sha256.
    """

    name: Literal["argon2id", "pbkdf2-sha256"]
    m: int = 0
    t: int = 0
    rounds: int = 0


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the phone hands over at enrolment, inside the envelope."""

    response: Bytes32
    knowledge: Bytes32


class _EnvelopeHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    alg: Literal["ECDH-ES"]
    enc: Literal["A256GCM"]
    kid: Id
    epk: Jwk


# --- public keys and their ids -------------------------------------------------------------


def public_bytes(key: EllipticCurvePrivateKey | EllipticCurvePublicKey) -> bytes:
    """Return a key's public half as the 65 bytes of an uncompressed point."""
    public = key.public_key() if isinstance(key, EllipticCurvePrivateKey) else key
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@lru_cache(maxsize=4096)
def public_key(raw: bytes) -> EllipticCurvePublicKey:
    """Return the key object of an uncompressed point; remembered, for loading costs 40 µs.

    Raises `MessageMalformed` when the point is not on the curve.
    """
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw)
    except ValueError:
        raise MessageMalformed("not a point of P-256") from None


def jwk_of(raw: bytes) -> Jwk:
    """Write an uncompressed point as a JWK."""
    return Jwk(kty="EC", crv="P-256", x=b64u(raw[1:33]), y=b64u(raw[33:]))


def raw_of(jwk: Jwk) -> bytes:
    """Return a JWK's point, checked to be on the curve. Raises `MessageMalformed`."""
    raw = b"\x04" + b64u_decode(jwk.x, 32) + b64u_decode(jwk.y, 32)
    public_key(raw)
    return raw


@lru_cache(maxsize=4096)
def kid_of(raw: bytes) -> str:
    """Return the key id: half of the RFC 7638 thumbprint of an uncompressed point."""
    jwk = jwk_of(raw)
    canonical = f'{{"crv":"P-256","kty":"EC","x":"{jwk.x}","y":"{jwk.y}"}}'
    return b64u(hashlib.sha256(canonical.encode("ascii")).digest()[:16])


# --- derivations ---------------------------------------------------------------------------


def hkdf(ikm: bytes, salt: bytes, info: bytes, length: int = 32) -> bytes:
    """RFC 5869 with SHA-256; an empty salt is 32 zero bytes."""
    prk = hmac.digest(salt or bytes(32), ikm, "sha256")
    block, out = b"", b""
    for index in range(1, -(-length // 32) + 1):
        block = hmac.digest(prk, block + info + bytes([index]), "sha256")
        out += block
    return out[:length]


def response_key(root: bytes, enrollment: str) -> bytes:
    """K_response: what responses to challenges are computed with."""
    return hkdf(root, b"", b"vestibule/1/response/" + enrollment.encode("ascii"))


def knowledge_key(root: bytes, enrollment: str) -> bytes:
    """K_knowledge: what the proof of the PIN is computed with."""
    return hkdf(root, b"", b"vestibule/1/knowledge/" + enrollment.encode("ascii"))


def stretch(pin: str, salt: bytes, how: Stretch) -> bytes:
    """Stretch a PIN to 32 bytes: tens of milliseconds at least, on purpose."""
    secret = unicodedata.normalize("NFC", pin).encode("utf-8")
    if how.name == "pbkdf2-sha256":
        return hashlib.pbkdf2_hmac("sha256", secret, salt, how.rounds, 32)
    return hash_secret_raw(
        secret, salt, time_cost=how.t, memory_cost=how.m, parallelism=1, hash_len=32, type=Type.ID
    )


def pin_kek(device_key: bytes, stretched: bytes) -> bytes:
    """KEK: needs the device's own Kd as well, so a copied `Cpin` alone is worth nothing."""
    return hkdf(device_key, stretched, b"vestibule/1/pin-kek")


def open_root(kek: bytes, iv: bytes, data: bytes) -> bytes:
    """Turn `Cpin` into R, and R into `Cpin`: AES-256-CTR is its own inverse.

    There is no tag, on purpose: under every PIN this yields 32 bytes that look like a root.
    """
    cipher = Cipher(AES(kek), CTR(iv)).encryptor()
    return cipher.update(data) + cipher.finalize()


# --- proofs of knowledge -------------------------------------------------------------------


def enrol_proof(knowledge: bytes, request: str) -> str:
    """Prove K_knowledge over an enrol-request."""
    return _proof(knowledge, b"vestibule/1/enrol", request)


def approval_proof(knowledge: bytes, request: str) -> str:
    """Prove K_knowledge over an approval-request."""
    return _proof(knowledge, b"vestibule/1/approve", request)


def nonce_proof(knowledge: bytes, nonce: bytes) -> str:
    """Prove K_knowledge over a nonce: the knowledge check of section 7, which approves nothing."""
    return b64u(hmac.digest(knowledge, b"vestibule/1/check\0" + nonce, "sha256"))


def _proof(key: bytes, label: bytes, request: str) -> str:
    digest = hashlib.sha256(request.encode("ascii")).digest()
    return b64u(hmac.digest(key, label + b"\0" + digest, "sha256"))


# --- the PIN's rules -----------------------------------------------------------------------


def check_pin(pin: str, *, pin_min: int = 4, pin_max: int = 6, account: str = "") -> str:
    """Check a new PIN by the rules of section 4 and return it NFC-normalised.

    `account` is the account's name, where it is known. Raises `PinRefused` with the code of
    the first rule broken. Only for choosing a PIN: a PIN in use is never checked.
    """
    pin = unicodedata.normalize("NFC", pin)
    if any(
        unicodedata.category(c) in {"Cc", "Cs"} or unicodedata.category(c)[0] == "Z" for c in pin
    ):
        raise PinRefused("pin_characters")
    if len(pin) < pin_min:
        raise PinRefused("pin_short")
    if len(pin) > min(pin_max, PIN_CEILING):
        raise PinRefused("pin_long")
    if len(set(pin)) == 1:
        raise PinRefused("pin_repeated")
    if {ord(b) - ord(a) for a, b in pairwise(pin)} in ({1}, {-1}):
        raise PinRefused("pin_sequence")
    if pin.isascii() and pin.isdigit() and len(pin) == 4 and 1900 <= int(pin) <= 2029:
        raise PinRefused("pin_year")
    if any(
        len(pin) > size and len(pin) % size == 0 and pin == pin[:size] * (len(pin) // size)
        for size in (2, 3)
    ):
        raise PinRefused("pin_pattern")
    if _fold(pin) in _fold(account):
        raise PinRefused("pin_name")
    return pin


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


# --- the envelope of the secrets -----------------------------------------------------------


def seal_secrets(
    secrets: Secrets, *, recipient: bytes, ephemeral: EllipticCurvePrivateKey, iv: bytes
) -> str:
    """Encrypt the secrets to the server as a compact JWE (ECDH-ES, A256GCM).

    `recipient` is the server's encryption key (65 bytes); `ephemeral` must be a fresh key,
    which is also why a random `iv` of 12 bytes is safe. Raises `MessageMalformed`.
    """
    header = _EnvelopeHeader(
        alg="ECDH-ES",
        enc="A256GCM",
        kid=kid_of(recipient),
        epk=jwk_of(public_bytes(ephemeral)),
    )
    aad = b64u(render_json(header))
    key = _content_key(ephemeral, recipient)
    sealed = AESGCM(key).encrypt(iv, render_json(secrets), aad.encode("ascii"))
    return f"{aad}..{b64u(iv)}.{b64u(sealed[:-16])}.{b64u(sealed[-16:])}"


def open_secrets(token: str, *, key: EllipticCurvePrivateKey) -> Secrets:
    """Decrypt the secrets with the server's encryption key. Raises `MessageMalformed`."""
    parts = token.split(".")
    if len(parts) != 5 or parts[1]:
        raise MessageMalformed("not a compact JWE with direct key agreement")
    header = parse_segment(parts[0], _EnvelopeHeader)
    if header.kid != kid_of(public_bytes(key)):
        raise MessageMalformed("sealed to another key")
    iv, tag = b64u_decode(parts[2], 12), b64u_decode(parts[4], 16)
    content_key = _content_key(key, raw_of(header.epk))
    sealed = b64u_decode(parts[3]) + tag
    try:
        plain = AESGCM(content_key).decrypt(iv, sealed, parts[0].encode("ascii"))
        return parse_json_as(plain, Secrets)
    except (InvalidTag, JsonMalformed):
        raise MessageMalformed("the envelope does not open") from None


def _content_key(private: EllipticCurvePrivateKey, public: bytes) -> bytes:
    """RFC 7518 section 4.6.2: one round of the Concat KDF with empty party info."""
    shared = private.exchange(ECDH(), public_key(public))
    algorithm = b"A256GCM"
    info = len(algorithm).to_bytes(4, "big") + algorithm + bytes(8) + (256).to_bytes(4, "big")
    return hashlib.sha256((1).to_bytes(4, "big") + shared + info).digest()
