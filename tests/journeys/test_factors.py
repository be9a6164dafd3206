"""Other second factors, made in the settings by their owner, and passes, given by staff."""

import re
from base64 import b32decode
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from tests.journeys.conftest import NewPortal
from tests.journeys.portal import Portal
from tests.serving import Server
from vestibule.factors.rules import totp


@contextmanager
def authenticator(page: Page) -> Iterator[None]:
    """A platform authenticator in the browser, whose person is there and verified."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield
    session.send(
        "WebAuthn.removeVirtualAuthenticator", {"authenticatorId": made["authenticatorId"]}
    )


def add(portal: Portal, kind: str) -> None:
    """Choose what to add from the list."""
    portal.open("/settings/factors")
    portal.follow(f"factors.add_named.{kind}")


def make_passkey(portal: Portal) -> None:
    """Make a passkey with whatever authenticator there is."""
    add(portal, "passkey")
    portal.look("passkey")
    portal.press("factors.passkey.button")


def link_app(portal: Portal) -> None:
    """Link an authenticator app, by the key that can be typed."""
    add(portal, "totp")
    portal.look("app-name")
    portal.fill("factors.name.field", "Ada's tablet")
    portal.press("factors.go_on")
    portal.unfold("factors.totp.typed")
    key = re.sub(r"\s", "", portal.page.locator("#secret").inner_text())
    portal.look("app")
    portal.fill("factors.totp.field", "12345x")
    portal.press("factors.totp.confirm")
    portal.says("factors.totp.wrong")
    portal.look("app-wrong")
    code = totp.code_at(b32decode(key), totp.step_at(portal.server.now()))
    portal.fill("factors.totp.field", code)
    portal.press("factors.totp.confirm")
    portal.says("factors.done_totp")


def test_every_second_factor_is_made_in_the_settings(portal: Portal, account: str) -> None:
    """Passkey, app, codes and card; then one is renamed and one removed."""
    portal.log_in(account)
    portal.is_signed_in()
    portal.open("/settings/factors")
    portal.look("factors-none")
    with authenticator(portal.page):
        make_passkey(portal)
        portal.says("factors.done_passkey")
        make_passkey(portal)
        portal.says("factors.passkey.says_exists")
        portal.look("passkey-exists")
    link_app(portal)

    add(portal, "recovery_codes")
    portal.look("codes")
    portal.press("factors.codes.make")
    expect(portal.page.locator(".codes li")).to_have_count(10)
    portal.look("codes-shown")
    portal.page.emulate_media(media="print")
    expect(portal.page.locator(".codes")).to_be_visible()
    expect(portal.page.locator(".button:visible")).to_have_count(0)
    portal.page.emulate_media(media="screen")
    portal.follow("factors.codes.kept")

    add(portal, "code_card")
    portal.look("card-about")
    portal.press("factors.card.make")
    expect(portal.page.locator(".cells li")).to_have_count(80)
    portal.look("card")
    label = portal.page.locator("label[for=answer]").inner_text()
    values = portal.page.locator(".cells code").all_inner_texts()
    answer = "".join(values[int(number) - 1] for number in re.findall(r"\d+", label))
    portal.page.locator("#answer").fill(answer)
    portal.press("factors.card.button")
    portal.says("factors.done_card")
    portal.look("factors")

    portal.page.get_by_role("link", name="Rename Ada's tablet").click()
    portal.look("factor-name")
    portal.fill("factors.name.field", "Grey tablet")
    portal.press("factors.name.save")
    portal.says("factors.done_renamed")
    portal.page.get_by_role("link", name="Remove Grey tablet").click()
    portal.look("factor-remove")
    portal.press("factors.removal.button")
    portal.says("factors.done_removed")


def test_a_pass_is_asked_for_by_one_and_given_by_another(
    new_portal: NewPortal, server: Server, account: str
) -> None:
    """Both with a second factor of their own; the pass appears once, with how to tell it."""
    desks: dict[str, Portal] = {}
    for name, role in (("sam", "support"), ("olive", "officer")):
        server.add_account(name, name=name.title())
        server.command("staff", "add", name, "--role", role)
        desk = desks[name] = new_portal()
        desk.log_in(name)
        desk.is_signed_in()
        with authenticator(desk.page):
            make_passkey(desk)
            desk.says("factors.done_passkey")
    sam, olive = desks.values()
    sam.open("/staff/passes")
    sam.look("passes-none")
    sam.fill("factors.pass.username", account)
    sam.fill("factors.pass.reason", "Called back at the number on record; phone lost in a river.")
    sam.press("factors.pass.send")
    sam.says("factors.pass.done_asked")
    sam.look("passes-asked")
    olive.open("/staff/passes")
    olive.look("passes")
    olive.page.get_by_role("button", name=f"Confirm the pass for {account}").click()
    expect(olive.page.locator("#pass span")).to_have_count(3)
    olive.look("pass-issued")
    olive.follow("factors.pass.told")
    olive.says("factors.pass.state.confirmed")
    olive.look("passes-given")
