"""Messages: a client writes, staff answers, the client is told, reads, closes and comes back."""

import re

from playwright.sync_api import expect

from tests.journeys.beginnings import link_and_leave, sign_in
from tests.journeys.browsers import until
from tests.journeys.conftest import NewPortal
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.words import PORTAL
from tests.serving import Server

QUESTION = "Since yesterday my phone shows nothing.\n\nWhat can I do?"
ANSWER = "Allow notifications in the settings of the phone."
NUMBER = re.compile(r"/messages/([0-9A-Z]{4}-[0-9A-Z]{4})")


def written(portal: Portal) -> str:
    """Write to the desk, and say what number it got."""
    portal.open("/messages")
    portal.look("messages-none")
    portal.page.locator(".section-head").get_by_role("link").click()
    portal.page.locator("select[name=topic]").select_option("sign-in")
    portal.fill("support.new.subject", "No notifications")
    portal.fill("support.new.text", QUESTION)
    portal.look("messages-new")
    portal.page.locator("input[name=priority][value=high]").check()
    portal.press("support.new.send")
    portal.says("support.done.sent")
    found = NUMBER.search(portal.page.url)
    assert found
    return found[1]


def mails(server: Server, address: str) -> list[dict[str, str]]:
    """What the address was sent so far."""
    _, said = server.ask("GET", "/test/outbox")
    messages: list[dict[str, str]] = said["messages"]
    return [one for one in messages if address in one.values()]


def test_a_message_is_answered_told_read_closed_and_opened_again(
    new_portal: NewPortal, phone: Phone, account: str, server: Server
) -> None:
    """The answer appears by itself; the mail says that there is one, and not a word of it."""
    client, staff = new_portal(), new_portal()
    member, address = account.replace("mercer", "whitlock"), f"{account}@example.org"
    server.add_account(member, name="Dana Whitlock")
    server.command("staff", "add", member, "--role", "support")
    server.command("account", "contact", "add", account, address)

    client.log_in(account)
    client.is_signed_in()
    number = written(client)
    client.says("support.next.title")
    client.look("messages-sent")

    link_and_leave(staff, phone, member)
    sign_in(staff, phone, member)
    staff.open("/staff/tickets?view=unassigned")
    staff.page.locator(f"a[href='/staff/tickets/{number}']").first.click()
    expect(staff.page.get_by_text("What can I do?")).to_be_visible()
    staff.page.locator("#answer textarea[name=text]").fill(ANSWER)
    staff.page.locator("#answer button[value=send]").click()

    # Without a hand on it: the page that waits shows the answer.
    expect(client.page.get_by_text(ANSWER)).to_be_visible()
    expect(client.page.get_by_text("Dana Whitlock").first).to_be_visible()
    client.look("messages-answered")
    until(client.page, lambda: _told(server, address), "a mail")
    (mail,) = [one for one in mails(server, address) if number in str(one)]
    assert ANSWER not in str(mail)
    assert "No notifications" not in str(mail)
    assert f"{server.portal}/messages/{number}" in str(mail)

    client.open(f"/messages/{number}")
    expect(client.page.locator("header .room .unread")).to_have_count(0)
    client.press("support.close")
    client.says("support.done.closed")
    client.look("messages-closed")
    client.open("/messages?show=closed")
    client.look("messages-list")
    client.page.get_by_role("link", name="No notifications").click()
    client.fill("support.reopen.text", "It is back.")
    client.press("support.reopen.send")
    client.says("support.done.reopened")
    staff.open(f"/staff/tickets/{number}")
    expect(staff.page.get_by_text("It is back.")).to_be_visible()


def _told(server: Server, address: str) -> bool:
    title = PORTAL["notifications.title.support.answered"]
    return any(title in text for mail in mails(server, address) for text in mail.values())


def test_what_is_typed_outlives_the_page(portal: Portal, account: str) -> None:
    """Going away and coming back, in this tab, finds the words; sending them forgets them."""
    portal.log_in(account)
    portal.is_signed_in()
    portal.open("/messages/new")
    portal.fill("support.new.text", QUESTION)
    portal.open("/help")
    portal.open("/messages/new")
    expect(portal.page.locator("textarea[name=text]")).to_have_value(QUESTION)
    portal.page.locator("select[name=topic]").select_option("security")
    portal.says("support.new.safety")
    portal.fill("support.new.subject", "Words")
    portal.press("support.new.send")
    portal.says("support.done.sent")
    portal.open("/messages/new")
    expect(portal.page.locator("textarea[name=text]")).to_have_value("")


def test_hostile_words_do_nothing_in_a_browser(portal: Portal, account: str) -> None:
    """In subject and text: the page shows them, and its console stays silent."""
    hostile = "<img src=x onerror=\"document.title='mine'\"><script>document.title='mine'</script>"
    portal.log_in(account)
    portal.is_signed_in()
    portal.open("/messages/new")
    portal.page.locator("select[name=topic]").select_option("other")
    portal.fill("support.new.subject", hostile)
    portal.fill("support.new.text", f"{hostile}\njavascript:alert(1)\u202e")
    portal.press("support.new.send")
    portal.says("support.done.sent")
    expect(portal.page.locator("h1")).to_have_text(hostile)
    assert "mine" not in portal.page.title()
    assert portal.page.locator("main img").count() == 0
    portal.open("/messages")
    expect(portal.page.get_by_role("link", name=hostile)).to_be_visible()
    assert "mine" not in portal.page.title()


def test_messages_work_without_script(new_portal: NewPortal, account: str) -> None:
    """Writing, replying and cancelling are plain forms."""
    portal = new_portal(script=False)
    portal.log_in(account)
    portal.is_signed_in()
    portal.open("/messages/new")
    portal.page.locator("select[name=topic]").select_option("account")
    portal.fill("support.new.subject", "By hand")
    portal.fill("support.new.text", QUESTION)
    portal.press("support.new.send")
    portal.says("support.done.sent")
    portal.fill("support.reply.text", "One thing more.")
    portal.press("support.reply.send")
    portal.says("support.done.replied")
    portal.press("support.cancel")
    portal.says("support.done.cancelled")


def test_the_choice_of_notices_is_kept(portal: Portal, account: str) -> None:
    """Safe at first; its owner may choose the words, knowing what that means."""
    portal.log_in(account)
    portal.is_signed_in()
    portal.open("/messages/notices")
    expect(portal.page.locator("input[value=secure]")).to_be_checked()
    portal.look("messages-notices")
    portal.page.locator("input[value=text]").check()
    portal.press("support.notices.save")
    portal.says("support.notices.saved")
    expect(portal.page.locator("input[value=text]")).to_be_checked()
