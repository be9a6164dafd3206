"""The portal as a person at a desk uses it: by what stands on the page."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.journeys.looking import Looking
from tests.journeys.words import PORTAL, digits, pattern
from tests.serving import PASSWORD, Server


class Portal:
    """One browser with the portal in it. Texts are named by their catalogue keys."""

    def __init__(self, page: Page, server: Server, looking: Looking) -> None:
        self.page = page
        self.server = server
        self._looking = looking

    def look(self, screen: str) -> None:
        """Have the page that is shown looked at."""
        self._looking.at(self.page, f"portal-{screen}")

    def open(self, path: str = "/") -> None:
        """Go to a page by its address."""
        self.page.goto(self.server.portal + path)

    def press(self, key: str) -> None:
        """Press the button of this name."""
        self.page.get_by_role("button", name=PORTAL[key], exact=True).click()

    def follow(self, key: str) -> None:
        """Follow the link of this name."""
        self.page.get_by_role("link", name=PORTAL[key], exact=True).click()

    def fill(self, key: str, text: str) -> None:
        """Type into the field of this name."""
        self.page.get_by_label(PORTAL[key], exact=True).fill(text)

    def unfold(self, key: str) -> None:
        """Open what is folded under this heading."""
        self.page.locator("summary").filter(has_text=PORTAL[key]).click()

    def says(self, key: str) -> None:
        """The page says so, now or soon, and without being asked again."""
        shown = self.page.get_by_text(pattern(PORTAL[key])).locator("visible=true")
        expect(shown.first).to_be_visible()

    def heading(self, key: str) -> None:
        """The page is headed so, now or soon."""
        first = self.page.get_by_role("heading", level=1)
        expect(first).to_have_text(re.compile(f"^{pattern(PORTAL[key]).pattern}$"))

    # --- signing in -----------------------------------------------------------------------

    def log_in(self, username: str, password: str = PASSWORD) -> None:
        """Open the form and send username and password."""
        self.open("/login")
        self.look("sign-in")
        self.fill("login.sign_in.username", username)
        self.fill("login.sign_in.password", password)
        self.press("login.sign_in.button")

    def is_signed_in(self) -> None:
        """The start page of somebody who is signed in is shown, now or soon."""
        expect(self.page.locator("details.menu")).to_be_visible()
        assert self.page.url == self.server.portal + "/"

    def log_out(self) -> None:
        """Sign out through the menu."""
        self.page.locator("details.menu summary").click()
        self.look("menu")
        self.press("web.menu.sign_out")
        self.heading("login.sign_in.title")

    # --- the first phone ------------------------------------------------------------------

    def code(self) -> str:
        """The code to type in the app."""
        expect(self.page.locator("#typed-code")).to_be_visible()
        return "".join(self.page.locator("#typed-code span").all_inner_texts())

    def picture(self) -> bytes:
        """A screenshot of the page that shows the QR code."""
        expect(self.page.locator(".qr svg")).to_be_visible()
        return self.page.screenshot()

    # --- while the phone is asked ---------------------------------------------------------

    @property
    def number(self) -> Locator:
        """The number that the phone asks for."""
        return self.page.locator("[data-part=number] .number")

    def read_number(self) -> str:
        """The number that the phone asks for, as soon as it is shown."""
        expect(self.number).to_be_visible()
        return digits(self.number.inner_text())

    def challenge(self) -> str:
        """The challenge to type in the app."""
        return digits(
            self.page.locator("form[action='/login/response']")
            .locator("xpath=..")
            .locator(".number")
            .inner_text()
        )

    def respond(self, response: str) -> None:
        """Type what the app shows, and send it."""
        self.fill("login.response.field", response)
        self.press("login.response.button")
