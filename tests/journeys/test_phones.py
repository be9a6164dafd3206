"""A linked phone in the portal and in the app: its name, its answers, its removal."""

from playwright.sync_api import expect

from tests.journeys.beginnings import know_browser, link_and_leave, sign_in
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.words import PHONE


def test_name_given_on_the_phone_is_the_portals_name(
    portal: Portal, phone: Phone, account: str
) -> None:
    """A name saved in the app is shown in the portal, and one given in the portal in the app."""
    link_and_leave(portal, phone, account)
    sign_in(portal, phone, account)
    phone.press("action.done")
    phone.open_account(account)
    phone.at("account")
    phone.fill("account.name", "Ada's old phone")
    phone.press("account.save")
    phone.says("account.saved")
    portal.open("/settings/phones")
    expect(portal.page.get_by_text("Ada's old phone")).to_be_visible()
    portal.look("phones")
    portal.page.get_by_role("link", name="Rename Ada's old phone").click()
    portal.look("rename-phone")
    portal.fill("devices.name.field", "Blue phone")
    portal.press("devices.name.save")
    portal.says("devices.phones.done_renamed")
    phone.open()
    expect(phone.page.get_by_text("Blue phone")).to_be_visible()


def test_phone_removed_in_the_portal_learns_it_at_once(
    portal: Portal, phone: Phone, account: str
) -> None:
    """The open app says without being asked that the account is no longer linked.

    Removed there too, it takes its keys with it.
    """
    link_and_leave(portal, phone, account)
    sign_in(portal, phone, account)
    phone.press("action.done")
    phone.at("home")
    portal.open("/settings/phones")
    portal.page.get_by_role("link", name="Remove ").first.click()
    portal.look("remove-phone")
    portal.press("devices.removal.button")
    portal.says("devices.phones.done_removed_last")
    portal.look("phones-none")
    phone.says("home.ended")
    phone.at("home", look="home-ended")
    phone.open_account(account)
    phone.at("account", look="account-ended")
    phone.press("account.remove")
    phone.look("removal")
    phone.page.get_by_role("dialog").get_by_role("button", name=PHONE["removal.remove"]).click()
    phone.at("home", look="welcome")


def test_app_tells_what_was_answered_and_what_it_is(
    portal: Portal, phone: Phone, account: str
) -> None:
    """Recent answers are listed, on this phone only; settings and licences open offline too."""
    link_and_leave(portal, phone, account)
    sign_in(portal, phone, account)
    phone.press("action.done")
    phone.press("home.history")
    phone.at("history")
    phone.says("history.approved")
    phone.press("action.back")
    phone.network(on=False)
    phone.press("settings.title")
    phone.at("settings")
    phone.press("licences.title")
    phone.at("licences")


def test_seamless_off_asks_for_a_response_at_each_sign_in(
    portal: Portal, phone: Phone, account: str
) -> None:
    """Switched off in the portal, nothing is sent any more and the challenge stands at once."""
    know_browser(portal, phone, account)
    portal.log_in(account)
    phone.approve()
    portal.is_signed_in()
    phone.press("action.done")
    portal.open("/settings/sign-in")
    portal.page.get_by_role("radio").last.check()
    portal.press("devices.secure.save")
    portal.says("devices.secure.saved")
    portal.log_out()
    portal.log_in(account)
    portal.says("login.response.why_seamless_off")
    portal.look("seamless-off")
    phone.open_authenticate()
    portal.respond(phone.make_response(portal.challenge()))
    portal.is_signed_in()
