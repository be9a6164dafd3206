"""`python -m bench.captures`: captures made safe, beside reading and writing the same JSON plainly.

Two files of one size: entries as browsers write them (from the tests' corpus), with the bodies of
pages and scripts, which is what makes captures large; and the same entries alone, of which each
header and address is judged. Every program runs in a process of its own; rounds take turns,
medians are printed. The plain program is Python's own: json.load, then json.dump.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_CORPUS = Path(__file__).resolve().parent.parent / "tests" / "captures" / "corpus"
_WRITERS = ("chromium.har", "firefox.har", "webkit.har")
_BODY = 100_000
_MIB = 1024 * 1024
_MOST_MIB = 300
_PLAIN = """
import json, sys
with open(sys.argv[1], encoding="utf-8") as source:
    read = json.load(source)
with open(sys.argv[2], "w", encoding="utf-8") as target:
    json.dump(read, target, ensure_ascii=False, separators=(",", ":"))
"""
_LIBRARY = """
import sys
from vestibule import captures
with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as target:
    captures.sanitise(source.read, target.write, limit=2**40, entry=lambda _: None)
"""


def _entries(*, bodies: bool) -> Iterator[bytes]:
    """Entries of the corpus again and again, each with a body of its own."""
    draw = random.Random(7)
    words = [f"{draw.choice(('const', 'the', '<p>', 'if (a) {'))} {n:x}\n" for n in range(5000)]
    known = [
        entry
        for name in _WRITERS
        for entry in json.loads((_CORPUS / name).read_text())["log"]["entries"]
    ]
    plain = [json.dumps(entry, indent=2).encode() for entry in known]
    for number in itertools.count():
        if bodies:
            entry = known[number % len(known)]
            text = "".join(draw.choices(words, k=_BODY // 12))
            entry["response"]["content"] |= {"text": text, "size": len(text)}
            yield json.dumps(entry, indent=2).encode()
        else:
            yield plain[number % len(plain)]


def _write(path: Path, size: int, *, bodies: bool) -> int:
    """A capture of this many bytes; how many entries it has."""
    maker = (
        '{"log":{"version":"1.2","creator":{"name":"bench","version":"1"},"pages":[],"entries":['
    )
    written = 0
    with path.open("wb") as file:
        for count, entry in enumerate(_entries(bodies=bodies)):
            written += file.write(maker.encode() if not count else b",\n") + file.write(entry)
            if written > size - 2 * _BODY:
                break
        file.write(b"]}}")
    return count + 1


def _run(*command: str) -> tuple[float, float, float]:
    """Seconds by the clock, CPU seconds, and the most memory in MiB, of one process."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    assert process.stderr is not None
    assert status == 0, process.stderr.read()
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(folder: Path, mib: int, rounds: int, *, bodies: bool) -> None:
    """Measure one kind of file, and print."""
    path, out = folder / "a.har", folder / "out.har"
    entries = _write(path, mib * _MIB, bodies=bodies)
    size = path.stat().st_size / 1e6
    python = sys.executable
    programs = {
        "json.load and json.dump": (python, "-c", _PLAIN, str(path), str(out)),
        "captures.sanitise": (python, "-c", _LIBRARY, str(path), str(out)),
        "vestibule har sanitize": (
            *(python, "-m", "vestibule.cli", "har", "sanitize", str(path)),
            *("--output", str(out), "--limit", str(mib + 1)),
        ),
    }
    figures: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for _ in range(rounds):
        for name, command in programs.items():
            out.unlink(missing_ok=True)
            figures[name].append(_run(*command))
    kind = "entries with bodies" if bodies else "entries alone"
    print(f"\n{size:.0f} MB, {entries:,} {kind}; medians of {rounds}")
    (plain, *_), *_ = figures.items()
    for name, runs in figures.items():
        wall, cpu, memory = (statistics.median(column) for column in zip(*runs, strict=True))
        ratios = [mine[1] / theirs[1] for mine, theirs in zip(runs, figures[plain], strict=True)]
        goal = "" if name == plain else f"; goal: under {_MOST_MIB} MiB"
        print(
            f"  {name:26}{wall:7.1f} s {size / cpu:6.1f} MB per CPU second"
            f"  {statistics.median(ratios):5.2f} of plain  {memory:6.0f} MiB at most{goal}"
        )
        assert name == plain or memory < _MOST_MIB, f"{name}: {memory:.0f} MiB"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--mib", type=int, default=500, help="size of the captures")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vestibule-bench-") as folder:
        for bodies in (True, False):
            measure(Path(folder), asked.mib, asked.rounds, bodies=bodies)


if __name__ == "__main__":
    main()
