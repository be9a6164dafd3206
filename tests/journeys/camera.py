"""What a phone's camera sees: a picture of the portal, held in a hand.

Chromium plays a file in place of a camera and opens it anew whenever a page asks for the camera,
so one running browser can be shown one code after another.
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import segno
import zxingcpp
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
WIDTH, HEIGHT = 1280, 720
DESK_GREY = 150
SEED = 20


@dataclass(frozen=True)
class Hand:
    """How the phone is held: what the picture suffers on its way into the camera."""

    fill: float = 0.92  # of the frame's shorter side
    turn: float = 4.0  # degrees
    tilt: float = 0.06  # how much smaller the far edge is
    blur: float = 0.8  # pixels, standard deviation
    noise: float = 6.0  # of 255, standard deviation


STEADY = Hand()
FAR_AWAY = Hand(fill=0.2)


class Camera:
    """The file behind one browser's camera."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "camera.mjpeg"
        self.show_nothing()

    @property
    def arguments(self) -> list[str]:
        """Switches that make Chromium use it; whether a page may is the profile's permission."""
        return [
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={self.path}",
        ]

    def show(self, png: bytes, hand: Hand = STEADY) -> None:
        """Point the camera at a screenshot; seen from the next time the camera is opened."""
        self._play(photograph(_picture(png), hand))

    def show_nothing(self) -> None:
        """Point the camera at an empty desk."""
        self._play(np.full((HEIGHT, WIDTH, 3), DESK_GREY, np.uint8))

    def _play(self, frame: Picture) -> None:
        # A run of JPEG pictures is a film to Chromium; one is repeated for ever. Replacing the
        # file leaves a camera that is open with the old one whole, never with half of the new.
        _, jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 92])
        fresh = self.path.with_suffix(".new")
        fresh.write_bytes(jpeg.tobytes())
        fresh.replace(self.path)


def photograph(picture: Picture, hand: Hand) -> Picture:
    """The picture as a camera over a grey desk takes it; the same noise every time."""
    height, width = picture.shape[:2]
    scale = hand.fill * min(WIDTH / width, HEIGHT / height)
    half_width, half_height = width * scale / 2, height * scale / 2
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    far = 1 - hand.tilt
    corners = np.array(
        [
            [-half_width, -half_height],
            [half_width * far, -half_height * far],
            [half_width * far, half_height * far],
            [-half_width, half_height],
        ]
    )
    angle = np.deg2rad(hand.turn)
    turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    placed = (corners @ turned + [WIDTH / 2, HEIGHT / 2]).astype(np.float32)
    # Shrinking first, with averaging, is what a lens does; a warp alone drops pixels.
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    move = cv2.getPerspectiveTransform(flat * np.float32(scale), placed)
    desk = np.full((HEIGHT, WIDTH, 3), DESK_GREY, np.uint8)
    cv2.warpPerspective(small, move, (WIDTH, HEIGHT), desk, borderMode=cv2.BORDER_TRANSPARENT)
    soft = cv2.GaussianBlur(desk, (0, 0), hand.blur).astype(np.float64)
    grain = np.random.default_rng(SEED).normal(0, hand.noise, soft.shape)
    return np.clip(soft + grain, 0, 255).astype(np.uint8)


def draw_qr(text: str) -> bytes:
    """A QR code of any text, as PNG."""
    drawn = BytesIO()
    segno.make(text, error="m", micro=False).save(drawn, kind="png", scale=8)
    return drawn.getvalue()


def read_qr(png: bytes) -> str:
    """What a phone's own camera reads off a screenshot. Raises ValueError when nothing."""
    (code,) = zxingcpp.read_barcodes(_picture(png))
    return str(code.text)


def _picture(png: bytes) -> Picture:
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), np.uint8)
