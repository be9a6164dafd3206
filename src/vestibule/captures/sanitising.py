"""Make a capture safe: the one call that others make."""

from __future__ import annotations

from collections.abc import Callable

from vestibule.captures.reader import Reader
from vestibule.captures.report import Entry, Report, Tally
from vestibule.captures.structure import Structure, Writer
from vestibule.captures.table import LIMITS
from vestibule.captures.unpacking import unpacked


def sanitise(
    read: Callable[[int], bytes],
    write: Callable[[bytes], object],
    *,
    limit: int = LIMITS["bytes"],
    entry: Callable[[Entry], object] | None = None,
    progress: Callable[[int], object] | None = None,
) -> Report:
    """Read a capture, write it made safe, and say what was taken out (spec/captures.md).

    `read(n)` gives at most n bytes, none at the end; gzip is unpacked. `write` gets the output
    in order. `entry` hears of each request once its bytes were handed to `write`, `progress` of
    the bytes read so far, unpacked. Raises `CaptureRefused`; what was written until then is to be
    thrown away.
    """
    reader = Reader(unpacked(read, limit=limit), limit=limit, progress=progress)
    writer = Writer(write)
    tally = Tally()
    Structure(reader, writer, tally, entry).whole()
    writer.flush()
    return tally.report(bytes_in=reader.size, bytes_out=writer.at)
