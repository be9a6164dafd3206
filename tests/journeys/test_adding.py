"""Bringing an account by password, and what can go wrong whatever the way.

The ways themselves are walked by the tests of the articles.
"""

from playwright.sync_api import expect

from tests.journeys.beginnings import another_account, link_and_leave
from tests.journeys.browsers import IPHONE
from tests.journeys.camera import draw_qr, read_qr
from tests.journeys.conftest import NewPhone, NewPortal
from tests.journeys.phone import PIN, Phone
from tests.journeys.portal import Portal
from tests.journeys.proving import (
    add_by_code,
    choose_way,
    enter_known_pin,
    enter_text,
    sign_in_on,
    verify_number,
)

SAMSUNG = (
    "Mozilla/5.0 (Linux; Android 15; SAMSUNG SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) "
    "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (Android 16; Mobile; rv:146.0) Gecko/146.0 Firefox/146.0"
IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1"
)


# --- username and password ------------------------------------------------------------------


def test_password_and_text_message_link_a_first_phone(
    portal: Portal, phone: Phone, account: str
) -> None:
    """No QR code is needed: the password and a code by text link the first phone at once.

    A wrong password and a wrong code are told where they were typed, the latter with the tries
    left; another code may be asked for after a wait that counts down.
    """
    portal.log_in(account)
    verify_number(portal)
    portal.open("/")
    portal.log_out()
    phone.open()
    phone.press("welcome.password")
    sign_in_on(phone, account, "not the password")
    phone.says("problem.wrong_credentials.why")
    phone.at("credentials", look="credentials-wrong")
    sign_in_on(phone, account)
    choose_way(phone, "sms")
    phone.at("case_code", look="case-sms")
    phone.says("case.again.wait")
    phone.fill("case.code", "000000")
    phone.press("action.continue")
    phone.says("case.wrong.other")
    phone.press("case.other")
    phone.server.move_clock(120)
    enter_text(phone)
    phone.agree()
    phone.choose_pin()
    phone.is_linked()
    portal.log_in(account)
    phone.approve(portal.read_number())
    portal.is_signed_in()


def test_call_reads_the_code_where_no_text_arrives(
    portal: Portal, phone: Phone, account: str
) -> None:
    """A voice reads the code, to whoever chooses a call."""
    portal.log_in(account)
    verify_number(portal)
    phone.server.move_clock(120)
    phone.open()
    phone.press("welcome.password")
    sign_in_on(phone, account)
    enter_text(phone, "voice")
    phone.agree()
    phone.choose_pin()
    phone.is_linked()


def test_password_alone_says_where_help_comes_from(phone: Phone, account: str) -> None:
    """Without a number, a code and another phone there is no way here, and the page says so."""
    phone.open()
    phone.press("welcome.password")
    sign_in_on(phone, account)
    phone.at("ways", look="ways-none")
    phone.heading("ways.none.title")
    phone.says("ways.none.portal")


# --- one phone, several accounts --------------------------------------------------------------


def test_challenge_is_answered_for_the_account_that_was_chosen(
    portal: Portal, new_portal: NewPortal, phone: Phone, account: str
) -> None:
    """With two accounts the app asks which one, and an account's own screen chooses it."""
    link_and_leave(portal, phone, account)
    second = another_account(phone.server, account)
    portal.log_in(second)
    add_by_code(phone, portal.code())
    enter_known_pin(phone)
    phone.is_linked()
    other = new_portal()
    other.log_in(second)
    phone.open_authenticate()
    expect(phone.page.get_by_role("radio")).to_have_count(2)
    phone.look("authenticate-two")
    phone.page.get_by_role("radio", name=second).check()
    other.unfold("login.wait.not_received")
    other.respond(phone.make_response(other.challenge()))
    other.is_signed_in()
    phone.press("action.done")
    phone.open_account(second)
    phone.press("account.authenticate")
    expect(phone.page.get_by_role("radio", name=second)).to_be_checked()


# --- what can go wrong --------------------------------------------------------------------


def test_replaced_code_and_spent_code_have_words_of_their_own(
    portal: Portal, phone: Phone, account: str
) -> None:
    """A code that a newer one replaced, and one that was guessed at, are told apart."""
    portal.log_in(account)
    old = portal.code()
    portal.press("activation.banner.renew")
    code = portal.code()
    phone.type_code(old)
    phone.heading("problem.ticket_withdrawn.title")
    phone.at("problem", look="problem-withdrawn")
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    for _ in range(5):
        phone.type_code(wrong)
        phone.at("problem", look="problem-unknown")
    phone.type_code(code)
    phone.heading("problem.ticket_exhausted.title")
    phone.at("problem", look="problem-exhausted")


def test_no_network_costs_a_tap_and_nothing_else(
    portal: Portal, phone: Phone, account: str
) -> None:
    """Without a network the code is not lost: once it is back, trying again goes on."""
    portal.log_in(account)
    code = portal.code()
    phone.open()
    phone.at("home")
    phone.network(on=False)
    phone.press("welcome.type")
    phone.fill("code.label", code)
    phone.press("action.continue")
    phone.heading("problem.offline.title")
    phone.at("problem", look="problem-offline")
    phone.network(on=True)
    phone.press("problem.button.retry")
    phone.agree()
    phone.choose_pin(PIN)
    phone.is_linked()


def test_scanner_says_what_kind_of_code_it_saw(portal: Portal, phone: Phone, account: str) -> None:
    """A code for an authenticator app, a text, and another app's link are told apart."""
    portal.log_in(account)
    link = read_qr(portal.picture())
    secret = link.partition("#")[2]
    for text, key in (
        ("otpauth://totp/Northwind:ada?secret=JBSWY3DPEHPK3PXP", "problem.link_totp.why"),
        ("WIFI:S:guests;T:WPA;P:lantern;;", "problem.link_other.why"),
        (f"https://approve.example/activate#{secret}", "problem.link_elsewhere.why"),
    ):
        phone.open()
        phone.at("home", look="welcome")
        phone.close()
        phone.camera.show(draw_qr(text))
        phone.scan()
        phone.says(key)
    phone.at("scan", look="scan-elsewhere")


def test_each_browser_has_its_own_steps_to_the_home_screen(
    portal: Portal, new_phone: NewPhone, account: str
) -> None:
    """The page that a phone's camera opens keeps the code alive and names this browser's menu.

    On Apple's systems no key is made in the browser; elsewhere the activation goes on at once.
    """
    portal.log_in(account)
    link = read_qr(portal.picture())
    for agent, guide in ((IPHONE, "iphone"), (IPAD, "ipad")):
        apple = new_phone(agent=agent)
        apple.page.goto(link)
        apple.at("install", look=f"install-{guide}")
        apple.heading(f"install.{guide}.title")
        apple.says("install.ios.go_on")
        apple.open()
        apple.at("home")
        apple.heading("held.title")
    for agent, guide in ((SAMSUNG, "samsung"), (FIREFOX, "firefox")):
        other = new_phone(agent=agent)
        other.open("/install")
        other.at("install", look=f"install-{guide}")
        other.heading(f"install.{guide}.title")
        other.says("install.store")
        other.page.goto(link)
        other.at("confirm")
