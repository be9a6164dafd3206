"""The PIN of a phone: changed by its owner, and renewed by its owner when it is forgotten."""

from playwright.sync_api import expect

from tests.journeys.beginnings import another_account, link_and_leave, link_phone, sign_in
from tests.journeys.browsers import Fingerprint
from tests.journeys.conftest import NewPortal
from tests.journeys.phone import PIN, Phone
from tests.journeys.portal import Portal
from tests.journeys.proving import (
    add_by_code,
    enter_known_pin,
    enter_recovery_code,
    recovery_codes,
    sheet_says,
    sign_in_on,
)
from tests.journeys.words import PORTAL
from tests.serving import PASSWORD

NEW_PIN = "Mcso2c"


def change_pin(phone: Phone, current: str, pin: str) -> None:
    """On the screen for it: the current PIN, and the new one twice."""
    phone.at("change_pin")
    phone.fill("change.current", current)
    phone.fill("pin.choose", pin)
    phone.fill("pin.again", pin)
    phone.press("change.save")


def two_accounts(portal: Portal, phone: Phone, account: str) -> str:
    """A phone with two accounts under one PIN; the second one's name."""
    link_and_leave(portal, phone, account)
    second = another_account(phone.server, account)
    portal.log_in(second)
    add_by_code(phone, portal.code())
    enter_known_pin(phone)
    phone.is_linked()
    portal.open("/")
    portal.log_out()
    return second


def test_changed_pin_counts_for_all_accounts_at_once(
    portal: Portal, new_portal: NewPortal, phone: Phone, account: str
) -> None:
    """The current PIN is proven to the server first; a wrong one is told with the tries left.

    From then on the new one approves for both accounts, and the old one does not.
    """
    second = two_accounts(portal, phone, account)
    phone.press("settings.title")
    phone.press("settings.pin")
    change_pin(phone, "9999", NEW_PIN)
    phone.says("unlock.wrong.other")
    phone.at("change_pin", look="change-pin-wrong")
    change_pin(phone, PIN, PIN)
    phone.says("change.same")
    phone.press("pin.guidelines.link")
    phone.at("pin_guidelines")
    phone.press("action.back")
    change_pin(phone, PIN, NEW_PIN)
    phone.at("pin_changed")
    expect(phone.page.get_by_role("listitem")).to_have_count(2)
    phone.press("action.done")
    portal.log_in(account)
    phone.answer("approve", portal.read_number())
    phone.enter_pin(PIN)
    sheet_says(phone, "request.wrong.other")
    phone.enter_pin(NEW_PIN)
    phone.at("result", look="approved")
    portal.is_signed_in()
    phone.press("action.done")
    other = new_portal()
    other.log_in(second)
    other.respond(phone_response(phone, second, other))
    other.is_signed_in()


def phone_response(phone: Phone, account: str, portal: Portal) -> str:
    """A response for one of several accounts, under the new PIN."""
    phone.open_authenticate()
    phone.page.get_by_role("radio", name=account).check()
    portal.unfold("login.wait.not_received")
    return phone.make_response(portal.challenge(), NEW_PIN)


def test_pin_cannot_be_changed_without_a_connection(
    portal: Portal, phone: Phone, account: str
) -> None:
    """Without the server nobody can tell whether the current PIN is right: nothing is changed."""
    link_and_leave(portal, phone, account)
    phone.press("settings.title")
    phone.press("settings.pin")
    phone.at("change_pin")
    phone.network(on=False)
    change_pin(phone, PIN, NEW_PIN)
    phone.says("problem.offline.why")
    phone.network(on=True)
    phone.open()
    sign_in(portal, phone, account)


def link_two_with_codes(
    new_portal: NewPortal, phone: Phone, first: str, second: str
) -> dict[str, list[str]]:
    """Two accounts on one phone, each with recovery codes."""
    codes = {}
    for name in (first, second):
        desk = new_portal()
        desk.log_in(name)
        if name == first:
            phone.link(desk.code())
        else:
            add_by_code(phone, desk.code())
            enter_known_pin(phone)
            phone.is_linked()
        desk.open("/")
        desk.log_out()
        sign_in(desk, phone, name)
        phone.press("action.done")
        codes[name] = recovery_codes(desk)
    return codes


def approves_with_new_pin(new_portal: NewPortal, phone: Phone, name: str) -> Portal:
    """A browser that the phone lets in, with its new PIN."""
    desk = new_portal()
    desk.log_in(name)
    phone.answer("approve", desk.read_number())
    phone.enter_pin(NEW_PIN)
    phone.at("result", look="approved")
    desk.is_signed_in()
    phone.press("action.done")
    return desk


def test_forgotten_pin_is_renewed_by_a_recovery_code_one_account_after_the_other(
    portal: Portal, new_portal: NewPortal, phone: Phone, account: str
) -> None:
    """From the sheet that asks for it to a new PIN, without anybody's help.

    The phone keeps its name; the other account says that it needs the new PIN, and is renewed by
    the same way with the PIN that was set.
    """
    second = another_account(phone.server, account)
    codes = link_two_with_codes(new_portal, phone, account, second)
    phone.open_account(account)
    phone.at("account")
    phone.fill("account.name", "Ada’s blue phone")
    phone.press("account.save")
    phone.says("account.saved")
    portal.log_in(account)
    phone.open()
    phone.answer("approve", portal.read_number())
    phone.press("unlock.forgot")
    phone.at("forgotten")
    phone.page.get_by_role("button", name=account).first.click()
    phone.at("credentials", look="credentials-renew")
    phone.fill("credentials.password", PASSWORD)
    phone.press("action.continue")
    enter_recovery_code(phone, codes[account][0].lower())
    phone.agree()
    phone.choose_pin(NEW_PIN)
    phone.at("done", look="done-renewed")
    phone.says("done.locked.one")
    phone.press("done.locked.next")
    phone.heading("forgotten.begun.title")
    phone.at("forgotten", look="forgotten-begun")
    phone.open()
    phone.says("home.locked")
    phone.at("home", look="home-locked")
    phone.press("home.locked.go")
    phone.page.get_by_role("button", name=second).click()
    phone.fill("credentials.password", PASSWORD)
    phone.press("action.continue")
    enter_recovery_code(phone, codes[second][0])
    phone.agree()
    enter_known_pin(phone, NEW_PIN)
    phone.is_linked()
    for name in (account, second):
        desk = approves_with_new_pin(new_portal, phone, name)
        desk.open("/settings/phones")
        kept = desk.page.get_by_text("Ada’s blue phone")
        expect(kept).to_have_count(1 if name == account else 0)


def test_forgotten_pin_is_renewed_from_a_browser_that_is_signed_in(
    portal: Portal, phone: Phone, account: str
) -> None:
    """The portal shows a code for a new PIN; the phone keeps its name and is not listed twice."""
    link_and_leave(portal, phone, account)
    sign_in(portal, phone, account)
    phone.press("action.done")
    portal.open("/settings/phones")
    name = portal.page.locator("li strong").first.inner_text()
    named = PORTAL["devices.new_pin_named"].format(label=name)
    portal.page.get_by_role("link", name=named).click()
    portal.look("new-pin")
    phone.press("settings.title")
    phone.press("settings.forgotten")
    phone.at("forgotten")
    phone.press("forgotten.scan")
    phone.press("scan.type")
    phone.at("type_code")
    phone.fill("code.label", portal.code())
    phone.press("action.continue")
    phone.agree()
    phone.choose_pin(NEW_PIN)
    phone.is_linked()
    expect(phone.page.locator(".row").filter(has_text="Northwind")).to_have_count(1)
    portal.open("/settings/phones")
    expect(portal.page.get_by_text(name, exact=True)).to_have_count(1)
    portal.open("/")
    portal.log_out()
    portal.log_in(account)
    phone.answer("approve")
    phone.enter_pin(NEW_PIN)
    phone.at("result", look="approved")
    portal.is_signed_in()


def test_phones_own_lock_sets_a_pin_and_replaces_a_forgotten_one(
    portal: Portal, phone: Phone, account: str
) -> None:
    """Where the finger opens the keys, a PIN is set and set anew without the old one."""
    portal.log_in(account)
    phone.open()
    Fingerprint(phone.page)
    phone.type_code(portal.code())
    phone.agree()
    phone.press("lock.use")
    phone.is_linked()
    for pin in ("58213", NEW_PIN):
        phone.press("settings.title")
        phone.at("settings")
        if pin == NEW_PIN:
            phone.press("settings.forgotten")
            phone.at("forgotten", look="forgotten-lock")
            phone.press("forgotten.lock")
        else:
            phone.press("settings.pin.set")
        phone.at("change_pin", look="set-pin")
        phone.fill("pin.choose", pin)
        phone.fill("pin.again", pin)
        phone.press("change.save.lock")
        phone.at("pin_changed")
        phone.press("action.done")


def test_one_wrong_pin_through_two_accounts_is_counted_on_the_phone(
    portal: Portal, phone: Phone, account: str
) -> None:
    """Changing the account gives no more tries: the phone pauses, and says until when."""
    two_accounts(portal, phone, account)
    phone.press("settings.title")
    phone.press("settings.pin")
    for guess in ("1357", "2468", "3579", "4680", "5791", "6802"):
        change_pin(phone, guess, NEW_PIN)
        phone.page.wait_for_timeout(1500)
    phone.says("problem.approvals_blocked.why")
    phone.at("change_pin", look="change-pin-paused")


def test_password_is_not_the_way_to_try_pins(portal: Portal, phone: Phone, account: str) -> None:
    """The way by password asks for the account's password, and tells a wrong one in its words."""
    link_phone(portal, phone, account)
    phone.press("home.add")
    phone.press("welcome.password")
    sign_in_on(phone, account, PIN)
    phone.says("problem.wrong_credentials.why")
