"""A file with an answer: from the desk's page, while it is written, to the client's."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.beginnings import another_account, link_and_leave, sign_in
from tests.journeys.conftest import NewPortal
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.test_capture_viewer import CORPUS, begin, number_of, picture
from tests.journeys.words import PORTAL
from tests.serving import Server

ANSWER = "Press what I have marked, then sign the form."
NOTE = "Sent the form of the branch."


def waiting(portal: Portal) -> Locator:
    """The files that wait for the message."""
    return portal.page.locator("[data-attach] [data-slot=files] > li")


@dataclass(frozen=True)
class Talk:
    """A conversation, open at its client's and about to be answered at the desk."""

    client: Portal
    desk: Portal
    number: str


@pytest.fixture
def talk(portal: Portal, new_portal: NewPortal, phone: Phone, account: str, server: Server) -> Talk:
    """A client has asked, and a member has signed in, approved on the phone."""
    client = new_portal()
    begin(client, another_account(server, account))
    client.press("support.new.send")
    number = number_of(client)
    server.command("staff", "add", account, "--role", "support")
    link_and_leave(portal, phone, account)
    sign_in(portal, phone, account)
    return Talk(client, portal, number)


def types_both(desk: Portal) -> None:
    """Half an answer, and half a note below it."""
    desk.page.locator("#text").fill(ANSWER)
    desk.unfold("support.staff.note.title")
    desk.fill("support.staff.note.text", NOTE)


def keeps_both(desk: Portal) -> None:
    """Neither was lost."""
    expect(desk.page.locator("#text")).to_have_value(ANSWER)
    expect(desk.page.locator("#note")).to_have_value(NOTE)


def test_a_member_sends_files_with_an_answer(talk: Talk, tmp_path: Path) -> None:
    """They arrive while it is written; a note leaves them; the client finds them beside it."""
    client, portal = talk.client, talk.desk
    portal.open(f"/staff/tickets/{talk.number}")
    types_both(portal)
    form = tmp_path / "form.pdf"
    form.write_bytes(b"%PDF-1.7 the form to sign")
    portal.page.locator("#files").set_input_files([picture(tmp_path), form])
    files = waiting(portal)
    expect(portal.page.locator("[data-attach] li[data-id]")).to_have_count(2)
    portal.look("staff-attaching")
    # A recording goes the way of recordings here too: shown first, then attached.
    portal.page.locator("#files").set_input_files(CORPUS / "firefox.har")
    portal.says("captures.block.ready")
    portal.press("captures.block.send")
    expect(files).to_have_count(3)
    portal.press("support.staff.note.save")
    portal.says("support.staff.done.noted")
    expect(portal.page.locator("#text")).to_have_value(ANSWER)
    expect(files).to_have_count(3)
    files.filter(has_text="firefox").locator("[data-does=remove]").click()
    expect(files).to_have_count(2)
    client.page.reload()
    expect(client.page.locator(".attached > li")).to_have_count(0)
    portal.press("support.staff.answer.send")
    portal.says("support.staff.done.answered")
    expect(portal.page.locator(".attached > li")).to_have_count(2)
    expect(files).to_have_count(0)
    portal.look("staff-attached")

    expect(client.page.get_by_text(ANSWER)).to_be_visible()
    expect(client.page.locator(".attached > li")).to_have_count(2)
    expect(client.page.locator(".attached img")).to_have_js_property("naturalWidth", 320)
    client.look("answer-attached")
    with client.page.expect_download() as saved:
        client.page.get_by_role("link", name="form.pdf").click()
    assert saved.value.path().read_bytes() == form.read_bytes()
    expect(client.page.locator(".attached form")).to_have_count(0)


def test_a_member_attaches_without_script(
    talk: Talk, new_portal: NewPortal, tmp_path: Path
) -> None:
    """Buttons of the form add and take away; what is refused costs nothing of what was typed."""
    desk = new_portal(script=False)
    session: Any = talk.desk.page.context.cookies()
    desk.page.context.add_cookies(session)
    desk.open(f"/staff/tickets/{talk.number}")
    types_both(desk)
    program = tmp_path / "setup.exe"
    program.write_bytes(b"MZ")
    desk.page.locator("#files").set_input_files([picture(tmp_path), program])
    desk.press("support.attach.add")
    desk.says("error.attachment_type.title")
    keeps_both(desk)
    expect(waiting(desk)).to_have_count(1)
    waiting(desk).get_by_role("button").click()
    keeps_both(desk)
    expect(waiting(desk)).to_have_count(0)
    desk.page.locator("#files").set_input_files(picture(tmp_path))
    desk.press("support.staff.answer.send")
    desk.says("support.staff.done.answered")
    expect(desk.page.locator("#note")).to_have_value(NOTE)
    client = talk.client
    client.page.reload()
    expect(
        client.page.get_by_role(
            "img", name=PORTAL["support.attached.picture"].format(name="screen.png")
        )
    ).to_be_visible()
