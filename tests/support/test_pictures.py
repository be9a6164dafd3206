"""Pictures lose what they tell beside the picture: made by Pillow, read again by Pillow."""

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image, ImageOps, ImageSequence

from tests.support.photographs import (
    ARCHIVE,
    FILM,
    ICC,
    PICTURES,
    TELLING,
    box,
    cleaned,
    drawn,
    exif,
    gif,
    heic,
    jpeg,
    png,
    saved,
    segment,
    webp,
)


def frames(data: bytes, *, turned: bool = True) -> list[bytes]:
    """What is seen of a picture, each frame with how long it stays."""
    seen = []
    with Image.open(io.BytesIO(data)) as opened:
        for frame in ImageSequence.Iterator(opened):
            shown = ImageOps.exif_transpose(frame) if turned else frame
            look = shown.convert("RGBA")
            seen.append(repr((look.size, frame.info.get("duration"))).encode() + look.tobytes())
    return seen


def opened(data: bytes) -> Image.Image:
    """The picture as Pillow reads it, to its last byte."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


# --- what goes and what stays -----------------------------------------------------------------


@pytest.mark.parametrize("kind", PICTURES)
def test_picture_looks_the_same_and_tells_nothing(kind: str) -> None:
    """Pixels, frames and which way up are those of before; of what was planted there is nothing."""
    data = PICTURES[kind]()
    assert b"PLANTED" in data
    safe, removed = cleaned(data)
    assert removed
    assert [word for word in TELLING if word in safe] == []
    assert b"PLANTED" not in zlib_texts(safe)
    assert frames(safe) == frames(data.split(FILM)[0])
    told = opened(safe).getexif()
    assert set(told) <= {0x0112}
    assert not told.get_ifd(0x8825)


def zlib_texts(data: bytes) -> bytes:
    """What is packed within a picture, where anything is."""
    found = b""
    for at in range(len(data)):
        if data[at : at + 1] == b"x":
            try:
                found += zlib.decompressobj().decompress(data[at:])
            except zlib.error:
                continue
    return found


@pytest.mark.parametrize("kind", [jpeg, png, webp])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_picture_stays_the_right_way_up(kind: Callable[..., bytes], orientation: int) -> None:
    """Whichever way a phone was held; of an upright one nothing has to be said."""
    safe, _ = cleaned(kind(orientation))
    assert frames(safe) == frames(kind(orientation).split(FILM)[0])
    assert dict(opened(safe).getexif()).get(0x0112, 1) == orientation
    assert kind is webp or (b"Exif" in safe or b"eXIf" in safe) == (orientation != 1)


@pytest.mark.parametrize("endian", "<>")
def test_orientation_is_read_in_both_orders_of_bytes(endian: str) -> None:
    """And the first Exif block says it: of a second one nobody takes notice."""
    first, second = (segment(0xE1, exif(n, endian=endian)) for n in (6, 3))
    plain = saved("JPEG")
    safe, removed = cleaned(plain[:20] + first + second + plain[20:])
    assert removed
    assert opened(safe).getexif()[0x0112] == 6
    assert safe.count(b"Exif") == 1


def test_inks_stay_what_they_are() -> None:
    """Adobe's segment says in which colours a JPEG is; a note behind it goes."""
    plain = saved("JPEG", drawn("CMYK"))
    at = plain.index(b"\xff\xee")
    adobe = plain[at + 4 : at + 16]
    assert cleaned(plain) == (plain, False)
    noted = plain[:at] + segment(0xEE, adobe + b"PLANTED") + plain[at + 16 :]
    assert cleaned(noted) == (plain, True)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "jpeg-progressive", "webp-film"])
def test_colours_stay_as_they_were_meant(kind: str) -> None:
    """The profile is part of the picture."""
    assert opened(cleaned(PICTURES[kind]())[0]).info["icc_profile"] == ICC


def test_film_goes_on_as_often_as_it_did() -> None:
    """The one note for programs that stays."""
    before, after = (
        (opened(data).info["loop"], len(frames(data))) for data in (gif(), cleaned(gif())[0])
    )
    assert before == after == (3, 3)


def test_text_of_a_film_goes_with_its_control() -> None:
    """What held for the text must not hold for the picture behind it."""
    plain = saved("GIF", drawn("P"))
    at = plain.index(b",", 13 + (6 << (plain[10] & 7)))
    control, text = b"!\xf9\x04\x01\0\0\0\0", b"!\x01\x0c" + bytes(12) + b"\x07PLANTED\0"
    assert cleaned(plain[:at] + control + text + plain[at:]) == (plain, True)


def test_density_of_a_screen_stays() -> None:
    """Windows show a picture of a screen as large as it was by it."""
    assert opened(cleaned(png())[0]).info["dpi"] == pytest.approx((144, 144), abs=0.1)


@pytest.mark.parametrize(
    "data",
    [saved("JPEG"), saved("PNG"), saved("GIF", drawn("P")), saved("WEBP"), saved("AVIF")],
    ids=["jpeg", "png", "gif", "webp", "avif"],
)
def test_picture_that_tells_nothing_is_left_alone(data: bytes) -> None:
    """Byte for byte; and nobody is told of a removal that there was not."""
    assert cleaned(data) == (data, False)


def test_jfif_thumbnail_goes() -> None:
    """One that the segment itself holds, which every JPEG begins with."""
    plain = saved("JPEG")
    small = b"PLANTED-3-by-4-rgb.PLANTED-3-by-4-rg"
    assert len(small) == 36
    thumbnail = plain[:4] + struct.pack(">H", 16 + 36)[0:0] + plain[4:18] + b"\x03\x04" + small
    data = thumbnail[:4] + struct.pack(">H", 16 + 36) + thumbnail[6:] + plain[20:]
    assert cleaned(data) == (plain, True)


def test_text_between_segments_goes() -> None:
    """Decoders skip what is no segment; so would have whoever reads the file."""
    plain = saved("JPEG")
    assert cleaned(plain[:20] + b"PLANTED" + plain[20:]) == (plain, True)


def test_webp_keeps_its_length() -> None:
    """It stands in front, when nobody knows yet what there is behind."""
    data = webp().removesuffix(ARCHIVE)
    safe, _ = cleaned(data)
    assert len(safe) == len(data)
    assert safe[20] & 0x04 == 0
    assert b"XMP " not in safe


# --- formats that keep their places -----------------------------------------------------------


def test_heic_loses_its_items_that_are_no_picture() -> None:
    """Nothing moves: tiles, grid and list lie where they lay."""
    data = heic(extra=box(b"mpvd", FILM))
    safe, removed = cleaned(data)
    assert removed
    assert len(safe) == len(data)
    assert [word for word in TELLING if word in safe] == []
    for kept in (b"tile-one", b"tile-two!", b"gridgrid", b"ispe", b"ipma", b"mdat"):
        assert safe.index(kept) == data.index(kept)
    changed = [n for n, (old, new) in enumerate(zip(data, safe, strict=True)) if old != new]
    assert min(changed) > data.index(b"ispe")
