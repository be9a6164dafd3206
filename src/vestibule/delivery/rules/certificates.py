"""Which OpenPGP certificates statements can be encrypted to (RFC 9580, and RFC 4880).

Two looks. First at the packets in plain view: refused is what is private, several, of no use or
hostile, and kept is only what encrypting needs, so that the library never sees ten thousand
signatures and the database never the names of people who signed a key. Then at what is kept, with
Sequoia: whether the signatures hold and its policy takes the algorithms, proven by encrypting.

Why a certificate cannot be used is not said by the library (it even encrypts to keys that have
expired), so it is found by leaving out: a part that works alone, or works without its revocation.
Signatures are judged at the machine's time, expiry at ``now``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeVar

import pysequoia
from pysequoia.packet import HashAlgorithm, Packet as Parsed, PacketPile, SignatureType

from vestibule.base.errors import Refused
from vestibule.base.openpgp import Packet, Tag
from vestibule.delivery.rules.armor import PrivateMaterial, unpacked
from vestibule.delivery.rules.private_keys import holds_private_key

CERTIFICATE_MOST: Final = 256 * 1024
"""Bytes of an upload."""
WARN_DAYS: Final = (30, 7, 1, 0)
"""So many days before it expires, its owner is told; 0: when it has."""

_T = TypeVar("_T")

_DAY_MS: Final = 86_400_000
_SEARCHED_MOST: Final = 16 * 1024
_NAMES_MOST: Final = 8
_NAME_MOST: Final = 200
_SUBKEYS_MOST: Final = 6
_SIGNATURES_MOST: Final = 3
"""Of one part: the newest, and as many of its revocations. Older ones are superseded."""
_RSA_BITS: Final = (2048, 8192)
_RSA: Final = frozenset({1, 2, 3})
_OUTDATED: Final = frozenset({16, 17, 20})
"""ElGamal and DSA (section 9.1)."""
_ENCRYPTING: Final = frozenset({1, 2, 16, 18, 20, 25, 26, 35, 36, 105, 106, 107, 108})
_KEPT: Final = frozenset({Tag.PUBLIC_KEY, Tag.PUBLIC_SUBKEY, Tag.USER_ID, Tag.SIGNATURE})
_BROKEN_HASHES: Final = (HashAlgorithm.MD5, HashAlgorithm.SHA1, HashAlgorithm.RipeMD)
_REVOCATIONS: Final = (
    SignatureType.KeyRevocation,
    SignatureType.SubkeyRevocation,
    SignatureType.CertificationRevocation,
)
_NAMES_CURVE: Final = frozenset({18, 19, 22})
"""ECDH, ECDSA and the older EdDSA, which name their curve by an object identifier."""
_CURVES: Final = {
    b"\x2b\x06\x01\x04\x01\xda\x47\x0f\x01": "Curve25519",
    b"\x2b\x06\x01\x04\x01\x97\x55\x01\x05\x01": "Curve25519",
    b"\x2a\x86\x48\xce\x3d\x03\x01\x07": "NIST P-256",
    b"\x2b\x81\x04\x00\x22": "NIST P-384",
    b"\x2b\x81\x04\x00\x23": "NIST P-521",
}
_SPOKEN: Final = {
    25: "Curve25519",
    26: "Curve448",
    35: "ML-KEM-768 + X25519",
    36: "ML-KEM-1024 + X448",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCertificate:
    """A certificate that statements can be encrypted to."""

    fingerprint: str
    """Upper-case hexadecimal: 40 characters of version 4, 64 of version 6."""
    version: int
    user_id: str
    """The owner's name in it, on one line; may be empty."""
    algorithm: str
    """Of the key that is encrypted to, as people say it."""
    expires_at: int | None
    """Milliseconds; None: it does not expire."""
    data: bytes
    """Binary: the primary key, one name, the keys to encrypt to, and their own signatures."""


def parse_certificate(data: bytes, *, now: int) -> NewCertificate:
    """The one certificate in ``data``, armored or binary; ``now`` in ms.

    Raises Refused ``certificate_private`` (before anything else), ``body_too_large``,
    ``certificate_unreadable``, ``certificate_several``, ``certificate_weak``,
    ``certificate_revoked``, ``certificate_expired`` (its fact ``day``: since when) or
    ``certificate_cannot_encrypt``.
    """
    # What is short, as every key is that a program exports, is also searched as SSH keys are:
    # under further encodings. That takes too long for what only pretends to be a certificate.
    if len(data) <= _SEARCHED_MOST and holds_private_key(data):
        raise Refused("certificate_private")
    try:
        found = unpacked(data[:CERTIFICATE_MOST])
    except PrivateMaterial:
        raise Refused("certificate_private") from None
    if len(data) > CERTIFICATE_MOST:
        raise Refused("body_too_large", most=CERTIFICATE_MOST)
    primary, parts = _taken_apart(found)
    if _key_of(primary).outdated:
        raise Refused("certificate_weak")
    names = [part for part in parts if part.head.tag == Tag.USER_ID]
    subkeys = [part for part in parts if part.head.tag == Tag.PUBLIC_SUBKEY]
    base = _Base(parts[0], names[:_NAMES_MOST])
    ends = _end_of(base)
    demand_unexpired(ends, now=now)
    usable = _usable(base, subkeys, now)
    return _minimal(base, usable, ends)


def demand_unexpired(expires_at: int | None, *, now: int) -> None:
    """Refuse what has expired (``certificate_expired``, its fact ``day``: when it did).

    Nobody else does: the library encrypts to it as before.
    """
    if expires_at is not None and expires_at <= now:
        raise Refused("certificate_expired", day=_day(expires_at))


def days_left(expires_at: int, *, now: int) -> int:
    """Whole days, rounded up, until a certificate expires; 0 or less: it has."""
    return -((now - expires_at) // _DAY_MS)


def warning_due(expires_at: int | None, *, now: int, warned: int | None) -> int | None:
    """Which of `WARN_DAYS` its owner is to be told of now; ``warned``: the last one. None: none.

    One that was missed is not made up for when a nearer one is due.
    """
    if expires_at is None:
        return None
    left = max(0, days_left(expires_at, now=now))
    due = min((days for days in WARN_DAYS if left <= days), default=None)
    return due if due is not None and (warned is None or due < warned) else None


# --- the packets ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Signature:
    raw: bytes
    seen: Parsed

    @property
    def revokes(self) -> bool:
        return _said(self.seen, "signature_type") in _REVOCATIONS

    @property
    def made(self) -> float:
        return self.seen.signature_created.timestamp() if self.seen.signature_created else 0.0

    @property
    def broken_hash(self) -> bool:
        return _said(self.seen, "hash_algorithm") in _BROKEN_HASHES


@dataclass(slots=True)
class _Part:
    """A key or a name with what its owner signed about it, newest first."""

    head: Packet
    seen: Parsed
    signed: list[_Signature]
    revoked: list[_Signature]

    @property
    def bytes(self) -> bytes:
        return b"".join([self.head.raw, *(each.raw for each in [*self.revoked, *self.signed])])

    @property
    def broken_hash(self) -> bool:
        return bool(self.signed) and self.signed[0].broken_hash


@dataclass(frozen=True, slots=True)
class _Key:
    kind: int
    bits: int
    """Of RSA; otherwise 0."""
    spoken: str

    @property
    def outdated(self) -> bool:
        return self.kind in _OUTDATED or (self.kind in _RSA and self.bits < _RSA_BITS[0])


def _taken_apart(found: Sequence[Packet] | None) -> tuple[Packet, list[_Part]]:
    """The primary key, and all parts, of which it is the first."""
    if found is None:
        raise Refused("certificate_unreadable")
    kept = [packet for packet in found if packet.tag in _KEPT and packet.body]
    if not kept or kept[0].tag != Tag.PUBLIC_KEY:
        raise Refused("certificate_unreadable")
    if sum(packet.tag == Tag.PUBLIC_KEY for packet in kept) > 1:
        raise Refused("certificate_several")
    if kept[0].body[0] in {2, 3}:
        raise Refused("certificate_weak")
    if kept[0].body[0] not in {4, 6}:
        raise Refused("certificate_unreadable")
    seen = _asked(lambda: list(PacketPile.from_bytes(b"".join(packet.raw for packet in kept))))
    if seen is None or len(seen) != len(kept):
        raise Refused("certificate_unreadable")
    return kept[0], _parts(kept, seen)


def _parts(kept: Sequence[Packet], seen: Sequence[Parsed]) -> list[_Part]:
    own = {seen[0].fingerprint, seen[0].key_id, None}
    parts: list[_Part] = []
    for packet, parsed in zip(kept, seen, strict=True):
        if packet.tag != Tag.SIGNATURE:
            parts.append(_Part(packet, parsed, [], []))
        # Of others' signatures none: they say who knows whom, and may be many.
        elif {parsed.issuer_fingerprint, parsed.issuer_key_id} <= own:
            signature = _Signature(packet.raw, parsed)
            (parts[-1].revoked if signature.revokes else parts[-1].signed).append(signature)
    for part in parts:
        for signatures in (part.signed, part.revoked):
            signatures.sort(key=lambda signature: signature.made, reverse=True)
            del signatures[_SIGNATURES_MOST:]
    return parts


def _key_of(packet: Packet) -> _Key:
    """What a key packet says of itself (section 5.5.2)."""
    body = packet.body
    start = 10 if body[0] == 6 else 6
    kind = body[5] if len(body) > start + 2 else 0
    if kind in _RSA | _OUTDATED:
        bits = int.from_bytes(body[start : start + 2])
        wide = start + 2 + (bits + 7) // 8
        exponent = int.from_bytes(body[wide : wide + 2])
        if kind in _RSA and (bits > _RSA_BITS[1] or exponent > 64):
            # Each use would cost more than a sign-in; no program makes such keys.
            raise Refused("certificate_cannot_encrypt")
        return _Key(kind, bits, f"RSA {bits}" if kind in _RSA else "")
    curve = body[start + 1 : start + 1 + body[start]] if kind in _NAMES_CURVE else b""
    if curve and curve not in _CURVES:
        # Such as Brainpool's: the library does not calculate on them.
        raise Refused("certificate_cannot_encrypt")
    return _Key(kind, 0, _SPOKEN.get(kind) or _CURVES.get(curve, ""))


# --- asking Sequoia ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Base:
    """What every trial has: the primary key and its names."""

    primary: _Part
    names: list[_Part]

    @property
    def bytes(self) -> bytes:
        return b"".join(part.bytes for part in (self.primary, *self.names))


def _end_of(base: _Base) -> int | None:
    """When the primary key expires. Raises Refused where it is revoked or not its own."""

    def looked() -> tuple[bool, datetime | None]:
        certificate = pysequoia.Cert.from_bytes(base.bytes)
        return certificate.is_revoked, certificate.expiration

    looks = _asked(looked)
    if looks is None:
        # Without one signature that holds and that the policy takes, there is nothing to rely on.
        old = base.primary.broken_hash or any(name.broken_hash for name in base.names)
        raise Refused("certificate_weak" if old else "certificate_unreadable")
    revoked, ends = looks
    if revoked:
        raise Refused("certificate_revoked")
    return None if ends is None else int(ends.timestamp() * 1000)


def _usable(base: _Base, subkeys: Sequence[_Part], now: int) -> list[tuple[_Part, int | None]]:
    """The keys to encrypt to, newest first, each with its end; Refused where there is none."""
    able = [part for part in subkeys if part.head.body[5:6] and part.head.body[5] in _ENCRYPTING]
    able.sort(key=lambda part: part.head.body[1:5], reverse=True)
    usable: list[tuple[_Part, int | None]] = []
    refusals: list[Refused] = []
    for part in able[:_SUBKEYS_MOST]:
        try:
            usable.append((part, _judged(base, part, now)))
        except Refused as refusal:
            refusals.append(refusal)
    if not usable and _encrypts(base.bytes):
        usable.append((base.primary, None))
    if not usable:
        order = ("certificate_expired", "certificate_revoked", "certificate_weak")
        refusals.sort(key=lambda no: order.index(no.code.name) if no.code.name in order else 9)
        raise refusals[0] if refusals else Refused("certificate_cannot_encrypt")
    return usable


def _judged(base: _Base, part: _Part, now: int) -> int | None:
    """When a subkey that can be encrypted to expires. Raises Refused where it cannot."""
    if _key_of(part.head).outdated:
        raise Refused("certificate_weak")
    alone = base.bytes
    if not _encrypts(alone + part.bytes):
        if part.revoked and _encrypts(alone + replace(part, revoked=[]).bytes):
            raise Refused("certificate_revoked")
        raise Refused("certificate_weak" if part.broken_hash else "certificate_cannot_encrypt")
    # The newest binding that holds says how long; one that does not may be anybody's.
    holding = (
        signature
        for signature in part.signed
        if len(part.signed) == 1 or _encrypts(alone + part.head.raw + signature.raw)
    )
    binding = next(holding, None)
    made, lasts = part.seen.key_created, binding.seen.key_validity_period if binding else None
    if made is None or lasts is None:
        return None
    ends = int((made + lasts).timestamp() * 1000)
    demand_unexpired(ends, now=now)
    return ends


def _minimal(
    base: _Base, usable: Sequence[tuple[_Part, int | None]], ends: int | None
) -> NewCertificate:
    """As little as still says the same; the newest key gives the algorithm its name."""
    keys = [part for part, _ in usable if part is not base.primary]
    subkeys = b"".join(part.bytes for part in keys)
    data = base.bytes + subkeys
    valid = _asked(lambda: [str(n) for n in pysequoia.Cert.from_bytes(base.bytes).user_ids]) or []
    names = [name for name in base.names if name.seen.user_id in valid]
    # The name that its owner marked, else the first one; and none that carries the key's own end.
    names.sort(key=lambda name: not any(each.seen.primary_userid for each in name.signed))
    for name in names[:1]:
        small = _Base(base.primary, [name])
        if _end_of(small) == ends and _encrypts(small.bytes + subkeys):
            data = small.bytes + subkeys
    last = None if any(end is None for _, end in usable) else max(end or 0 for _, end in usable)
    newest = usable[0][0].head
    return NewCertificate(
        fingerprint=(base.primary.seen.fingerprint or "").upper(),
        version=base.primary.head.body[0],
        user_id=_one_line(names[0].seen.user_id or "") if names else "",
        algorithm=_key_of(newest).spoken or f"OpenPGP {newest.body[5]}",
        expires_at=min((end for end in (ends, last) if end is not None), default=None),
        data=data,
    )


def _encrypts(certificate: bytes) -> bool:
    """Whether Sequoia finds a key to encrypt to, expired or not, and can use it."""

    def tried() -> bytes:
        return pysequoia.encrypt(b"", [pysequoia.Cert.from_bytes(certificate)], armor=False)

    return _asked(tried) is not None


def _asked(question: Callable[[], _T]) -> _T | None:
    """The library's answer; None where it refuses, or trips over what it was given."""
    try:
        return question()
    except (RuntimeError, ValueError):
        return None
    except BaseException as error:
        # What the library did not foresee comes as an exception of this name, beside all others.
        if type(error).__name__ != "PanicException":
            raise
        return None


def _said(signature: Parsed, field: str) -> object:
    """A field of a signature; None for a value that the library has no name for."""
    return _asked(lambda: getattr(signature, field))


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def _one_line(name: str) -> str:
    words = " ".join(name.split())
    return "".join(sign for sign in words if sign.isprintable())[:_NAME_MOST]
