"""Article KB2748: set up again on the same phone. Article KB3073: move to another phone.

With the old phone, without it, and with a stranger who tries the same.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.journeys.browsers import until
from tests.journeys.conftest import NewPhone, open_house
from tests.journeys.ntfy import Ntfy
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.proving import (
    choose_way,
    enter_recovery_code,
    enter_text,
    move_by_phone,
    recovery_codes,
    sign_in_on,
    verify_number,
)
from tests.journeys.push_service import PushService
from tests.journeys.words import PHONE, pattern
from tests.serving import Server

HOUR = 3600
TRUSTED = 73 * HOUR
"""A number that was verified so long ago may help to recover an account."""


@pytest.fixture(scope="module")
def house(
    pushes: PushService, ntfy: Ntfy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of its own: its clock is moved by days, which would end other journeys."""
    with open_house(pushes, ntfy, tmp_path_factory.mktemp("house")) as up:
        yield up


def begin_again(phone: Phone, account: str, way: str) -> None:
    """From the welcome: `again.same`, `again.move` or `again.lost`, then username and password."""
    phone.open()
    phone.press("again.link")
    phone.at("again")
    phone.press(way)
    sign_in_on(phone, account)


def replace_the_only_phone(phone: Phone) -> None:
    """Of what the account has, this phone takes the place."""
    phone.at("replaces")
    phone.press("replaces.one")


def can_sign_in(portal: Portal, phone: Phone, account: str) -> None:
    """The phone approves a sign-in."""
    portal.open("/")
    if portal.page.locator("details.menu").count():
        portal.log_out()
    portal.log_in(account)
    portal.heading("login.wait.title")
    # A browser that is known by now is not asked for the number.
    number = portal.read_number() if portal.number.is_visible() else ""
    phone.open()
    phone.approve(number)
    portal.is_signed_in()
    phone.press("action.done")


def first_phone(portal: Portal, phone: Phone, account: str, name: str) -> None:
    """A phone with a name, and the portal signed in by it."""
    portal.log_in(account)
    phone.link(portal.code())
    phone.open_account(account)
    phone.at("account")
    phone.fill("account.name", name)
    phone.press("account.save")
    phone.says("account.saved")
    portal.open("/")
    portal.log_out()
    can_sign_in(portal, phone, account)


def old_enough_number(portal: Portal, house: Server, account: str) -> None:
    """A number on the account that was verified days ago; signed out."""
    portal.log_in(account)
    verify_number(portal)
    house.move_clock(TRUSTED)


def test_kb2748_recovery_on_the_same_phone(
    portal: Portal, new_phone: NewPhone, account: str
) -> None:
    """Removed with all its keys, the app is set up again by password and a printed code.

    It works at once. Possible issue: a code that is none is told where it was typed.
    """
    before = new_phone()
    first_phone(portal, before, account, "Ada’s phone")
    codes = recovery_codes(portal)
    before.stop()
    phone = new_phone()
    begin_again(phone, account, "again.same")
    replace_the_only_phone(phone)
    enter_recovery_code(phone, codes[3][:-1] + ("0" if codes[3][-1] != "0" else "1"))
    phone.says("case.recovery.wrong")
    phone.fill("case.recovery", codes[3])
    phone.press("action.continue")
    phone.agree()
    phone.choose_pin()
    phone.is_linked()
    can_sign_in(portal, phone, account)


def test_kb3073_migration_to_a_new_phone(portal: Portal, new_phone: NewPhone, account: str) -> None:
    """The old phone approves with the number that the new one shows; the new one works at once.

    From then on the old one says that it has handed over. Possible issue: a denial on the old
    phone ends it, links nothing, and the new one says so and what to do.
    """
    old, new = new_phone(), new_phone()
    first_phone(portal, old, account, "Old phone")
    begin_again(new, account, "again.move")
    replace_the_only_phone(new)
    choose_way(new, "phone")
    new.at("case_wait")
    old.open()
    old.answer("deny")
    new.heading("problem.case_denied.title")
    new.at("problem", look="problem-case-denied")
    can_sign_in(portal, old, account)

    new.press("problem.button.password")
    sign_in_on(new, account)
    replace_the_only_phone(new)
    move_by_phone(new, old)
    new.agree()
    new.choose_pin()
    new.is_linked()
    can_sign_in(portal, new, account)
    old.open()
    old.says("home.retired")
    old.at("home", look="home-retired")


def test_new_phone_beside_the_old_one(portal: Portal, new_phone: NewPhone, account: str) -> None:
    """Whoever keeps both phones says so, and both approve afterwards."""
    old, new = new_phone(), new_phone()
    first_phone(portal, old, account, "Old phone")
    new.open()
    new.press("welcome.password")
    sign_in_on(new, account)
    new.at("replaces")
    new.press("replaces.none")
    move_by_phone(new, old)
    new.agree()
    new.choose_pin()
    new.is_linked()
    old.open()
    expect(old.page.get_by_text(pattern(PHONE["home.retired"]))).to_have_count(0)
    portal.log_out()
    portal.log_in(account)
    portal.heading("login.choose.title")


def test_new_phone_without_the_old_one_rests_first(
    portal: Portal, new_phone: NewPhone, house: Server, account: str
) -> None:
    """By password and text alone a new phone rests a day; the old one works meanwhile.

    It says until when and what happens; when the day is over it approves, and the old one ends.
    """
    old_enough_number(portal, house, account)
    old, new = new_phone(), new_phone()
    first_phone(portal, old, account, "Old phone")
    begin_again(new, account, "again.lost")
    replace_the_only_phone(new)
    new.says("ways.slow")
    enter_text(new)
    new.says("confirm.next.rests")
    new.agree()
    new.choose_pin()
    new.at("done", look="done-rests")
    new.press("action.done")
    new.at("resting")
    new.press("action.done")
    new.says("home.rests")
    new.at("home", look="home-rests")
    can_sign_in(portal, old, account)
    old.open()
    old.says("home.retires")
    house.move_clock(25 * HOUR)
    can_sign_in(portal, new, account)
    old.open()
    old.says("home.retired")


def test_old_phone_ends_the_rest_at_once(
    portal: Portal, new_phone: NewPhone, house: Server, account: str
) -> None:
    """Found again, the old phone shortens the wait: the new one approves from then on."""
    old_enough_number(portal, house, account)
    old, new = new_phone(), new_phone()
    first_phone(portal, old, account, "Old phone")
    begin_again(new, account, "again.lost")
    replace_the_only_phone(new)
    enter_text(new)
    new.agree()
    new.choose_pin()
    new.at("done", look="done-rests")
    new.press("action.done")
    new.at("resting")
    move_by_phone_from_rest(new, old)
    new.at("done", look="done-awake")
    new.press("action.done")
    can_sign_in(portal, new, account)


def move_by_phone_from_rest(new: Phone, old: Phone) -> None:
    """On the screen of a phone that rests: have the old one end the wait."""
    new.press("ways.phone")
    new.at("case_wait")
    number = "".join(new.page.locator("output.number").inner_text().split())
    old.open()
    old.approve(number)


def test_stranger_with_password_and_number_gets_nothing_in_time(
    portal: Portal, new_phone: NewPhone, house: Server, account: str
) -> None:
    """A stolen password and a hijacked number link a phone that rests; the owner stops it.

    The owner's phone is told and says “this was not me”; the stranger's phone is then unlinked.
    """
    old_enough_number(portal, house, account)
    mine, strange = new_phone(), new_phone()
    first_phone(portal, mine, account, "Old phone")
    begin_again(strange, account, "again.lost")
    replace_the_only_phone(strange)
    enter_text(strange)
    strange.agree()
    strange.choose_pin()
    strange.at("done", look="done-rests")
    second = new_phone()
    begin_again(second, account, "again.lost")
    until(second.page, lambda: second.shows("replaces") or second.shows("ways"), "the choice")
    if second.shows("replaces"):
        second.press("replaces.none")
    if second.page.get_by_role("button", name=PHONE["ways.sms"]).count():
        choose_way(second, "sms")
        second.says("problem.case_running.why")
    portal.open("/settings/phones")
    portal.look("phones-resting")
    portal.page.get_by_role("link", name="Remove ").last.click()
    portal.press("devices.removal.button")
    strange.open()
    strange.says("home.ended")
    can_sign_in(portal, mine, account)
