"""The help articles on adding a user to a phone that approves already, and their possible issues.

By QR code, by typed code, and by username, password and text message; on Android and on iPhone.
"""

from playwright.sync_api import expect

from tests.journeys.beginnings import (
    another_account,
    link_and_leave,
    link_with_face,
    sign_in_with_face,
)
from tests.journeys.browsers import IPHONE, until
from tests.journeys.conftest import NewPhone, NewPortal
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.proving import (
    add_by,
    add_by_code,
    choose_way,
    enter_known_lock,
    enter_known_pin,
    sheet_says,
    sign_in_on,
    texts,
    verify_number,
)
from tests.serving import Server


def has_accounts(phone: Phone, count: int) -> None:
    """The home screen lists so many."""
    expect(phone.page.locator(".row").filter(has_text="Northwind")).to_have_count(count)


def test_add_a_user_android_by_qr_code(portal: Portal, phone: Phone, account: str) -> None:
    """Add an account, scan, agree, the PIN that the phone has already, done.

    Possible issue: the same code, read again, was used and changes nothing.
    """
    link_and_leave(portal, phone, account)
    second = another_account(phone.server, account)
    portal.log_in(second)
    phone.camera.show(portal.picture())
    add_by(phone, "welcome.scan")
    phone.agree()
    enter_known_pin(phone)
    phone.is_linked()
    portal.says("activation.linked.title")
    has_accounts(phone, 2)

    add_by(phone, "welcome.scan")
    phone.heading("problem.ticket_used.title")
    phone.press("problem.button.home")
    phone.at("home")
    has_accounts(phone, 2)


def test_add_a_user_iphone_by_qr_code(
    portal: Portal, new_phone: NewPhone, account: str, server: Server
) -> None:
    """The app's own camera reads the code, and the phone's lock opens the keys for both.

    Possible issue: a code that is too old is told so, and the scanner waits for the new one.
    """
    app = new_phone(agent=IPHONE)
    link_with_face(portal, app, account)
    second = another_account(server, account)
    portal.log_in(second)
    app.camera.show(portal.picture())
    server.move_clock(601)
    add_by(app, "welcome.scan")
    app.heading("problem.ticket_expired.title")
    portal.page.reload()
    portal.press("activation.banner.renew")
    app.camera.show(portal.picture())
    app.press("problem.button.scan")
    app.agree()
    enter_known_lock(app)
    app.is_linked()
    portal.says("activation.linked.title")
    has_accounts(app, 2)


def test_add_a_user_android_by_typed_code(
    portal: Portal, new_portal: NewPortal, phone: Phone, account: str
) -> None:
    """The code is typed, the phone's PIN asked for once; every screen says for whom it acts.

    Possible issues: a slip of the PIN is told with the tries left, for the server knows. An
    account that is here already is told so, and nothing changes.
    """
    link_and_leave(portal, phone, account)
    second = another_account(phone.server, account)
    portal.log_in(second)
    add_by_code(phone, portal.code())
    phone.at("security", look="existing")
    phone.press("existing.open")
    phone.enter_pin("9999")
    sheet_says(phone, "unlock.wrong.other")
    phone.look("unlock-wrong")
    phone.enter_pin()
    phone.at("done", look="done-second")
    phone.press("action.done")
    has_accounts(phone, 2)
    for name in (second, account):
        portal = new_portal()
        portal.log_in(name)
        phone.take_request()
        expect(phone.page.locator(".facts")).to_contain_text(name)
        phone.approve(portal.read_number())
        portal.is_signed_in()
        phone.press("action.done")
    phone.at("home", look="home-two")

    portal.open("/activation")
    add_by_code(phone, portal.code())
    enter_known_pin(phone)
    phone.heading("problem.enrollment_exists.title")
    phone.at("problem", look="problem-exists")
    phone.press("problem.button.home")
    phone.at("home")
    has_accounts(phone, 2)


def test_add_a_user_iphone_by_typed_code(
    portal: Portal, new_phone: NewPhone, account: str, server: Server
) -> None:
    """Where the camera was refused, the app leads to typing; the phone's lock does the rest."""
    app = new_phone(agent=IPHONE, may_film=False)
    link_with_face(portal, app, account)
    second = another_account(server, account)
    portal.log_in(second)
    add_by(app, "welcome.scan")
    app.heading("problem.camera_denied.title")
    app.press("problem.button.type")
    app.give_code(portal.code())
    app.agree()
    enter_known_lock(app)
    app.is_linked()
    portal.says("activation.linked.title")
    has_accounts(app, 2)


def test_kb3432_add_another_user_by_credentials_and_text_message(
    portal: Portal, new_phone: NewPhone, account: str, server: Server
) -> None:
    """Username, password, a code by text to the account's number, the phone's lock, done.

    No code of the portal is needed, and no PIN is ever set. Possible issue: a wrong code is told
    where it was typed, with the tries left.
    """
    app = new_phone(agent=IPHONE)
    link_with_face(portal, app, account)
    second = another_account(server, account)
    portal.log_in(second)
    verify_number(portal)
    portal.open("/")
    portal.log_out()
    server.move_clock(120)

    app.press("home.add")
    app.at("adding", look="adding-lock")
    app.says("adding.lock")
    app.press("welcome.password")
    sign_in_on(app, second)
    before = len(texts(server))
    choose_way(app, "sms")
    app.at("case_code", look="case-sms")
    code = until(app.page, lambda: texts(server)[before:], "a text")[-1]
    app.fill("case.code", "000000" if code != "000000" else "000001")
    app.press("action.continue")
    app.says("case.wrong.other")
    app.fill("case.code", code)
    app.press("action.continue")
    app.agree()
    enter_known_lock(app)
    app.is_linked()
    has_accounts(app, 2)
    sign_in_with_face(portal, app, second)
