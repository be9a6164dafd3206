"""Captures written by WebKit's Web Inspector, the one that Safari shows.

Safari itself runs on Apple's systems only. WebKitGTK's MiniBrowser has the same inspector, and
serves its pages to another browser: WEBKIT_INSPECTOR_HTTP_SERVER says where. Its exporter is
called from there.
"""

import json
from typing import Any

from playwright.sync_api import Page, Playwright

from tests.captures.canaries import Canaries
from tests.captures.recording import STARTS, VISIT, browser_side
from tests.journeys.browsers import ARGUMENTS, chromium, until

_NETWORK = """() => {
  WI.settings.clearNetworkOnNavigate.value = false;
  WI.showNetworkTab();
}"""
_RUN = """async (expression) => {
  const said = await WI.mainTarget.RuntimeAgent.evaluate.invoke(
    { expression, returnByValue: true });
  return said.result.value ?? null;
}"""
_EXPORT = """async () => {
  const view = WI.tabBrowser.selectedTabContentView.contentBrowser.currentContentView;
  return JSON.stringify(await WI.HARBuilder.buildArchive(view._HARResources()), null, 2);
}"""


def by_webkit(playwright: Playwright, canaries: Canaries, origin: str, inspector: str) -> str:
    """As WebKit's Web Inspector exports them; `inspector` is where MiniBrowser serves it."""
    browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
    tools = browser.new_page()
    tools.goto(f"http://{inspector}/Main.html?ws={inspector}/socket/1/1/WebPage")
    until(tools, lambda: tools.evaluate("globalThis.WI?.mainTarget != null"), "the inspector")
    tools.evaluate(_NETWORK)
    for start in STARTS:
        _run(tools, f"void (location.href = {json.dumps(origin + start)})")
        tools.wait_for_timeout(1500)
    given = json.dumps(browser_side(canaries, origin))
    done = "() => { window.DONE = 'done'; }, (error) => { window.DONE = String(error); }"
    _run(tools, f"void ({VISIT.rstrip().rstrip(';')})({given}).then({done})")
    ended = until(tools, lambda: _run(tools, "window.DONE"), "the visit")
    assert ended == "done", ended
    tools.wait_for_timeout(1000)
    written = str(tools.evaluate(_EXPORT))
    browser.close()
    return written


def _run(tools: Page, expression: str) -> Any:
    return tools.evaluate(_RUN, expression)
