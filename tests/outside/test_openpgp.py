"""Encrypted files are read by GnuPG and Sequoia, whole or not at all, whatever breaks meanwhile."""

import asyncio
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import pysequoia
import pytest

from tests.gnupg import GnuPG, gnupg
from tests.patience import PATIENCE_S
from vestibule.base.errors import Refused
from vestibule.base.openpgp import is_encrypted, packets
from vestibule.outside import openpgp
from vestibule.outside.openpgp import encrypted

PART = 1 << 16
SIZES = [0, 1, 200, PART - 7, PART - 6, PART - 5, PART, 300_000, 8 * PART, 1_600_001]


@pytest.fixture(scope="module")
def gpg() -> Iterator[GnuPG]:
    """GnuPG with an empty home."""
    with gnupg() as opened:
        yield opened


async def chunked(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    """The data in chunks."""
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def sealed(data: bytes, certificate: bytes, size: int = 100_000) -> bytes:
    """The whole message."""
    return b"".join([part async for part in encrypted(chunked(data, size), certificate)])


def sequoia(profile: pysequoia.Profile, **options: Any) -> tuple[pysequoia.Tsk, bytes]:
    """A key that Sequoia makes, and its certificate."""
    made = pysequoia.Tsk.generate("Ada <ada@keys.example>", profile=profile, **options)
    return made, bytes(made.extract_certificate())


@pytest.mark.parametrize(
    "primary, sub", [("rsa3072", "rsa3072"), ("ed25519", "cv25519"), ("nistp256", "nistp521")]
)
async def test_gnupg_reads_what_was_encrypted(gpg: GnuPG, primary: str, sub: str) -> None:
    """Any size, in any chunks; the first byte and the last, and no warning."""
    certificate = gpg.certificate(gpg.pair(f"read-{primary}", primary, sub))
    for size in SIZES:
        data = os.urandom(size)
        message = await sealed(data, certificate, 1 + size // 3)
        assert is_encrypted(message)
        assert gpg.decrypt(message) == data


@pytest.mark.parametrize(
    "profile, options, version",
    [
        (pysequoia.Profile.RFC4880, {}, 2),
        (pysequoia.Profile.RFC9580, {}, 2),
        (pysequoia.Profile.RFC9580, {"cipher_suite": pysequoia.CipherSuite.Cv448}, 2),
        (pysequoia.Profile.RFC9580, {"cipher_suite": pysequoia.CipherSuite.MLDSA65_Ed25519}, 2),
    ],
)
async def test_sequoia_reads_what_was_encrypted(
    profile: pysequoia.Profile, options: dict[str, Any], version: int
) -> None:
    """Certificates of version 6, and 4, that announce authenticated encryption get it."""
    made, certificate = sequoia(profile, **options)
    for size in SIZES:
        data = os.urandom(size)
        message = await sealed(data, certificate)
        assert is_encrypted(message)
        read = pysequoia.decrypt(message, made.decryptor())
        assert read.bytes == data
    (*_, last) = packets(await sealed(b"short", certificate))
    assert last.body[0] == version


async def test_message_names_nobody_else_and_no_file(gpg: GnuPG) -> None:
    """One encrypted session key, for the client; inside neither name nor date, uncompressed."""
    certificate = gpg.certificate(gpg.pair("listed"))
    listing = gpg("--list-packets", typed=await sealed(b"x" * 200_000, certificate)).decode()
    assert listing.count(":pubkey enc packet:") == 1
    assert ":encrypted data packet:" in listing
    assert "mdc_method: 2" in listing
    assert 'mode b (62), created 0, name=""' in listing
    assert "compressed" not in listing
    assert len(await sealed(b"x" * 2_000_000, certificate)) > 2_000_000


async def test_two_messages_share_nothing(gpg: GnuPG) -> None:
    """A session key, a prefix and a salt are made anew for each."""
    for certificate in (
        gpg.certificate(gpg.pair("twice")),
        sequoia(pysequoia.Profile.RFC9580)[1],
    ):
        one, two = [await sealed(bytes(100_000), certificate) for _ in range(2)]
        blocks = [{message[at : at + 16] for at in range(1000, 99_000)} for message in (one, two)]
        assert blocks[0].isdisjoint(blocks[1])


async def test_every_usable_key_can_read(gpg: GnuPG) -> None:
    """A certificate with two keys for encryption, of two computers, is served at both."""
    fingerprint = gpg.pair("twofold")
    gpg.subkey(fingerprint, "rsa2048")
    message = await sealed(b"for both", gpg.certificate(fingerprint))
    assert len(list(packets(message))) == 3
    assert gpg.decrypt(message) == b"for both"


async def test_cut_or_changed_message_is_no_message(gpg: GnuPG) -> None:
    """What was cut anywhere, or changed by a bit, is told apart from a whole file."""
    made, modern = sequoia(pysequoia.Profile.RFC9580)
    old = gpg.certificate(gpg.pair("cut"))
    data = os.urandom(3 * PART)
    for certificate in (old, modern):
        message = await sealed(data, certificate)
        for size in (1, 100, 200, PART + 300, 2 * PART + 300, len(message) - 30, len(message) - 1):
            assert not is_encrypted(message[:size])
            with pytest.raises((subprocess.CalledProcessError, RuntimeError)):
                _read(gpg, made, message[:size], modern=certificate is modern)
        assert not is_encrypted(message + b"\n")
        wrong = bytearray(message)
        wrong[len(wrong) // 2] ^= 1
        with pytest.raises((subprocess.CalledProcessError, RuntimeError)):
            _read(gpg, made, bytes(wrong), modern=certificate is modern)


def _read(gpg: GnuPG, made: pysequoia.Tsk, message: bytes, *, modern: bool) -> object:
    return pysequoia.decrypt(message, made.decryptor()).bytes if modern else gpg.decrypt(message)


async def test_failing_source_ends_it_by_its_own_failure(gpg: GnuPG) -> None:
    """Nothing is made whole behind the back of who writes it down."""
    certificate = gpg.certificate(gpg.pair("failing"))

    async def breaking() -> AsyncIterator[bytes]:
        yield bytes(1_000_000)
        raise OSError("the disk is gone")

    got = b""

    async def write_down() -> None:
        nonlocal got
        async for part in encrypted(breaking(), certificate):
            got += part

    with pytest.raises(OSError, match="the disk is gone"):
        await write_down()
    assert got
    assert not is_encrypted(got)


async def test_cancelled_or_abandoned_work_stops(gpg: GnuPG) -> None:
    """Whoever waits no longer keeps no thread busy and no source open."""
    certificate = gpg.certificate(gpg.pair("cancelled"))
    closed = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal closed
        try:
            while True:
                yield bytes(600_000)
        finally:
            closed += 1

    async def drain(source: AsyncIterator[bytes]) -> None:
        async for _ in encrypted(source, certificate):
            await asyncio.sleep(0)

    first = endless()
    task = asyncio.create_task(drain(first))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    second = endless()
    async with aclosing(encrypted(second, certificate)) as stream:
        await anext(stream)
    for source in (first, second):
        await cast("Any", source).aclose()
    assert closed == 2
    assert await asyncio.wait_for(sealed(b"goes on", certificate), PATIENCE_S)


@pytest.mark.parametrize("kind", ["garbage", "signs", "empty"])
async def test_unfit_certificate_is_refused(gpg: GnuPG, kind: str) -> None:
    """Before a byte is asked of the source."""
    bad = {"garbage": b"\x99" * 300, "empty": b""}
    data = bad[kind] if kind in bad else gpg.certificate(gpg.primary("only-signs"))
    asked = False

    async def source() -> AsyncIterator[bytes]:
        nonlocal asked
        asked = True
        yield b"plain"

    with pytest.raises(Refused) as refused:
        await anext(aiter(encrypted(source(), data)))
    assert refused.value.code.name == "certificate_cannot_encrypt"
    assert not asked


async def test_the_loop_goes_on_meanwhile(gpg: GnuPG) -> None:
    """Large files, several at a time, keep nobody else waiting."""
    certificate = gpg.certificate(gpg.pair("meanwhile"))
    waits: list[float] = []

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            waits.append(time.perf_counter() - began)

    beating = asyncio.create_task(beat())
    data = bytes(8_000_000)
    messages = await asyncio.gather(*(sealed(data, certificate) for _ in range(12)))
    beating.cancel()
    assert all(is_encrypted(message) for message in messages)
    waits.sort()
    assert len(waits) > 20
    assert waits[len(waits) // 2] < 0.05
    assert openpgp._threads()._max_workers == len(os.sched_getaffinity(0))


async def test_slow_reader_slows_the_source(gpg: GnuPG) -> None:
    """No more is taken in than can be given out."""
    certificate = gpg.certificate(gpg.pair("slow"))
    given = 0

    async def source() -> AsyncIterator[bytes]:
        nonlocal given
        while given < 200_000_000:
            given += 100_000
            yield bytes(100_000)

    stream = encrypted(source(), certificate)
    taken = 0
    for _ in range(5):
        taken += len(await anext(aiter(stream)))
    assert given - taken < 3_000_000
    await stream.aclose()


_GIB = """
import asyncio, hashlib, resource, sys
from vestibule.outside.openpgp import encrypted

CHUNK = bytes(range(256)) * 1024

async def source(size):
    for _ in range(size // len(CHUNK)):
        yield CHUNK

async def main(path, size):
    certificate = open(path, "rb").read()
    await anext(aiter(encrypted(source(len(CHUNK) * 8), certificate)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open(sys.argv[3], "wb") as out:
        async for part in encrypted(source(size), certificate):
            out.write(part)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@pytest.mark.slow
def test_a_gibibyte_takes_little_memory(gpg: GnuPG, tmp_path: Path) -> None:
    """One large file passes by, and GnuPG reads it to its last byte."""
    certificate = tmp_path / "certificate.pgp"
    certificate.write_bytes(gpg.certificate(gpg.pair("large")))
    size, message = 1 << 30, tmp_path / "message.pgp"
    arguments = [str(certificate), str(size), str(message)]
    done = subprocess.run(
        [sys.executable, "-c", _GIB, *arguments], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 16 * 1024
    command = ["gpg", "--homedir", str(gpg.home), "--batch", "--quiet", "--decrypt", str(message)]
    digest = hashlib.sha256()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reader:
        assert reader.stdout is not None
        while part := reader.stdout.read(1 << 20):
            digest.update(part)
    assert reader.returncode == 0
    expected = hashlib.sha256()
    for _ in range(size // (1 << 18)):
        expected.update(bytes(range(256)) * 1024)
    assert digest.digest() == expected.digest()
