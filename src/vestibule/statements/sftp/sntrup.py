"""Streamlined NTRU Prime, parameter set sntrup761: the half of it that an SSH server needs.

NTRU Prime, round 3 (https://ntruprime.cr.yp.to/nist.html): a client sends a public key, the
server encapsulates a session key to it. Making keys and decapsulating are the client's part and
are not here. The agreement of keys always joins it with X25519 (`agreement`), so a fault in this
file could take away what protects against quantum computers and nothing else: decision 0012.

The names are the specification's. What is different is only how it is computed: polynomials are
multiplied as integers of 24,352 bits (Kronecker), so that the work is done by Python's integers
and not by half a million steps of its own.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha512
from typing import Final

P: Final = 761
Q: Final = 4591
W: Final = 286
"""Coefficients of a short polynomial that are not zero."""
PUBLIC_KEY_BYTES: Final = 1158
CIPHERTEXT_BYTES: Final = 1039
SECRET_BYTES: Final = 32

_Q12: Final = (Q - 1) // 2
_SLOT: Final = 32
"""Bits that one coefficient has in an integer: sums stay below 2^25."""
_BYTES: Final = _SLOT // 8
_ONES: Final = int.from_bytes((1).to_bytes(_BYTES, "little") * (2 * P - 1), "little")
"""The polynomial whose 1521 coefficients are 1."""
_LOW: Final = (1 << (P * _SLOT)) - 1
# Added to every coefficient of a product so that none is negative; a multiple of Q, so that it
# is gone after the reduction. No product is larger than 286 * 2295 in absolute value.
_LIFTED: Final = Q * 400 * _ONES
_CENTRE: Final = _Q12 * (_ONES & _LOW)
_LIMIT: Final = 16_384


def _packed(code: str, numbers: Iterable[int]) -> bytes:
    """Numbers as little-endian bytes of the size that ``code`` of the array module has."""
    row = array(code, numbers)
    if sys.byteorder == "big":
        row.byteswap()
    return row.tobytes()


def _unpacked(code: str, data: bytes) -> Sequence[int]:
    row = array(code, data)
    if sys.byteorder == "big":
        row.byteswap()
    return row


@dataclass(frozen=True, slots=True)
class _Level:
    """One round of the radix coding: pairs become one number, and low bytes are put aside.

    All moduli but the last are alike, so all pairs but the last are done in one go.
    """

    modulus: int
    count: int
    """How many moduli."""
    shed: int
    """Bytes that a pair of the like ones puts aside: 0, 1 or 2."""
    last: int
    """The last modulus."""
    last_shed: int

    @property
    def alike(self) -> int:
        """Pairs that hold no last modulus."""
        return (self.count - 1) // 2

    @property
    def bytes(self) -> int:
        """What this round puts aside."""
        return self.alike * self.shed + (0 if self.count & 1 else self.last_shed)


def _merged(m: int) -> tuple[int, int]:
    shed = 0
    while m >= _LIMIT:
        m, shed = (m + 255) // 256, shed + 1
    return m, shed


def _levels(modulus: int) -> tuple[tuple[_Level, ...], int]:
    """The rounds of Encode and Decode for 761 times this modulus, and the modulus at the end."""
    levels, count, last = [], P, modulus
    while count > 1:
        following, shed = _merged(modulus * modulus)
        pair, last_shed = _merged(modulus * last)
        levels.append(_Level(modulus, count, shed, last, last_shed))
        last = last if count & 1 else pair
        modulus, count = following, (count + 1) // 2
    return tuple(levels), last


_RQ, _RQ_END = _levels(Q)
_ROUNDED, _ROUNDED_END = _levels((Q + 2) // 3)


def encapsulate(public_key: bytes) -> tuple[bytes, bytes]:
    """A fresh session key (32 bytes) and its ciphertext (1039 bytes) for ``public_key``.

    Raises ValueError when the public key has not 1158 bytes; any other bytes are a lawful key.
    """
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise ValueError("a public key of sntrup761 has 1158 bytes")
    return encapsulate_short(public_key, short_random())


def encapsulate_short(public_key: bytes, r: list[int]) -> tuple[bytes, bytes]:
    """Encap with the short polynomial given: 761 times -1, 0 or 1, 286 of them not 0."""
    # c = Round(h r); C = Encode(c) || Hash2(Hash3(r), Hash4(K)); key = Hash1(Hash3(r), C)
    r_hash = _hash(3, _encode_small(r))
    c = _encode(_round_product(_decode(public_key), r))
    ciphertext = c + _hash(2, r_hash + _hash(4, public_key))
    return _hash(1, r_hash + ciphertext), ciphertext


def short_random() -> list[int]:
    """A polynomial of 286 coefficients of -1 or 1, and else 0, in an order nobody can tell.

    Short_fromlist: random numbers whose last two bits are set by position are sorted.
    """
    numbers = array("I", os.urandom(4 * P))
    marked = [n & 0xFFFFFFFE for n in numbers[:W]] + [n & 0xFFFFFFFC | 1 for n in numbers[W:]]
    marked.sort()
    return [(n & 3) - 1 for n in marked]


def _hash(prefix: int, data: bytes) -> bytes:
    return sha512(bytes((prefix,)) + data).digest()[:32]


def _encode_small(r: list[int]) -> bytes:
    """Four coefficients a byte, the lowest first."""
    c = [a + 1 for a in r] + [0, 0, 0]
    quads = zip(c[0::4], c[1::4], c[2::4], c[3::4], strict=True)
    return bytes([a | b << 2 | c << 4 | d << 6 for a, b, c, d in quads])


def _round_product(h: Sequence[int], r: list[int]) -> list[int]:
    """Round(h r) in Z[x]/(x^761 - x - 1), each coefficient as Encode takes it: 0 to 1530.

    ``h`` is as Decode gives it: 2295 above what it means.
    """
    # Both become integers whose digits (to the base 2^32) are the coefficients. Digits of r are
    # -1, 0, 1: the difference of two integers that have digits 0 and 1 only.
    left = int.from_bytes(_packed("I", h), "little") - _CENTRE
    product = left * (_ones(r, 1) - _ones(r, -1)) + _LIFTED
    # x^761 = x + 1
    low, high = product & _LOW, product >> (P * _SLOT)
    folded = low + high + (high << _SLOT)
    digits = _unpacked("I", folded.to_bytes(P * _BYTES, "little"))
    # With u = c + 2295 in 0 to 4590, the nearest multiple of three is 3 ((u + 1) // 3) - 2295.
    return [((d + _Q12) % Q + 1) // 3 for d in digits]


def _ones(r: list[int], sign: int) -> int:
    """The integer with a digit of 1 for each coefficient of ``r`` that is ``sign``."""
    digits = bytearray(_BYTES * P)
    digits[::_BYTES] = bytes([c == sign for c in r])
    return int.from_bytes(digits, "little")


def _decode(data: bytes) -> Sequence[int]:
    """Decode of 761 numbers below 4591."""
    aside, at = [], 0
    for level in _RQ:
        aside.append(data[at : at + level.bytes])
        at += level.bytes
    numbers: Sequence[int] = [int.from_bytes(data[at:], "little") % _RQ_END]
    for level, shed in zip(reversed(_RQ), reversed(aside), strict=True):
        numbers = _unpaired(numbers, level, shed)
    return numbers


def _unpaired(numbers: Sequence[int], level: _Level, shed: bytes) -> list[int]:
    m, alike = level.modulus, level.alike
    end = alike * level.shed
    if level.shed:
        lows = _unpacked("H" if level.shed == 2 else "B", shed[:end])
        bits = 8 * level.shed
        # The last number of all is not of these: zip leaves it out.
        rs = [low | number << bits for low, number in zip(lows, numbers, strict=False)]
    else:
        rs = list(numbers[:alike])
    found = [0] * level.count
    found[0 : 2 * alike : 2] = [r % m for r in rs]
    found[1 : 2 * alike : 2] = [r // m % m for r in rs]
    if level.count & 1:
        found[-1] = numbers[-1]
    else:
        r = int.from_bytes(shed[end:], "little") | numbers[-1] << 8 * level.last_shed
        found[-2], found[-1] = r % m, r // m % level.last
    return found


def _encode(numbers: list[int]) -> bytes:
    """Encode of 761 numbers below 1531."""
    parts = []
    for level in _ROUNDED:
        m, alike = level.modulus, level.alike
        pairs = zip(numbers[0 : 2 * alike : 2], numbers[1 : 2 * alike : 2], strict=True)
        following = [a + m * b for a, b in pairs]
        if level.shed:
            bits = 8 * level.shed
            mask = (1 << bits) - 1
            parts.append(_packed("H" if level.shed == 2 else "B", [r & mask for r in following]))
            following = [r >> bits for r in following]
        if level.count & 1:
            following.append(numbers[-1])
        else:
            r = numbers[-2] + m * numbers[-1]
            parts.append((r & (1 << 8 * level.last_shed) - 1).to_bytes(level.last_shed, "little"))
            following.append(r >> 8 * level.last_shed)
        numbers = following
    return b"".join(parts) + numbers[0].to_bytes(
        ((_ROUNDED_END - 1).bit_length() + 7) // 8, "little"
    )
