"""Notifications: what people are told, and the self-test for when nothing arrives."""

import re

from playwright.sync_api import expect

from tests.journeys.beginnings import link_and_leave, link_phone, sign_in
from tests.journeys.browsers import until
from tests.journeys.conftest import NewPhone, NewPortal
from tests.journeys.desktop import Desktop
from tests.journeys.ntfy import Ntfy
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.push_service import PushService
from tests.journeys.words import PHONE

MILLISECONDS = re.compile(r"^\d[\d,.\s]* ms$")


def test_report_of_the_self_test_holds_no_secret(
    portal: Portal, phone: Phone, account: str
) -> None:
    """The text to hand on says what was found; it neither names the account nor opens anything."""
    link_phone(portal, phone, account)
    phone.open_self_test()
    phone.check("allowed", "good")
    phone.press("check.copy")
    report = phone.page.get_by_label(PHONE["check.report"])
    expect(report).to_be_visible()
    text = report.input_value()
    assert "5 allowed: good (granted, worker, subscription)" in text
    assert "push service: jmt17.google.com; server says: ok" in text
    assert account not in text
    assert "token" not in text
    phone.look("self-test-report")


def test_lost_notification_is_told_from_one_that_could_not_be_sent(
    portal: Portal, phone: Phone, account: str, pushes: PushService
) -> None:
    """The push service takes the message and delivers nothing: the app says where it got lost."""
    link_phone(portal, phone, account)
    phone.open_self_test()
    phone.check("allowed", "good")
    pushes.loses = True
    phone.flies("lost")
    phone.says("check.flight.lost")


def test_unreachable_server_is_told_from_a_faulty_phone(
    portal: Portal, phone: Phone, account: str
) -> None:
    """Without a network the connection is the row to look at; with one again, all is well."""
    link_phone(portal, phone, account)
    phone.open_self_test()
    phone.check("connection", "good")
    phone.network(on=False)
    phone.open_self_test()
    row = phone.check("connection", "todo")
    expect(row).to_contain_text(PHONE["check.says.unreached"])
    phone.check("seamless", "todo")
    phone.look("self-test-offline")
    phone.network(on=True)
    row.get_by_role("button", name=PHONE["check.remedy.again"]).click()
    phone.check("connection", "good")
    phone.check("seamless", "good")


def test_notices_are_listed_marked_and_opened_by_their_notification(
    portal: Portal, phone: Phone, account: str, screen: Desktop
) -> None:
    """What changes in an account is told to its phone, listed there, and new until seen."""
    link_phone(portal, phone, account)
    phone.open()
    phone.at("home")
    phone.close()
    before = screen.count
    portal.open("/settings/sign-in")
    portal.page.locator("input[name=seamless][value=off]").check()
    portal.press("devices.secure.save")
    shown = screen.wait(phone.page.wait_for_timeout, after=before)
    with phone.context.expect_page() as opened:
        screen.click(shown)
    phone.page = opened.value
    phone.at("notices")
    rows = phone.page.locator("button.notice")
    expect(rows.first).to_contain_text(PHONE["notices.new"])
    assert rows.count() >= 2, "the phone's own linking is listed, too"
    rows.first.click()
    phone.at("notice")
    phone.open()
    phone.at("home")
    expect(
        phone.page.get_by_role("button", name=PHONE["notices.title"], exact=True)
    ).to_be_visible()


def test_not_me_in_the_app_ends_the_session_that_a_notice_told_of(
    portal: Portal, new_portal: NewPortal, phone: Phone, account: str
) -> None:
    """A sign-in from a browser that was never here is told; its owner says no, and it is out."""
    link_and_leave(portal, phone, account)
    thief = new_portal()
    sign_in(thief, phone, account)
    phone.open("/?open=notices")
    phone.at("notices", look="notices")
    phone.page.locator("button.notice").first.click()
    phone.at("notice", look="notice")
    phone.press("notice.not_me")
    sheet = phone.page.get_by_role("dialog")
    expect(sheet).to_be_visible()
    phone.look("not-me")
    sheet.get_by_role("button", name=PHONE["notice.not_me.yes"]).click()
    phone.at("reported", look="not-me-done")
    phone.says("reported.done.sessions_ended")
    thief.open("/")
    thief.heading("error.not_signed_in.title")


def test_ntfy_is_a_second_way_that_its_owner_switches(
    portal: Portal, new_phone: NewPhone, account: str, ntfy: Ntfy
) -> None:
    """A phone without push: its topic is made, told, tested, used for a sign-in, and given up."""
    phone = new_phone(may_notify=False)
    link_and_leave(portal, phone, account)
    phone.open()
    phone.at("home")
    phone.press("settings.title")
    phone.at("settings")
    phone.press("notifications.title")
    phone.at("notifications")
    phone.press("second.title")
    phone.at("second_push", look="second-push")
    phone.press("second.on")
    phone.says("second.is_on")
    phone.look("second-push-on")
    topic = phone.page.locator(".facts dd").inner_text()
    way = phone.page.get_by_role("link", name=PHONE["second.open"])
    expect(way).to_have_attribute("href", re.compile(r"^ntfy://"))

    phone.press("second.test")
    phone.at("self_test")
    phone.press("check.send")
    until(phone.page, lambda: len(ntfy.of(topic)) == 1, "the test at the topic")
    portal.log_in(account)
    until(portal.page, lambda: len(ntfy.of(topic)) == 2, "the sign-in at the topic")
    told = ntfy.of(topic)[-1]
    assert told["click"].startswith(phone.server.phone)
    assert account not in str(told)

    phone.open()
    phone.answer("deny")
    phone.at("result", look="denied")
    phone.press("action.done")
    phone.press("settings.title")
    phone.at("settings")
    phone.press("notifications.title")
    phone.at("notifications")
    phone.press("second.title")
    phone.press("second.off")
    phone.says("second.privacy")
