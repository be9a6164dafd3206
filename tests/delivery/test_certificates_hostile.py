"""Whatever is uploaded as a certificate: it is refused or it is good, soon and in little memory."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pysequoia
import pytest
from hypothesis import given, settings, strategies as st

from vestibule.base.errors import Refused
from vestibule.base.openpgp import Packet, Tag, packets
from vestibule.delivery.rules import parse_certificate
from vestibule.delivery.rules.certificates import CERTIFICATE_MOST

CPU_S = 1.0
"""Twenty times what the slowest takes: this finds what blows up, not what is slow."""
MEMORY = 50 * 1024 * 1024
SEED = 20261123


@cache
def whole(profile: str = "RFC4880", suite: str = "Cv25519") -> bytes:
    """A good certificate."""
    made = pysequoia.Tsk.generate(
        "Ada <ada@keys.example>",
        profile=getattr(pysequoia.Profile, profile),
        cipher_suite=getattr(pysequoia.CipherSuite, suite),
    )
    return bytes(made.extract_certificate())


def outcome(data: bytes) -> str:
    """The code, or the fingerprint. Any other exception fails, and so does taking long."""
    began = time.thread_time()
    try:
        answer = parse_certificate(data, now=int(time.time() * 1000)).fingerprint
    except Refused as refused:
        answer = refused.code.name
    assert time.thread_time() - began < CPU_S, len(data)
    return answer


def packet(tag: int, body: bytes) -> bytes:
    """One packet with a length of four bytes."""
    return bytes((0xC0 | tag, 0xFF)) + len(body).to_bytes(4) + body


def number(bits: int) -> bytes:
    """A number of so many bits (RFC 9580 section 3.2)."""
    return bits.to_bytes(2) + (1 << (bits - 1) | 1).to_bytes((bits + 7) // 8)


def rsa(bits: int, exponent: int, tag: int = Tag.PUBLIC_KEY) -> bytes:
    """An RSA key of any size."""
    return packet(
        tag, b"\4" + (1_600_000_000).to_bytes(4) + b"\1" + number(bits) + number(exponent)
    )


def filled(one: bytes) -> bytes:
    """As often as it may be."""
    return one * (CERTIFICATE_MOST // len(one))


def own(certificate: bytes) -> tuple[bytes, Packet]:
    """What comes before the first signature of a certificate, and that signature."""
    at = 0
    for each in packets(certificate):
        if each.tag == Tag.SIGNATURE:
            return certificate[:at], each
        at += len(each.raw)
    raise AssertionError


def many_signatures() -> bytes:
    """Ten thousand, and each of them short."""
    return whole() + packet(Tag.SIGNATURE, b"\4\x10\x16\x08\0\0\0\0\0\0\0\0") * 10_000


def forged_signatures(suite: str = "Cv25519") -> bytes:
    """As many as fit that claim to be the owner's, and are not: each later than the one before."""
    certificate = whole("RFC4880", suite)
    first = next(each for each in packets(certificate) if each.tag == Tag.PUBLIC_SUBKEY)
    cut = certificate.index(first.raw) + len(first.raw)
    (signature,) = (s for s in list(packets(certificate[cut:]))[:1])
    turned = random.Random(SEED)
    forged = bytearray(certificate[:cut])
    while len(forged) + len(signature.raw) <= CERTIFICATE_MOST:
        wrong = bytearray(signature.raw)
        wrong[-1 - turned.randrange(16)] ^= 1 << turned.randrange(8)
        forged += wrong
    return bytes(forged)


def many_subkeys() -> bytes:
    """Keys for encryption without end, each with somebody's signature."""
    certificate = whole()
    start, _ = own(certificate)
    read = list(packets(certificate))
    return start + filled(read[-2].raw + read[-1].raw)[: CERTIFICATE_MOST - len(start)]


HOSTILE: dict[str, Callable[[], bytes]] = {
    "many signatures": many_signatures,
    "forged signatures": forged_signatures,
    "forged signatures of RSA": lambda: forged_signatures("RSA2k"),
    "many subkeys": many_subkeys,
    "many names": lambda: whole() + filled(packet(Tag.USER_ID, b"Eve <eve@keys.example>")),
    "a huge name": lambda: whole() + packet(Tag.USER_ID, b"E" * 200_000),
    "a huge photograph": lambda: whole() + packet(Tag.USER_ATTRIBUTE, b"\xff" * 200_000),
    "RSA of 16 million bits": lambda: packet(6, b"\4\0\0\0\0\1\xff\xff" + b"\xff" * 2_000_000),
    "the largest number": lambda: rsa(65_535, 17) + whole(),
    "the largest exponent": lambda: rsa(65_535, 65_535) + rsa(4096, 65_535, Tag.PUBLIC_SUBKEY),
    "RSA of 8192 bits": lambda: rsa(8192, 64) + filled(rsa(8192, 64, Tag.PUBLIC_SUBKEY)),
    "a large subkey": lambda: whole() + rsa(65_000, 65_000, Tag.PUBLIC_SUBKEY),
    "markers": lambda: filled(b"\xca\x03PGP"),
    "empty packets": lambda: filled(b"\xc6\x00"),
    "empty signatures": lambda: whole() + filled(b"\xc2\x00")[:200_000],
    "packets in packets": lambda: _nested(2_000),
    "a bomb": lambda: packet(8, b"\1" + b"\xed\xc1\x01\x01\0\0\0\x80\x90\xfe\xaf\xee\x08" * 9_000),
    "a length that lies": lambda: b"\xc6\xff\xff\xff\xff\xff" + b"\4" * 1_000,
    "an old length that lies": lambda: b"\x9a\xff\xff\xff\xff" + b"\4" * 1_000,
    "parts without end": lambda: filled(b"\xc6\xe0\x04"),
    "armor that never ends": lambda: filled(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n"),
    "armor of headers": lambda: _armored(filled(b"Comment: x\n")[:250_000]),
    "armor of nothing": lambda: filled(
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----\n"
    ),
    "blanks": lambda: b" " * CERTIFICATE_MOST,
    "letters": lambda: b"A" * CERTIFICATE_MOST,
    "headers of secret keys": lambda: filled(b"\xc5\x10\x04\x95\x02"),
    "dashes": lambda: b"-" * CERTIFICATE_MOST,
    "UTF-16 of nothing": lambda: b"\xff\xfe" + b"\xd8\x00" * 130_000,
    "noise": lambda: random.Random(SEED).randbytes(CERTIFICATE_MOST),
}


def _nested(depth: int) -> bytes:
    inner = whole()
    for _ in range(depth):
        inner = packet(8, b"\0" + inner)
    return inner


def _armored(text: bytes) -> bytes:
    begin, end = (b"-----" + word + b" PGP PUBLIC KEY BLOCK-----\n" for word in (b"BEGIN", b"END"))
    return begin + text + end


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_certificate_is_refused_soon(name: str) -> None:
    """Neither much work, nor deep nesting, nor large numbers: the bytes are looked at once."""
    answer = outcome(HOSTILE[name]())
    # Of some the good part is found, and the rest is left outside.
    assert answer == outcome(whole()) or answer.startswith(("certificate_", "body_"))
    assert (answer == "certificate_private") == (name == "headers of secret keys")


def test_hostile_certificates_take_little_memory() -> None:
    """All of them, one after the other, in a process of their own."""
    code = (
        "import importlib.util, resource, sys\n"
        "spec = importlib.util.spec_from_file_location('hostile', sys.argv[1])\n"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
        "module.outcome(module.whole())\n"
        "made = [make() for make in module.HOSTILE.values()]\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for data in made: module.outcome(data)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, __file__],
        env={**os.environ, "RUST_BACKTRACE": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < MEMORY


@pytest.mark.parametrize(
    "profile, suite", [("RFC4880", "Cv25519"), ("RFC9580", "Cv25519"), ("RFC4880", "RSA2k")]
)
def test_certificate_cut_anywhere_is_refused(profile: str, suite: str) -> None:
    """Of a half certificate nothing is used."""
    data = whole(profile, suite)
    *_, key, signature = packets(data)
    # Behind the last signature that matters, a cut takes only a key for signing away.
    codes = {"certificate_unreadable", "certificate_cannot_encrypt"}
    step = 1 if suite == "Cv25519" else 11
    before = len(data) - len(signature.raw) - len(key.raw)
    assert {outcome(data[:size]) for size in range(0, before, step)} - codes <= {outcome(data)}
    armored = str(pysequoia.Cert.from_bytes(data)).encode()
    end = armored.index(b"-----END") + len(b"-----END PGP PUBLIC KEY BLOCK----")
    cut = {outcome(armored[:size]) for size in range(0, end, step)}
    assert cut == {"certificate_unreadable"}


def _mutants(data: bytes, count: int) -> Iterable[bytes]:
    turned = random.Random(SEED)
    for _ in range(count):
        mutant = bytearray(data)
        for _ in range(turned.choice((1, 1, 2, 4, 16))):
            at = turned.randrange(len(mutant))
            match turned.randrange(5):
                case 0:
                    mutant[at] ^= 1 << turned.randrange(8)
                case 1:
                    mutant[at] = turned.choice((0, 1, 4, 6, 0x7F, 0x80, 0xC0, 0xFE, 0xFF))
                case 2:
                    del mutant[at : at + turned.randrange(1, 9)]
                case 3:
                    mutant[at:at] = turned.randbytes(turned.randrange(1, 9))
                case _:
                    other = turned.randrange(len(mutant))
                    mutant[at : at + 40] = mutant[other : other + 40]
            mutant = mutant or bytearray(b"\0")
        yield bytes(mutant)


@pytest.mark.slow
@pytest.mark.parametrize(
    "profile, suite", [("RFC4880", "Cv25519"), ("RFC9580", "Cv25519"), ("RFC4880", "RSA2k")]
)
def test_mutated_certificate_is_refused_or_the_same(profile: str, suite: str) -> None:
    """Thousands of changes: no other key is ever taken for the owner's."""
    data = whole(profile, suite)
    known = outcome(data)
    keys = {each.body for each in packets(data) if each.tag in {Tag.PUBLIC_KEY, Tag.PUBLIC_SUBKEY}}
    for mutant in _mutants(data, 2_000):
        answer = outcome(mutant)
        if not answer.startswith(("certificate_", "body_")):
            assert answer == known
            kept = parse_certificate(mutant, now=int(time.time() * 1000)).data
            assert {each.body for each in packets(kept) if each.tag in {6, 14}} <= keys


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.binary(max_size=2_000), st.sampled_from([b"", b"\xc6", b"\x99", b"-----BEGIN PGP "]))
def test_any_bytes_are_refused(data: bytes, head: bytes) -> None:
    """Nothing makes the reader fail in another way."""
    assert outcome(head + data).startswith("certificate_")


def test_pictures_and_archives_are_not_taken_for_private_keys() -> None:
    """Chance alone does not tell somebody to throw a good key away."""
    turned = random.Random(SEED)
    heads = [b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"%PDF-1.7\n", b"\xff\xd8\xff\xe0", b"\x1f\x8b"]
    answers = {outcome(head + turned.randbytes(64_000)) for head in heads for _ in range(20)}
    assert answers == {"certificate_unreadable"}


def test_reading_leaves_nothing_behind() -> None:
    """A thousand of them do not make the process grow."""
    hostile = forged_signatures()[:60_000]
    outcome(hostile)
    before = resident()
    for _ in range(200):
        outcome(hostile)
    assert resident() - before < MEMORY // 5


def resident() -> int:
    """Bytes of memory that this process holds."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
