"""What somebody uploaded as an OpenPGP certificate, down to its packets (RFC 9580 section 6).

Files of programs, text from mails, armored or binary, with the marks that Windows editors leave.
Private keys are looked for here, before anything else is asked of the bytes, and also in what is
otherwise no certificate at all: somebody who sends one has to hear it, whatever else was wrong.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from vestibule.base.openpgp import SECRET, Broken, Packet, first_tag, header_at, packets

_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_UTF_8: Final = b"\xef\xbb\xbf"
_BEGIN: Final = b"-----BEGIN PGP "
_PUBLIC: Final = b"PUBLIC KEY BLOCK-----"
_END: Final = b"-----END PGP PUBLIC KEY BLOCK-----"
# What announces a private key in OpenPGP, PEM, RFC 4716 and PuTTY's files.
_PRIVATE: Final = re.compile(
    rb"BEGIN (?:[A-Z0-9]{1,20} ){0,4}(?:PRIVATE|SECRET) KEY|PuTTY-User-Key-File|Private-Lines:|"
    rb"openssh-key-v1|SSH2 ENCRYPTED PRIVATE KEY"
)
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/\s]{32,}={0,2}")
# Where a secret key or subkey may begin: a header, old with a length of 1, 2 or 4 bytes or new,
# and the version of a key. Looked ahead at, so that none hides behind the beginning of another.
_SECRET: Final = re.compile(
    rb"(?=[\x94\x9c].[\x04-\x06]|[\x95\x9d]..[\x04-\x06]|[\x96\x9e]....[\x04-\x06]|"
    rb"[\xc5\xc7](?:[\x00-\xbf]|[\xc0-\xdf].|\xff....)[\x04-\x06])",
    re.DOTALL,
)
_PACKETS_MOST: Final = 4096
"""Of more, no certificate of that size is made."""
_OLDEST: Final = 0x27000000
"""A key's time of making, in seconds: PGP itself is from 1991."""
_CURVES: Final = (
    b"\x2b\x81\x04\x00",
    b"\x2a\x86\x48\xce\x3d",
    b"\x2b\x24\x03\x03",
    b"\x2b\x06\x01\x04\x01",
)
_BARE_SIZES: Final = {25: 32, 26: 56, 27: 32, 28: 57}
"""Keys of X25519, X448, Ed25519 and Ed448, in bytes (section 9.1)."""


class PrivateMaterial(Exception):  # noqa: N818  -- reads as what it is
    """There is a private key among the bytes, or a part of one."""


def unpacked(data: bytes) -> list[Packet] | None:
    """The packets of everything that was sent; None where it is not OpenPGP, or cut.

    Raises PrivateMaterial.
    """
    if data.startswith(_UTF_16):
        data = data.decode("utf-16", errors="replace").encode()
    data = data.removeprefix(_UTF_8)
    if _PRIVATE.search(data):
        raise PrivateMaterial
    found: list[Packet] = []
    # Not stopped at the first that breaks off: a private key may come behind it.
    whole = [_walk(blob, found) for blob in _blobs(data)]
    return found if all(whole) else None


def _blobs(data: bytes) -> Iterator[bytes]:
    if _BEGIN not in data:
        plain = data.strip()
        bare = _base64(plain) if _BASE64.fullmatch(plain) else None
        yield data if bare is None else bare
        return
    for part in data.split(_BEGIN)[1:]:
        block, end, _ = part.partition(_END)
        if part.startswith(_PUBLIC) and end:
            yield _dearmored(block.removeprefix(_PUBLIC))
        else:
            # Cut, or of another kind: nothing to keep, but looked at.
            yield _dearmored(part.partition(b"-----")[2])
            yield b"\0"


def _dearmored(text: bytes) -> bytes:
    """The bytes between the lines; their check sum is left alone (section 6.1): signatures tell."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if b"" in lines and all(b":" in line for line in lines[: lines.index(b"")]):
        lines = lines[lines.index(b"") + 1 :]
    return _base64(b"".join(line for line in lines if not line.startswith((b"=", b"-")))) or b"\0"


def _base64(text: bytes) -> bytes | None:
    signs = b"".join(text.split()).rstrip(b"=")
    signs = signs[: len(signs) - (len(signs) % 4 == 1)]
    try:
        return base64.b64decode(signs + b"=" * (-len(signs) % 4), validate=True)
    except binascii.Error:
        return None


def _walk(blob: bytes, found: list[Packet]) -> bool:
    """Add the packets of one blob; False where it breaks off. Raises PrivateMaterial."""
    at = 0
    try:
        for packet in packets(blob):
            if packet.tag in SECRET:
                raise PrivateMaterial
            if len(found) >= _PACKETS_MOST:
                break
            found.append(packet)
            at += len(packet.raw)
    except Broken:
        pass
    if _hides_secret(blob[at:]):
        raise PrivateMaterial
    return at == len(blob)


def _hides_secret(rest: bytes) -> bool:
    """Whether there is a secret key in what could not be read, or was too much to read."""
    return _cut_secret(rest) or any(
        _shows_secret(rest, it.start()) for it in _SECRET.finditer(rest)
    )


def _cut_secret(rest: bytes) -> bool:
    """Whether what broke off, where a packet was due, is a secret key."""
    if first_tag(rest) not in SECRET:
        return False
    try:
        header = header_at(rest, 0)
    except Broken:
        return True
    return rest[header.start : header.start + 1] in {b"", b"\3", b"\4", b"\5", b"\6"}


def _shows_secret(data: bytes, at: int) -> bool:
    """Whether a secret key begins here (section 5.5.2), behind something that is none.

    Exact enough that a picture or an archive is not taken for a key by chance.
    """
    header = header_at(data, at)
    body = data[header.start : header.start + min(header.size, 4096)]
    if len(body) < 12 or int.from_bytes(body[1:5]) < _OLDEST:
        return False
    version, kind = body[0], body[5]
    material = body[10 if version == 6 else 6 :]
    if kind in {1, 2, 3, 16, 17}:
        first = _number(material, 0)
        second = _number(material, first[1]) if first else None
        return first is not None and first[0] >= 512 and second is not None
    if kind in {18, 19, 22}:
        return material[1:].startswith(_CURVES)
    size = _BARE_SIZES.get(kind, len(material))
    if len(material) < size + 4:
        return False
    protection, *how = material[size : size + 4]
    if protection == 0:
        # In clear, and in version 4 with a sum of two bytes behind it.
        return header.size == len(body) - len(material) + 2 * size + (1 if version == 6 else 3)
    return protection >= 253 and how[1 if version == 6 else 0] in {7, 8, 9}


def _number(material: bytes, at: int) -> tuple[int, int] | None:
    """Bits of the number that begins here (section 3.2), and where the next one does."""
    bits = int.from_bytes(material[at : at + 2])
    top = material[at + 2 : at + 3]
    if not top or bits > 16384 or (bits - 1) % 8 + 1 != top[0].bit_length():
        return None
    return bits, at + 2 + (bits + 7) // 8
