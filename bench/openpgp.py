"""`python -m bench.openpgp`: files encrypted as they are published, beside GnuPG in the same run.

Both encrypt the same random file to the same certificate, from a file on the disk to one; rounds
take turns, medians are printed. CPU seconds count all that either did, threads and system
calls included. GnuPG compresses unless told not to; both are shown.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import pysequoia

from vestibule.outside.openpgp import encrypted

_CHUNK = 256 * 1024
_MIB = 1024 * 1024
_KINDS = {"RSA 3072": ("rsa3072", "rsa3072"), "Curve25519": ("ed25519", "cv25519")}


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


async def _encrypt(path: Path, certificate: bytes, out: Path) -> None:
    with out.open("wb") as file:
        async for part in encrypted(_chunks(path), certificate):
            file.write(part)


def _spent(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def ours(path: Path, certificate: bytes, out: Path) -> float:
    """CPU seconds that it took us."""
    before = _spent(resource.RUSAGE_SELF)
    asyncio.run(_encrypt(path, certificate, out))
    return _spent(resource.RUSAGE_SELF) - before


def theirs(gpg: list[str], path: Path, name: str, out: Path, *options: str) -> float:
    """CPU seconds that it took GnuPG."""
    before = _spent(resource.RUSAGE_CHILDREN)
    to = ["--yes", "--trust-model", "always", "--recipient", name, "--output", str(out)]
    subprocess.run([*gpg, *options, *to, "--encrypt", str(path)], check=True)
    return _spent(resource.RUSAGE_CHILDREN) - before


def _key(gpg: list[str], name: str, primary: str, sub: str) -> bytes:
    subprocess.run([*gpg, "--quick-gen-key", name, primary, "sign", "never"], check=True)
    listed = subprocess.run(
        [*gpg, "--list-keys", "--with-colons", name], check=True, capture_output=True, text=True
    )
    fingerprint = next(
        line.split(":")[9] for line in listed.stdout.splitlines() if line.startswith("fpr:")
    )
    subprocess.run([*gpg, "--quick-add-key", fingerprint, sub, "encr", "never"], check=True)
    return subprocess.run([*gpg, "--export", name], check=True, capture_output=True).stdout


def measure(folder: Path, size: int, rounds: int) -> None:
    """Measure, and print MiB per CPU second."""
    gpg = ["gpg", "--homedir", str(folder), "--batch", "--quiet", "--no-tty"]
    gpg += ["--pinentry-mode", "loopback", "--passphrase", ""]
    folder.chmod(0o700)
    plain, out = folder / "plain", folder / "out"
    with plain.open("wb") as file:
        for _ in range(size):
            file.write(os.urandom(_MIB))
    keys = {kind: _key(gpg, kind.replace(" ", "-"), *made) for kind, made in _KINDS.items()}
    made = pysequoia.Tsk.generate("v6", profile=pysequoia.Profile.RFC9580)
    modern = bytes(made.extract_certificate())
    ours(plain, modern, out)
    figures: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for kind, certificate in keys.items():
            name = kind.replace(" ", "-")
            figures[f"ours, {kind}"].append(ours(plain, certificate, out))
            check = subprocess.run([*gpg, "--decrypt", str(out)], check=True, capture_output=True)
            assert check.stdout == plain.read_bytes()
            plainly = theirs(gpg, plain, name, out, "--compress-algo", "none")
            figures[f"GnuPG, {kind}, uncompressed"].append(plainly)
        figures["ours, version 6"].append(ours(plain, modern, out))
        figures["GnuPG, Curve25519, as it is"].append(theirs(gpg, plain, "Curve25519", out))
    _report(figures, size)


def _report(figures: dict[str, list[float]], size: int) -> None:
    rates = {name: size / statistics.median(spent) for name, spent in figures.items()}
    for name, rate in rates.items():
        low, high = size / max(figures[name]), size / min(figures[name])
        print(f"  {name:32} {rate:6.0f} MiB per CPU second  ({low:.0f} to {high:.0f})")
    for kind in _KINDS:
        ratio = rates[f"ours, {kind}"] / rates[f"GnuPG, {kind}, uncompressed"]
        print(f"  {kind}: {ratio:.2f} of GnuPG's rate, uncompressed both")
    lowest = min(rate for name, rate in rates.items() if name.startswith("ours"))
    print(f"  goal of 120 MiB per CPU second: {'met' if lowest >= 120 else 'MISSED'}")


def small_files(certificate: bytes, count: int = 500, size: int = 50_000) -> None:
    """What one small statement costs."""
    data = os.urandom(size)

    async def one() -> AsyncIterator[bytes]:
        yield data

    async def all_of_them() -> None:
        for _ in range(count):
            async for _part in encrypted(one(), certificate):
                pass

    began, before = time.perf_counter(), _spent(resource.RUSAGE_SELF)
    asyncio.run(all_of_them())
    cpu = (_spent(resource.RUSAGE_SELF) - before) / count
    wall = (time.perf_counter() - began) / count
    print(f"  a file of {size // 1000} kB: {cpu * 1000:.2f} ms of CPU, {wall * 1000:.2f} ms")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--mib", type=int, default=256, help="size of the file")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gpg-") as folder:
        try:
            measure(Path(folder), asked.mib, asked.rounds)
        finally:
            subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], check=False)
    small_files(bytes(pysequoia.Tsk.generate("small").extract_certificate()))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
