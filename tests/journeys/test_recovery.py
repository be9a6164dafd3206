"""Article KB2748: set up again on the same phone. Article KB3073: move to another phone.

With the old phone, without it, and with a stranger who tries the same.
"""

from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browsers import ALLOW, ANDROID, DESK, DESK_SIZE, until
from tests.journeys.camera import Camera
from tests.journeys.conftest import NewBrowser, NewPhone
from tests.journeys.desktop import Desktop
from tests.journeys.looking import Looking
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
from tests.journeys.words import PHONE, pattern
from tests.serving import Server, serving

HOUR = 3600
TRUSTED = 73 * HOUR
"""A number that was verified so long ago may help to recover an account."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own: its clock is moved by days, which would end other journeys."""
    with serving(tmp_path_factory.mktemp("house"), organisation="Northwind") as up:
        yield up


@pytest.fixture
def desk_here(house: Server, desk: Browser, looking: Looking) -> Iterator[Portal]:
    """The portal of this house."""
    context = desk.new_context(
        viewport=DESK_SIZE, user_agent=DESK, locale="en-GB", reduced_motion="reduce"
    )
    looking.watch(context)
    yield Portal(context.new_page(), house, looking)
    context.close()


@pytest.fixture
def phone_here(
    house: Server,
    _launch: NewBrowser,
    screen: Desktop,
    looking: Looking,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[NewPhone]:
    """Switches on one more phone of this house."""
    phones: list[Phone] = []

    def switched_on() -> Phone:
        folder = tmp_path_factory.mktemp("phone")
        camera = Camera(folder)
        start = partial(
            _launch,
            folder / "profile",
            *camera.arguments,
            agent=ANDROID,
            camera=ALLOW,
            notifications=ALLOW,
        )
        phone = Phone(start, house, camera, screen, looking)
        phone.start()
        phones.append(phone)
        return phone

    yield switched_on
    for phone in phones:
        phone.stop()


@pytest.fixture
def owner(house: Server, request: pytest.FixtureRequest) -> str:
    """An account of this house that nobody else uses."""
    name = "owner" + str(abs(hash(request.node.name)) % 10**8)
    house.add_account(name, name="Ada Mercer")
    return name


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
    desk_here: Portal, phone_here: NewPhone, owner: str
) -> None:
    """Removed with all its keys, the app is set up again by password and a printed code.

    It works at once. Possible issue: a code that is none is told where it was typed.
    """
    before = phone_here()
    first_phone(desk_here, before, owner, "Ada’s phone")
    codes = recovery_codes(desk_here)
    before.stop()
    phone = phone_here()
    begin_again(phone, owner, "again.same")
    replace_the_only_phone(phone)
    enter_recovery_code(phone, codes[3][:-1] + ("0" if codes[3][-1] != "0" else "1"))
    phone.says("case.recovery.wrong")
    phone.fill("case.recovery", codes[3])
    phone.press("action.continue")
    phone.agree()
    phone.choose_pin()
    phone.is_linked()
    can_sign_in(desk_here, phone, owner)


def test_kb3073_migration_to_a_new_phone(
    desk_here: Portal, phone_here: NewPhone, owner: str
) -> None:
    """The old phone approves with the number that the new one shows; the new one works at once.

    From then on the old one says that it has handed over. Possible issue: a denial on the old
    phone ends it, links nothing, and the new one says so and what to do.
    """
    old, new = phone_here(), phone_here()
    first_phone(desk_here, old, owner, "Old phone")
    begin_again(new, owner, "again.move")
    replace_the_only_phone(new)
    choose_way(new, "phone")
    new.at("case_wait")
    old.open()
    old.answer("deny")
    new.heading("problem.case_denied.title")
    new.at("problem", look="problem-case-denied")
    can_sign_in(desk_here, old, owner)

    new.press("problem.button.password")
    sign_in_on(new, owner)
    replace_the_only_phone(new)
    move_by_phone(new, old)
    new.agree()
    new.choose_pin()
    new.is_linked()
    can_sign_in(desk_here, new, owner)
    old.open()
    old.says("home.retired")
    old.at("home", look="home-retired")


def test_new_phone_beside_the_old_one(desk_here: Portal, phone_here: NewPhone, owner: str) -> None:
    """Whoever keeps both phones says so, and both approve afterwards."""
    old, new = phone_here(), phone_here()
    first_phone(desk_here, old, owner, "Old phone")
    new.open()
    new.press("welcome.password")
    sign_in_on(new, owner)
    new.at("replaces")
    new.press("replaces.none")
    move_by_phone(new, old)
    new.agree()
    new.choose_pin()
    new.is_linked()
    old.open()
    expect(old.page.get_by_text(pattern(PHONE["home.retired"]))).to_have_count(0)
    desk_here.log_out()
    desk_here.log_in(owner)
    desk_here.heading("login.choose.title")


def test_new_phone_without_the_old_one_rests_first(
    desk_here: Portal, phone_here: NewPhone, house: Server, owner: str
) -> None:
    """By password and text alone a new phone rests a day; the old one works meanwhile.

    It says until when and what happens; when the day is over it approves, and the old one ends.
    """
    old_enough_number(desk_here, house, owner)
    old, new = phone_here(), phone_here()
    first_phone(desk_here, old, owner, "Old phone")
    begin_again(new, owner, "again.lost")
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
    can_sign_in(desk_here, old, owner)
    old.open()
    old.says("home.retires")
    house.move_clock(25 * HOUR)
    can_sign_in(desk_here, new, owner)
    old.open()
    old.says("home.retired")


def test_old_phone_ends_the_rest_at_once(
    desk_here: Portal, phone_here: NewPhone, house: Server, owner: str
) -> None:
    """Found again, the old phone shortens the wait: the new one approves from then on."""
    old_enough_number(desk_here, house, owner)
    old, new = phone_here(), phone_here()
    first_phone(desk_here, old, owner, "Old phone")
    begin_again(new, owner, "again.lost")
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
    can_sign_in(desk_here, new, owner)


def move_by_phone_from_rest(new: Phone, old: Phone) -> None:
    """On the screen of a phone that rests: have the old one end the wait."""
    new.press("ways.phone")
    new.at("case_wait")
    number = "".join(new.page.locator("output.number").inner_text().split())
    old.open()
    old.approve(number)


def test_stranger_with_password_and_number_gets_nothing_in_time(
    desk_here: Portal, phone_here: NewPhone, house: Server, owner: str
) -> None:
    """A stolen password and a hijacked number link a phone that rests; the owner stops it.

    The owner's phone is told and says “this was not me”; the stranger's phone is then unlinked.
    """
    old_enough_number(desk_here, house, owner)
    mine, strange = phone_here(), phone_here()
    first_phone(desk_here, mine, owner, "Old phone")
    begin_again(strange, owner, "again.lost")
    replace_the_only_phone(strange)
    enter_text(strange)
    strange.agree()
    strange.choose_pin()
    strange.at("done", look="done-rests")
    second = phone_here()
    begin_again(second, owner, "again.lost")
    until(second.page, lambda: second.shows("replaces") or second.shows("ways"), "the choice")
    if second.shows("replaces"):
        second.press("replaces.none")
    if second.page.get_by_role("button", name=PHONE["ways.sms"]).count():
        choose_way(second, "sms")
        second.says("problem.case_running.why")
    desk_here.open("/settings/phones")
    desk_here.look("phones-resting")
    desk_here.page.get_by_role("link", name="Remove ").last.click()
    desk_here.press("devices.removal.button")
    strange.open()
    strange.says("home.ended")
    can_sign_in(desk_here, mine, owner)
