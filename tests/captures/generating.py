"""Captures too large or too deep to lie about: made while they are read, from a few words.

As a program it makes one of them safe within limits of memory and time of its own, and prints
what became of it: `python -m tests.captures.generating KIND`.
"""

import gzip
import json
import resource
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from vestibule.captures import CaptureRefused, sanitise

MIB = 1024 * 1024
BEFORE = b'{"log":{"version":"1.2","creator":{"name":"x","version":"1"},"entries":['
AFTER = b"]}}"
ENTRY = (
    b'{"startedDateTime":"2026-11-23T10:00:00.000Z","time":1,"request":{"method":"GET","url":'
    b'"https://shop.example/","httpVersion":"h2","cookies":[],"headers":[%(headers)b],'
    b'"queryString":[],"headersSize":-1,"bodySize":0},"response":{"status":200,"statusText":"",'
    b'"httpVersion":"h2","cookies":[],"headers":[],"content":{"size":1,"mimeType":"text/plain",'
    b'"text":%(text)b},"redirectURL":"","headersSize":-1,"bodySize":1},"cache":{},"timings":'
    b'{"send":0,"wait":1,"receive":0},"_webSocketMessages":[%(messages)b],"_more":%(more)b}'
)
_PARTS = {b"headers": b"", b"text": b'"x"', b"messages": b"", b"more": b"0"}


def entry(**parts: bytes) -> bytes:
    """One entry, some of it replaced."""
    return ENTRY % {**_PARTS, **{name.encode(): part for name, part in parts.items()}}


def around(piece: bytes, times: int, **where: bytes) -> Iterator[bytes]:
    """A capture of one entry: `%` in one of its parts becomes a piece, many times over."""
    ((name, text),) = where.items()
    head, tail = text.split(b"%")
    first, last = entry(**{name: b"\x01"}).split(b"\x01")
    yield BEFORE + first + head
    block = max(1, MIB // len(piece))
    for _ in range(times // block):
        yield piece * block
    yield piece * (times % block)
    yield tail + last + AFTER


def many_entries(count: int) -> Iterator[bytes]:
    """A capture of so many entries, as small as they may be."""
    small = b'{"request":{"method":"GET","url":"https://a.example/"}}'
    yield BEFORE
    for _ in range(count // 1000 - 1):
        yield (small + b",") * 1000
    yield (small + b",") * 999 + small + AFTER


def bomb(mebibytes: int, times: int = 1) -> Iterator[bytes]:
    """Spaces in a list, packed so often."""
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(b"[")]
    parts += [packer.compress(b" " * MIB) for _ in range(mebibytes)]
    packed = b"".join([*parts, packer.flush()])
    for _ in range(times - 1):
        packed = gzip.compress(packed, 9)
    yield packed


KINDS: dict[str, Callable[[], Iterator[bytes]]] = {
    "a body of 450 MB": lambda: around(b"abcdefgh", 450 * MIB // 8, text=b'"%"'),
    "a body of escapes": lambda: around(b"\\u0041\\n", 100 * MIB // 8, text=b'"%"'),
    "a body of JSON": lambda: around(b'{\\"token\\":\\"x\\"},', 100 * MIB // 17, text=b'"[%1]"'),
    "a message of 200 MB": lambda: around(
        b"abcdefgh", 200 * MIB // 8, messages=b'{"type":"send","time":1,"opcode":1,"data":"%"}'
    ),
    "a number of 2 GB": lambda: around(b"7", 2048 * MIB, more=b"%"),
    "a number of 200 MB": lambda: around(b"7", 200 * MIB, more=b"%"),
    "a number where one is needed": lambda: around(
        b"7", 200 * MIB, messages=b'{"type":"send","time":%,"opcode":1,"data":""}'
    ),
    "a name of 200 MB": lambda: around(b"k", 200 * MIB, more=b'{"%":1}'),
    "a known place's name of 200 MB": lambda: around(b"k", 200 * MIB, headers=b'{"%":1}'),
    "lists in lists, unknown": lambda: around(b"[", 100_000, more=b"%"),
    "lists in lists, millions": lambda: around(b"[", 100 * MIB, more=b"%"),
    "objects in objects": lambda: around(b'{"a":', 100_000, more=b"%1"),
    "lists in a known place": lambda: around(b"[", 100_000, headers=b"%"),
    "lists in a body": lambda: around(b"[", 100_000, text=b'"%"'),
    "a header of 200 MB": lambda: around(
        b"abcdefgh", 200 * MIB // 8, headers=b'{"name":"accept","value":"%"}'
    ),
    "a header of many words": lambda: around(
        b"a-b;", 200_000, headers=b'{"name":"accept","value":"%"}'
    ),
    "a header that almost fits": lambda: around(
        b"text/html,", 100_000, headers=b'{"name":"accept","value":"%\\u0000"}'
    ),
    "a cookie of many parts": lambda: around(
        b"a=b; ", 200_000, headers=b'{"name":"cookie","value":"%"}'
    ),
    "a link of many parts": lambda: around(
        b"a/", 500_000, headers=b'{"name":"referer","value":"https://h.example/%"}'
    ),
    "a link of many values": lambda: around(
        b"a=b&", 250_000, headers=b'{"name":"referer","value":"https://h.example/?%"}'
    ),
    "a million headers": lambda: around(
        b'{"name":"x-a","value":"b"},', 1_000_000, headers=b'%{"name":"a","value":"b"}'
    ),
    "a million messages": lambda: around(
        b'{"type":"send","time":1,"opcode":1,"data":"a"},',
        1_000_000,
        messages=b'%{"type":"send","time":1,"opcode":1,"data":"a"}',
    ),
    "a million unknown members": lambda: around(b'"a":1,', 1_000_000, more=b'{%"b":1}'),
    "a million entries": lambda: many_entries(1_000_000),
    "spaces": lambda: around(b" ", 400 * MIB, more=b"%1"),
    "a body of a million marks": lambda: around(b"~removed.body~", 1_000_000, text=b'"%"'),
    "gzip that grows a thousandfold": lambda: bomb(600),
    "gzip in gzip": lambda: bomb(100, 2),
    "600 MB of bodies": lambda: (
        b"".join((BEFORE if number == 0 else b",", entry(text=b'"%b"' % (b"x" * MIB))))
        for number in range(600)
    ),
}


def reading(pieces: Iterator[bytes]) -> Callable[[int], bytes]:
    """The pieces as a file gives them."""
    held = memoryview(b"")

    def read(most: int) -> bytes:
        nonlocal held
        while not held:
            piece = next(pieces, None)
            if piece is None:
                return b""
            held = memoryview(piece)
        given, held = bytes(held[:most]), held[most:]
        return given

    return read


def peak_kib() -> int:
    """The most memory of this program so far; `ru_maxrss` would count what its parent held."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(status.read_text().partition("VmHWM:")[2].split()[0])


def main() -> None:
    """Make one safe."""
    read = reading(KINDS[sys.argv[1]]())
    resource.setrlimit(resource.RLIMIT_AS, (1024 * MIB, 1024 * MIB))
    written = 0

    def write(data: bytes) -> None:
        nonlocal written
        written += len(data)

    base = peak_kib()
    began = time.process_time()
    code = ""
    try:
        sanitise(read, write)
    except CaptureRefused as refused:
        code = refused.code
    peak = peak_kib()
    spent = time.process_time() - began
    said = {"code": code, "written": written, "seconds": spent, "mib": peak / 1024}
    sys.stdout.write(json.dumps({**said, "base": base / 1024}) + "\n")


if __name__ == "__main__":
    main()
