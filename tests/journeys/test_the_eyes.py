"""What looks at the screens must see: a gate that cannot fail proves nothing."""

from playwright.sync_api import Browser, Page, Route

from tests.journeys.browsers import PHONE_SIZE
from tests.journeys.looking import Looking

ORIGIN = "http://localhost:1"
HEAD = "<title>t</title><meta name=viewport content='width=device-width, initial-scale=1'>"
POLICY = "default-src 'none'; script-src 'self'; require-trusted-types-for 'script'"


STUCK = """() => {
  const style = (name, said) => Object.assign(document.querySelector(name).style, said);
  style("#covered", {position: "absolute", left: "0", top: "calc(100vh - 58px)", height: "44px"});
  style("h1", {marginBottom: "150vh"});
  style("footer", {bottom: "0"});
  style("button", {height: "44px", width: "100%"});
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("footer { position: sticky; background: white }");
  document.adoptedStyleSheets = [sheet];
}"""


def shown(desk: Browser, eyes: Looking, body: str, *, phone: bool = False) -> Page:
    """A page of ours with this body, under a strict policy, being watched."""
    context = (
        desk.new_context(is_mobile=phone, viewport=PHONE_SIZE) if phone else desk.new_context()
    )
    eyes.watch(context)
    page = context.new_page()

    def answer(route: Route) -> None:
        html = f'<!doctype html><html lang="en">{HEAD}<body><main>{body}</main></body>'
        headers = {"Content-Type": "text/html", "Content-Security-Policy": POLICY}
        route.fulfill(body=html, headers=headers)

    page.route(f"{ORIGIN}/**", answer)
    page.goto(f"{ORIGIN}/")
    return page


def test_refused_script_is_a_complaint(desk: Browser) -> None:
    """What the policy refuses is noticed, whoever tried it."""
    eyes = Looking()
    page = shown(desk, eyes, "<h1>Quiet</h1>")
    assert eyes.complaints == []
    page.evaluate("() => { try { document.body.innerHTML = '<b>x</b>' } catch { } }")
    page.wait_for_timeout(100)
    assert any("TrustedHTML" in complaint for complaint in eyes.complaints)
    page.context.close()


def test_poor_screen_is_a_complaint(desk: Browser) -> None:
    """Missing names, wide content and small targets are each seen."""
    eyes = Looking()
    wide = "<h1>Wide</h1><input><table><tr><td>" + "x" * 200 + "</td></tr></table>"
    page = shown(desk, eyes, wide)
    eyes.at(page, "poor")
    said = "\n".join(eyes.complaints)
    assert "axe label" in said
    assert "wider than 320 pixels" in said
    assert "too small a target" in said
    page.context.close()


def test_phone_that_zooms_out_is_not_believed(desk: Browser) -> None:
    """What is too wide with large text is a complaint where the window grows with it, too."""
    eyes = Looking()
    page = shown(desk, eyes, f"<h1>Wide</h1><p>{'x' * 30}</p>", phone=True)
    eyes.at(page, "wide")
    assert [said for said in eyes.complaints if "twice the size" in said]
    assert not [said for said in eyes.complaints if "wider than 320" in said]
    page.context.close()


def test_what_lies_over_a_target_for_the_moment_is_none(desk: Browser) -> None:
    """A bar that stays in view covers what a thumb scrolls free; it is where it was afterwards."""
    eyes = Looking()
    body = "<h1>Long</h1><a href=#a id=covered>covered</a><footer><button>Go</button></footer>"
    page = shown(desk, eyes, body)
    page.evaluate(STUCK)
    eyes.at(page, "stuck")
    assert not [said for said in eyes.complaints if "target-size" in said]
    assert page.evaluate("getComputedStyle(document.querySelector('footer')).position") == "sticky"
    page.context.close()


def test_good_screen_is_none(desk: Browser) -> None:
    """A plain page with a heading passes."""
    eyes = Looking()
    page = shown(desk, eyes, "<h1>Good morning</h1><p>Nothing is waiting.</p>")
    eyes.at(page, "good")
    assert eyes.complaints == []
    page.context.close()
