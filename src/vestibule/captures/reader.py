"""A pull reader of JSON in bytes that come piece by piece (section 1 of the specification).

Everything is checked and little is kept: of a long string only how long it is, of what nobody
asked for nothing. A capture of any size takes as much memory as one of its strings may have.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # in no stub, used by all
from typing import Final, NoReturn, TypeAlias

from vestibule.captures.errors import CaptureRefused
from vestibule.captures.json_texts import DECODER, Number
from vestibule.captures.table import LIMITS

_PIECE = 256 * 1024
_FLAT_MOST = 64 * 1024
_ESCAPE_BEGUN = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?")
"""What an escape looks like of which the rest is still to come."""
_SPACE = re.compile(rb"[ \t\n\r]*+")
# Possessive: a million escapes must not leave a million ways to go back.
_STRING = re.compile(rb'[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+')
_FLAT = re.compile(
    rb'\{[^"{}\[\]]*+(?:"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+"[^"{}\[\]]*+)*+\}'
)
# The name of a member as nearly all are: short, plain, with its colon.
_NAME = re.compile(rb'[ \t\n\r]*+"([ !#-\[\]-~]{0,200}+)"[ \t\n\r]*+:')
_NUMBER_BYTES = re.compile(rb"[-+0-9.eE]*+")
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NUMBER_BEGUN = re.compile(rb"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?)?")
_WORD_BYTES = re.compile(rb"[a-z]*+")
_WORDS: Final = {b"true": True, b"false": False, b"null": None}
_BLANK = 0x20
_QUOTE, _COLON, _COMMA = 0x22, 0x3A, 0x2C
_OPEN_OBJECT, _CLOSE_OBJECT, _OPEN_LIST, _CLOSE_LIST = 0x7B, 0x7D, 0x5B, 0x5D
_MARK = codecs.BOM_UTF8


@dataclass(frozen=True, slots=True)
class Oversize:
    """A string that was checked and not kept."""

    size: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A string that is no whole Unicode."""


@dataclass(frozen=True, slots=True)
class Nested:
    """An array or object where a scalar was asked for; it is still to be read."""


Text: TypeAlias = str | Oversize | Broken
Scalar: TypeAlias = Text | Number | bool | Nested | None
NESTED = Nested()
_BROKEN = Broken()


class Reader:
    """Reads one JSON text. Whoever asks for a value must read it, or skip it, to its end."""

    def __init__(
        self,
        read: Callable[[int], bytes],
        *,
        limit: int,
        progress: Callable[[int], object] | None = None,
    ) -> None:
        self._read = read
        self._limit = limit
        self._progress = progress
        self._buffer = b""
        self._pos = 0
        self._base = 0
        self._ended = False
        self._depth = 0
        self.size = 0

    # --- bytes ------------------------------------------------------------------------------

    def _fill(self) -> bool:
        """Take the next bytes, forgetting those that were read; whether there were any."""
        piece = b"" if self._ended else self._read(_PIECE)
        if not piece:
            self._ended = True
            return False
        self.size += len(piece)
        if self.size > self._limit:
            raise CaptureRefused("capture_too_large", self._limit)
        self._base += self._pos
        self._buffer = self._buffer[self._pos :] + piece
        self._pos = 0
        if self._progress:
            self._progress(self.size)
        return True

    def refuse(self, code: str) -> NoReturn:
        """Refuse the capture at the byte that is read next."""
        raise CaptureRefused(code, self._base + self._pos)

    def _peek(self) -> int:
        """The next byte that is no white space."""
        if self._pos < len(self._buffer) and self._buffer[self._pos] > _BLANK:
            return self._buffer[self._pos]
        while True:
            space = _SPACE.match(self._buffer, self._pos)
            self._pos = space.end() if space else self._pos
            if self._pos < len(self._buffer):
                return self._buffer[self._pos]
            if not self._fill():
                self.refuse("capture_cut")

    def _take(self, byte: int) -> bool:
        """Whether the next byte is this one; if so it is read."""
        if self._peek() != byte:
            return False
        self._pos += 1
        return True

    def begin(self) -> None:
        """Check how the file begins (§1.2)."""
        while len(self._buffer) < len(_MARK) + 1 and self._fill():
            pass
        head = self._buffer[:4]
        if head.startswith((b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd")):
            self.refuse("capture_compressed")
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self.refuse("capture_encoding")
        self._pos = len(_MARK) if head.startswith(_MARK) else 0
        if self._ends():
            self.refuse("capture_empty")
        opens = self._peek() == _OPEN_OBJECT
        if not opens:
            self.skip()
            self.end()
            self.refuse("capture_not_har")

    def end(self) -> None:
        """Nothing but white space may follow."""
        if not self._ends():
            self.refuse("capture_not_json")

    def _ends(self) -> bool:
        """Whether nothing but white space is left, which is read."""
        while True:
            space = _SPACE.match(self._buffer, self._pos)
            self._pos = space.end() if space else self._pos
            if self._pos < len(self._buffer):
                return False
            if not self._fill():
                return True

    # --- structure --------------------------------------------------------------------------

    def is_object(self) -> bool:
        """Whether an object follows."""
        return self._peek() == _OPEN_OBJECT

    def is_list(self) -> bool:
        """Whether an array follows."""
        return self._peek() == _OPEN_LIST

    def _enter(self) -> None:
        self._pos += 1
        self._depth += 1
        if self._depth > LIMITS["depth"]:
            self.refuse("capture_too_deep")

    def members(self) -> Iterator[Text]:
        """The names in the object that follows; each value is to be read before the next."""
        self._enter()
        if not self._take(_CLOSE_OBJECT):
            while True:
                short = _NAME.match(self._buffer, self._pos)
                if short:
                    self._pos = short.end()
                    yield short[1].decode("ascii")
                else:
                    yield self._name()
                if self._closes(_CLOSE_OBJECT):
                    break
        self._depth -= 1

    def _name(self) -> Text:
        """A name with its colon, whatever it is made of."""
        if self._peek() != _QUOTE:
            self.refuse("capture_not_json")
        name = self._string()
        if not self._take(_COLON):
            self.refuse("capture_not_json")
        return name

    def elements(self) -> Iterator[None]:
        """Once for each element of the array that follows, which is to be read."""
        self._enter()
        if not self._take(_CLOSE_LIST):
            while True:
                yield
                if self._closes(_CLOSE_LIST):
                    break
        self._depth -= 1

    def _closes(self, byte: int) -> bool:
        if self._take(_COMMA):
            return False
        if not self._take(byte):
            self.refuse("capture_not_json")
        return True

    # --- values -----------------------------------------------------------------------------

    def scalar(self) -> Scalar:
        """The value that follows; `NESTED`, unread, when it is an array or object."""
        first = self._peek()
        if first == _QUOTE:
            return self._string()
        if first in {_OPEN_OBJECT, _OPEN_LIST}:
            return NESTED
        if first == 0x2D or 0x30 <= first <= 0x39:
            raw = self._run(_NUMBER_BYTES)
            if len(raw) > LIMITS["number"] or not _NUMBER.fullmatch(raw):
                self._refuse_torn(raw, torn=_NUMBER_BEGUN.fullmatch(raw) is not None)
            return Number(raw, "ascii")
        raw = self._run(_WORD_BYTES)
        if raw not in _WORDS:
            self._refuse_torn(raw, torn=any(word.startswith(raw) for word in _WORDS))
        return _WORDS[raw]

    def _run(self, allowed: re.Pattern[bytes]) -> bytes:
        """A number or word, which ends where another kind of byte stands, or the file."""
        while True:
            found = allowed.match(self._buffer, self._pos)
            end = found.end() if found else self._pos
            if end == len(self._buffer) and end - self._pos <= LIMITS["number"] and self._fill():
                continue
            raw = self._buffer[self._pos : end]
            self._pos = end
            return raw

    def _refuse_torn(self, raw: bytes, *, torn: bool) -> NoReturn:
        """Refuse what is no number and no word; at the end of the file it may be half of one."""
        at_end = self._pos == len(self._buffer) and len(raw) <= LIMITS["number"]
        self.refuse("capture_cut" if torn and at_end else "capture_not_json")

    def _string(self) -> Text:
        """The string that follows."""
        start = self._pos + 1
        found = _STRING.match(self._buffer, start)
        end = found.end() if found else start
        if end < len(self._buffer) and self._buffer[end] == _QUOTE:
            self._pos = end + 1
            if end - start > LIMITS["string"]:
                return self._only_counted([self._buffer[start:end]], end - start)
            return self._decoded(self._buffer[start:end])
        return self._long_string()

    def _long_string(self) -> Text:
        """A string that is not whole in the buffer: kept in pieces, then only counted."""
        self._pos += 1
        pieces: list[bytes] = []
        size = 0
        checking = codecs.getincrementaldecoder("utf-8")("strict")
        while True:
            found = _STRING.match(self._buffer, self._pos)
            end = found.end() if found else self._pos
            pieces.append(self._buffer[self._pos : end])
            size += end - self._pos
            self._pos = end
            if size > LIMITS["string"]:
                self._check(checking, pieces, final=False)
                pieces.clear()
            rest = len(self._buffer) - end
            if rest and self._buffer[end] == _QUOTE:
                self._pos += 1
                if size > LIMITS["string"]:
                    self._check(checking, pieces, final=True)
                    return Oversize(size)
                return self._decoded(b"".join(pieces))
            if rest and not _ESCAPE_BEGUN.fullmatch(self._buffer, end):
                self.refuse("capture_not_json")
            if not self._fill():
                self.refuse("capture_cut")

    def _only_counted(self, pieces: list[bytes], size: int) -> Oversize:
        self._check(codecs.getincrementaldecoder("utf-8")("strict"), pieces, final=True)
        return Oversize(size)

    def _check(
        self, checking: codecs.IncrementalDecoder, pieces: list[bytes], *, final: bool
    ) -> None:
        try:
            for piece in pieces:
                checking.decode(piece)
            checking.decode(b"", final)
        except UnicodeDecodeError:
            self.refuse("capture_encoding")

    def _decoded(self, raw: bytes) -> str | Broken:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            self.refuse("capture_encoding")
        if "\\" not in text:
            return text
        text = scanstring(text + '"', 0, True)[0]
        return _whole(text, b"\\u" in raw)

    def skip(self) -> None:
        """Read the value that follows, check it and forget it."""
        first = self._peek()
        if first == _OPEN_OBJECT:
            flat = self.flat()
            if flat is None:
                for _name in self.members():
                    self.skip()
            else:
                self.pairs_of(flat)
        elif first == _OPEN_LIST:
            for _element in self.elements():
                self.skip()
        else:
            self.scalar()

    # --- objects without others inside ------------------------------------------------------

    def flat(self) -> bytes | None:
        """The bytes of the small object that follows, if there is no other inside; read then.

        It only looks like JSON: `pairs_of` judges. None leaves everything unread.
        """
        found = _FLAT.match(self._buffer, self._pos)
        if not found or len(found[0]) > _FLAT_MOST or self._depth == LIMITS["depth"]:
            return None
        self._pos = found.end()
        return found[0]

    def pairs_of(self, flat: bytes) -> list[tuple[Text, Scalar]]:
        """The members of such an object."""
        try:
            read = DECODER.decode(flat.decode("utf-8"))
        except UnicodeDecodeError:
            self.refuse("capture_encoding")
        except ValueError:
            self.refuse("capture_not_json")
        escaped = b"\\u" in flat
        pairs: list[tuple[Text, Scalar]] = []
        for name, value in read:
            if isinstance(value, Number):
                if len(value) > LIMITS["number"]:
                    self.refuse("capture_not_json")
            elif isinstance(value, str):
                value = _whole(value, escaped)  # noqa: PLW2901 - the same value, judged
            pairs.append((_whole(name, escaped), value))
        return pairs


def _whole(text: str, escaped: bool) -> str | Broken:  # noqa: FBT001 - a fact about the text
    """The text, unless escapes made half a character of it."""
    if escaped:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            return _BROKEN
    return text
