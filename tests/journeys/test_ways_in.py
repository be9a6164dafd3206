"""Signing in by other ways than the phone, changing one's mind, and proving it again."""

import re
from base64 import b32decode

from playwright.sync_api import expect

from tests.journeys.beginnings import link_phone
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.proving import recovery_codes
from tests.journeys.test_factors import add, authenticator, make_passkey
from vestibule.factors.rules import totp


def choose(portal: Portal, label: str) -> None:
    """Pick a way in the chooser by its owner's name for it."""
    portal.page.locator("label.choice", has_text=label).click()
    portal.press("login.choose.button")


def link_app(portal: Portal) -> bytes:
    """Link an authenticator app; its secret."""
    add(portal, "totp")
    portal.fill("factors.name.field", "Grey tablet")
    portal.press("factors.go_on")
    portal.unfold("factors.totp.typed")
    secret = b32decode(re.sub(r"\s", "", portal.page.locator("#secret").inner_text()))
    portal.fill("factors.totp.field", code_of(portal, secret))
    portal.press("factors.totp.confirm")
    portal.says("factors.done_totp")
    return secret


def code_of(portal: Portal, secret: bytes, ahead: int = 0) -> str:
    """What the app shows now, or a step later."""
    return totp.code_at(secret, totp.step_at(portal.server.now()) + ahead)


def test_passkey_is_a_sign_in_of_its_own(portal: Portal, account: str) -> None:
    """Made in the settings, it opens the portal without username and password."""
    portal.log_in(account)
    portal.is_signed_in()
    with authenticator(portal.page):
        make_passkey(portal)
        portal.says("factors.done_passkey")
        # It waits beside the username field: here its person takes it as soon as it is offered.
        portal.page.locator("details.menu summary").click()
        portal.press("web.menu.sign_out")
        portal.says("web.home.proof_passkey")
        # A browser that cannot offer it there has the button.
        portal.page.add_init_script("delete PublicKeyCredential.isConditionalMediationAvailable")
        portal.log_out()
        portal.look("sign-in-passkey")
        portal.press("login.sign_in.by_passkey")
        portal.is_signed_in()
        portal.says("web.home.proof_passkey")
        portal.log_out()
        portal.log_in(account)
        portal.heading("login.prove.passkey.title")
        portal.look("prove-passkey")
        portal.press("login.prove.passkey.button")
        portal.is_signed_in()


def test_changing_ones_mind_goes_through_every_way(
    portal: Portal, phone: Phone, account: str
) -> None:
    """Phone, app, recovery code and back: one sign-in, and the last word counts."""
    link_phone(portal, phone, account)
    secret = link_app(portal)
    codes = recovery_codes(portal)
    portal.log_out()
    portal.log_in(account)
    portal.follow("login.wait.other_way")
    portal.heading("login.choose.title")
    portal.look("choose-ways")
    choose(portal, "Grey tablet")
    portal.heading("login.prove.totp.title")
    portal.look("prove-app")
    portal.fill("login.prove.totp.field", "000000")
    portal.press("login.prove.button")
    portal.says("error.answer_wrong.title")
    portal.look("prove-wrong")
    portal.follow("login.wait.other_way")
    portal.page.locator("label.choice").last.click()
    portal.press("login.choose.button")
    portal.heading("login.prove.recovery_codes.title")
    portal.look("prove-codes")
    portal.fill("login.prove.recovery_codes.field", codes[0])
    portal.press("login.prove.button")
    portal.is_signed_in()
    portal.look("home-basic")
    portal.open("/settings/sessions")
    portal.says("sessions.assurance.2")
    portal.log_out()
    portal.log_in(account)
    portal.follow("login.wait.other_way")
    choose(portal, "Grey tablet")
    portal.fill("login.prove.totp.field", code_of(portal, secret, ahead=1))
    portal.press("login.prove.button")
    portal.is_signed_in()
    portal.log_out()
    portal.log_in(account)
    portal.heading("login.choose.title")  # the app was used last: nothing is sent yet
    expect(portal.page.locator("label.choice").first).to_contain_text("Grey tablet")


def test_step_up_goes_to_the_phone_and_back(portal: Portal, phone: Phone, account: str) -> None:
    """What matters asks again: the phone says for what, with the number, and the page returns."""
    link_phone(portal, phone, account)
    portal.open("/login/step-up?then=/settings/phones")
    portal.heading("login.step_up.title")
    portal.look("step-up")
    portal.press("login.step_up.button")
    portal.heading("login.wait.title")
    portal.look("step-up-wait")
    phone.approve(portal.read_number())
    portal.heading("devices.phones.title")
    portal.open("/settings/sessions")
    portal.says("sessions.assurance.4")
