"""Files that no browser writes: refused, or made safe, in bounded time and memory."""

import gzip
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable

import pytest

from tests.captures.finder import find
from tests.captures.generating import AFTER, BEFORE, KINDS, entry
from vestibule.captures import CaptureRefused, sanitise

PEAK_MIB = 120
SECONDS = 120
SECRET = "q7Vd2mXw9Kp4Rt6Zb8Nc3Hs5"
# Everything else is made safe.
REFUSED = {
    "a number of 2 GB": "capture_not_json",
    "a number of 200 MB": "capture_not_json",
    "a number where one is needed": "capture_not_json",
    "lists in lists, unknown": "capture_too_deep",
    "lists in lists, millions": "capture_too_deep",
    "objects in objects": "capture_too_deep",
    "lists in a known place": "capture_not_har",
    "gzip that grows a thousandfold": "capture_compressed",
    "gzip in gzip": "capture_compressed",
    "600 MB of bodies": "capture_too_large",
}


def made_safe(data: bytes, piece: int = 1 << 18) -> bytes:
    """The capture made safe, read in pieces of this size."""
    source, out = io.BytesIO(data), io.BytesIO()
    sanitise(lambda most: source.read(min(most, piece)), out.write)
    return out.getvalue()


def refused(data: bytes, piece: int = 1 << 18) -> str:
    """The code that it is refused with; what was written before holds no secret."""
    source, out = io.BytesIO(data), io.BytesIO()
    with pytest.raises(CaptureRefused) as caught:
        sanitise(lambda most: source.read(min(most, piece)), out.write)
    assert 0 <= caught.value.at <= len(data)
    assert find(out.getvalue(), {"secret": SECRET}) == {}
    return caught.value.code


def capture(**parts: bytes) -> bytes:
    """A capture of one entry, some of it replaced."""
    return BEFORE + entry(**parts) + AFTER


# --- size and depth ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_monster_stays_within_time_and_memory(kind: str) -> None:
    """In a process of its own, which may not even ask for a gibibyte."""
    command = [sys.executable, "-m", "tests.captures.generating", kind]
    done = subprocess.run(command, capture_output=True, check=True, timeout=600)
    said = json.loads(done.stdout)
    assert said["code"] == REFUSED.get(kind, "")
    assert said["mib"] < PEAK_MIB
    assert said["seconds"] < SECONDS


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nesting_is_refused_where_it_is_known_and_where_not(opening: str) -> None:
    """A hundred thousand levels end with a code, not with the end of the stack."""
    deep = opening.encode() * 100_000
    assert refused(deep) in {"capture_not_har", "capture_too_deep"}
    assert refused(BEFORE + deep) in {"capture_not_har", "capture_too_deep"}
    assert refused(capture(more=deep)) == "capture_too_deep"


def test_a_deep_body_is_removed_whole() -> None:
    """In a body, which is text to the capture, depth is no reason to refuse."""
    body = json.dumps("[" * 70 + f'"{SECRET}"' + "]" * 70).encode()
    out = made_safe(capture(text=body))
    assert find(out, {"secret": SECRET}) == {}
    assert b"~removed.body." in out


# --- what is no capture -----------------------------------------------------------------------


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("a.har", capture())
    return out.getvalue()


WHOLE = capture()
NO_CAPTURE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "capture_empty"),
    "spaces": (b" \n\t ", "capture_empty"),
    "a mark alone": (b"\xef\xbb\xbf", "capture_empty"),
    "a page": (b"<!doctype html><p>", "capture_not_json"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0", "capture_not_json"),
    "a zip": (_zip(), "capture_compressed"),
    "UTF-16": (WHOLE.decode().encode("utf-16"), "capture_encoding"),
    "UTF-16 without a mark": (WHOLE.decode().encode("utf-16-le"), "capture_not_json"),
    "a number": (b"42 ", "capture_not_har"),
    "a number that ends with the file": (b"42", "capture_not_har"),
    "a list": (b"[]", "capture_not_har"),
    "null": (b"null ", "capture_not_har"),
    "other JSON": (b'{"entries":[]}', "capture_not_har"),
    "two captures": (WHOLE + WHOLE, "capture_not_json"),
    "words after the end": (WHOLE + b"x", "capture_not_json"),
    "zeros after the end": (WHOLE + b"\0" * 9, "capture_not_json"),
    "no entries": (b'{"log":{"version":"1.2"}}', "capture_not_har"),
    "entries that are no list": (b'{"log":{"entries":{}}}', "capture_not_har"),
    "an entry that is none": (BEFORE + b"1" + AFTER, "capture_not_har"),
    "a list as a log": (b'{"log":[]}', "capture_not_har"),
    "a log twice": (b'{"log":{"entries":[]},"log":{"entries":[]}}', "capture_not_har"),
    "entries twice": (b'{"log":{"entries":[],"entries":[]}}', "capture_not_har"),
    "entries twice, once escaped": (
        b'{"log":{"entries":[],"entrie\\u0073":[]}}',
        "capture_not_har",
    ),
    "a header's value twice": (
        capture(headers=b'{"name":"accept","value":"a","value":"b"}'),
        "capture_not_har",
    ),
    "headers as text": (
        WHOLE.replace(b'"headers":[]', b'"headers":"authorization: x"', 1),
        "capture_not_har",
    ),
    "not a number": (WHOLE.replace(b'"time":1', b'"time":NaN'), "capture_not_json"),
    "infinity": (WHOLE.replace(b'"time":1', b'"time":Infinity'), "capture_not_json"),
    "a number with a zero before": (WHOLE.replace(b":200", b":0200"), "capture_not_json"),
    "a trailing comma": (WHOLE.replace(b'"cache":{}', b'"cache":{},'), "capture_not_json"),
    "a remark": (WHOLE.replace(b'"cache"', b'/**/"cache"'), "capture_not_json"),
    "single quotes": (WHOLE.replace(b'"', b"'"), "capture_not_json"),
    "an unknown escape": (capture(text=b'"\\x41"'), "capture_not_json"),
    "half an escape": (capture(text=b'"\\u12"'), "capture_not_json"),
    "a line break in a text": (capture(text=b'"a\nb"'), "capture_not_json"),
    "a zero byte in a text": (capture(text=b'"a\0b"'), "capture_not_json"),
    "a zero byte between": (WHOLE.replace(b'"cache"', b'\0"cache"'), "capture_not_json"),
    "a byte that is none": (capture(text=b'"a\xffb"'), "capture_encoding"),
    "a surrogate in bytes": (capture(text=b'"a\xed\xa0\x80b"'), "capture_encoding"),
    "a letter in too many bytes": (capture(text=b'"a\xc0\xafb"'), "capture_encoding"),
    "a letter beyond the last": (capture(text=b'"a\xf4\x90\x80\x80b"'), "capture_encoding"),
    "half a letter": (capture(text=b'"a\xe2\x82"'), "capture_encoding"),
    "a broken letter in a name": (capture(more=b'{"\xff":1}'), "capture_encoding"),
    "gzip cut short": (gzip.compress(WHOLE)[:-20], "capture_cut"),
    "gzip of nothing": (gzip.compress(b""), "capture_empty"),
    "gzip, then other things": (gzip.compress(WHOLE) + b"hello", "capture_compressed"),
}


@pytest.mark.parametrize("kind", NO_CAPTURE)
@pytest.mark.parametrize("piece", [1, 7, 1 << 18])
def test_what_is_no_capture_is_refused_with_its_code(kind: str, piece: int) -> None:
    """However the bytes come, the code is the same."""
    data, code = NO_CAPTURE[kind]
    assert refused(data, piece) == code


def test_a_capture_cut_anywhere_is_refused_as_cut() -> None:
    """At every byte, inside letters of several bytes and escapes too."""
    text = json.dumps(f"a€😀\u2028\\ {SECRET}", ensure_ascii=False).encode()
    header = b'{"name":"authorization","value":"Bearer %b\\u20ac"}' % SECRET.encode()
    whole = capture(text=text, headers=header, more=b'[1.5e-7,true,null,"\\ud83d\\ude00"]')
    assert made_safe(whole)
    codes = {size: refused(whole[:size]) for size in range(1, len(whole))}
    assert {size: code for size, code in codes.items() if code != "capture_cut"} == {}


def test_a_packed_capture_cut_anywhere_is_refused() -> None:
    """At every byte of the gzip file, its last ones too."""
    packed = gzip.compress(capture(text=json.dumps(SECRET).encode()))
    codes = {size: refused(packed[:size]) for size in range(1, len(packed))}
    assert set(codes.values()) <= {"capture_cut", "capture_not_json"}
    assert all(code == "capture_cut" for size, code in codes.items() if size > 10)


def test_a_damaged_packed_capture_is_refused() -> None:
    """One flipped byte of a gzip file is noticed: by its structure or by its checksum."""
    packed = bytearray(gzip.compress(WHOLE, mtime=0))
    for at in range(10, len(packed)):
        packed[at] ^= 0xFF
        with pytest.raises(CaptureRefused):
            sanitise(io.BytesIO(bytes(packed)).read, lambda _: None)
        packed[at] ^= 0xFF


# --- what is one, oddly -----------------------------------------------------------------------


ODD: dict[str, Callable[[], bytes]] = {
    "marked as UTF-8": lambda: b"\xef\xbb\xbf" + WHOLE,
    "spaces around": lambda: b" \r\n" + WHOLE + b"\n\n",
    "packed": lambda: gzip.compress(WHOLE),
    "packed in two parts": lambda: gzip.compress(WHOLE[:99]) + gzip.compress(WHOLE[99:]),
    "names in escapes": lambda: WHOLE.replace(b'"log"', b'"\\u006c\\u006f\\u0067"'),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("piece", [1, 3, 1 << 18])
def test_an_odd_way_to_write_changes_nothing(kind: str, piece: int) -> None:
    """The same capture comes out the same."""
    assert made_safe(ODD[kind](), piece) == made_safe(WHOLE)


@pytest.mark.parametrize(
    "text",
    [b"\\ud800", b"\\udc00\\ud800", b"a\\ud83dx", b"\\ude00\\ud83d\\ude00", b"\\uD800\\u0041"],
)
def test_half_letters_are_removed(text: bytes) -> None:
    """A lone surrogate is no Unicode: the value that holds it goes, the capture stays."""
    out = made_safe(capture(text=b'"%b"' % text, headers=b'{"name":"accept","value":"%b"}' % text))
    assert b"\\ud" not in out.lower()
    assert b"\xed" not in out
    assert out.count(b"~removed.broken") == 2
    assert made_safe(out) == out


PLACES: dict[str, bytes] = {
    "a member": capture(more=b'{"%s":1}'),
    "a member of the log": BEFORE.replace(b'{"version"', b'{"%s":{"%s":[1]},"version"') + AFTER,
    "a member of the file": b'{"%s":1,' + WHOLE[1:],
    "a member of an entry": WHOLE.replace(b'"time":1', b'"%s":{"a":"%s"},"time":1'),
    "a member of the timings": WHOLE.replace(b'"send":0', b'"send":0,"%s":4'),
    "a header's name": capture(headers=b'{"name":"%s","value":"%s"}'),
    "a header's member": capture(headers=b'{"name":"accept","value":"*/*","%s":"%s"}'),
    "a form's name": capture(text=b'"%s=%s&%s"').replace(
        b"text/plain", b"application/x-www-form-urlencoded"
    ),
    "a JSON body's name": capture(text=b'"{\\"%s\\":[{\\"%s\\":null}]}"').replace(
        b"text/plain", b"application/json"
    ),
    "a message's name": capture(
        messages=b'{"type":"send","time":1,"opcode":1,"data":"{\\"%s\\":\\"%s\\"}"}'
    ),
    "a message's kind": capture(messages=b'{"type":"%s","time":1,"opcode":1,"data":"a"}'),
    "a parameter's name": WHOLE.replace(
        b'"queryString":[]', b'"queryString":[{"name":"%s","value":"%s"}]'
    ).replace(b"shop.example/", b"shop.example/?%s=%s"),
    "a cookie's name": WHOLE.replace(
        b'"cookies":[]', b'"cookies":[{"name":"%s","value":"%s","path":"/%s","domain":"%s"}]'
    ),
    "a method": WHOLE.replace(b'"GET"', b'"%s"'),
    "a status": WHOLE.replace(b'"statusText":""', b'"statusText":"%s"'),
    "a protocol": WHOLE.replace(b'"h2"', b'"%s"'),
    "a media type": WHOLE.replace(b"text/plain", b"text/%s; charset=%s"),
    "a forged mark": capture(text=b'"~removed.body.%s~"'),
    "a forged token": capture(text=b'"~removed.jwt.1.%s.%s~"'),
}
SECRETS = (SECRET, SECRET.lower(), SECRET + "A" * 200, "4111111111111111", "mara@mail.example")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secret", SECRETS)
def test_names_that_are_secrets_go_too(place: str, secret: str) -> None:
    """Where a name, a word or a kind is expected there may be a secret: it is not repeated."""
    out = made_safe(PLACES[place].replace(b"%s", secret.encode()))
    assert find(out, {"secret": secret}) == {}
    assert made_safe(out) == out


def test_the_limit_is_the_callers() -> None:
    """A capture one byte too large is refused, one of exactly the size is not."""
    sanitise(io.BytesIO(WHOLE).read, lambda _: None, limit=len(WHOLE))
    with pytest.raises(CaptureRefused) as caught:
        sanitise(io.BytesIO(WHOLE).read, lambda _: None, limit=len(WHOLE) - 1)
    assert caught.value.code == "capture_too_large"
