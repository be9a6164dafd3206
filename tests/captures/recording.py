"""Captures written by browsers themselves: Chromium's DevTools, Firefox's, Playwright.

Chromium's panel for developers runs in a tab of its own, attached to the tab that it watches, and
its own exporter writes the file; Firefox's is asked for the file that its menu would save.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Playwright

from tests.captures.canaries import Canaries
from tests.captures.site import jwt
from tests.journeys.browsers import ARGUMENTS, chromium

VISIT = Path(__file__).with_name("visit.js").read_text()
STARTS = ("/", "/oauth/authorize", "/saml/start", "/")
"""Where a person goes by hand; what visit.js does begins on the last of them."""
PATIENCE = 60.0

# The exporter of Chromium's own Network panel, with and without what it calls sensitive data.
_EXPORT = """async (sanitize) => {
  const at = "devtools://devtools/bundled";
  const [har, logs, common] = await Promise.all([
    import(`${at}/models/har/har.js`),
    import(`${at}/models/logs/logs.js`),
    import(`${at}/core/common/common.js`),
  ]);
  let text = "";
  const stream = { write: async (part) => { text += part; } };
  const requests = logs.NetworkLog.NetworkLog.instance().requests();
  const progress = new common.Progress.Progress();
  await har.Writer.Writer.write(stream, requests, { sanitize }, progress);
  return text;
}"""
_KEEP_LOG = """async () => {
  const common = await import("devtools://devtools/bundled/core/common/common.js");
  common.Settings.Settings.instance().moduleSetting("network-log.preserve-log").set(true);
}"""


def browser_side(canaries: Canaries, origin: str) -> dict[str, Any]:
    """What visit.js is given."""
    tokens = {place: jwt(canaries, place) for place in canaries if place.startswith("jwt.")}
    return {"origin": origin, "secret": dict(canaries), "jwt": tokens}


def walk(page: Page, canaries: Canaries, origin: str) -> None:
    """Go through the whole site as a person does."""
    for start in STARTS:
        page.goto(origin + start)
        page.wait_for_timeout(500)
    assert page.evaluate(VISIT, browser_side(canaries, origin))


def by_playwright(playwright: Playwright, canaries: Canaries, origin: str, path: Path) -> None:
    """As a program for testing pages writes them."""
    browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
    context = browser.new_context(record_har_path=path, record_har_content="embed")
    walk(context.new_page(), canaries, origin)
    context.close()
    browser.close()


def by_chromium(
    playwright: Playwright, canaries: Canaries, origin: str, profile: Path
) -> dict[bool, str]:
    """As Chromium's developer tools export them: what they call sanitised, and all of it."""
    program = chromium()
    assert program is not None
    flags = ["--remote-debugging-port=0", "--remote-allow-origins=*", f"--user-data-dir={profile}"]
    with _running([program, *ARGUMENTS, *flags, "about:blank"]) as alive:
        file = profile / "DevToolsActivePort"
        _until(lambda: file.exists() and bool(file.read_text().strip()), alive)
        port = file.read_text().split()[0]
        browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        context = browser.contexts[0]
        page = context.pages[0]
        about = context.new_cdp_session(page).send("Target.getTargetInfo")["targetInfo"]
        socket_ = f"127.0.0.1:{port}/devtools/page/{about['targetId']}"
        address = f"devtools://devtools/bundled/devtools_app.html?ws={socket_}&panel=network"
        with context.expect_page() as opened:
            browser.new_browser_cdp_session().send("Target.createTarget", {"url": address})
        tools = opened.value
        tools.get_by_text("Fetch/XHR").first.wait_for()
        tools.evaluate(_KEEP_LOG)
        walk(page, canaries, origin)
        written = {sanitize: str(tools.evaluate(_EXPORT, sanitize)) for sanitize in (True, False)}
        browser.close()
    return written


def firefox() -> str | None:
    """The Firefox of this machine, or the one that VESTIBULE_FIREFOX names."""
    found = (shutil.which(name) for name in ("firefox", "firefox-esr"))
    return os.environ.get("VESTIBULE_FIREFOX") or next(filter(None, found), None)


class _Marionette:
    """Firefox's own remote control: lengths and JSON over a socket."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._file = self._socket.makefile("rb")
        self._sent = 0
        self._receive()
        self("WebDriver:NewSession", capabilities={})
        self("WebDriver:SetTimeouts", script=int(PATIENCE * 1000))

    def _receive(self) -> Any:
        length = b""
        while (byte := self._file.read(1)) != b":":
            assert byte, "Firefox has gone"
            length += byte
        return json.loads(self._file.read(int(length)))

    def __call__(self, command: str, **given: Any) -> Any:
        """Send a command and wait for its answer."""
        self._sent += 1
        message = json.dumps([0, self._sent, command, given]).encode()
        self._socket.sendall(b"%d:%b" % (len(message), message))
        _, _, failed, answer = self._receive()
        if failed:
            raise RuntimeError(failed)
        return answer

    def run(self, context: str, function: str, given: Any = None) -> Any:
        """The result of an asynchronous function, in pages ("content") or in the browser."""
        self("Marionette:SetContext", value=context)
        script = (
            f"const done = arguments[arguments.length - 1]; ({function})(arguments[0])"
            ".then((value) => done([value, null]), (error) => done([null, String(error)]))"
        )
        value, failed = self("WebDriver:ExecuteAsyncScript", script=script, args=[given])["value"]
        if failed:
            raise RuntimeError(failed)
        return value

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()


_OPEN_TOOLS = """async () => {
  const { require } = ChromeUtils.importESModule("resource://devtools/shared/loader/Loader.sys.mjs");
  const { gDevTools } = require("devtools/client/framework/devtools");
  const window = Services.wm.getMostRecentWindow("navigator:browser");
  const tab = window.gBrowser.selectedTab;
  window.tools = await gDevTools.showToolboxForTab(tab, { toolId: "netmonitor" });
}"""
_SAVE_ALL = """async () => {
  const window = Services.wm.getMostRecentWindow("navigator:browser");
  return JSON.stringify({ log: await window.tools.getHARFromNetMonitor() }, null, "  ");
}"""


def by_firefox(canaries: Canaries, origin: str, profile: Path) -> str:
    """As Firefox's Network Monitor saves them."""
    program = firefox()
    assert program is not None
    (profile / "user.js").write_text(
        'user_pref("marionette.port", 0);\nuser_pref("devtools.netmonitor.persistlog", true);\n'
    )
    flags = ["--headless", "--marionette", "--remote-allow-system-access", "--no-remote"]
    with _running([program, *flags, "--profile", str(profile)]) as alive:
        file = profile / "MarionetteActivePort"
        _until(lambda: file.exists() and bool(file.read_text().strip()), alive)
        control = _Marionette(int(file.read_text()))
        control.run("chrome", _OPEN_TOOLS)
        for start in STARTS:
            control("Marionette:SetContext", value="content")
            control("WebDriver:Navigate", url=origin + start)
            time.sleep(0.5)
        control.run("content", VISIT, browser_side(canaries, origin))
        written = str(control.run("chrome", _SAVE_ALL))
        control.close()
    return written


@contextmanager
def _running(command: list[str]) -> Iterator[Callable[[], bool]]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet)
    try:
        yield lambda: process.poll() is None
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def _until(ready: Callable[[], bool], alive: Callable[[], bool]) -> None:
    limit = time.monotonic() + PATIENCE
    while not ready():
        assert alive(), "the browser has gone"
        assert time.monotonic() < limit, "the browser did not answer"
        time.sleep(0.1)
