"""An account with two phones."""

from playwright.sync_api import expect

from tests.journeys.beginnings import link_and_leave
from tests.journeys.browsers import until
from tests.journeys.conftest import NewPhone, NewPortal
from tests.journeys.portal import Portal
from tests.journeys.push_service import PushService


def test_chooser_sends_nothing_before_the_choice_and_a_change_of_mind_keeps_the_attempt(
    portal: Portal, new_portal: NewPortal, new_phone: NewPhone, account: str, pushes: PushService
) -> None:
    """Only after the choice is a phone asked.

    Choosing the other takes the request from the first and gives it to the second, within the
    same sign-in.
    """
    old, new = new_phone(), new_phone()
    link_and_leave(portal, old, account)
    portal.log_in(account)
    old.approve(portal.read_number())
    portal.is_signed_in()
    portal.open("/activation")
    portal.look("another-phone")
    new.link(portal.code())
    portal.open("/settings/phones")
    portal.look("phones")

    portal = new_portal()
    pushes.sent.clear()
    portal.log_in(account)
    portal.heading("login.choose.title")
    portal.look("choose")
    assert pushes.sent == []
    phones = portal.page.get_by_role("radio")
    expect(phones).to_have_count(2)
    phones.first.check()
    portal.press("login.choose.button")
    first_number = portal.read_number()
    old.open()
    new.open()
    until(old.page, lambda: old.shows("request") or new.shows("request"), "a request")
    asked, other = (old, new) if old.shows("request") else (new, old)
    portal.follow("login.wait.other_way")
    phones.last.check()
    portal.press("login.choose.button")
    number = portal.read_number()
    assert number != first_number
    asked.at("result", look="ended-elsewhere")
    other.open()
    other.approve(number)
    portal.is_signed_in()
