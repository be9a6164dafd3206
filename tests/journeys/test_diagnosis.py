"""A diagnosis: sent by a phone whose owner cannot sign in, attached later, read by staff."""

import re

from playwright.sync_api import expect

from tests.journeys.beginnings import link_and_leave, link_phone, sign_in
from tests.journeys.conftest import NewPhone, NewPortal
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.words import PHONE, PORTAL
from tests.serving import Server

REFERENCE = re.compile(r"^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$")


def shown(phone: Phone) -> str:
    """The text that the screen shows, as soon as it is there."""
    text = phone.page.get_by_label(PHONE["diagnosis.text"])
    expect(text).to_have_value(re.compile("Vestibule self-test"))
    return text.input_value()


def sent(phone: Phone) -> str:
    """Send it; its reference."""
    phone.press("diagnosis.send")
    phone.at("diagnosis_sent", look="diagnosis-sent")
    reference = phone.page.locator("dd b").inner_text()
    assert REFERENCE.match(reference)
    return reference


def failed_test_push(phone: Phone) -> None:
    """The network fails while its owner looks for what is wrong."""
    phone.open_self_test()
    phone.check("connection", "good")
    phone.network(on=False)
    phone.press("check.send")
    phone.says("problem.offline.why")


def attached_to_a_message(portal: Portal, reference: str) -> str:
    """Write a message by the app's link; the number of its conversation."""
    page = portal.page
    portal.open(f"/messages/new?diagnosis={reference}")
    portal.look("diagnosis-offered")
    portal.fill("support.new.subject", "No notifications")
    name = PORTAL["support.diagnosis.attach_name"].format(reference=reference)
    page.get_by_role("button", name=name).click()
    expect(page.get_by_text(f"diagnosis-{reference}.txt")).to_be_visible()
    expect(page.get_by_text(reference, exact=True)).to_have_count(0)
    expect(page.get_by_label(PORTAL["support.new.subject"])).to_have_value("No notifications")
    portal.look("diagnosis-attached")
    page.locator("select[name=topic]").select_option("sign-in")
    portal.fill("support.new.text", "See the diagnosis, please.")
    portal.press("support.new.send")
    portal.says("support.done.sent")
    return page.url.partition("/messages/")[2].partition("?")[0]


def test_phone_sends_it_its_owner_attaches_it_and_staff_reads_it(
    new_portal: NewPortal, new_phone: NewPhone, account: str, server: Server
) -> None:
    """What staff reads is letter for letter what the phone showed before it was sent."""
    client, staff = new_portal(), new_portal()
    phone, members_phone = new_phone(), new_phone()
    member = account.replace("mercer", "whitlock")
    server.add_account(member, name="Dana Whitlock")
    server.command("staff", "add", member, "--role", "support")
    link_and_leave(client, phone, account)

    client.log_in(account, "a password that is forgotten")
    client.says("error.wrong_credentials.title")
    failed_test_push(phone)
    phone.press("diagnosis.title")
    text = shown(phone)
    phone.look("diagnosis")
    assert re.search(r"Z offline \(self_test\)", text)
    assert "7 connection: todo (unreached)" in text
    assert account not in text
    phone.press("diagnosis.send")
    phone.says("problem.offline.why")
    phone.look("diagnosis-offline")
    assert shown(phone) == text, "nothing is lost"
    phone.network(on=True)
    reference = sent(phone)
    link = phone.page.get_by_role("link", name=PHONE["diagnosis.sent.write"])
    expect(link).to_have_attribute("href", f"{server.portal}/messages/new?diagnosis={reference}")
    phone.press("action.done")

    sign_in(client, phone, account)
    client.open(f"/messages/diagnoses/{reference}")
    client.look("diagnosis-read")
    assert client.page.locator("pre").inner_text().strip() == text.strip()
    number = attached_to_a_message(client, reference)

    link_and_leave(staff, members_phone, member)
    sign_in(staff, members_phone, member)
    staff.open(f"/messages/diagnoses/{reference}")
    staff.says("error.diagnosis_unknown.title")
    staff.open(f"/staff/tickets/{number}")
    file = staff.page.get_by_role("link", name=f"diagnosis-{reference}.txt")
    with staff.page.expect_download() as download:
        file.click()
    assert download.value.path().read_text() == text


def test_settings_and_problems_lead_to_it_once_there_is_an_account(
    portal: Portal, phone: Phone, account: str
) -> None:
    """Without one nobody could tell whose it is; with one, the problem that was shown is in it."""
    offered = phone.page.get_by_role("button", name=PHONE["diagnosis.title"])
    phone.open("/activate#1.nonsense")
    phone.at("problem", look="problem-link")
    expect(offered).to_have_count(0)
    phone.close()
    link_phone(portal, phone, account)
    phone.open("/activate#1.nonsense")
    phone.at("problem", look="problem-with-account")
    offered.click()
    phone.at("diagnosis", look="diagnosis-of-problem")
    assert "link_malformed" in shown(phone)
    phone.open()
    phone.at("home")
    phone.press("settings.title")
    phone.at("settings")
    offered.click()
    phone.at("diagnosis")
    shown(phone)
    reference = sent(phone)
    portal.open("/messages/new")
    name = PORTAL["support.diagnosis.delete_name"].format(reference=reference)
    portal.page.get_by_role("button", name=name).click()
    expect(portal.page.get_by_text(PORTAL["support.diagnosis.yours"])).to_have_count(0)
