"""Signing in by a code that changes every two seconds, scanned with the app."""

from playwright.sync_api import expect

from tests.journeys.beginnings import link_and_leave, sign_in
from tests.journeys.camera import draw_qr, read_qr
from tests.journeys.conftest import NewPhone
from tests.journeys.phone import CALM_MS, Phone
from tests.journeys.portal import Portal
from tests.journeys.words import PHONE, pattern


def show_code(portal: Portal) -> None:
    """From the sign-in page: the code, without username and password."""
    portal.open("/login")
    portal.page.locator("a[href^='/login/qr'], form[action^='/login/qr'] button").first.click()
    expect(portal.page.locator("[data-code] svg")).to_be_visible()


def picture(portal: Portal) -> bytes:
    """What the phone's camera sees of it now."""
    return portal.page.locator("[data-code]").screenshot()


def scan(phone: Phone, portal: Portal) -> None:
    """From the home screen of the app: hold it to the code."""
    phone.open()
    phone.at("home")
    phone.camera.show(picture(portal))
    phone.press("home.scan")


def approve(phone: Phone) -> None:
    """Say yes to the request that the code led to."""
    phone.at("request", look="request-claimed")
    phone.page.wait_for_timeout(CALM_MS)
    phone.press("request.approve")
    phone.enter_pin()
    phone.at("result", look="approved")


def test_code_scanned_in_the_app_signs_in_without_typing(
    portal: Portal, phone: Phone, account: str
) -> None:
    """No username, no password: the code, the request, the PIN; the browser is in."""
    link_and_leave(portal, phone, account)
    show_code(portal)
    portal.look("scan")
    scan(phone, portal)
    approve(phone)
    portal.is_signed_in()


def test_code_opened_by_the_phones_own_camera_leads_to_the_request(
    portal: Portal, phone: Phone, account: str
) -> None:
    """The system's camera opens the link in the app, which asks as it always does."""
    link_and_leave(portal, phone, account)
    phone.open()
    phone.at("home")
    show_code(portal)
    phone.page.goto(read_qr(picture(portal)))
    approve(phone)
    portal.is_signed_in()


def test_code_that_is_over_asks_for_the_new_one(portal: Portal, phone: Phone, account: str) -> None:
    """A photograph of the code is worth nothing seconds later; the scanner goes on."""
    link_and_leave(portal, phone, account)
    show_code(portal)
    old = read_qr(picture(portal))
    portal.page.wait_for_timeout(9_000)
    phone.camera.show(picture(portal))
    phone.page.goto(old)
    # The scanner opens by itself; the new code is before it already.
    approve(phone)
    portal.is_signed_in()


def test_code_claimed_by_another_phone_is_taken(
    portal: Portal, new_phone: NewPhone, account: str
) -> None:
    """The first phone wins and may scan again; the second is told that it was not the first."""
    first, second = new_phone(), new_phone()
    link_and_leave(portal, first, account)
    sign_in(portal, first, account)
    portal.open("/activation")
    second.link(portal.code())
    portal.open("/")
    portal.log_out()
    show_code(portal)
    code = read_qr(picture(portal))
    first.page.goto(code)
    first.at("request", look="request-claimed")
    first.close()
    first.page.goto(code)
    first.at("request", look="request-claimed")
    second.page.goto(code)
    second.at("problem", look="claim-taken")
    second.heading("problem.claim_taken.title")


def test_foreign_code_is_refused_by_what_it_is(phone: Phone, portal: Portal, account: str) -> None:
    """A claim link of another house opens nothing here."""
    link_and_leave(portal, phone, account)
    phone.open()
    phone.at("home")
    phone.camera.show(
        draw_qr("https://elsewhere.example/claim#1.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA")
    )
    phone.press("home.scan")
    phone.at("scan")
    why = pattern(PHONE["problem.link_elsewhere.why"])
    expect(phone.page.locator(".scan-hint")).to_contain_text(why)


def test_phone_without_accounts_says_what_comes_first(phone: Phone) -> None:
    """Whoever scans a sign-in code before linking a phone is told the order of things."""
    phone.open("/claim#1.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA")
    phone.at("claim", look="claim-nobody")
    phone.heading("claim.nobody.title")
