"""File delivery as a client sets it up: on the portal, on the phone, and on their machine."""

import re
from pathlib import Path

from playwright.sync_api import Download, Locator, expect

from tests.fetching import Machine
from tests.journeys.beginnings import link_and_leave, sign_in
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.words import PORTAL, pattern

HUB = "/settings/delivery"
STALE = 601
"""Seconds after which the portal wants to know again that it is you."""


def confirm(portal: Portal, phone: Phone) -> None:
    """The portal asks who it is; the phone answers with the number."""
    portal.heading("login.step_up.title")
    portal.press("login.step_up.button")
    phone.approve(portal.read_number())
    phone.press("action.done")


def turn_on(portal: Portal, phone: Phone, account: str) -> None:
    """Sign in with a phone; later turn file delivery on, approved on it."""
    link_and_leave(portal, phone, account)
    sign_in(portal, phone, account)
    phone.press("action.done")
    portal.server.move_clock(STALE)
    portal.open(HUB)
    portal.look("delivery-off")
    portal.press("delivery.hub.turn_on")
    confirm(portal, phone)
    portal.says("delivery.hub.once_more")
    portal.press("delivery.hub.turn_on")
    portal.says("delivery.hub.done_on")


def read_facts(portal: Portal, machine: Machine) -> None:
    """Type into the program what the portal shows: host, port, username and fingerprint."""
    portal.open(HUB)
    assert fact(portal, "host") == "localhost"
    machine.port = int(fact(portal, "port"))
    machine.username = fact(portal, "username")
    machine.host_fingerprint = fact(portal, "fingerprint")


def fact(portal: Portal, name: str) -> str:
    """What stands beside this name on the page of file delivery."""
    term = portal.page.locator("dl.copies dt").filter(
        has_text=re.compile(f"^{re.escape(PORTAL[f'delivery.hub.{name}'])}$")
    )
    return term.locator("xpath=..").locator(".typed").inner_text()


def add_key(portal: Portal, public: bytes, label: str) -> None:
    """Paste a public key, and see it in the list."""
    portal.open(f"{HUB}/keys/add")
    portal.look("delivery-key-add")
    portal.fill("delivery.keys.field", public.decode())
    portal.fill("delivery.keys.label", label)
    portal.press("delivery.keys.button")
    portal.says("delivery.keys.done_added")


def allow_here(portal: Portal) -> None:
    """Allow the address that the browser has."""
    portal.open(f"{HUB}/networks")
    portal.look("delivery-networks-none")
    portal.press("delivery.networks.add_here")
    portal.says("delivery.networks.done_added")


def publish(portal: Portal, account: str, machine: Machine, name: str) -> bytes:
    """What the operator does: publish a daily report; its content."""
    content = f"{name} of {account}\n".encode() * 2000
    path = machine.folder / "out" / account / "daily" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    portal.server.command("statements", "publish", str(machine.folder / "out"))
    return content


def newest(portal: Portal, what: str) -> Locator:
    """The newest line of the log, as soon as it says so; nobody asks the page again."""
    line = portal.page.locator("[data-watch] li").first
    expect(line).to_contain_text(pattern(PORTAL[f"delivery.log.what.{what}"]))
    return line


def download_setups(portal: Portal, machine: Machine, key: Path) -> list[str]:
    """Have the path of the key written into the files, save them all; the commands beside them.

    They are saved as if the machine's folder were the home of its user.
    """
    portal.open(f"{HUB}/programs")
    portal.fill("delivery.programs.key", str(key))
    portal.press("delivery.programs.key_button")
    portal.look("delivery-programs")
    folder = machine.folder / ".ssh"
    folder.mkdir(mode=0o700)
    for link in portal.page.locator("a[download]").all():
        with portal.page.expect_download() as waiting:
            link.click()
        saved: Download = waiting.value
        path = folder / saved.suggested_filename
        saved.save_as(path)
        at_home = path.read_bytes().replace(b"~/", f"{machine.folder}/".encode())
        path.write_bytes(at_home)
    return portal.page.locator(".command code").all_inner_texts()
