"""Bringing a phone: from the banner to a phone that is linked, and every way it can fail."""

from playwright.sync_api import expect

from tests.journeys.browsers import IPHONE, Fingerprint
from tests.journeys.camera import FAR_AWAY, draw_qr, read_qr
from tests.journeys.conftest import NewPhone
from tests.journeys.phone import PIN, Phone
from tests.journeys.portal import Portal
from tests.serving import Server


def test_first_sign_in_shows_a_code_that_the_apps_scanner_reads(
    portal: Portal, phone: Phone, account: str
) -> None:
    """The code as the portal draws it, held before the camera, links the phone.

    The portal follows live: the code was read, the phone is linked.
    """
    portal.log_in(account)
    portal.is_signed_in()
    portal.says("activation.banner.title")
    portal.look("banner")
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


def test_typed_code_links_the_phone(portal: Portal, phone: Phone, account: str) -> None:
    """The string below the QR code, typed in lower case and without dashes, does the same."""
    portal.log_in(account)
    phone.type_code(portal.code().lower())
    phone.agree()
    phone.choose_pin()
    phone.is_linked()
    portal.says("activation.linked.title")


def test_link_opened_by_the_phones_own_camera_links_the_phone(
    portal: Portal, phone: Phone, account: str, new_phone: NewPhone
) -> None:
    """The same QR code is a link: it opens the app at the confirmation.

    Opening it has burnt nothing: after a detour the app offers to go on, and the link still works.
    """
    portal.log_in(account)
    link = read_qr(portal.picture())
    phone.page.goto(link)
    phone.at("confirm")
    assert "#" not in phone.page.url
    phone.open()
    phone.heading("held.title")
    phone.at("home", look="held")
    phone.page.goto("about:blank")
    phone.page.goto(link)
    phone.agree()
    phone.choose_pin()
    phone.is_linked()
    portal.says("activation.linked.title")


def test_link_opened_on_an_iphone_leads_to_the_home_screen_first(
    portal: Portal, new_phone: NewPhone, account: str
) -> None:
    """On iOS, where keys made in the browser would be lost, the page says how to install.

    It keeps the link to copy, and the code works afterwards.
    """
    portal.log_in(account)
    iphone = new_phone(agent=IPHONE)
    iphone.page.goto(read_qr(portal.picture()))
    iphone.at("install", look="install-ios")
    iphone.says("install.copy")
    android = new_phone()
    android.open("/install")
    android.at("install", look="install-android")
    android.type_code(portal.code())
    android.at("confirm")


def test_fingerprint_in_the_place_of_a_pin(portal: Portal, phone: Phone, account: str) -> None:
    """With the phone's own user verification no PIN is ever set.

    The assertion approves, and the PRF extension opens the root for responses.
    """
    portal.log_in(account)
    phone.open()
    Fingerprint(phone.page)
    phone.type_code(portal.code())
    phone.agree()
    phone.at("security", look="pin-or-lock")
    phone.press("lock.use")
    phone.is_linked()
    portal.says("activation.linked.title")
    portal.follow("activation.linked.done")
    portal.log_out()
    portal.log_in(account)
    phone.answer("approve", portal.read_number())
    phone.at("result", look="approved")
    portal.is_signed_in()


# --- what can go wrong --------------------------------------------------------------------


def test_used_code_is_refused_with_its_own_words(
    portal: Portal, new_phone: NewPhone, account: str
) -> None:
    """A code links one phone; the second is told that it was used, and what to do."""
    portal.log_in(account)
    code = portal.code()
    new_phone().link(code)
    second = new_phone()
    second.type_code(code)
    second.at("problem", look="problem-used")
    second.heading("problem.ticket_used.title")
    second.says("problem.ticket_used.next")


def test_expired_code_is_refused_with_its_own_words(
    portal: Portal, phone: Phone, account: str, server: Server
) -> None:
    """After ten minutes the phone and the portal say so; a new code works."""
    portal.log_in(account)
    code = portal.code()
    server.move_clock(601)
    phone.type_code(code)
    phone.at("problem", look="problem-expired")
    phone.heading("problem.ticket_expired.title")
    portal.page.reload()
    portal.press("activation.banner.renew")
    assert portal.code() != code
    phone.link(portal.code())


def test_mistyped_code_burns_nothing(portal: Portal, phone: Phone, account: str) -> None:
    """A wrong character, a missing one and a wrong code each have their own words.

    The right code works afterwards.
    """
    portal.log_in(account)
    code = portal.code()
    phone.type_code("U" + code[1:])
    phone.says("problem.code_characters.why")
    phone.at("type_code", look="type-code-refused")
    phone.type_code(code[:-1])
    phone.says("problem.code_length.why")
    other = "0" if code[-1] != "0" else "1"
    phone.type_code(code[:-1] + other)
    phone.at("problem", look="problem-unknown")
    phone.heading("problem.ticket_unknown.title")
    phone.link(code)


def test_foreign_code_is_not_followed(portal: Portal, phone: Phone, account: str) -> None:
    """At a QR code of something else the scanner says what it saw and goes on looking.

    A code that is far away gets the hint to come closer.
    """
    portal.log_in(account)
    phone.open()
    phone.camera.show(draw_qr("https://elsewhere.example/menu"))
    phone.scan()
    phone.says("problem.link_foreign.why")
    phone.at("scan", look="scan-foreign")
    phone.close()
    phone.camera.show(portal.picture(), FAR_AWAY)
    phone.scan()
    phone.says("scan.hint.closer")


def test_camera_refused_leads_to_typing(portal: Portal, new_phone: NewPhone, account: str) -> None:
    """Whoever refuses the camera is told how to allow it, and one tap away from typing."""
    portal.log_in(account)
    phone = new_phone(may_film=False)
    phone.scan()
    phone.at("problem", look="problem-camera")
    phone.heading("problem.camera_denied.title")
    phone.press("problem.button.type")
    phone.at("type_code", look="type-code")


def test_poor_pins_are_refused_with_the_reason(portal: Portal, phone: Phone, account: str) -> None:
    """A run, a repetition and a year are not taken; two different ones neither."""
    portal.log_in(account)
    phone.type_code(portal.code())
    phone.agree()
    for pin, reason in (("1234", "pin_sequence"), ("1111", "pin_repeated"), ("1984", "pin_year")):
        phone.choose_pin(pin)
        phone.says(f"pin.reason.{reason}")
    phone.fill("pin.choose", PIN)
    phone.fill("pin.again", "8318")
    phone.press("pin.save")
    phone.says("pin.differs")
    phone.at("security", look="pin-refused")
    phone.choose_pin()
    phone.is_linked()
