"""What only begins like a picture, or was damaged: it never passes, and always ends."""

import struct

import pytest
from hypothesis import example, given, settings, strategies as st

from tests.support.photographs import PICTURES, box, chunk, cleaned, drawn, heic, saved
from vestibule.base.errors import Refused
from vestibule.support.rules import attachments as rules
from vestibule.support.rules.pictures import format_of, may_tell

# An item that lies in thousands of millions of places, of no bytes each.
MANY = (
    box(b"ftyp", b"heic", bytes(4))
    + box(
        b"meta",
        bytes(4),
        box(b"iinf", bytes(4), b"\0\1", box(b"infe", b"\2\0\0\0\0\1\0\0hvc1\0")),
        box(b"iloc", b"\2\0\0\0\0\0\0\0\x27\x0f", b"\0\0\0\1\0\0\0\0\xff\xff" * 9999),
    )
    + box(b"mdat", b"x")
)


@pytest.mark.parametrize(
    "data",
    [
        heic(behind=True),
        heic()[:-1],
        heic() + b"\0\0",
        heic(extra=struct.pack(">I", 0) + b"mdat"),
        heic(extra=box(b"meta", bytes(4))),
        heic().replace(b"iloc", b"iolc"),
        heic().replace(b"infe\2", b"infe\1"),
        box(b"ftyp", b"heic", bytes(4)),
        box(b"ftyp", b"heic", bytes(4)) + box(b"meta", bytes(1 << 20)) + box(b"mdat", b"x"),
        MANY,
    ],
)
def test_heic_that_cannot_be_followed_is_refused(data: bytes) -> None:
    """Also one whose list comes when its items have passed."""
    with pytest.raises(Refused, match="picture_unreadable"):
        cleaned(data)


# --- what is no picture after all -------------------------------------------------------------

JPEG = saved("JPEG")
PNG = saved("PNG")
GIF = saved("GIF", drawn("P"))
WEBP = saved("WEBP")


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff\xd9PLANTED",
        b"\xff\xd8\xff\xe0\0\x01PLANTED",
        b"\xff\xd8\xff\xda\0\x02PLANTED\xff\xd9",
        b"\xff\xd8\xff\xd8\xff\xd9",
        b"\xff\xd8\xff" + b"PLANTED" * 9,
        JPEG[:20] + b"\xff\xf7\0\2" + JPEG[20:],
        PNG[:8] + PNG[33:],
        PNG[:33] + PNG[8:],
        PNG[:8] + bytes(40),
        PNG[:33] + chunk(b"IEND", b""),
        PNG[:33] + chunk(b"CgBI", b"") + PNG[33:],
        PNG[:33] + b"\x80\0\0\0tEXt" + PNG[33:],
        PNG[:33] + chunk(b"t\xc3xt", b"") + PNG[33:],
        GIF[:-1],
        GIF[:-1] + b"PLANTED;",
        b"GIF89a" + bytes(7) + b";",
        b"GIF89a" + bytes(7) + b"!\xf9\x05" + bytes(6) + GIF[13:],
        WEBP[:4] + struct.pack("<I", len(WEBP) - 9) + WEBP[8:],
        WEBP[:4] + b"\0\0\0\0" + WEBP[8:],
        WEBP[:4] + b"\4\0\0\0" + WEBP[8:],
        b"\xff\xd8" + b"\xff\xfe\0\2" * ((1 << 17) + 1) + JPEG[2:],
    ],
)
def test_file_that_only_begins_like_a_picture_is_refused(data: bytes) -> None:
    """Nothing of it may pass as it is."""
    with pytest.raises(Refused, match="picture_unreadable"):
        cleaned(data)


@pytest.mark.parametrize("kind", PICTURES)
def test_picture_that_was_cut_is_refused(kind: str) -> None:
    """At every byte: what is missing might have said what the rest is."""
    plain, _ = cleaned(PICTURES[kind]())
    for cut in range(12, len(plain)):
        with pytest.raises(Refused, match="picture_unreadable"):
            cleaned(plain[:cut])


@pytest.mark.parametrize(
    "head, format_",
    [
        (JPEG, "image/jpeg"),
        (box(b"ftyp", b"heic", bytes(8)), "image/heif"),
        (box(b"ftyp", b"avif", bytes(8)), "image/heif"),
        (box(b"ftyp", b"mp42", bytes(8)), ""),
        (b"%PDF-1.7", ""),
        (b"", ""),
    ],
)
def test_format_is_what_the_content_says(head: bytes, format_: str) -> None:
    """No name is asked."""
    assert format_of(head, rules.media_of(head)) == format_


def test_pictures_and_films_that_stay_as_they_are_are_known() -> None:
    """Their client is told so."""
    assert may_tell(saved("TIFF"))
    assert may_tell(box(b"ftyp", b"mp42", bytes(8)))
    assert not may_tell(b"%PDF-1.7")


# --- whatever comes ---------------------------------------------------------------------------

MADE = {kind: make() for kind, make in PICTURES.items()} | {"heic": heic()}


@pytest.mark.parametrize("kind", MADE)
def test_twice_is_once(kind: str) -> None:
    """What is safe stays as it is, and nothing more is found in it."""
    safe, _ = cleaned(MADE[kind])
    assert cleaned(safe) == (safe, False)


@pytest.mark.parametrize("kind", MADE)
def test_how_the_bytes_arrive_changes_nothing(kind: str) -> None:
    """Cut in two anywhere, and into single bytes."""
    data = MADE[kind]
    whole = cleaned(data)
    assert cleaned(data, list(range(1, len(data)))) == whole
    for cut in range(1, len(data), 7):
        assert cleaned(data, [cut]) == whole


@pytest.mark.parametrize("kind", MADE)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_picture_is_kept_safe_or_refused(kind: str, data: st.DataObject) -> None:
    """Changed, cut, doubled anywhere: an end is reached, and what is kept is safe once more."""
    whole = bytearray(MADE[kind])
    start = 12
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(start, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    try:
        safe, _ = cleaned(bytes(whole))
    except Refused:
        return
    assert len(safe) <= len(whole) + 100
    assert cleaned(safe) == (safe, False)


HEADS = [JPEG[:2] + b"\xff", PNG[:8], b"GIF89a", b"RIFF\xff\xff\0\0WEBP", heic()[:20]]


@settings(max_examples=300, deadline=None)
@given(head=st.sampled_from(HEADS), rest=st.binary(max_size=400))
@example(head=HEADS[0], rest=b"")
def test_rubbish_behind_a_good_beginning_never_passes(head: bytes, rest: bytes) -> None:
    """It is refused; there is no picture in it."""
    with pytest.raises(Refused, match="picture_unreadable"):
        cleaned(head + rest)
