"""Sessions: ended, listed, revoked."""

from playwright.sync_api import expect

from tests.journeys.beginnings import link_and_leave, sign_in
from tests.journeys.conftest import NewPortal
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal


def test_sessions_are_listed_and_revoked_from_another_browser(
    portal: Portal, new_portal: NewPortal, phone: Phone, account: str
) -> None:
    """A session ended from another browser is over at its next step.

    Signing out leads to the form, and Back shows nothing of before.
    """
    link_and_leave(portal, phone, account)
    other = new_portal()
    for browser in (portal, other):
        sign_in(browser, phone, account)
        phone.press("action.done")
    portal.open("/settings/sessions")
    portal.look("sessions")
    portal.page.locator("form[action='/settings/sessions/end'] button").first.click()
    other.page.reload()
    other.heading("error.not_signed_in.title")
    other.look("not-signed-in")
    portal.log_out()
    portal.page.go_back()
    expect(portal.page.locator("details.menu")).to_have_count(0)


def test_settings_pages_are_pleasant(portal: Portal, phone: Phone, account: str) -> None:
    """Every page of the settings opens from the menu."""
    link_and_leave(portal, phone, account)
    sign_in(portal, phone, account)
    for page in ("sign-in", "phones", "sessions", "activity", "password"):
        portal.open(f"/settings/{page}")
        portal.look(f"settings-{page}")
    portal.open("/nowhere")
    portal.heading("error.not_found.title")
    portal.look("not-found")
