"""Looks for known secrets in a file in every encoding that a capture may give them.

Both ways are gone: every text of the file is decoded, layer by layer, and every secret is looked
for encoded, because a decoder has to guess where an encoded run begins. Pieces count: of a long
secret any nineteen characters in a row give it away.
"""

import base64
import binascii
import gzip
import html
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from urllib.parse import quote, quote_plus, unquote_to_bytes

PIECE = 10
"""A secret is cut into parts of so many characters: any 19 in a row contain a whole one."""
_GRAM = 6
_LAYERS = 5
_MOST = 4_000_000
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}={0,2}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){6,}")
_ESCAPED = re.compile(rb"\\u([0-9a-fA-F]{4})")
_DIGITS = re.compile(r"\+?[0-9]+")


def find(data: bytes, canaries: Mapping[str, str]) -> dict[str, str]:
    """Place of each secret that `data` holds, and the piece that was seen."""
    layers = list(_layers(data))
    needles = {place: _needles(secret) for place, secret in canaries.items()}
    seen = {}
    for text in layers:
        grams = {text[at : at + _GRAM] for at in range(len(text))}
        for place, wanted in needles.items():
            if place not in seen:
                for needle, digits in wanted:
                    if needle[:_GRAM] in grams and _in(text, needle, digits=digits):
                        seen[place] = needle.decode("latin-1")
                        break
    return seen


def _in(text: bytes, needle: bytes, *, digits: bool) -> bool:
    """Six digits are part of many a number: they count where no digit or point is beside them."""
    if not digits:
        return needle in text
    return re.search(rb"(?<![0-9.])" + re.escape(needle) + rb"(?![0-9])", text) is not None


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
    known: set[bytes] = set()
    fresh = {text.encode("utf-8", "surrogatepass") for text in [*texts, *joined]}
    yield b"\n".join(fresh)
    for _ in range(_LAYERS):
        fresh = {text for old in fresh for text in _decoded(old)} - known - fresh
        known |= fresh
        if not fresh or sum(map(len, known)) > _MOST * 10:
            return
        yield b"\n".join(fresh)


def _texts(data: bytes) -> tuple[set[str], list[str]]:
    """Every text and number of a JSON file; and what becomes of those that follow each other."""
    texts: set[str] = set()
    by_path: dict[str, list[str]] = {}
    every: list[str] = []

    def note(path: str, text: str) -> None:
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
        texts.add(data.decode("utf-8", "replace"))
    return texts, ["".join(every), *("".join(run) for run in by_path.values())]


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
                yield from _inflated(raw)
    for found in _HEX.finditer(text):
        yield bytes.fromhex(found[0].decode())
    yield from _inflated(text)


def _letter(digits: bytes) -> bytes:
    return chr(int(digits, 16)).encode("utf-8", "surrogatepass")


def _inflated(raw: bytes) -> Iterable[bytes]:
    """What was packed, where something was."""
    unpackers: tuple[Callable[[bytes], bytes], ...] = (
        gzip.decompress,
        zlib.decompress,
        lambda packed: zlib.decompress(packed, wbits=-15),
    )
    made = []
    for unpack in unpackers:
        with suppress(OSError, EOFError, zlib.error):
            made.append(unpack(raw)[:_MOST])
    return made
