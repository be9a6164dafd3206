"""What an owner proves themselves by, beside a password: numbers, recovery codes, other phones."""

import re
from itertools import count

from playwright.sync_api import expect

from tests.journeys.browsers import until
from tests.journeys.phone import PIN, Phone
from tests.journeys.portal import Portal
from tests.journeys.words import LANGUAGE, PHONE, pattern
from tests.serving import PASSWORD, Server
from vestibule.base.i18n import DEFAULT

_NUMBERS = count(200)


def new_number() -> str:
    """A mobile number that nobody else in this run has."""
    return f"+39 333 123 4{next(_NUMBERS)}"


def texts(server: Server) -> list[str]:
    """The codes of all texts and calls that were sent, the latest last."""
    _, said = server.ask("GET", "/test/outbox")
    sent = [message["text"] for message in said["messages"] if message["by"] in {"sms", "voice"}]
    # A voice reads digit by digit.
    # What is no code has a number of six digits only by accident, and in English says so.
    codes = [text for text in sent if "code" in text or LANGUAGE != DEFAULT]
    read = [re.sub(r"(?<=\d)[ ,.、，]+(?=\d)", "", text) for text in codes]
    found = [re.search(r"(?<!\d)\d{6}", text) for text in read]
    return [match.group() for match in found if match]


def verify_number(portal: Portal) -> None:
    """Signed in: add a number of one's own and verify it."""
    before = len(texts(portal.server))
    portal.open("/settings/contacts/add?kind=number")
    portal.fill("contacts.number_field", new_number())
    portal.press("contacts.send_code")
    code = until(portal.page, lambda: texts(portal.server)[before:], "a text")[-1]
    portal.fill("contacts.code_field", code)
    portal.press("contacts.verify_button")
    portal.says("contacts.done_verified")


def recovery_codes(portal: Portal) -> list[str]:
    """Signed in: have recovery codes made, and write them down."""
    portal.open("/settings/factors/codes")
    portal.press("factors.codes.make")
    shown = portal.page.locator(".codes code")
    expect(shown.first).to_be_visible()
    return shown.all_inner_texts()


def sign_in_on(phone: Phone, account: str, password: str = PASSWORD) -> None:
    """On the screen that asks for them: username and password."""
    phone.at("credentials")
    phone.fill("credentials.username", account)
    phone.fill("credentials.password", password)
    phone.press("action.continue")


def choose_way(phone: Phone, kind: str) -> None:
    """Choose how to prove it: `phone`, `code`, `sms` or `voice`."""
    phone.at("ways")
    phone.press(f"ways.{kind}")


def enter_text(phone: Phone, kind: str = "sms") -> None:
    """Choose a text or a call, and type the code that comes."""
    before = len(texts(phone.server))
    choose_way(phone, kind)
    phone.at("case_code", look=f"case-{kind}")
    code = until(phone.page, lambda: texts(phone.server)[before:], "a text")[-1]
    phone.fill("case.code", code)
    phone.press("action.continue")


def enter_recovery_code(phone: Phone, code: str) -> None:
    """Choose the printed list, and type one of its codes."""
    choose_way(phone, "code")
    phone.at("case_code", look="case-recovery")
    phone.fill("case.recovery", code)
    phone.press("action.continue")


def move_by_phone(new: Phone, old: Phone) -> None:
    """Choose the other phone, and approve there with the number that this one shows."""
    choose_way(new, "phone")
    new.at("case_wait")
    number = re.sub(r"\D", "", new.page.locator("output.number").inner_text())
    old.open()
    old.approve(number)


def enter_known_pin(phone: Phone, pin: str = PIN) -> None:
    """Adding an account: the PIN that this phone has already, typed once."""
    phone.at("security", look="existing")
    phone.press("existing.open")
    phone.enter_pin(pin)


def enter_known_lock(phone: Phone) -> None:
    """Adding an account: the phone's lock, that protects the others already."""
    phone.at("security", look="existing-lock")
    phone.press("existing.open")


def add_by(phone: Phone, key: str) -> None:
    """From the home screen: one more account, by one of the ways of the first screen."""
    phone.press("home.add")
    phone.at("adding")
    phone.press(key)


def add_by_code(phone: Phone, code: str) -> None:
    """From the home screen: one more account by typed code."""
    add_by(phone, "welcome.type")
    phone.give_code(code)
    phone.agree()


def sheet_says(phone: Phone, key: str) -> None:
    """The sheet that asks for the PIN says so."""
    expect(phone.page.get_by_role("dialog").get_by_role("alert")).to_have_text(pattern(PHONE[key]))
