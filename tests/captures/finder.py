"""Looks for known secrets in a file in every encoding that a capture may give them.

Both ways are gone: every text of the file is decoded, layer by layer, and every secret is looked
for encoded, because a decoder has to guess where an encoded run begins. Pieces count: of a long
secret any nineteen characters in a row give it away.
"""

import base64
import binascii
import html
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from urllib.parse import quote, quote_plus, unquote_to_bytes

import numpy as np
from numpy.typing import NDArray

PIECE = 10
"""A secret is cut into parts of so many characters: any 19 in a row contain a whole one."""
_GRAM = 6
_HASHED = 22
_LAYERS = 5
_MOST = 4_000_000
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}={0,2}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){6,}")
_ESCAPED = re.compile(rb"\\u([0-9a-fA-F]{4})")
_NUMERIC = frozenset(b"%c" % letter for letter in b"0123456789.")


def find(data: bytes, canaries: Mapping[str, str]) -> dict[str, str]:
    """Place of each secret that `data` holds, and the piece that was seen."""
    wanted, rare = _prepared(frozenset(canaries.items()))
    seen: dict[str, str] = {}
    for text in _layers(data):
        # Most of a text begins no needle: only where a hash says that one may begin is it read.
        for at in np.flatnonzero(rare[_hashes(text)]).tolist():
            for place, needle, digits in wanted.get(text[at : at + _GRAM], ()):
                if place not in seen and _at(text, at, needle, digits=digits):
                    seen[place] = needle.decode("latin-1")
    return seen


@lru_cache(maxsize=8)
def _prepared(
    canaries: frozenset[tuple[str, str]],
) -> tuple[dict[bytes, list[tuple[str, bytes, bool]]], NDArray[np.bool_]]:
    """What is looked for, by its first bytes; and which hashes such bytes have."""
    wanted: dict[bytes, list[tuple[str, bytes, bool]]] = {}
    for place, secret in canaries:
        for needle, digits in _needles(secret):
            wanted.setdefault(needle[:_GRAM], []).append((place, needle, digits))
    rare = np.zeros(1 << _HASHED, dtype=bool)
    rare[_hashes(b"".join(wanted))[::_GRAM]] = True
    return wanted, rare


def _hashes(text: bytes) -> NDArray[np.uint64]:
    """A number for the six bytes that begin at each byte."""
    letters = np.frombuffer(text, dtype=np.uint8).astype(np.uint64)
    count = max(0, len(letters) - _GRAM + 1)
    made = np.zeros(count, dtype=np.uint64)
    for offset in range(_GRAM):
        made = made * np.uint64(1_000_003) + letters[offset : offset + count]
    return made * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(64 - _HASHED)


def _at(text: bytes, at: int, needle: bytes, *, digits: bool) -> bool:
    """Six digits are part of many a number: they count where no digit or point is beside them."""
    if not text.startswith(needle, at):
        return False
    before, after = text[at - 1 : at] if at else b"", text[at + len(needle) :][:1]
    return not digits or (before not in _NUMERIC and not after.isdigit())


@cache
def _needles(secret: str) -> tuple[tuple[bytes, bool], ...]:
    """The secret and its pieces, in all encodings, and whether each is a short run of digits."""
    made: dict[bytes, bool] = {}
    for piece in _pieces(secret):
        short = piece.isdigit() and len(piece) < PIECE
        forms = {form for plain in (piece, piece[::-1]) for form in _encodings(plain.encode())}
        forms |= {piece.lower().encode(), piece.upper().encode(), piece.encode("utf-16-be")}
        for form in forms:
            escaped = json.dumps(form.decode("latin-1"))[1:-1].encode()
            made |= {each: short and each.isdigit() for each in (form, escaped)}
    return tuple((form, digits) for form, digits in made.items() if len(form) >= _GRAM)


def _pieces(secret: str) -> set[str]:
    """What counts as the secret: itself, and each part that says as much."""
    made = {secret}
    if "@" in secret:
        made.add(secret.partition("@")[0].partition(".")[2])
    elif secret.startswith("+"):
        made |= {secret[1:], secret[3:]}
    elif secret.isdigit() and len(secret) == 16:
        groups = [secret[at : at + 4] for at in range(0, 16, 4)]
        made |= {" ".join(groups), "-".join(groups), secret[:12], secret[4:]}
    elif secret.startswith("Mara "):
        made.add(secret.removeprefix("Mara "))
    elif '"' in secret:
        made |= {secret.partition(" ")[0], secret.rpartition("/")[2]}
    elif len(secret) >= 2 * PIECE:
        made |= {secret[at : at + PIECE] for at in range(0, len(secret) - PIECE + 1, PIECE)}
    return made


def _encodings(plain: bytes) -> set[bytes]:
    made = {plain, plain.hex().encode(), plain.hex().upper().encode(), plain.hex(" ").encode()}
    text = plain.decode()
    once = {quote(text, safe=""), quote_plus(text, safe=""), "".join(f"%{b:02x}" for b in plain)}
    made |= {form.encode() for form in once} | {quote(form, safe="").encode() for form in once}
    made.add("".join(f"&#{ord(letter)};" for letter in text).encode())
    made.add("".join(f"&#x{ord(letter):x};" for letter in text).encode())
    made.add("".join(f"\\u{ord(letter):04x}" for letter in text).encode())
    made.add(html.escape(text).encode())
    for wide in (plain, text.encode("utf-16-le")):
        for before in range(3):
            # Characters that depend on the neighbours are cut off at both ends.
            run = base64.b64encode(b"\0" * before + wide)
            core = run[(before * 8 + 5) // 6 : (before + len(wide)) * 8 // 6]
            made |= {core, core.translate(bytes.maketrans(b"+/", b"-_"))}
    return made


def _layers(data: bytes) -> Iterator[bytes]:
    """The file, its texts joined in several ways, and whatever can be decoded from them."""
    texts, joined = _texts(data)
    yield data
    yield data.replace(b"\0", b"")
    yield b"\n".join(joined)
    yield b"\n".join({inner for text in joined for inner in _decoded(text)})
    known: set[bytes] = set()
    fresh = texts
    for _ in range(_LAYERS):
        yield b"\n".join(fresh)
        known |= fresh
        fresh = {inner for text in fresh for inner in _decoded(text)} - known


def _texts(data: bytes) -> tuple[set[bytes], list[bytes]]:
    """Every text and number of a JSON file; and what becomes of those that follow each other."""
    texts: set[bytes] = set()
    by_path: dict[str, list[bytes]] = {}
    every: list[bytes] = []

    def note(path: str, value: str) -> None:
        text = value.encode("utf-8", "surrogatepass")
        texts.add(text)
        by_path.setdefault(path, []).append(text)
        every.append(text)

    def walk(path: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                note(f"{path} keys", key)
                walk(f"{path}.{key}", inner)
        elif isinstance(value, list):
            for inner in value:
                walk(path, inner)
        elif isinstance(value, str):
            note(path, value)
            if value[:1] in {"{", "["}:
                with suppress(ValueError, RecursionError):
                    walk(f"{path}()", json.loads(value, parse_int=str, parse_float=str))

    try:
        walk("", json.loads(data, parse_int=str, parse_float=str))
    except (ValueError, RecursionError):
        texts.add(data)
    return texts, [b"".join(every), *(b"".join(run) for run in by_path.values())]


def _decoded(text: bytes) -> Iterator[bytes]:
    """One layer less, by each encoding that the text may be in."""
    if b"%" in text:
        yield unquote_to_bytes(text)
    if b"+" in text:
        yield text.replace(b"+", b" ")
    if b"&" in text:
        yield html.unescape(text.decode("utf-8", "replace")).encode("utf-8", "replace")
    if b"\\" in text:
        yield _ESCAPED.sub(lambda found: _letter(found[1]), text).replace(b'\\"', b'"')
    if b"\0" in text:
        yield text.replace(b"\0", b"")
    for found in _BASE64.finditer(text):
        run = found[0].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        for start in {0, *range(max(0, len(run) % 4 - 1))}:
            with suppress(binascii.Error, ValueError):
                part = run[start:]
                raw = base64.b64decode(part + b"=" * (-len(part) % 4))
                yield raw
                if not start:
                    yield from _inflated(raw)
    for found in _HEX.finditer(text):
        yield bytes.fromhex(found[0].decode())
    yield from _inflated(text)


def _letter(digits: bytes) -> bytes:
    return chr(int(digits, 16)).encode("utf-8", "surrogatepass")


def _inflated(raw: bytes) -> Iterator[bytes]:
    """What was packed, where something was: by gzip, zlib, or deflate alone."""
    for magic, window in ((b"\x1f\x8b", 31), (b"x", 15), (b"", -15)):
        if len(raw) > 2 * _GRAM and raw.startswith(magic):
            with suppress(zlib.error):
                yield zlib.decompress(raw, wbits=window)[:_MOST]
