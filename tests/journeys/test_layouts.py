"""Layouts hold in languages that are longer than English, and in those read from right to left.

Two pseudo-languages made of English stand for them; every page is looked at as all others are:
axe, nothing too wide at 320 pixels or with text of twice the size, targets for thumbs.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.browsers import ANDROID, DESK, DESK_SIZE, PHONE_SIZE
from tests.journeys.looking import Looking
from tests.serving import PASSWORD, Server
from vestibule.base.i18n import PSEUDO

SETTINGS = ("sign-in", "phones", "factors", "contacts", "networks", "hours", "language")
MORE = ("recovery", "sessions", "activity", "password")
DELIVERY = ("keys", "keys/add", "networks", "certificate", "certificate/add", "log", "programs")
APP = ("/", "/install", "/?open=test", "/?open=notices", "/?open=authenticate", "/?open=scan")


@pytest.fixture
def eyes(looking: Looking) -> Iterator[Looking]:
    """Looks at phone width by day: the colours are those of English."""
    quick = Looking(looking.folder, thorough=False)
    yield quick
    assert quick.complaints == []


def opened(desk: Browser, eyes: Looking, language: str, *, phone: bool) -> BrowserContext:
    """A browser that asks for a pseudo-language."""
    context = desk.new_context(
        viewport=PHONE_SIZE if phone else DESK_SIZE,
        user_agent=ANDROID if phone else DESK,
        locale=language,
        reduced_motion="reduce",
    )
    eyes.watch(context)
    return context


def reads(page: Page, language: str) -> None:
    """The page says what it is written in, and from which side it is read."""
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("html")).to_have_attribute("dir", PSEUDO[language].direction)


@pytest.mark.parametrize("language", PSEUDO)
def test_portal_keeps_its_layout(
    desk: Browser, server: Server, account: str, eyes: Looking, language: str
) -> None:
    """Before the sign-in, after it, and on every page of the settings."""
    context = opened(desk, eyes, language, phone=False)
    page = context.new_page()
    page.goto(f"{server.portal}/login")
    reads(page, language)
    eyes.at(page, f"portal-{language}-sign-in")
    page.locator("input[name=username]").fill(account)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("form[action='/login'] button[type=submit]").first.click()
    expect(page.locator("details.menu")).to_be_visible()
    eyes.at(page, f"portal-{language}-home")
    for name in SETTINGS + MORE:
        page.goto(f"{server.portal}/settings/{name}")
        reads(page, language)
        eyes.at(page, f"portal-{language}-settings-{name}")
    page.goto(f"{server.portal}/settings/delivery")
    page.locator("form[action='/settings/delivery/switch'] button").click()
    eyes.at(page, f"portal-{language}-settings-delivery")
    for name in DELIVERY:
        page.goto(f"{server.portal}/settings/delivery/{name}")
        reads(page, language)
        eyes.at(page, f"portal-{language}-delivery-{name.replace('/', '-')}")
    page.goto(f"{server.portal}/notifications")
    eyes.at(page, f"portal-{language}-notifications")
    page.goto(f"{server.portal}/nowhere")
    eyes.at(page, f"portal-{language}-problem")
    assert len(eyes.seen) == len(SETTINGS + MORE + DELIVERY) + 5
    context.close()


@pytest.mark.parametrize("language", PSEUDO)
def test_app_keeps_its_layout(desk: Browser, server: Server, eyes: Looking, language: str) -> None:
    """The screens that a phone without accounts can open."""
    context = opened(desk, eyes, language, phone=True)
    page = context.new_page()
    for address in APP:
        page.goto(server.phone + address)
        expect(page.locator("#app[data-screen]")).to_be_attached()
        reads(page, language)
        screen = page.locator("#app").get_attribute("data-screen")
        eyes.at(page, f"phone-{language}-{screen}")
    assert len(eyes.seen) >= 3
    context.close()
