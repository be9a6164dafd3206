"""Photographs that tell more than they show: made by Pillow, as phones and editors write them."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from vestibule.support.rules import attachments as rules
from vestibule.support.rules.pictures import Picture, format_of

FILM = b"\0\0\0\x18ftypmp42 PLANTED-film, a motion picture behind the picture"
ARCHIVE = b"PK\x03\x04PLANTED-archive"
TELLING = [b"PLANTED", b"Photoshop 3.0", b"http://ns.adobe.com", b"Vestibule Phone"]
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>PLANTED-xmp</x:xmpmeta>"
ICC = b"\0\0\2\x0cPLAIN-PROFILE" + bytes(range(256)) * 2
SIDEWAYS = 6


def exif(orientation: int = SIDEWAYS, *, endian: str = ">") -> bytes:
    """What a phone writes: place, maker, owner, serial number, orientation, a thumbnail."""
    told = Image.Exif()
    told.endian = endian
    told[0x010F] = "Vestibule Phone"
    told[0x0112] = orientation
    told[0xA430] = "PLANTED-owner"
    told.get_ifd(0x8769)[0xA431] = "PLANTED-serial-4711"
    told.get_ifd(0x8825).update(
        {1: "N", 2: tuple(IFDRational(n, 1) for n in (47, 22, 11)), 29: "PLANTED-2026:11:23"}
    )
    small = io.BytesIO()
    drawn().resize((8, 8)).save(small, "JPEG", comment=b"PLANTED-thumbnail")
    return told.tobytes() + small.getvalue()


def drawn(mode: str = "RGB", number: int = 0) -> Image.Image:
    """A picture of which each corner is another, so that turning it shows."""
    drawing = Image.new("RGB", (33, 20), (240, 240, 200))
    drawing.paste((200, 10 + 40 * number, 10), (0, 0, 9, 7))
    drawing.paste((10, 10, 180), (20, 12, 33, 20))
    return drawing.convert(mode)


def saved(kind: str, drawing: Image.Image | None = None, **more: Any) -> bytes:
    """The bytes of a picture as Pillow writes it."""
    file = io.BytesIO()
    (drawing or drawn()).save(file, kind, **more)
    return file.getvalue()


def segment(code: int, body: bytes) -> bytes:
    """A segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, code, len(body) + 2) + body


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    crc = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + crc


def jpeg(orientation: int = SIDEWAYS, **more: Any) -> bytes:
    """A photograph: all that a phone and an editor may have written into it."""
    whole = saved(
        "JPEG", exif=exif(orientation), icc_profile=ICC, xmp=XMP, comment=b"PLANTED-text", **more
    )
    iptc = segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0ePLANTED-iptc..")
    jfxx = segment(0xE0, b"JFXX\0\x10PLANTED-thumbnail")
    mpf = segment(0xE2, b"MPF\0PLANTED-mpf")
    return whole[:2] + whole[2:20] + jfxx + iptc + mpf + whole[20:] + FILM + jpeg_second()


def jpeg_second() -> bytes:
    """A second picture behind the first, as phones append gain maps and depths."""
    return saved("JPEG", comment=b"PLANTED-second")


def png(orientation: int = SIDEWAYS, **more: Any) -> bytes:
    """A picture of a screen with all that programs note in one."""
    whole = saved("PNG", icc_profile=ICC, exif=exif(orientation), dpi=(144, 144), **more)
    notes = chunk(b"tEXt", b"Author\0PLANTED-text")
    notes += chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"PLANTED-text"))
    notes += chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)
    notes += chunk(b"tIME", b"\x07\xea\x0b\x17\x08\0\0") + chunk(b"caBX", b"PLANTED-signed-by")
    at = whole.index(b"IDAT") - 4
    return whole[:at] + notes + whole[at:] + ARCHIVE


def gif() -> bytes:
    """A film of three pictures, with a comment, XMP and a note for a program."""
    films = [drawn("P", number) for number in range(1, 3)]
    whole = saved(
        "GIF",
        drawn("P"),
        save_all=True,
        append_images=films,
        duration=80,
        loop=3,
        comment=b"PLANTED-text",
    )
    xmp = b"!\xff\x0bXMP DataXMP" + XMP + b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    note = b"!\xff\x0bPLANTED1234\x05abcde\0"
    end = whole.index(b"!\xfe")
    return (
        whole[:end]
        + xmp
        + note
        + b"!\x01\x0c"
        + bytes(12)
        + b"\x07PLANTED\0"
        + whole[end:]
        + ARCHIVE
    )


def webp(orientation: int = SIDEWAYS, **more: Any) -> bytes:
    """A picture of the web's own kind."""
    return saved("WEBP", exif=exif(orientation), icc_profile=ICC, xmp=XMP, **more) + ARCHIVE


def avif(**more: Any) -> bytes:
    """What phones write today; HEIC has the same list of items."""
    return saved("AVIF", exif=exif(1), xmp=XMP, **more)


PICTURES: dict[str, Callable[[], bytes]] = {
    "jpeg": jpeg,
    "jpeg-progressive": lambda: jpeg(progressive=True, quality=90),
    "jpeg-cmyk": lambda: saved("JPEG", drawn("CMYK"), exif=exif(), comment=b"PLANTED"),
    "jpeg-restarts": lambda: jpeg(restart_marker_blocks=1),
    "png": png,
    "png-film": lambda: png(save_all=True, append_images=[drawn(number=2)], duration=50),
    "png-palette": lambda: saved("PNG", drawn("P"), exif=exif(), transparency=0),
    "gif": gif,
    "webp": webp,
    "webp-lossless": lambda: webp(lossless=True),
    "webp-film": lambda: webp(save_all=True, append_images=[drawn(number=2)], duration=50),
    "webp-alpha": lambda: saved("WEBP", drawn("RGBA"), exif=exif()),
    "avif": avif,
}


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of ISO/IEC 14496-12."""
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def heic(*, behind: bool = False, brand: bytes = b"heic", extra: bytes = b"") -> bytes:
    """A photograph as an iPhone writes it: tiles, a grid in the list, Exif and XMP in pieces."""
    items = [(1, b"hvc1"), (2, b"hvc1"), (3, b"grid"), (4, b"Exif"), (5, b"mime")]
    infe = [box(b"infe", b"\2\0\0\0", struct.pack(">HH", n, 0), kind, b"\0") for n, kind in items]
    iinf = box(b"iinf", bytes(4), struct.pack(">H", len(items)), *infe)
    told = bytes(4) + exif(1)
    data = [b"tile-one", b"tile-two!", b"", told, XMP[:20], XMP[20:]]

    def whole(start: int) -> bytes:
        spots, at = [], start
        for piece in data:
            spots.append((at, len(piece)))
            at += len(piece)
        iloc = struct.pack(">HH", 0x4400, len(items))
        for number, _ in items:
            extents = {1: [spots[0]], 2: [spots[1]], 3: [(0, 8)], 4: [spots[3]], 5: spots[4:]}[
                number
            ]
            iloc += struct.pack(">HHHH", number, number == 3, 0, len(extents))
            iloc += b"".join(struct.pack(">II", *extent) for extent in extents)
        ipco = box(b"ipco", box(b"ispe", bytes(12)), box(b"udes", b"PLANTED-description\0"))
        lists = box(
            b"meta",
            bytes(4),
            box(b"hdlr", bytes(4), b"\0\0\0\0pict" + bytes(13)),
            box(b"pitm", bytes(4), b"\0\3"),
            iinf,
            box(b"iloc", b"\1\0\0\0", iloc),
            box(b"iprp", ipco, box(b"ipma", bytes(8))),
            box(b"idat", b"gridgrid"),
            box(b"uuid", b"PLANTED-maker"),
        )
        top, filled = box(b"ftyp", brand, bytes(4), brand), box(b"mdat", *data)
        return top + (filled + lists if behind else lists + filled) + extra

    return whole(whole(0).index(b"tile-one"))


def cleaned(data: bytes, cuts: list[int] | None = None) -> tuple[bytes, bool]:
    """What is kept of a picture, and whether anything was taken out."""
    head = data[: rules.HEAD]
    picture = Picture(format_of(head, rules.media_of(head)))
    made, at = [], 0
    for end in [*sorted(cuts or []), len(data)]:
        made.append(picture.feed(data[at:end]))
        at = end
    picture.finish()
    return b"".join(made), picture.removed
