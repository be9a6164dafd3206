"""The help articles on linking a phone: their steps, then their possible issues.

By QR code and by typed code, on Android and on iPhone. An iPhone's browser and the app on its
home screen share nothing, so each is a profile of its own here.
"""

from playwright.sync_api import expect

from tests.journeys.beginnings import install_with_face, sign_in, sign_in_with_face
from tests.journeys.browsers import IPHONE
from tests.journeys.camera import read_qr
from tests.journeys.conftest import NewPhone
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.proving import add_by
from tests.serving import Server


def is_used(phone: Phone) -> None:
    """The app says that the code was used, and what to do."""
    phone.heading("problem.ticket_used.title")
    phone.at("problem", look="problem-used")
    phone.says("problem.ticket_used.next")


def test_kb3862_activate_android_by_qr_code(
    portal: Portal, phone: Phone, new_phone: NewPhone, account: str
) -> None:
    """Sign in, banner, app, scanner, camera, account, PIN, done; the portal follows live.

    Possible issues: whoever doubts signs in again, and the phone is asked. Another phone, whose
    camera was refused, is told how to allow it and led to typing; the code was used.
    """
    portal.log_in(account)
    portal.is_signed_in()
    portal.says("activation.banner.title")
    portal.look("banner")
    code = portal.code()
    phone.scan()
    phone.at("scan")
    phone.close()
    phone.camera.show(portal.picture())
    phone.scan()
    phone.agree()
    expect(portal.page.locator("[data-step=scan]")).to_have_attribute("data-state", "done")
    phone.choose_pin()
    phone.is_linked()
    portal.says("activation.linked.title")
    portal.look("linked")

    portal.follow("activation.linked.done")
    portal.log_out()
    sign_in(portal, phone, account)

    other = new_phone(may_film=False)
    other.scan()
    other.at("problem", look="problem-camera")
    other.heading("problem.camera_denied.title")
    other.press("problem.button.type")
    other.give_code(code)
    is_used(other)


def test_kb3861_activate_iphone_by_the_native_camera(
    portal: Portal, new_phone: NewPhone, account: str
) -> None:
    """The camera opens the browser, which says how to install; the app reads the same code.

    Before the app is there no key is made, and opening the link burns nothing, however often.
    Possible issue: once the phone is linked, the link says that it was used.
    """
    portal.log_in(account)
    link = read_qr(portal.picture())
    browser = new_phone(agent=IPHONE)
    for _ in range(2):
        browser.close()
        browser.page.goto(link)
        browser.at("install", look="install-ios")
        browser.heading("install.iphone.title")
        browser.says("install.copy")

    app = new_phone(agent=IPHONE)
    install_with_face(app)
    app.camera.show(portal.picture())
    app.scan()
    app.agree()
    app.use_lock()
    app.is_linked()
    portal.says("activation.linked.title")
    portal.follow("activation.linked.done")
    portal.log_out()
    sign_in_with_face(portal, app, account)

    browser.close()
    browser.page.goto(link)
    is_used(browser)


def test_activate_iphone_by_typed_code(
    portal: Portal, new_phone: NewPhone, account: str, server: Server
) -> None:
    """Without a camera the string beside the QR code does the same; the phone's lock protects it.

    Possible issue: after ten minutes the app says that it is too late; a new code works.
    """
    portal.log_in(account)
    code = portal.code()
    app = new_phone(agent=IPHONE)
    install_with_face(app)
    server.move_clock(601)
    app.type_code(code)
    app.heading("problem.ticket_expired.title")
    app.at("problem", look="problem-expired")
    portal.page.reload()
    portal.press("activation.banner.renew")
    assert portal.code() != code
    app.type_code(portal.code())
    app.agree()
    app.use_lock()
    app.is_linked()
    portal.says("activation.linked.title")


def test_activate_android_by_typed_code(portal: Portal, phone: Phone, account: str) -> None:
    """The string links the phone, in lower case and without dashes too.

    Possible issues: a wrong character, a missing one and a wrong code each have their own words
    and burn nothing. Typed once more, the code was used.
    """
    phone.open("/install")
    phone.at("install", look="install-android")
    portal.log_in(account)
    code = portal.code()
    phone.type_code("U" + code[1:])
    phone.says("problem.code_characters.why")
    phone.at("type_code", look="type-code-refused")
    phone.type_code(code[:-1])
    phone.says("problem.code_length.why")
    other = "0" if code[-1] != "0" else "1"
    phone.type_code(code[:-1] + other)
    phone.heading("problem.ticket_unknown.title")
    phone.at("problem", look="problem-unknown")

    phone.type_code(code.lower())
    phone.agree()
    phone.choose_pin()
    phone.is_linked()
    portal.says("activation.linked.title")

    add_by(phone, "welcome.type")
    phone.give_code(code)
    is_used(phone)
