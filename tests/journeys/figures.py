"""The figures of the help articles: taken of the real screens, and compared with what they say.

With FIGURES_DIR the pictures are written anew, and beside them what stands on each screen; that
is what `make figures` does. Without it the screens are shown again, and a figure whose words are
no longer those of its screen fails the test. The pictures themselves are not compared: fonts and
smoothing differ from one machine to the next.
"""

import base64
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page

from tests.journeys.words import LANGUAGE, ROOT

FOLDER = ROOT / "knowledge" / "figures"
MANIFEST = "manifest.json"
MOST_BYTES = 40_000
SHARP = 2
MARGIN = 12
_COLOURS = (128, 64, 32, 16)
_QUALITIES = (80, 65)
_SCALES = (1, 0.75, 0.6, 0.5)
# What is another one every time: numbers, codes, times, keys, addresses of this machine.
_WORDS = """(root) => {
  const volatile = ".number, .digits, time, .typed, #typed-code, [data-until], output, code";
  const seen = (e) => e.checkVisibility({visibilityProperty: true, opacityProperty: true});
  const lines = [];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const text = node.textContent.replace(/\\s+/g, " ").trim();
      if (text) lines.push(text);
      return;
    }
    if (!(node instanceof Element) || !seen(node) || node.matches(volatile)) return;
    if (node.matches("option, script, style")) return;
    node.childNodes.forEach(walk);
  };
  walk(root);
  return lines;
}"""
_NUMBERS = re.compile(r"\d+")
# What names this run's machine gets the names that a client would see.
_RETOUCH = """() => {
  const names = [
    [/\\b(?:mercer|bianchi)\\d+\\b/g, "ada.mercer"],
    [/\\blocalhost(?::\\d+)?/g, "portal.northwind.example"],
    [/\\b127\\.0\\.0\\.1\\b/g, "203.0.113.7"],
  ];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const text = names.reduce((said, [pattern, name]) => said.replace(pattern, name), node.data);
    if (text !== node.data) node.data = text;
  }
}"""


@dataclass
class Figures:
    """Those of one language."""

    folder: Path
    writes: bool
    manifest: dict[str, dict[str, list[str]]]
    """By language and name: what stands on the screen."""
    stale: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    @classmethod
    def opened(cls) -> "Figures":
        """Those of the language of this run."""
        named = os.environ.get("FIGURES_DIR")
        folder = Path(named) if named else FOLDER
        path = folder / MANIFEST
        manifest = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        return cls(folder, bool(named), manifest)

    def take(self, page: Page, name: str, *parts: Locator) -> None:
        """The figure of that name: the parts of the page together, or all that is to be seen."""
        page.wait_for_timeout(400)
        page.evaluate(_RETOUCH)
        shown = [one for part in parts for one in part.all() if one.is_visible()]
        roots = shown or [page.locator("body")]
        words = [line for part in roots for line in part.evaluate(_WORDS)]
        said = [_NUMBERS.sub("…", line) for line in words]
        self.taken.add(name)
        if self.writes:
            path = self.folder / LANGUAGE / f"{name}.webp"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_small(_picture(page, shown)))
            self.manifest.setdefault(LANGUAGE, {})[name] = said
        elif self.manifest.get(LANGUAGE, {}).get(name) != said:
            self.stale.append(name)

    def close(self) -> None:
        """Keep what stands on the screens, beside the pictures."""
        if self.writes:
            self.folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps(self.manifest, ensure_ascii=False, indent=1, sort_keys=True)
            (self.folder / MANIFEST).write_text(f"{text}\n", "utf-8")


def _picture(page: Page, parts: Sequence[Locator]) -> Image.Image:
    """A sharp picture of the parts together, with a little room around them."""
    clip = {"x": 0.0, "y": 0.0, **dict(page.viewport_size or {}), "scale": SHARP}
    if parts:
        boxes = [box for part in parts if (box := part.bounding_box())]
        left, top = (min(box[axis] for box in boxes) - MARGIN for axis in ("x", "y"))
        right = max(box["x"] + box["width"] for box in boxes) + MARGIN
        bottom = max(box["y"] + box["height"] for box in boxes) + MARGIN
        scrolled = page.evaluate("() => scrollY")
        left, top = max(0.0, left), max(0.0, top + scrolled)
        width, height = right - left, bottom + scrolled - top
        clip |= {"x": left, "y": top, "width": width, "height": height}
    session = page.context.new_cdp_session(page)
    asked = {"format": "png", "clip": clip, "captureBeyondViewport": bool(parts)}
    drawn = base64.b64decode(session.send("Page.captureScreenshot", asked)["data"])
    session.detach()
    return Image.open(BytesIO(drawn)).convert("RGB")


def _small(picture: Image.Image) -> bytes:
    """As few colours as it takes to be small: a screen has few, except for what a camera sees."""
    for scale in _SCALES:
        size = (round(picture.width * scale), round(picture.height * scale))
        scaled = picture.resize(size, Image.Resampling.LANCZOS) if scale < 1 else picture
        for colours in _COLOURS:
            reduced = scaled.quantize(colours, dither=Image.Dither.NONE).convert("RGB")
            if small := _written(reduced, lossless=True, quality=50):
                return small
        for quality in _QUALITIES:
            if small := _written(scaled, lossless=False, quality=quality):
                return small
    raise ValueError("this figure does not get small enough: take less of the page")


def _written(picture: Image.Image, *, lossless: bool, quality: int) -> bytes | None:
    written = BytesIO()
    picture.save(written, "WEBP", lossless=lossless, quality=quality, method=4)
    return written.getvalue() if written.tell() <= MOST_BYTES else None
