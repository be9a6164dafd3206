"""How large a figure is, read from the first bytes of its file (PNG or WebP). Pure."""

from typing import Final

HEAD: Final = 32
"""Bytes that are enough to tell."""
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def dimensions(head: bytes) -> tuple[int, int] | None:
    """Width and height in pixels; None: this is neither a PNG nor a WebP file."""
    if head.startswith(_PNG) and len(head) >= 24:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if len(head) < 30 or head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return None
    kind = head[12:16]
    if kind == b"VP8 ":
        return _little(head, 26, 2) & 0x3FFF, _little(head, 28, 2) & 0x3FFF
    if kind == b"VP8L":
        bits = _little(head, 21, 4)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return _little(head, 24, 3) + 1, _little(head, 27, 3) + 1
    return None


def _little(head: bytes, at: int, size: int) -> int:
    return int.from_bytes(head[at : at + size], "little")
