"""The help articles on signing in with a linked phone, and on its notifications.

Recovery and migration, articles KB2748 and KB3073, stand beside their relatives in test_recovery.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.beginnings import link_and_leave, link_phone, wait_for_pushes
from tests.journeys.browsers import ANDROID, IPHONE, PHONE_SIZE, allow_notifications
from tests.journeys.conftest import NewPhone
from tests.journeys.desktop import Desktop
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.push_service import PushService
from tests.journeys.words import PHONE, pattern

MILLISECONDS = re.compile(r"^\d[\d,.\s]* ms$")


def test_kb3279_sign_in_on_one_device_approved_on_another(
    portal: Portal, phone: Phone, account: str
) -> None:
    """A second device shows a challenge; the phone with the keys makes the response to it.

    Possible issue: the phone cannot tell a wrong PIN; the other device can, counts it, and lets
    the right one in.
    """
    link_and_leave(portal, phone, account)
    portal.page.set_viewport_size(PHONE_SIZE)
    portal.log_in(account)
    portal.unfold("login.wait.not_received")
    phone.open_authenticate()
    portal.respond(phone.make_response(portal.challenge(), pin="9999"))
    portal.says("error.response_wrong.title")
    portal.look("response-wrong")
    phone.press("response.again")
    portal.respond(phone.make_response(portal.challenge()))
    portal.is_signed_in()


@pytest.mark.parametrize("agent", [ANDROID, IPHONE], ids=["android", "iphone"])
def test_kb3236_enable_notifications(
    portal: Portal, new_phone: NewPhone, account: str, screen: Desktop, agent: str
) -> None:
    """Refused once, notifications cannot be asked for again: the app names the system's steps.

    Until then nothing is lost: the request waits in the app. Once they are allowed in the
    phone's settings, the app subscribes by itself; a test and the next sign-in arrive.
    """
    phone = new_phone(agent=agent, may_notify=False)
    if agent == IPHONE:
        phone.put_on_home_screen()
    link_and_leave(portal, phone, account)
    phone.says("push.denied")
    phone.at("home", look="home-blocked")
    phone.press("push.how")
    phone.at("notifications")
    phone.says(f"notifications.{'ios' if agent == IPHONE else 'android'}.2")
    phone.press("action.done")
    portal.log_in(account)
    portal.says("login.wait.open_there")
    portal.look("wait-not-notified")
    phone.approve(portal.read_number())
    portal.is_signed_in()
    phone.open_self_test()
    row = phone.check("allowed", "todo")
    expect(row).to_contain_text(PHONE["check.says.denied"])
    row.get_by_role("button", name=PHONE["check.remedy.how"]).click()
    phone.at("notifications", look="notifications-denied")
    phone.says("notifications.without")

    phone.stop()
    allow_notifications(phone.camera.path.with_name("profile"))
    phone.start()
    phone.open()
    wait_for_pushes(portal)
    phone.open_self_test()
    phone.check("allowed", "good")
    phone.flies("arrived")
    portal.open("/")
    portal.log_out()
    phone.close()
    before = screen.count
    portal.log_in(account)
    phone.tap_notification(before)
    phone.at("request")


def test_kb3234_notifications_do_not_arrive(
    portal: Portal, phone: Phone, account: str, screen: Desktop, pushes: PushService
) -> None:
    """The nine checks: what the app sees it repairs, the rest it shows how to look at.

    Here the subscription is dead, which nobody knew before a test was sent, and later approval by
    notification is switched off. The last check, the resynchronisation, has a test of its own.
    """
    link_phone(portal, phone, account)
    pushes.forget_phones()
    phone.open_self_test()
    phone.says("check.without")
    phone.check("seamless", "good")
    phone.check("connection", "good")
    phone.check("resync", "ahead")

    phone.check("allowed", "good")
    phone.flies("gone")
    row = phone.check("allowed", "todo")
    expect(row).to_contain_text(PHONE["check.says.dead_subscription"])
    phone.look("self-test-dead")
    row.get_by_role("button", name=PHONE["check.remedy.subscribe"]).click()
    phone.check("allowed", "good")
    before = screen.count
    phone.flies("arrived")
    phone.look("self-test-arrived")
    phone.notified(before, PHONE["worker.test"])
    stops = phone.page.locator(".flight .timer")
    for stop in range(3):
        expect(stops.nth(stop)).to_have_text(MILLISECONDS)

    # What came is known to the phone from now on; the others only its owner can see.
    expect(phone.check("list", "asks")).to_contain_text(pattern(PHONE["check.says.arrived"]))
    for name in ("silent", "focus", "battery", "rooted"):
        row = phone.check(name, "asks")
        row.locator("summary").click()
        if name == "silent":
            phone.look("self-test-how")
        row.get_by_role("button", name=PHONE["check.looked"]).click()
        phone.check(name, "good")

    switch_seamless(portal, "off")
    phone.press("check.again")
    row = phone.check("seamless", "todo")
    expect(row).to_contain_text(PHONE["check.says.seamless_off"])
    way = row.get_by_role("link", name=PHONE["check.remedy.portal"])
    expect(way).to_have_attribute("href", f"{portal.server.portal}/settings/sign-in")
    switch_seamless(portal, "on")
    phone.press("check.again")
    phone.check("seamless", "good")
    portal.log_out()
    portal.log_in(account)
    phone.open()
    phone.approve(portal.read_number())
    portal.is_signed_in()


def switch_seamless(portal: Portal, to: str) -> None:
    """In the settings of the portal: approval by notification `on` or `off`."""
    portal.open("/settings/sign-in")
    portal.page.locator(f"input[name=seamless][value={to}]").check()
    portal.press("devices.secure.save")
    portal.says("devices.secure.saved")
