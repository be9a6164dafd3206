"""sntrup761: against a slow reading of the specification that shares no code with ours."""

import random
from hashlib import sha512

import pytest

from vestibule.statements.sftp import sntrup
from vestibule.statements.sftp.sntrup import P, Q, W

LIMIT = 16_384


def encode(numbers: list[int], moduli: list[int]) -> list[int]:
    """Encode, as the specification prints it."""
    if not moduli:
        return []
    out = []
    if len(moduli) == 1:
        r, m = numbers[0], moduli[0]
        while m > 1:
            out.append(r % 256)
            r, m = r // 256, (m + 255) // 256
        return out
    upper, upper_moduli = [], []
    for i in range(0, len(moduli) - 1, 2):
        m, r = moduli[i] * moduli[i + 1], numbers[i] + moduli[i] * numbers[i + 1]
        while m >= LIMIT:
            out.append(r % 256)
            r, m = r // 256, (m + 255) // 256
        upper.append(r)
        upper_moduli.append(m)
    if len(moduli) & 1:
        upper.append(numbers[-1])
        upper_moduli.append(moduli[-1])
    return out + encode(upper, upper_moduli)


def decode(data: list[int], moduli: list[int]) -> list[int]:
    """Decode, as the specification prints it."""
    if len(moduli) == 1:
        return [sum(byte * 256**i for i, byte in enumerate(data)) % moduli[0]]
    at, bottom, upper_moduli = 0, [], []
    for i in range(0, len(moduli) - 1, 2):
        m, r, t = moduli[i] * moduli[i + 1], 0, 1
        while m >= LIMIT:
            r, t, at = r + data[at] * t, t * 256, at + 1
            m = (m + 255) // 256
        bottom.append((r, t))
        upper_moduli.append(m)
    if len(moduli) & 1:
        upper_moduli.append(moduli[-1])
    upper = decode(data[at:], upper_moduli)
    out = []
    for i in range(0, len(moduli) - 1, 2):
        r, t = bottom[i // 2]
        r += t * upper[i // 2]
        out += [r % moduli[i], r // moduli[i] % moduli[i + 1]]
    return [*out, upper[-1]] if len(moduli) & 1 else out


def times(a: list[int], b: list[int], modulus: int) -> list[int]:
    """A product in (Z/modulus)[x]/(x^761 - x - 1), coefficient by coefficient."""
    full = [0] * (2 * P - 1)
    for i, x in enumerate(a):
        if x:
            for j, y in enumerate(b):
                full[i + j] += x * y
    for i in range(2 * P - 2, P - 1, -1):
        full[i - P] += full[i]
        full[i - P + 1] += full[i]
    return [c % modulus for c in full[:P]]


def reciprocal(a: list[int], modulus: int) -> list[int] | None:
    """1/a in the same ring, by Euclid's algorithm; None where there is none."""
    r0, r1 = [-1, -1, *[0] * (P - 2), 1], [c % modulus for c in a]
    s0, s1 = [0], [1]
    while any(r1):
        while r1[-1] == 0:
            r1.pop()
        inverse = pow(r1[-1], -1, modulus)
        while len(r0) >= len(r1):
            factor, shift = r0[-1] * inverse % modulus, len(r0) - len(r1)
            if factor:
                for i, c in enumerate(r1):
                    r0[i + shift] = (r0[i + shift] - factor * c) % modulus
                s0 += [0] * (len(s1) + shift - len(s0))
                for i, c in enumerate(s1):
                    s0[i + shift] = (s0[i + shift] - factor * c) % modulus
            r0.pop()
        r0, r1, s0, s1 = r1, r0 or [0], s1, s0
    if len(r0) != 1:
        return None
    inverse = pow(r0[0], -1, modulus)
    return [c * inverse % modulus for c in s0 + [0] * (P - len(s0))][:P]


def centred(number: int, modulus: int) -> int:
    """From -(modulus-1)/2 to (modulus-1)/2."""
    half = modulus // 2
    return (number + half) % modulus - half


def make_pair(seed: int) -> tuple[list[int], list[int], bytes]:
    """KeyGen: f, 1/g modulo 3, and the public key."""
    chance = random.Random(seed)
    while True:
        g = [chance.choice((-1, 0, 1)) for _ in range(P)]
        g_inverse = reciprocal(g, 3)
        if g_inverse is not None:
            break
    places = set(chance.sample(range(P), W))
    f = [chance.choice((-1, 1)) if i in places else 0 for i in range(P)]
    third = reciprocal([3 * c for c in f], Q)
    assert third is not None
    h = times(third, g, Q)
    public = bytes(encode([centred(c, Q) + Q // 2 for c in h], [Q] * P))
    return f, g_inverse, public


def decapsulate(f: list[int], g_inverse: list[int], ciphertext: bytes) -> list[int]:
    """Decrypt: the short polynomial."""
    rounded = decode(list(ciphertext[:-32]), [(Q + 2) // 3] * P)
    c = [3 * r - Q // 2 for r in rounded]
    e = [centred(x, Q) % 3 for x in times([3 * x for x in f], c, Q)]
    return [centred(x, 3) for x in times(e, g_inverse, 3)]


def digest(prefix: int, data: bytes) -> bytes:
    """Hash with a prefix."""
    return sha512(bytes((prefix,)) + data).digest()[:32]


def test_key_of_the_reference_opens_what_was_encapsulated() -> None:
    """The client's half, written from the specification, finds the polynomial and the key."""
    f, g_inverse, public = make_pair(1)
    r = sntrup.short_random()
    session_key, ciphertext = sntrup.encapsulate_short(public, r)
    assert decapsulate(f, g_inverse, ciphertext) == r
    packed = bytes(
        sum((c + 1) << 2 * i for i, c in enumerate(r[at : at + 4])) for at in range(0, P, 4)
    )
    r_hash = digest(3, packed)
    assert ciphertext[-32:] == digest(2, r_hash + digest(4, public))
    assert session_key == digest(1, r_hash + ciphertext)


@pytest.mark.parametrize("seed", range(5))
def test_coding_agrees_with_the_specification_for_random_numbers(seed: int) -> None:
    """The fast coding and the printed one give the same bytes and numbers."""
    chance = random.Random(seed)
    coefficients = [chance.randrange(Q) for _ in range(P)]
    assert list(sntrup._decode(bytes(encode(coefficients, [Q] * P)))) == coefficients
    rounded = [chance.randrange((Q + 2) // 3) for _ in range(P)]
    assert list(sntrup._encode(rounded)) == encode(rounded, [(Q + 2) // 3] * P)


@pytest.mark.parametrize("fill", [0x00, 0x7F, 0xFF])
def test_public_key_of_any_bytes_decodes_as_the_specification_says(fill: int) -> None:
    """Bytes that no key has are still read modulo 4591, and nothing is raised."""
    data = bytes([fill]) * sntrup.PUBLIC_KEY_BYTES
    assert list(sntrup._decode(data)) == decode(list(data), [Q] * P)
    assert len(sntrup.encapsulate(data)[1]) == sntrup.CIPHERTEXT_BYTES


@pytest.mark.parametrize("extreme", [0, 1, Q // 2, Q - 1])
def test_product_is_right_for_extreme_coefficients(extreme: int) -> None:
    """No digit of the large integers runs into the next one."""
    h = [extreme] * P
    for sign in (-1, 1):
        r = [sign] * W + [0] * (P - W)
        product = times([c - Q // 2 for c in h], r, Q)
        nearest = [(centred(c, Q) + Q // 2 + 1) // 3 for c in product]
        assert sntrup._round_product(h, r) == nearest


def test_short_polynomial_has_its_weight_and_differs_each_time() -> None:
    """286 coefficients are not zero, both signs occur, and no two polynomials are alike."""
    drawn = [sntrup.short_random() for _ in range(20)]
    for r in drawn:
        assert len(r) == P
        assert sum(map(abs, r)) == W
        assert {-1, 0, 1} == set(r)
    assert len({tuple(r) for r in drawn}) == len(drawn)


@pytest.mark.parametrize("size", [0, 1, 1157, 1159, 4096])
def test_public_key_of_another_length_is_refused(size: int) -> None:
    """A key cut short or grown is no key."""
    with pytest.raises(ValueError, match="1158"):
        sntrup.encapsulate(bytes(size))
