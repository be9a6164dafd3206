"""The desk: a member of staff approves on the phone, reads, answers, and is told who was first."""

import re
from typing import Any

from playwright.sync_api import expect

from tests.journeys.beginnings import link_phone
from tests.journeys.conftest import NewPortal
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.words import PORTAL, pattern
from tests.serving import Server

SUBJECT = "The number does not fit"
ANSWER = "Type the number that the waiting page shows."
NOTE = "Called back at the number on record."


def write(portal: Portal, subject: str) -> str:
    """A client begins a conversation; its address in the portal."""
    portal.open("/messages/new")
    portal.page.locator("#topic").select_option("account")
    portal.page.locator("#subject").fill(subject)
    portal.page.locator("#text").fill("It is another one than on my phone.")
    portal.press("support.new.send")
    portal.page.wait_for_url(re.compile(r"/messages/[0-9A-Z]{4}-[0-9A-Z]{4}"))
    return portal.page.url.split("?")[0].removeprefix(portal.server.portal)


def arrive_at_the_desk(portal: Portal, phone: Phone, account: str, role: str) -> None:
    """A member links a phone, finds the desk in the menu and approves for it."""
    portal.server.command("staff", "add", account, "--role", role)
    portal.log_in(account)
    portal.is_signed_in()
    portal.open("/staff")
    portal.says("error.staff_phone_needed.title")
    portal.look("staff-phone-needed")
    portal.open("/")
    portal.log_out()
    link_phone(portal, phone, account)
    portal.log_out()
    portal.log_in(account)
    phone.approve(portal.read_number())
    portal.is_signed_in()
    phone.press("action.done")
    portal.page.locator("details.menu summary").click()
    portal.follow("support.staff.menu")
    portal.heading("support.staff.title")


def keep_an_answer(portal: Portal) -> None:
    """An officer writes the first canned answer."""
    portal.follow("support.staff.part.canned")
    portal.look("staff-canned-none")
    portal.follow("support.staff.canned.new")
    portal.fill("support.staff.canned.name", "Which number")
    portal.fill("support.staff.canned.text", "Dear {client},")
    portal.look("staff-canned-new")
    portal.press("support.staff.canned.save")
    portal.says("support.staff.canned.done.added")
    portal.look("staff-canned")


def half_write(portal: Portal) -> None:
    """Type an answer; taking, noting and inserting leave what stands there."""
    portal.page.locator("#text").fill(ANSWER)
    portal.press("support.staff.ticket.take")
    portal.says("support.staff.done.taken")
    expect(portal.page.locator("#text")).to_have_value(ANSWER)
    portal.unfold("support.staff.note.title")
    portal.fill("support.staff.note.text", NOTE)
    portal.press("support.staff.note.save")
    portal.says("support.staff.done.noted")
    portal.page.locator("#canned").select_option(label="Which number")
    portal.press("support.staff.answer.insert")
    expect(portal.page.locator("#text")).to_have_value(f"{ANSWER}\n\nDear Rosa Lindqvist,")


def test_an_officer_answers_a_client_and_is_told_who_was_first(
    new_portal: NewPortal, portal: Portal, phone: Phone, account: str, server: Server
) -> None:
    """From the menu to the answer: live queue, canned answer, note, and nothing typed is lost."""
    client, officer = account.replace("mercer", "client"), account
    server.add_account(client, name="Rosa Lindqvist")
    arrive_at_the_desk(portal, phone, officer, "officer")
    portal.look("staff-desk")

    keep_an_answer(portal)
    portal.follow("support.staff.part.queue")
    portal.page.get_by_role("link", name=pattern(PORTAL["support.staff.view.all"])).click()
    portal.says("support.staff.queue.live")
    writer = new_portal()
    writer.log_in(client)
    writer.is_signed_in()
    mine = write(writer, SUBJECT)
    # Nobody has pressed anything here meanwhile.
    line = portal.page.get_by_role("link", name=SUBJECT)
    expect(line).to_be_visible()
    portal.look("staff-queue")
    line.click()
    portal.says("support.staff.client.sign_ins")
    portal.look("staff-ticket")
    half_write(portal)

    writer.open(mine)
    writer.page.locator("#text").fill("I have found it.")
    writer.press("support.reply.send")
    portal.says("support.staff.ticket.news")
    portal.look("staff-ticket-news")
    portal.press("support.staff.answer.send")
    portal.says("error.desk_changed.cause")
    portal.look("staff-ticket-changed")
    expect(portal.page.locator("#text")).to_have_value(f"{ANSWER}\n\nDear Rosa Lindqvist,")
    portal.press("support.staff.answer.send")
    portal.says("support.staff.done.answered")
    portal.look("staff-ticket-answered")

    writer.open(mine)
    expect(writer.page.get_by_text(ANSWER)).to_be_visible()
    expect(writer.page.get_by_text(NOTE)).to_have_count(0)
    portal.press("support.staff.ticket.close")
    portal.says("support.staff.done.closed")
    portal.follow("support.staff.part.waiting")
    expect(
        portal.page.get_by_role("img", name=PORTAL["support.staff.waiting.plot"])
    ).to_be_visible()
    portal.look("staff-waiting")
    portal.unfold("support.staff.waiting.table")
    expect(portal.page.locator("table.figures tbody tr")).to_have_count(30)


def test_the_desk_works_without_script(
    new_portal: NewPortal, portal: Portal, phone: Phone, account: str, server: Server
) -> None:
    """Taking, noting and answering are forms; who else reads is said when the page is drawn."""
    client = account.replace("mercer", "client")
    server.add_account(client, name="Rosa Lindqvist")
    arrive_at_the_desk(portal, phone, account, "support")
    writer = new_portal(script=False)
    writer.log_in(client)
    writer.page.locator("details.menu").wait_for()
    write(writer, SUBJECT)
    plain = new_portal(script=False)
    session: Any = portal.page.context.cookies()
    plain.page.context.add_cookies(session)
    plain.open("/staff/tickets?view=unassigned")
    plain.page.get_by_role("link", name=SUBJECT).first.click()
    plain.page.locator("#text").fill(ANSWER)
    plain.press("support.staff.ticket.take")
    plain.says("support.staff.done.taken")
    expect(plain.page.locator("#text")).to_have_value(ANSWER)
    plain.press("support.staff.answer.send")
    plain.says("support.staff.done.answered")
