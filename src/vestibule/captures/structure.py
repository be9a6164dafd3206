"""A capture from its first byte to its last: read, judged and written in one go (§2 and §3)."""

from __future__ import annotations

from collections.abc import Callable

from vestibule.captures import table
from vestibule.captures.entries import Facts
from vestibule.captures.reader import NESTED, Reader, Scalar
from vestibule.captures.report import Entry, Tally
from vestibule.captures.table import Known, Treatment
from vestibule.captures.units import WrongType, kept, unit

_REMEMBERED = 8192
_REMEMBERED_BYTES = 2048
_PIECE = 64 * 1024


class Writer:
    """Output in pieces of a good size; `at` is the number of bytes written so far."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._pieces: list[bytes] = []
        self._waiting = 0
        self.at = 0

    def put(self, piece: bytes) -> None:
        """Write a piece."""
        self._pieces.append(piece)
        self.at += len(piece)
        self._waiting += len(piece)
        if self._waiting >= _PIECE:
            self.flush()

    def flush(self) -> None:
        """Hand over what waits."""
        if self._pieces:
            self._write(b"".join(self._pieces))
            self._pieces.clear()
            self._waiting = 0


class Structure:
    """Walks a capture by the table. What it does not name is read, counted and left out."""

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        tally: Tally,
        entry: Callable[[Entry], object] | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._tally = tally
        self._on_entry = entry
        self._facts: dict[tuple[str, str], bytes] = {}
        self._remembered: dict[tuple[str, bytes], tuple[bytes, tuple[str, ...]]] = {}

    def whole(self) -> None:
        """The whole file."""
        self._reader.begin()
        self._object(table.STRUCTURE["root"])
        self._reader.end()
        self._writer.put(b"\n")

    # --- objects ----------------------------------------------------------------------------

    def _object(self, known: Known) -> None:
        """An object whose members are written as they come."""
        seen: set[str] = set()
        mark = b"{"
        for name in self._reader.members():
            treatment = self._known(known, name, seen)
            if treatment is None:
                continue
            opening = b'%b"%b":' % (mark, str(name).encode("ascii"))
            if treatment.keep:
                safe = self._scalar(str(name), treatment, known.name)
                if safe is None:
                    continue
                self._writer.put(opening + safe)
            elif not self._inner(str(name), treatment, known, opening):
                continue
            mark = b","
        self._writer.put(b"{}" if mark == b"{" else b"}")
        if not known.needs <= seen:
            self._reader.refuse("capture_not_har")

    def _known(self, known: Known, name: object, seen: set[str]) -> Treatment | None:
        """The treatment of a member; None when it was read and left out."""
        treatment = known.members.get(name) if isinstance(name, str) else None
        if treatment is None:
            self._reader.skip()
            self._lost(_dropped(name))
            return None
        if name in seen:
            self._reader.refuse("capture_not_har")
        seen.add(str(name))
        if treatment.drop:
            self._reader.skip()
            self._lost(treatment.drop)
            return None
        return treatment

    def _lost(self, reason: str) -> None:
        self._tally.taken.append(reason)
        self._tally.fold()

    def _inner(self, name: str, treatment: Treatment, known: Known, opening: bytes) -> bool:
        """An object or list inside another; whether it was written."""
        reader = self._reader
        if reader.is_object() if treatment.object else reader.is_list():
            self._writer.put(opening)
            if treatment.list:
                self._list(table.STRUCTURE[treatment.list])
            else:
                self._any(table.STRUCTURE[treatment.object])
            return True
        value = reader.scalar()
        if value is None and name not in known.needs:
            self._writer.put(opening + b"null")
            return True
        self._misplaced(name, value)
        return False

    def _misplaced(self, name: str, value: Scalar) -> None:
        """A value of another type than the member has: an extension's is dropped."""
        if not name.startswith("_"):
            self._reader.refuse("capture_not_har")
        if value is NESTED:
            self._reader.skip()
        self._lost("unknown")

    def _scalar(self, name: str, treatment: Treatment, where: str) -> bytes | None:
        value = self._reader.scalar()
        if value is NESTED:
            self._misplaced(name, value)
            return None
        try:
            safe = kept(treatment.keep, value, self._tally.taken)
        except WrongType:
            self._misplaced(name, value)
            return None
        self._facts[where, name] = safe
        return safe

    def _any(self, known: Known) -> None:
        if known.unit:
            self._unit(known)
        else:
            self._object(known)

    # --- lists ------------------------------------------------------------------------------

    def _list(self, known: Known) -> None:
        """An array of objects."""
        first = True
        entries = known.name == "entry"
        self._writer.put(b"[")
        for _element in self._reader.elements():
            if not first:
                self._writer.put(b",")
            first = False
            if not self._reader.is_object():
                self._reader.refuse("capture_not_har")
            if entries:
                self._entry(known)
            elif known.unit:
                self._flat_unit(known)
            else:
                self._object(known)
        self._writer.put(b"\n]" if entries and not first else b"]")

    def _entry(self, known: Known) -> None:
        self._tally.outside()
        self._facts.clear()
        self._writer.put(b"\n")
        start = self._writer.at
        self._object(known)
        facts = Facts(self._facts)
        self._tally.entry(facts.host())
        if self._on_entry:
            # What is told can be read: the line is handed over before.
            self._writer.flush()
            self._on_entry(facts.entry(self._tally.entries - 1, start, self._writer.at - start))

    # --- units ------------------------------------------------------------------------------

    def _flat_unit(self, known: Known) -> None:
        """A unit that is small and holds no other object: most of a capture, often repeated."""
        raw = self._reader.flat()
        if raw is None:
            self._unit(known)
            return
        remembered = self._remembered.get((known.name, raw))
        if remembered is None:
            remembered = self._flat_judged(known, raw)
            if len(raw) <= _REMEMBERED_BYTES:
                if len(self._remembered) >= _REMEMBERED:
                    self._remembered.clear()
                self._remembered[known.name, raw] = remembered
        self._writer.put(remembered[0])
        self._tally.taken += remembered[1]
        self._tally.fold()

    def _flat_judged(self, known: Known, raw: bytes) -> tuple[bytes, tuple[str, ...]]:
        values: dict[str, Scalar] = {}
        seen: set[str] = set()
        taken: list[str] = []
        for name, value in self._reader.pairs_of(raw):
            treatment = known.members.get(name) if isinstance(name, str) else None
            if treatment is None:
                taken.append(_dropped(name))
                continue
            if name in seen:
                self._reader.refuse("capture_not_har")
            seen.add(str(name))
            if treatment.drop:
                taken.append(treatment.drop)
            elif treatment.keep:
                values[str(name)] = value
            else:
                self._reader.refuse("capture_not_har")
        safe = self._unit_values(known, values, taken)
        members = b",".join(b'"%b":%b' % (name.encode(), text) for name, text in safe.items())
        return b"{%b}" % members, tuple(taken)

    def _unit(self, known: Known) -> None:
        """A unit of any size, read member by member."""
        values: dict[str, Scalar] = {}
        seen: set[str] = set()
        mark = b"{"
        for name in self._reader.members():
            treatment = self._known(known, name, seen)
            if treatment is None:
                continue
            if not treatment.keep:
                opening = b'%b"%b":' % (mark, str(name).encode("ascii"))
                if self._inner(str(name), treatment, known, opening):
                    mark = b","
                continue
            values[str(name)] = self._reader.scalar()
            if values[str(name)] is NESTED:
                self._misplaced(str(name), values.pop(str(name)))
        for name, text in self._unit_values(known, values, self._tally.taken).items():
            self._writer.put(b'%b"%b":%b' % (mark, name.encode("ascii"), text))
            mark = b","
            self._facts[known.name, name] = text
        self._writer.put(b"{}" if mark == b"{" else b"}")
        self._tally.fold()

    def _unit_values(
        self, known: Known, values: dict[str, Scalar], taken: list[str]
    ) -> dict[str, bytes]:
        try:
            return unit(known, values, taken)
        except WrongType:
            self._reader.refuse("capture_not_har")


def _dropped(name: object) -> str:
    """Why a member without a rule goes."""
    known = isinstance(name, str) and table.is_storage(name)
    return "storage" if known else "unknown"
