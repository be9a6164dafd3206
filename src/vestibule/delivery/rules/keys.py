"""Reading SSH public keys in every form that clients' tools write. Pure: no I/O.

Forms: OpenSSH's line (also PuTTY's `-L`, also wrapped), RFC 4716 (PuTTY's `-O public`, OpenSSH's
`-e`), PEM and DER of SubjectPublicKeyInfo and PKCS #1, in UTF-8 or UTF-16 as editors of Windows
save them. Exactly one key; what is kept is made anew from its numbers, so that nothing else that
was sent is stored.
"""

import re
from base64 import b64encode
from binascii import Error as NotBase64, a2b_base64
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass
from hashlib import md5, sha256
from math import gcd
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from vestibule.base.errors import Refused
from vestibule.delivery.rules.home import label_from, rsa_weak_soon
from vestibule.delivery.rules.private_keys import holds_private_key

SENT_MOST: Final = 16_384
"""Bytes; the longest key that is accepted takes a third, in UTF-16."""
RSA_LEAST: Final = 2048
RSA_MOST: Final = 16_384
_EXPONENT_MOST: Final = 33
_WRAPPED_MOST: Final = 64

_CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "nistp256": ec.SECP256R1(),
    "nistp384": ec.SECP384R1(),
    "nistp521": ec.SECP521R1(),
}
ALGORITHMS: Final = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
"""The kinds of keys that are accepted."""

# Other kinds that exist: said to be of the wrong kind rather than unreadable.
_OTHER_KINDS: Final = re.compile(
    r"(?:ssh|x509|pgp|spki|null|webauthn|sk|ecdsa|rsa)-[a-z0-9@.-]{1,60}", re.IGNORECASE
)
# y of the points of small order (RFC 8032, section 5.1): a signature under them proves nothing.
_P: Final = 2**255 - 19
_Y8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD83D3D706A17C7
_SMALL_ORDER: Final = frozenset({0, 1, _P - 1, _P, _P + 1, _Y8, _P - _Y8})
_PRIMES: Final = 16294579238595022365  # 3·5·7·…·53: no modulus of two large primes shares one

_RFC4716: Final = re.compile(
    r"-{3,5} ?BEGIN SSH2 PUBLIC KEY ?-{3,5}(.*?)-{3,5} ?END SSH2 PUBLIC KEY ?-{3,5}", re.DOTALL
)
_PEM: Final = re.compile(
    r"-----BEGIN (RSA |DSA |EC )?PUBLIC KEY-----(.*?)-----END (?:RSA |DSA |EC )?PUBLIC KEY-----",
    re.DOTALL,
)
_HEADER: Final = re.compile(r"^([A-Za-z0-9@._-]{1,64}):[ \t]*(.*)$")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """An SSH public key that was understood."""

    algorithm: str
    bits: int
    blob: bytes
    """RFC 4253, section 6.6: made anew from the key's numbers."""
    comment: str
    """As its tool wrote it, fit to be shown; often empty."""

    @property
    def fingerprint(self) -> str:
        """``SHA256:…``, as OpenSSH shows it."""
        return fingerprint_of(self.blob)

    @property
    def line(self) -> str:
        """``ssh-ed25519 AAAA…``, without the comment."""
        return line_of(self.blob, self.algorithm)

    @property
    def weak_soon(self) -> bool:
        """Whether it is an RSA key that is good today and not for long."""
        return rsa_weak_soon(self.algorithm, self.bits)


def fingerprint_of(blob: bytes) -> str:
    """``SHA256:…`` of a key blob, as OpenSSH and current programs show it."""
    return "SHA256:" + b64encode(sha256(blob).digest()).rstrip(b"=").decode("ascii")


def md5_of(blob: bytes) -> str:
    """``MD5:aa:bb:…`` of a key blob, as older programs show it (RFC 4716, section 4)."""
    return "MD5:" + md5(blob, usedforsecurity=False).digest().hex(":")


def line_of(blob: bytes, algorithm: str) -> str:
    """The line of a key blob as OpenSSH's files hold it."""
    return f"{algorithm} {b64encode(blob).decode('ascii')}"


def blob_of(line: bytes) -> bytes:
    """The key blob in a line of our own making. Raises ValueError."""
    return a2b_base64(line.split()[1])


def key_label(typed: str, *, otherwise: str) -> str:
    """What a key is called. Raises Refused ``private_key_sent``: people mix fields up as well."""
    if holds_private_key(typed.encode("utf-8", "surrogatepass")):
        raise Refused("private_key_sent")
    return label_from(typed, otherwise=otherwise)


def parse_public_key(data: bytes) -> PublicKey:
    """The one public key in what was sent.

    Raises Refused ``private_key_sent`` where any private key is in it, whatever else is;
    ``key_unreadable``; ``key_kind`` for kinds that no current program should use or that are no
    plain keys; ``key_weak`` for DSA, and RSA below 2048 bits or with numbers that are no key's.
    """
    # What is longer is refused and kept nowhere, so its end need not be known.
    if holds_private_key(data[:SENT_MOST]):
        raise Refused("private_key_sent")
    if len(data) > SENT_MOST:
        raise Refused("key_unreadable")
    try:
        return _from_text(_text(data)) if data[:1] != b"\x30" else _from_der(data, "")
    except (ValueError, UnsupportedAlgorithm, OverflowError):
        # What the library says of it could repeat what was sent.
        raise Refused("key_unreadable") from None


def _text(data: bytes) -> str:
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return data.decode("utf-16")
    if data[1:2] == b"\0":
        return data.decode("utf-16-le")
    if data[:1] == b"\0":
        return data.decode("utf-16-be")
    try:
        return data.removeprefix(BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # a comment of an old tool; the key itself is ASCII


def _from_text(text: str) -> PublicKey:
    text = text.strip().removeprefix("\ufeff").replace("\u00a0", " ")
    # A line or block per form, and nothing beside it: a second key would be dropped unseen.
    if block := _RFC4716.fullmatch(text):
        return _from_rfc4716(block[1])
    if block := _PEM.fullmatch(text):
        return _from_der(_decoded("".join(block[2].split())), "", pkcs1=block[1] == "RSA ")
    return _from_line(text)


# --- OpenSSH's line ----------------------------------------------------------------------------


def _from_line(text: str) -> PublicKey:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    words = lines[0].split() if lines else []
    named = words[0] if words and not words[0].startswith("AAAA") else ""
    if named:
        words = words[1:]
    if not words or not words[0].startswith("AAAA"):
        # Options before the key (sshd(8)) would promise what we do not do.
        behind = any(word.startswith("AAAA") for word in words)
        raise Refused("key_kind" if behind else "key_unreadable")
    encoded, comment = _assembled(words, lines[1:])
    key = _from_blob(_decoded(encoded))
    if named and named != key.algorithm:
        raise Refused("key_unreadable")
    return _named(key, " ".join(comment))


def _assembled(words: list[str], further: list[str]) -> tuple[str, list[str]]:
    """The key's base64, and the comment behind it.

    Windows and mails wrap the line. A key says by its own lengths where it ends, so lines are
    added for as long as it is cut short; nothing may stand behind its last one.
    """
    encoded, *comment = words
    for place, line in enumerate(further[:_WRAPPED_MOST], start=1):
        if comment or _complete(encoded):
            break
        part, *comment = line.split()
        encoded += part
        if place == len(further):
            further = []
    if further or not _complete(encoded):
        raise Refused("key_unreadable")
    return encoded, comment


def _known(named: str) -> bool:
    return named in ALGORITHMS or bool(_OTHER_KINDS.fullmatch(named))


def _named(key: PublicKey, comment: str) -> PublicKey:
    # A long word in a comment is no name but something pasted; whatever it is, it is not kept.
    kept = comment if all(len(word) <= 40 for word in comment.split()) else ""
    return PublicKey(
        algorithm=key.algorithm,
        bits=key.bits,
        blob=key.blob,
        comment=label_from(kept, otherwise=""),
    )


# --- RFC 4716 ----------------------------------------------------------------------------------


def _from_rfc4716(body: str) -> PublicKey:
    """Headers, each of which a backslash may continue on the next line, then base64."""
    comment = ""
    lines = body.strip().replace("\r\n", "\n").replace("\r", "\n").replace("\\\n", "").split("\n")
    while lines and (header := _HEADER.match(lines[0])):
        if header[1].lower() == "comment":
            comment = header[2].strip().strip('"')
        lines.pop(0)
    return _named(_from_blob(_decoded("".join("".join(lines).split()))), comment)


# --- PEM and DER -------------------------------------------------------------------------------


def _from_der(der: bytes, comment: str, *, pkcs1: bool = False) -> PublicKey:
    key = load_der_public_key(der)
    if isinstance(key, dsa.DSAPublicKey):
        raise Refused("key_weak")
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        blob = _string(b"ssh-rsa") + _mpint(numbers.e) + _mpint(numbers.n)
    elif isinstance(key, ec.EllipticCurvePublicKey) and not pkcs1:
        blob = _ec_blob(key)
    elif isinstance(key, ed25519.Ed25519PublicKey):
        blob = _string(b"ssh-ed25519") + _string(key.public_bytes_raw())
    else:
        raise Refused("key_kind")
    return _named(_from_blob(blob), comment)


def _ec_blob(key: ec.EllipticCurvePublicKey) -> bytes:
    for name, curve in _CURVES.items():
        if isinstance(key.curve, type(curve)):
            numbers = key.public_numbers()
            size = (curve.key_size + 7) // 8
            point = b"\x04" + numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big")
            return _string(f"ecdsa-sha2-{name}".encode()) + _string(name.encode()) + _string(point)
    raise Refused("key_kind")


# --- the blob of RFC 4253, section 6.6 ----------------------------------------------------------


def _from_blob(blob: bytes) -> PublicKey:
    reader = _Reader(blob)
    algorithm = reader.string().decode("ascii")
    if algorithm == "ssh-dss":
        raise Refused("key_weak")
    if algorithm not in ALGORITHMS:
        raise Refused("key_kind" if _known(algorithm) else "key_unreadable")
    if algorithm == "ssh-rsa":
        bits = _rsa_bits(reader)
    elif "ed25519" in algorithm:
        bits = _ed25519_bits(reader)
    else:
        bits = _ecdsa_bits(reader, algorithm.partition("@")[0].rpartition("-")[2])
    if algorithm.startswith("sk-"):
        application = reader.string()
        if not 1 <= len(application) <= 255 or not application.decode("ascii").isprintable():
            raise Refused("key_unreadable")
    if not reader.over:
        raise Refused("key_unreadable")
    return PublicKey(algorithm=algorithm, bits=bits, blob=blob, comment="")


def _rsa_bits(reader: "_Reader") -> int:
    exponent, modulus = reader.mpint(), reader.mpint()
    bits = modulus.bit_length()
    if not RSA_LEAST <= bits <= RSA_MOST:
        raise Refused("key_weak" if bits < RSA_LEAST else "key_kind")
    # A long exponent makes each check of a signature slow; one, or a factor, makes it worthless.
    bad = exponent < 3 or exponent % 2 == 0 or exponent.bit_length() > _EXPONENT_MOST
    if bad or modulus % 2 == 0 or gcd(modulus, _PRIMES) != 1:
        raise Refused("key_weak")
    return bits


def _ed25519_bits(reader: "_Reader") -> int:
    point = reader.string()
    if len(point) != 32:
        raise Refused("key_unreadable")
    if int.from_bytes(point, "little") & (2**255 - 1) in _SMALL_ORDER:
        raise Refused("key_weak")
    return 256


def _ecdsa_bits(reader: "_Reader", name: str) -> int:
    curve = _CURVES[name]
    point_curve, point = reader.string(), reader.string()
    # RFC 5656, section 3.1; compressed points are optional there, and no program sends them.
    if point_curve != name.encode() or point[:1] != b"\x04":
        raise Refused("key_unreadable")
    ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
    return curve.key_size


class _Reader:
    """Reads a blob field by field (RFC 4251, section 5). Raises ValueError where it is cut."""

    def __init__(self, blob: bytes) -> None:
        self._left = memoryview(blob)

    @property
    def over(self) -> bool:
        return not self._left

    def string(self) -> bytes:
        size = int.from_bytes(self._left[:4], "big")
        if len(self._left) < 4 + size or len(self._left) < 4:
            raise ValueError
        field, self._left = self._left[4 : 4 + size], self._left[4 + size :]
        return bytes(field)

    def mpint(self) -> int:
        """A positive number in its shortest form: a fingerprint is one of exact bytes."""
        field = self.string()
        number = int.from_bytes(field, "big", signed=True)
        if number <= 0 or _mpint(number)[4:] != field:
            raise ValueError
        return number


_FIELDS: Final = {b"ssh-rsa": 3, b"ssh-dss": 5, b"sk-ecdsa-sha2-nistp256@openssh.com": 4}


def _complete(encoded: str) -> bool:
    """Whether this base64 is a blob that ends where a field of it ends: it is not cut short."""
    if len(encoded) % 4 or not _BASE64.fullmatch(encoded):
        return False
    reader = _Reader(_decoded(encoded))
    fields = 0
    try:
        name = reader.string()
        while not reader.over:
            reader.string()
            fields += 1
    except ValueError:
        return False
    others = 3 if b"ecdsa" in name or name.startswith(b"sk-") else 2
    return fields + 1 >= _FIELDS.get(name, others)


def _decoded(text: str) -> bytes:
    if not _BASE64.fullmatch(text):
        raise Refused("key_unreadable")
    try:
        return a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except NotBase64:
        raise Refused("key_unreadable") from None


def _string(field: bytes) -> bytes:
    return len(field).to_bytes(4, "big") + field


def _mpint(number: int) -> bytes:
    return _string(number.to_bytes(number.bit_length() // 8 + 1, "big"))
