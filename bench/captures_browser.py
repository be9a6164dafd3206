"""`python -m bench.captures_browser`: a large recording made safe in a real browser.

The page is the block of the ticket form, under the policy that it has there; the file is made of
the corpus, over and over. The window is an ordinary one, with private files on the disk; with
``--private`` it has them in the browser's memory, and with ``--no-files`` not at all. Memory is
that of the renderer, in which page and worker live, and of the browser's own process, which keeps
what is in no file; both beside what they had before, and together at the same moment.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import uvicorn
from playwright.sync_api import Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.journeys.browsers import ARGUMENTS, chromium, desk_browser
from vestibule.base import i18n
from vestibule.captures import REASONS
from vestibule.web.middleware import CAPTURE_POLICY
from vestibule.web.rendering import environment
from vestibule.web.static import static_file

_MB = 1_000_000
_CORPUS = Path(__file__).parents[1] / "tests" / "captures" / "corpus"
_PAGE = """{% import "components.html" as ui with context %}
{% import "support/capture.html" as capture with context %}<!doctype html>
<html lang="en" data-now="0"><title>Bench</title>
<link rel="stylesheet" href="{{ asset('portal.css') }}">{{ capture.scripts() }}
<main>{{ capture.block("Chrome", most, reasons, upload="/") }}</main></html>"""
_EVERY_S = 0.1


def page_of(most: int) -> str:
    """The block alone."""
    words = {"t": lambda key, **facts: i18n.t(key, "en", **facts), "language": "en"}
    view = {"most": most, "reasons": REASONS, "form_token": "", **words}
    return environment().from_string(_PAGE).render(view)


@contextmanager
def served(most: int) -> Iterator[str]:
    """The block and its scripts; the address."""

    async def page(_request: Request) -> HTMLResponse:
        return HTMLResponse(page_of(most), headers={"content-security-policy": CAPTURE_POLICY})

    app = Starlette(routes=[Route("/", page), Route("/static/{name:path}", static_file)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join()


def write_capture(path: Path, size: int) -> None:
    """A capture of so many bytes: what two browsers wrote, over and over."""
    names = ("chromium.har", "firefox.har")
    logs = [json.loads((_CORPUS / name).read_bytes())["log"] for name in names]
    entries = [json.dumps(entry).encode() for log in logs for entry in log["entries"]]
    body = json.dumps({"rows": [{"note": "x" * 60, "count": n} for n in range(2_000)]})
    entry = logs[0]["entries"][0]
    content = {"size": len(body), "mimeType": "application/json", "text": body}
    entries += [json.dumps(entry | {"response": entry["response"] | {"content": content}}).encode()]
    image = {
        "size": 750_000,
        "mimeType": "image/png",
        "text": "iVBO" * 250_000,
        "encoding": "base64",
    }
    entries += [json.dumps(entry | {"response": entry["response"] | {"content": image}}).encode()]
    with path.open("wb") as file:
        written = file.write(
            b'{"log":{"version":"1.2","creator":{"name":"bench","version":"1"},"entries":['
        )
        turn = 0
        while written < size - len(entries[turn % len(entries)]):
            piece = entries[turn % len(entries)]
            written += file.write((b",\n" if turn else b"") + piece)
            turn += 1
        file.write(b"]}}")


@dataclass
class Watch:
    """Memory of the browser's processes, in bytes, while something runs."""

    browser: psutil.Process
    peaks: dict[str, int] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> dict[str, int]:
        """What the largest renderer and the browser itself have now.

        Resident memory counts the browser's program too, of which all its processes share one
        copy; what is the renderer's own is counted apart.
        """
        renderers = [
            each.memory_full_info()
            for each in self.browser.children(recursive=True)
            if _shows_pages(" ".join(each.cmdline()))
        ]
        largest = max(renderers, key=lambda each: int(each.rss))
        browser = self.browser.memory_info().rss
        return {
            "renderer": largest.rss,
            "its own": largest.uss,
            "browser": browser,
            "both": largest.rss + browser,
        }

    def worked(self) -> float:
        """Seconds of CPU that all its processes have used."""
        every = [self.browser, *self.browser.children(recursive=True)]
        return sum(sum(each.cpu_times()[:2]) for each in every)

    def run(self) -> None:
        """Look until it is over."""
        while not self._over.wait(_EVERY_S):
            try:
                for name, size in self.look().items():
                    self.peaks[name] = max(size, self.peaks.get(name, 0))
            except (psutil.NoSuchProcess, ValueError):
                continue  # a renderer that ended while it was looked at

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look beside what is done meanwhile."""
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()


def browser_process() -> psutil.Process:
    """The browser that was just started by this program."""
    mine = psutil.Process().children(recursive=True)
    return next(each for each in mine if each.name().startswith("chrom") and _first(each))


def _shows_pages(command: str) -> bool:
    """Whether it is a renderer, and not that of the browser's own surface."""
    return "--type=renderer" in command and "--top-chrome-webui" not in command


def _first(process: psutil.Process) -> bool:
    return not any(part.startswith("--type=") for part in process.cmdline())


def heaps(page: Page) -> float:
    """Bytes of JavaScript in page and worker, after both were cleaned up."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")
    return float(used["usedSize"])


@contextmanager
def window(profile: Path, *, private: bool, files: bool) -> Iterator[Page]:
    """A page in a browser that was just started."""
    with sync_playwright() as playwright:
        if private:
            context = desk_browser(playwright).new_context()
        else:
            context = playwright.chromium.launch_persistent_context(
                profile, executable_path=chromium(), args=ARGUMENTS
            )
        if not files:
            context.add_init_script("delete StorageManager.prototype.getDirectory")
        yield context.new_page()
        context.close()


def measure(path: Path, profile: Path, *, private: bool, files: bool) -> None:
    """Measure one file, and print."""
    size = path.stat().st_size
    opened = window(profile, private=private, files=files)
    with served(10**12) as address, opened as page:
        page.on("console", lambda said: print("console:", said.text))
        page.goto(address)
        page.wait_for_selector("[data-stage=pick]:not([hidden])")
        watch = Watch(browser_process())
        before = watch.look()
        with watch.watching():
            begun, worked = time.monotonic(), watch.worked()
            page.set_input_files("#recording-file", path)
            ended = "[data-stage=ready]:not([hidden]), [data-stage=refused]:not([hidden])"
            page.wait_for_selector(ended, timeout=3_600_000)
            seconds, worked = time.monotonic() - begun, watch.worked() - worked
        print(f"file        {size / _MB:8.0f} MB, {page.inner_text('[data-slot=sizes]')}")
        print(f"requests    {page.inner_text('[data-slot=shown]')}")
        print(f"time        {seconds:8.1f} s, {size / _MB / seconds:.1f} MB/s; CPU {worked:.1f} s")
        for name, peak in watch.peaks.items():
            grown = (peak - before[name]) / _MB
            print(f"{name:9}   {peak / _MB:8.0f} MB at most, {grown:.0f} MB more than before")
        print(f"page's heap {heaps(page) / _MB:8.0f} MB afterwards")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.captures_browser")
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--file", type=Path, help="this capture, instead of one that is made")
    parser.add_argument("--private", action="store_true", help="in a private window")
    parser.add_argument("--no-files", action="store_true", help="in a browser without such files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.file or Path(folder) / "large.har"
        if not options.file:
            write_capture(path, options.megabytes * _MB)
        profile = Path(folder) / "profile"
        measure(path, profile, private=options.private, files=not options.no_files)


if __name__ == "__main__":
    main()
