"""Bringing a phone: what the tests of the articles do not walk."""

from tests.journeys.browsers import Fingerprint
from tests.journeys.camera import FAR_AWAY, draw_qr, read_qr
from tests.journeys.conftest import NewPhone
from tests.journeys.phone import PIN, Phone
from tests.journeys.portal import Portal


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
