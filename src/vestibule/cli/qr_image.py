"""Reads a QR code out of an image file, where the extra `vestibule[qr]` is installed."""

from __future__ import annotations

from pathlib import Path

from vestibule.cli.terminal import MISSING, StoppedError

try:
    import zxingcpp
    from PIL import Image
except ImportError:
    INSTALLED = False
else:
    INSTALLED = True


def read_qr(path: Path) -> str:
    """Return the text of the one QR code in a picture. Raises `StoppedError`."""
    if not INSTALLED:
        raise StoppedError(
            "Pictures cannot be read: an optional part is not installed.",
            "Run `pip install 'vestibule[qr]'`, or give the link itself.",
            code=MISSING,
        )
    try:
        with Image.open(path) as picture:
            found = zxingcpp.read_barcodes(picture.convert("L"))
    except OSError as error:
        raise StoppedError(f"{path} is no picture that can be read ({error}).") from None
    if len(found) != 1:
        raise StoppedError(
            f"{path} shows {len(found)} codes, not one.", "Cut the picture to the portal's QR code."
        )
    return str(found[0].text)
