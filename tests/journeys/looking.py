"""A second pair of eyes on every screen that a journey passes.

Whatever a page complains of in its console (a refused script, style or address first of all)
fails the test. Each screen is looked at once: axe in both schemes, nothing wider than the
narrowest phone nor with text of twice the size, targets that a thumb can hit; and, when a folder
is named, a picture of it at both widths in both schemes.
"""

import html
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, ViewportSize, WebError, Worker

from tests.journeys.browsers import DESK_SIZE, PHONE_SIZE

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
NARROW: ViewportSize = {"width": 320, "height": 700}
AGAIN_MS = 500
LEAST_TARGET = 24  # CSS pixels, WCAG 2.2 success criterion 2.5.8
AXE_ALL: dict[str, object] = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
AXE_COLOURS: dict[str, object] = {"type": "rule", "values": ["color-contrast"]}

# A lawful refusal and a network that is off are both logged by Chromium itself.
EXPECTED_NOISE = ("Failed to load resource",)

SETTLED = """async () => {
  await document.fonts.ready;
  const moving = document.getAnimations({subtree: true}).filter(a => a.playState === "running"
    && a.effect?.getComputedTiming().endTime !== Infinity);
  await Promise.all(moving.map(a => a.finished.catch(() => {})));
}"""

# What stays in view lies over whatever stands there at the moment; a thumb scrolls it free.
FREED = """free => {
  for (const e of document.querySelectorAll("body *")) {
    if (free && getComputedStyle(e).position === "sticky") {
      e.style.position = "static";
      e.dataset.freed = "";
    } else if ("freed" in e.dataset) {
      e.style.position = "";
      delete e.dataset.freed;
    }
  }
}"""

# A phone makes its window as wide as what is too wide for it: innerWidth would always do. It stays
# zoomed afterwards, too, and what is pressed then is not what is there.
TOO_WIDE = """() => {
  const {scrollWidth, clientWidth} = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  const wide = [...document.querySelectorAll("body *")]
    .filter(e => e.getBoundingClientRect().right > clientWidth)
    .map(e => e.outerHTML.slice(0, 120)).slice(0, 3);
  return wide.length ? wide : [`${scrollWidth} of ${clientWidth} pixels`];
}"""

TEXT_SIZE = "size => { document.documentElement.style.fontSize = size; }"

TOO_SMALL = """least => [..."button input select textarea summary a[href]".split(" ")]
  .flatMap(name => [...document.querySelectorAll(name)]).filter(e => {
    const box = e.getBoundingClientRect();
    const inline = e.tagName === "A" && getComputedStyle(e).display === "inline";
    return box.width && !inline && e.type !== "hidden" && !e.closest(".visually-hidden")
      && !(e.labels && e.labels.length && [...e.labels].some(l => l.offsetHeight >= least))
      && (box.width < least || box.height < least) && getComputedStyle(e).opacity !== "0";
  }).map(e => `${e.outerHTML.slice(0, 120)} ${Math.round(e.getBoundingClientRect().height)}`)"""


@dataclass
class Looking:
    """What has been seen so far, what was wrong with it, and where pictures go."""

    folder: Path | None = None
    thorough: bool = True
    """At both widths and in both schemes, or only as phones show it by day."""
    complaints: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    @property
    def _schemes(self) -> tuple[Scheme, ...]:
        return SCHEMES if self.thorough else SCHEMES[:1]

    @property
    def _sizes(self) -> tuple[ViewportSize, ...]:
        return (PHONE_SIZE, DESK_SIZE) if self.thorough else (PHONE_SIZE,)

    def watch(self, context: BrowserContext) -> None:
        """Hear everything that the pages and workers of a browser complain of."""
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("serviceworker", self._worker)

    def _worker(self, worker: Worker) -> None:
        worker.on("console", self._console)

    def _console(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning", "assert"} and not said.text.startswith(EXPECTED_NOISE):
            where = said.location.get("url", "")
            self.complaints.append(f"{said.type}: {said.text} ({where})")

    def _error(self, error: WebError) -> None:
        self.complaints.append(f"uncaught: {error.error}")

    def at(self, page: Page, name: str) -> None:
        """Look at the screen that is shown, once; its name is `<where>-<screen>`."""
        if name in self.seen:
            return
        self.seen.append(name)
        before = page.viewport_size or DESK_SIZE
        page.evaluate(SETTLED)
        page.evaluate(AXE_SCRIPT)
        for scheme in self._schemes:
            page.emulate_media(color_scheme=scheme)
            # What is dark differs in its colours only.
            found = _axe(page, AXE_ALL if scheme == "light" else AXE_COLOURS)
            self.complaints += [f"{name}, {scheme}: {wrong}" for wrong in found]
            if self.folder:
                self._pictures(page, name, scheme)
        page.set_viewport_size(PHONE_SIZE)
        page.evaluate(TEXT_SIZE, "200%")
        for wrong in page.evaluate(TOO_WIDE):
            self.complaints.append(f"{name}: too wide with text of twice the size: {wrong}")
        page.evaluate(TEXT_SIZE, "")
        page.set_viewport_size(NARROW)
        for wrong in page.evaluate(TOO_WIDE):
            self.complaints.append(f"{name}: wider than {NARROW['width']} pixels: {wrong}")
        for wrong in page.evaluate(TOO_SMALL, LEAST_TARGET):
            self.complaints.append(f"{name}: too small a target: {wrong}")
        page.emulate_media(color_scheme="null")
        page.set_viewport_size(before)

    def _pictures(self, page: Page, name: str, scheme: Scheme) -> None:
        for size in self._sizes:
            page.set_viewport_size(size)
            page.evaluate(SETTLED)
            assert self.folder is not None
            path = self.folder / f"{name}-{size['width']}-{scheme}.png"
            page.screenshot(path=path, full_page=True)

    def contact_sheet(self) -> None:
        """One page with all pictures, in the order in which a person meets the screens."""
        if not self.folder:
            return
        rows = []
        for name in self.seen:
            files = [
                f"{name}-{size['width']}-{scheme}.png"
                for size in self._sizes
                for scheme in self._schemes
            ]
            pictures = "".join(f'<a href="{file}"><img src="{file}" alt=""></a>' for file in files)
            rows.append(f"<h2>{html.escape(name)}</h2><div>{pictures}</div>")
        style = "body{font:16px system-ui;margin:24px;background:#888}img{height:420px;margin:4px}"
        (self.folder / "index.html").write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Screens</title>'
            f"<style>{style}</style><h1>{len(self.seen)} screens</h1>{''.join(rows)}</html>"
        )


def _axe(page: Page, rules: dict[str, object]) -> list[str]:
    """What axe finds wrong, and finds again: a screen may change while it is measured."""
    page.evaluate(FREED, True)
    found = _found(page, rules)
    if found:
        page.wait_for_timeout(AGAIN_MS)
        broken = {wrong.split(": ")[0] for wrong in found}
        found = [wrong for wrong in _found(page, rules) if wrong.split(": ")[0] in broken]
    page.evaluate(FREED, False)
    return found


def _found(page: Page, rules: dict[str, object]) -> list[str]:
    options = {"resultTypes": ["violations"], "runOnly": rules}
    result = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"axe {violation['id']}: {violation['help']}: {node['html'][:160]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]
