"""The portal with JavaScript switched off: less comfortable, never stuck."""

from tests.journeys.beginnings import link_and_leave
from tests.journeys.conftest import NewPortal
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal


def test_response_signs_in_without_script(
    portal: Portal, new_portal: NewPortal, phone: Phone, account: str
) -> None:
    """The other way unfolds, takes the eight digits and signs in."""
    link_and_leave(portal, phone, account)
    plain = new_portal(script=False)
    plain.log_in(account)
    plain.unfold("login.wait.not_received")
    challenge = plain.challenge()
    phone.open_authenticate()
    plain.respond(phone.make_response(challenge))
    plain.is_signed_in()


def test_approval_signs_in_by_one_press_without_script(
    portal: Portal, new_portal: NewPortal, phone: Phone, account: str
) -> None:
    """Nothing moves by itself; a link on the page goes on once the phone has approved."""
    link_and_leave(portal, phone, account)
    plain = new_portal(script=False)
    plain.log_in(account)
    number = plain.read_number()
    phone.open()
    phone.approve(number)
    plain.follow("login.wait.no_script")
    plain.is_signed_in()
