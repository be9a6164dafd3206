"""Signing in with a phone: pushed, pulled, known and unknown browsers, deny, report, expiry."""

import pytest
from playwright.sync_api import expect

from tests.journeys.beginnings import know_browser, link_and_leave
from tests.journeys.conftest import NewPortal
from tests.journeys.desktop import Desktop
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.push_service import PushService
from tests.journeys.words import PHONE, PORTAL
from tests.serving import PASSWORD, Server


def test_pushed_request_is_approved_with_the_number_in_an_unknown_browser(
    portal: Portal, phone: Phone, account: str, screen: Desktop, pushes: PushService
) -> None:
    """The server's nudge, decrypted by the browser and tapped, opens the request.

    Number and PIN approve it; the portal moves on by itself.
    """
    link_and_leave(portal, phone, account)
    phone.close()
    before = screen.count
    portal.log_in(account)
    expect(portal.page.locator("[data-step=sent]")).to_have_attribute("data-state", "done")
    portal.look("wait-number")
    number = portal.read_number()
    phone.tap_notification(before)
    phone.approve(number)
    portal.is_signed_in()
    portal.look("home")
    (nudge,) = pushes.sent
    assert nudge.headers["content-encoding"] == "aes128gcm"
    assert nudge.headers["urgency"] == "high"
    assert 0 < int(nudge.headers["ttl"]) <= 180
    assert nudge.headers["authorization"].startswith("vapid t=")
    shown = screen.shown.values()
    assert not any(account in notification.body for notification in shown)


def test_known_browser_needs_a_tap_and_no_number(
    portal: Portal, phone: Phone, account: str
) -> None:
    """From the second sign-in on, the browser is known: the phone says so and asks no number."""
    know_browser(portal, phone, account)
    portal.log_in(account)
    expect(portal.page.locator("[data-step=answer]")).to_be_visible()
    expect(portal.number).to_be_hidden()
    portal.look("wait")
    phone.open()
    phone.at("request")
    phone.says("request.known")
    phone.approve()
    portal.is_signed_in()


def test_denied_sign_in_ends_at_once(portal: Portal, phone: Phone, account: str) -> None:
    """Deny needs no PIN; the portal says by itself that it was denied, and by whom it may be."""
    link_and_leave(portal, phone, account)
    portal.log_in(account)
    phone.open()
    phone.answer("deny")
    phone.at("result", look="denied")
    phone.heading("result.denied.title")
    portal.heading("login.ended.denied.title")
    portal.look("denied")
    portal.follow("login.ended.button")
    portal.heading("login.sign_in.title")


def test_reported_sign_in_stops_notifications(
    portal: Portal, phone: Phone, account: str, pushes: PushService
) -> None:
    """After a report nothing is pushed for a day, and the response still signs in."""
    link_and_leave(portal, phone, account)
    portal.log_in(account)
    phone.open()
    phone.answer("report")
    phone.at("result", look="reported")
    portal.heading("login.ended.reported.title")
    portal.look("reported")
    phone.press("action.done")
    pushes.sent.clear()
    portal.log_in(account)
    portal.says("login.response.why_reported")
    portal.look("response")
    portal.respond(phone.respond(portal.challenge()))
    portal.is_signed_in()
    assert pushes.sent == []


@pytest.mark.parametrize("fault", ["loses", "hangs"])
def test_lost_push_is_recovered_by_opening_the_app(
    portal: Portal, phone: Phone, account: str, pushes: PushService, fault: str
) -> None:
    """Nothing reaches the phone; opened by hand, the app shows the request that waits.

    A push service that never answers holds up nobody either.
    """
    link_and_leave(portal, phone, account)
    phone.close()
    setattr(pushes, fault, True)
    before = phone.screen.count
    portal.log_in(account)
    number = portal.read_number()
    assert phone.screen.count == before
    phone.open()
    phone.approve(number)
    portal.is_signed_in()


def test_dead_subscription_is_said_on_the_page(
    portal: Portal, phone: Phone, account: str, pushes: PushService
) -> None:
    """When the push service says that the phone is gone, the page says where the request waits."""
    link_and_leave(portal, phone, account)
    phone.close()
    pushes.status = 410
    portal.log_in(account)
    portal.says("login.wait.undelivered")
    portal.look("undelivered")
    number = portal.read_number()
    phone.open()
    phone.approve(number)
    portal.is_signed_in()


def test_expired_request_is_resumed_without_the_password(
    portal: Portal, phone: Phone, account: str, server: Server
) -> None:
    """When nobody answers in time the page says so, first of the request, then of the sign-in.

    Each time one press sends a new request.
    """
    link_and_leave(portal, phone, account)
    portal.log_in(account)
    server.move_clock(181)
    portal.open("/login/next")
    portal.says("login.wait.request_over")
    portal.look("wait-over")
    phone.open()
    phone.at("home")
    portal.press("login.wait.again")
    phone.take_request()
    server.move_clock(301)
    portal.open("/login/next")
    portal.heading("login.ended.resume.title")
    portal.look("resume")
    phone.open()
    phone.at("home")
    portal.press("login.ended.resume.button")
    phone.approve(portal.read_number())
    portal.is_signed_in()


def test_two_browsers_at_once_are_both_shown_and_both_need_the_number(
    portal: Portal, new_portal: NewPortal, phone: Phone, account: str
) -> None:
    """The phone lists both and says on each that another waits.

    It asks for the number of both, also of the browser it knows; each approves its own.
    """
    know_browser(portal, phone, account)
    portal.log_in(account)
    expect(portal.page.locator("[data-step=answer]")).to_be_visible()
    expect(portal.number).to_be_hidden()
    stranger = new_portal()
    stranger.log_in(account)
    assert stranger.read_number() != portal.read_number()
    portal.look("wait-number-other")
    phone.open()
    phone.at("home", look="home-two-requests")
    cards = phone.page.locator(".row.request")
    expect(cards).to_have_count(2)
    cards.first.click()
    phone.at("request", look="request-others")
    phone.says("request.others.one")
    known = phone.page.get_by_text(PHONE["request.known"], exact=True).count() == 1
    first, second = (portal, stranger) if known else (stranger, portal)
    phone.approve(first.read_number())
    first.is_signed_in()
    phone.press("result.next")
    phone.approve(second.read_number())
    second.is_signed_in()


def test_wrong_password_says_which_next_step(portal: Portal, account: str) -> None:
    """A wrong password and an unknown name read the same; the name stays filled in."""
    said = []
    for username in (account, f"{account}-nobody"):
        portal.log_in(username, PASSWORD + "!")
        portal.says("error.wrong_credentials.title")
        said.append(portal.page.get_by_role("alert").inner_text())
        assert (
            portal.page.get_by_label(PORTAL["login.sign_in.username"], exact=True).input_value()
            == username
        )
    assert said[0] == said[1]
    portal.look("wrong-password")
