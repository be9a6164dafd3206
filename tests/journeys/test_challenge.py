"""Challenge and response: the phone without a network, and what it repairs."""

from tests.journeys.beginnings import link_and_leave
from tests.journeys.desktop import Desktop
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.push_service import PushService


def test_response_signs_in_with_the_phones_network_off_and_restores_push(
    portal: Portal, phone: Phone, account: str, screen: Desktop, pushes: PushService
) -> None:
    """A challenge is shown without ending the attempt; the app answers it offline.

    A counter that ran ahead costs a second response. At the next sign-in the notification is
    there again.
    """
    link_and_leave(portal, phone, account)
    phone.network(on=False)
    phone.open()
    phone.at("home", look="home-offline")
    # Responses that nobody sent: the phone's counter is now ahead of the server's.
    for _ in range(6):
        phone.respond("271828")
        phone.press("action.done")
    portal.log_in(account)
    portal.unfold("login.wait.not_received")
    portal.look("wait-response")
    portal.respond(phone.respond(portal.challenge()))
    portal.says("error.response_again.title")
    portal.look("response-again")
    phone.press("response.again")
    phone.at("authenticate")
    portal.respond(phone.make_response(portal.challenge()))
    portal.is_signed_in()

    portal.log_out()
    subscriptions = pushes.subscriptions
    phone.network(on=True)
    # It subscribes anew: whoever types responses may have a subscription that died unnoticed.
    with phone.page.expect_response("**/device/subscription"):
        phone.open()
        phone.at("home")
    assert pushes.subscriptions > subscriptions
    phone.close()
    before = screen.count
    portal.log_in(account)
    phone.tap_notification(before)
    phone.at("request")
