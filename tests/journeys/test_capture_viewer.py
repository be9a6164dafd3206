"""A recording on its way: made safe in the client's browser, sent, and read by staff."""

import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from tests.journeys.beginnings import another_account, link_and_leave, sign_in
from tests.journeys.conftest import NewPortal
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.words import PORTAL
from tests.serving import Server

CORPUS = Path(__file__).parents[1] / "captures" / "corpus"
NUMBER = re.compile(r"/messages/([0-9A-Z]{4}-[0-9A-Z]{4})")


def picture(folder: Path) -> Path:
    """A picture of a screen."""
    path = folder / "screen.png"
    Image.new("RGB", (320, 180), (40, 90, 160)).save(path)
    return path


def begin(portal: Portal, account: str) -> None:
    """A client signs in, and writes a new message."""
    portal.log_in(account)
    portal.is_signed_in()
    portal.open("/messages/new")
    portal.page.get_by_label(PORTAL["support.new.topic"]).select_option("sign-in")
    portal.fill("support.new.subject", "The page stays empty")
    portal.page.get_by_label(PORTAL["support.new.text"], exact=True).fill("Since this morning.")


def number_of(portal: Portal) -> str:
    """The number of the conversation that is shown."""
    portal.page.wait_for_url(NUMBER)
    found = NUMBER.search(portal.page.url)
    assert found is not None
    return found[1]


def test_recording_is_sent_and_read_by_staff(  # noqa: PLR0917  -- fixtures
    portal: Portal,
    new_portal: NewPortal,
    phone: Phone,
    account: str,
    server: Server,
    tmp_path: Path,
) -> None:
    """The client sees what is left of it first; staff reads it without downloading anything."""
    begin(portal, another_account(server, account))
    page = portal.page
    page.locator("#files").set_input_files(picture(tmp_path))
    files = page.locator("[data-attach] [data-slot=files] > li")
    expect(files).to_have_count(1)
    # A recording among the files goes the way of recordings: nothing of it is sent yet.
    page.locator("#files").set_input_files(CORPUS / "chromium.har")
    portal.says("captures.block.ready")
    portal.look("attaching")
    # Sent with the message, and before it.
    portal.press("support.new.send")
    number = number_of(portal)
    expect(page.locator(".attached > li")).to_have_count(2)
    expect(page.locator(".attached img")).to_have_js_property("naturalWidth", 320)
    portal.look("attached")

    server.command("staff", "add", account, "--role", "support")
    desk = new_portal()
    link_and_leave(desk, phone, account)
    sign_in(desk, phone, account)
    desk.open(f"/staff/tickets/{number}")
    desk.look("staff-ticket-attached")
    desk.page.get_by_role("link", name=re.compile("chromium")).click()
    lines = desk.page.locator(".waterfall > li")
    expect(lines).to_have_count(100)
    expect(lines.first.locator(".tag")).to_have_class(re.compile("bad"))
    desk.look("recording")
    desk.page.get_by_label(PORTAL["support.recording.order"]).select_option("slowest")
    desk.press("support.recording.show")
    expect(desk.page).to_have_url(re.compile("order=slowest"))
    lines.first.get_by_role("link").click()
    expect(desk.page.locator("svg.bar").first).to_be_visible()
    desk.look("recording-request")
    desk.follow("support.recording.next_request")
    desk.follow("support.recording.list")
    expect(desk.page).to_have_url(re.compile("order=slowest"))


def test_files_are_attached_without_script(
    new_portal: NewPortal, account: str, tmp_path: Path
) -> None:
    """The form brings them; what is refused costs nothing of what was typed."""
    # The pair of eyes needs scripts: what it has seen once, it does not look at again.
    seen = new_portal()
    seen.open("/login")
    seen.look("sign-in")
    portal = new_portal(script=False)
    begin(portal, account)
    page = portal.page
    program = tmp_path / "setup.exe"
    program.write_bytes(b"MZ")
    page.locator("#files").set_input_files([picture(tmp_path), program])
    portal.press("support.attach.add")
    portal.says("error.attachment_type.title")
    expect(page.get_by_label(PORTAL["support.new.text"], exact=True)).to_have_value(
        "Since this morning."
    )
    expect(page.locator("[data-attach] [data-slot=files] > li")).to_have_count(1)
    page.locator("#files").set_input_files(CORPUS / "firefox.har")
    portal.press("support.new.send")
    number_of(portal)
    expect(page.locator(".attached > li")).to_have_count(2)


def test_files_are_still_there_when_the_page_is_loaded_again(
    portal: Portal, account: str, tmp_path: Path
) -> None:
    """What has arrived is not sent again; one can be taken away again too."""
    begin(portal, account)
    page = portal.page
    page.locator("#files").set_input_files(picture(tmp_path))
    files = page.locator("[data-attach] [data-slot=files] > li")
    # Its number is there once the server has it.
    expect(page.locator("[data-attach] li[data-id]")).to_have_count(1)
    page.reload()
    expect(files).to_have_count(1)
    expect(page.get_by_label(PORTAL["support.new.text"], exact=True)).to_have_value(
        "Since this morning."
    )
    portal.press("support.new.send")
    number_of(portal)
    expect(page.locator(".attached > li")).to_have_count(1)
    page.locator(".attached form button").click()
    expect(page.locator(".attached > li")).to_have_count(0)
