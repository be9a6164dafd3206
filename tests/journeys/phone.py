"""The phone app as a person with a phone uses it: by what stands on the screen."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.journeys.browsers import until
from tests.journeys.camera import Camera
from tests.journeys.desktop import Desktop, Notification
from tests.journeys.looking import Looking
from tests.journeys.words import PHONE, digits, pattern
from tests.serving import Server

PIN = "8317"
CALM_MS = 600
"""A request does not take a tap at once: it may have been on its way to something else."""
# Chromium has no such property: only Safari tells by it that a page was opened by its icon.
ON_HOME_SCREEN = "Object.defineProperty(navigator, 'standalone', { value: true });"
Launch = Callable[[], AbstractContextManager[BrowserContext]]


class Phone:
    """One phone; it may be switched off and on again. Texts are named by their catalogue keys."""

    context: BrowserContext
    page: Page

    def __init__(
        self,
        launch: Launch,
        server: Server,
        camera: Camera,
        screen: Desktop,
        looking: Looking,
        *,
        may_notify: bool = True,
    ) -> None:
        self._launch = launch
        self._power = ExitStack()
        self._looking = looking
        self.server = server
        self.camera = camera
        self.screen = screen
        self.may_notify = may_notify
        self._installed = False

    def start(self) -> None:
        """Switch on; what was stored before is there."""
        self.context = self._power.enter_context(self._launch())
        self._looking.watch(self.context)
        self.page = self.context.pages[0]
        if self._installed:
            self.context.add_init_script(ON_HOME_SCREEN)

    def stop(self) -> None:
        """Switch off."""
        self._power.close()

    def put_on_home_screen(self) -> None:
        """From now on pages run in the installed app, as an iPhone tells it from its browser."""
        self._installed = True
        self.context.add_init_script(ON_HOME_SCREEN)

    def network(self, *, on: bool) -> None:
        """Switch the network on or off."""
        self.context.set_offline(not on)

    # --- screens --------------------------------------------------------------------------

    def open(self, path: str = "/") -> None:
        """Start the app, or open one of its addresses."""
        self.page.goto(self.server.phone + path)

    def at(self, screen: str, look: str = "") -> None:
        """The app shows this screen, now or soon."""
        expect(self.page.locator("#app")).to_have_attribute("data-screen", screen)
        self.look(look or screen)

    def look(self, screen: str) -> None:
        """Have the screen that is shown looked at."""
        self._looking.at(self.page, f"phone-{screen}")

    def shows(self, screen: str) -> bool:
        """Whether the app shows this screen at the moment."""
        return self.page.locator(f"#app[data-screen={screen}]").count() == 1

    def press(self, key: str) -> None:
        """Press the button of this name."""
        name = pattern(PHONE[key])
        self.page.get_by_role("button", name=name).locator("visible=true").first.click()

    def says(self, key: str) -> None:
        """The screen says so, now or soon."""
        shown = self.page.get_by_text(pattern(PHONE[key])).locator("visible=true")
        expect(shown.first).to_be_visible()

    def heading(self, key: str) -> None:
        """The screen is headed so, now or soon."""
        expect(self.page.locator("h1")).to_have_text(pattern(PHONE[key]))

    def fill(self, key: str, text: str) -> None:
        """Type into the field of this name."""
        self.page.get_by_label(PHONE[key], exact=True).last.fill(text)

    # --- activation -----------------------------------------------------------------------

    def type_code(self, code: str) -> None:
        """From the start: type an activation code."""
        self.open()
        self.at("home", look="welcome")
        self.press("welcome.type")
        self.give_code(code)

    def give_code(self, code: str) -> None:
        """On the screen that asks for it: an activation code."""
        self.at("type_code", look="type-code")
        self.fill("code.label", code)
        self.press("action.continue")

    def scan(self) -> None:
        """From the start: open the scanner."""
        self.open()
        self.at("home", look="welcome")
        self.press("welcome.scan")

    def agree(self) -> None:
        """Say yes to the account that is shown."""
        self.at("confirm")
        self.press("confirm.agree")

    def choose_pin(self, pin: str = PIN) -> None:
        """Choose a PIN, twice."""
        self.at("security", look="pin")
        self.fill("pin.choose", pin)
        self.fill("pin.again", pin)
        self.press("pin.save")

    def use_lock(self) -> None:
        """Choose the phone's own lock, which an iPhone offers before a PIN."""
        self.at("security", look="lock")
        self.press("lock.use")

    def link(self, code: str) -> None:
        """The whole activation, by typed code and PIN."""
        self.type_code(code)
        self.agree()
        self.choose_pin()
        self.is_linked()

    def is_linked(self) -> None:
        """The end of the activation."""
        self.at("done")
        self.press("action.done")
        self.at("home")

    def open_authenticate(self) -> None:
        """Start the app by its shortcut to the challenge, whatever waits."""
        self.open("/?open=authenticate")
        self.at("authenticate")

    # --- answering ------------------------------------------------------------------------

    def take_request(self) -> None:
        """Open the request that waits: shown at the start, listed when the app was open."""
        card = self.page.locator(".row.request")
        until(self.page, lambda: self.shows("request") or card.count() == 1, "a request")
        if not self.shows("request"):
            self.look("home-request")
            card.click()

    def answer(self, act: str, number: str = "") -> None:
        """Answer the request that waits: `approve`, `deny` or `report`."""
        self.take_request()
        self.at("request", look="request-number" if number else "request")
        self.page.wait_for_timeout(CALM_MS)
        if number:
            self.page.locator("main .field input").fill(number)
        self.press(f"request.{act}")

    def approve(self, number: str = "", pin: str = PIN) -> None:
        """Approve the request that is shown, with the page's number where it is asked for."""
        self.answer("approve", number)
        self.enter_pin(pin)
        self.at("result", look="approved")

    def enter_pin(self, pin: str = PIN) -> None:
        """Type the PIN into the sheet that asks for it."""
        sheet = self.page.get_by_role("dialog")
        expect(sheet).to_be_visible()
        self.look("unlock")
        sheet.get_by_label(PHONE["pin.yours"], exact=True).fill(pin)
        sheet.get_by_role("button", name=PHONE["action.continue"], exact=True).click()

    def respond(self, challenge: str, pin: str = PIN) -> str:
        """From the home screen: the response to a challenge."""
        self.press("home.authenticate")
        return self.make_response(challenge, pin)

    def make_response(self, challenge: str, pin: str = PIN) -> str:
        """From the screen that asks for the challenge: the response to it."""
        self.at("authenticate")
        self.fill("authenticate.challenge", challenge)
        self.press("authenticate.make")
        self.enter_pin(pin)
        self.at("response")
        return digits(self.page.locator("output.number").inner_text())

    def open_account(self, account: str) -> None:
        """From the home screen: one account."""
        self.page.get_by_role("button", name=account).click()

    # --- notifications --------------------------------------------------------------------

    def notified(self, after: int, saying: str) -> Notification:
        """The notification with this text that comes after so many."""
        return self.screen.wait(self.page.wait_for_timeout, after=after, saying=saying)

    def open_self_test(self) -> None:
        """Start the app with its self-test, as the test notification does."""
        self.open("/?open=test")
        self.at("self_test", look="self-test")

    def check(self, name: str, state: str) -> Locator:
        """The row of the self-test, as soon as it is in this state."""
        row = self.page.locator(f"[data-check={name}]")
        expect(row).to_have_attribute("data-state", state)
        return row

    def flies(self, verdict: str) -> None:
        """Send a test notification; this becomes of it."""
        self.press("check.send")
        flight = self.page.locator(".flight")
        expect(flight).to_have_attribute("data-verdict", verdict)

    def close(self) -> None:
        """Close the app; what works in the background goes on."""
        self.page.goto("about:blank")

    def tap_notification(self, after: int, key: str = "worker.sign_in") -> None:
        """Tap the notification of this kind that comes after so many; it opens the app."""
        shown = self.notified(after, PHONE[key])
        with self.context.expect_page() as opened:
            self.screen.click(shown)
        self.page = opened.value
