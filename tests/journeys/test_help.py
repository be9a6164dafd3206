"""The help as people use it: beside a form that refused them, by search, by four questions."""

import re

from playwright.sync_api import expect

from tests.journeys.browsers import PHONE_SIZE
from tests.journeys.conftest import NewPortal
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.words import PHONE, PORTAL, pattern


def fail_to_sign_in(portal: Portal) -> None:
    """Send the form with a wrong password."""
    portal.open("/login")
    portal.fill("login.sign_in.username", "ada")
    portal.fill("login.sign_in.password", "this is not the password")
    portal.press("login.sign_in.button")


def test_error_opens_its_article_beside_the_form(portal: Portal) -> None:
    """What was typed stays; the article opens where it speaks of this error."""
    fail_to_sign_in(portal)
    page = portal.page
    more = page.get_by_role("alert").get_by_role("link", name=pattern(PORTAL["web.read_more"]))
    more.click()
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_role("heading", level=1)).to_be_focused()
    anchor = str(more.get_attribute("href")).partition("#")[2]
    expect(sheet.locator(f"#{anchor}")).to_be_in_viewport()
    portal.look("help-sheet")

    # A reference in it leads on in the sheet, and not away from the page.
    before = sheet.get_by_role("heading", level=1).inner_text()
    other = sheet.locator("a[href*='/article/']:not([href*='1132'])").and_(
        sheet.locator("[data-article] a")
    )
    other.first.click()
    expect(sheet.get_by_role("heading", level=1)).not_to_have_text(before)
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(more).to_be_focused()
    assert page.url.endswith("/login")
    expect(page.get_by_label(PORTAL["login.sign_in.username"])).to_have_value("ada")


def test_article_that_cannot_be_loaded_says_so(portal: Portal) -> None:
    """With the way to its page, and another try."""
    fail_to_sign_in(portal)
    page = portal.page
    page.context.set_offline(True)
    more = page.locator("a[data-help]")
    more.click()
    portal.says("knowledge.sheet.failed")
    portal.press("knowledge.sheet.close")
    page.context.set_offline(False)
    more.click()
    expect(page.get_by_role("dialog").get_by_role("heading", level=1)).to_be_visible()


def test_error_leads_to_its_article_without_script(new_portal: NewPortal) -> None:
    """In a tab of its own."""
    portal = new_portal(script=False)
    fail_to_sign_in(portal)
    with portal.page.context.expect_page() as opened:
        portal.page.locator("a[data-help]").click()
    expect(opened.value.locator("article h1")).to_be_visible()


def test_search_suggests_while_somebody_types(portal: Portal) -> None:
    """By keyboard alone; then the whole list, and an article with what one reads it with."""
    portal.open("/help")
    portal.look("help")
    page = portal.page
    field = page.get_by_role("searchbox")
    field.press_sequentially("har")
    listed = page.locator(".suggestions a")
    expect(listed.first).to_be_visible()
    portal.look("help-suggestions")
    field.press("ArrowDown")
    expect(listed.first).to_be_focused()
    page.keyboard.press("Escape")
    expect(listed.first).to_be_hidden()
    field.press("Enter")
    portal.heading("knowledge.search.title")
    portal.look("help-search")
    page.locator("a[href$='/article/3512']").click()
    expect(page.locator("details#chrome")).to_have_attribute("open", "")
    expect(page.locator("details#safari")).not_to_have_attribute("open", "")
    portal.look("help-article")
    page.locator("a[href='#safari']").first.click()
    expect(page.locator("details#safari")).to_have_attribute("open", "")


def test_four_questions_lead_to_an_article_and_its_reader_says_how_it_was(portal: Portal) -> None:
    """On a phone's screen; the questions that do not matter go away."""
    page = portal.page
    page.set_viewport_size(PHONE_SIZE)
    portal.open("/help")

    def answer(question: str, given: str) -> None:
        text = PORTAL[f"knowledge.finder.{question}.{given}"]
        page.get_by_role(
            "group", name=re.compile(re.escape(PORTAL[f"knowledge.finder.{question}"]))
        ).get_by_label(text, exact=True).check()

    answer("want", "again")
    expect(page.locator("input[name=scan]").first).to_be_hidden()
    answer("want", "first")
    answer("phone", "iphone")
    answer("screen", "yes")
    answer("scan", "no")
    portal.press("knowledge.finder.button")
    page.wait_for_url("**/article/3863")
    portal.press("knowledge.feedback.no")
    portal.says("knowledge.feedback.thanks")
    portal.look("help-feedback")
    portal.fill("knowledge.feedback.words", "I have no camera.")
    portal.press("knowledge.feedback.send")
    portal.says("knowledge.feedback.thanks")
    expect(page.get_by_label(PORTAL["knowledge.feedback.words"])).to_have_count(0)


def test_problem_of_the_phone_app_leads_to_its_article(phone: Phone) -> None:
    """In the portal, in a tab of its own, in the app's language."""
    phone.type_code("0000-0000-0000")
    phone.heading("problem.ticket_unknown.title")
    with phone.context.expect_page() as opened:
        phone.page.get_by_role("link", name=PHONE["problem.more"]).click()
    article = opened.value
    article.wait_for_url(re.compile(re.escape(phone.server.portal) + r"/[\w-]+/article/\d+#"))
    expect(article.locator("article h1")).to_be_visible()
