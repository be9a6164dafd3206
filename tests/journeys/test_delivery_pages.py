"""File delivery in a browser: nothing private leaves it, and the log looks by itself."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from playwright.sync_api import Page, Request, expect
from pysequoia import Tsk

from tests.journeys.conftest import NewPortal
from tests.journeys.portal import Portal
from tests.journeys.words import PORTAL, pattern
from tests.serving import Server
from vestibule.delivery.rules import parse_public_key

HOME = "203.0.113.7"
HUB = "/settings/delivery"


def public_line(comment: str = "office") -> str:
    """A new public key as OpenSSH writes it."""
    public = Ed25519PrivateKey.generate().public_key()
    return f"{public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} {comment}"


def private_texts() -> list[str]:
    """One key in every form that programs save private keys in."""
    key = generate_private_key(65537, 2048)
    locked = BestAvailableEncryption(b"a passphrase")
    forms: list[tuple[PrivateFormat, KeySerializationEncryption]] = [
        (PrivateFormat.OpenSSH, NoEncryption()),
        (PrivateFormat.OpenSSH, locked),
        (PrivateFormat.PKCS8, NoEncryption()),
        (PrivateFormat.PKCS8, locked),
        (PrivateFormat.TraditionalOpenSSL, NoEncryption()),
    ]
    texts = [key.private_bytes(Encoding.PEM, form, seal).decode() for form, seal in forms]
    bare = ["\n".join(text.splitlines()[1:-1]) for text in texts]
    putty = "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPublic-Lines: 2\n"
    return [*texts, *bare, putty, f"{public_line()}\n{texts[0]}", str(Tsk.generate("A <a@b.c>"))]


@contextmanager
def posts(page: Page) -> Iterator[list[str]]:
    """The addresses that anything is sent to meanwhile."""
    seen: list[str] = []

    def note(request: Request) -> None:
        if request.method != "GET" or request.post_data:
            seen.append(request.url)

    page.on("request", note)
    yield seen
    page.remove_listener("request", note)


def paste(page: Page, text: str) -> None:
    """Paste into the text field, as a person does."""
    page.locator("textarea").focus()
    page.evaluate(
        """text => {
          const data = new DataTransfer();
          data.setData("text/plain", text);
          const event = new ClipboardEvent("paste",
            {clipboardData: data, bubbles: true, cancelable: true});
          if (document.activeElement.dispatchEvent(event)) {
            document.execCommand("insertText", false, text);
          }
        }""",
        text,
    )


def drop(page: Page, content: bytes, name: str) -> None:
    """Drop a file beside the field."""
    page.evaluate(
        """([bytes, name]) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
          document.querySelector("h1").dispatchEvent(
            new DragEvent("drop", {dataTransfer, bubbles: true, cancelable: true}));
        }""",
        [list(content), name],
    )


def test_private_key_never_leaves_the_browser(portal: Portal, account: str) -> None:
    """Pasted, typed, dropped or chosen, in any form: nothing is sent, and the way out is said."""
    portal.log_in(account)
    portal.is_signed_in()
    page = portal.page
    for path in ("keys/add", "certificate/add"):
        portal.open(f"{HUB}/{path}")
        area, said = page.locator("textarea"), page.locator("[data-says=private]")
        with posts(page) as sent:
            for text in private_texts():
                for bring in (paste, lambda page, text: page.locator("textarea").fill(text)):
                    area.fill("")
                    bring(page, text)
                    expect(said).to_be_visible()
                    expect(area).to_have_value("")
                    area.fill("ssh-ed25519")
                    expect(said).to_be_hidden()
                for encoding in ("utf-8", "utf-16"):
                    drop(page, text.encode(encoding), "key")
                    expect(said).to_be_visible()
                    expect(area).to_have_value("ssh-ed25519")
                    area.fill("ssh-ed25519")
            # Not put there by hand: it is looked for once more at the last moment.
            page.evaluate("text => { document.querySelector('textarea').value = text; }", text)
            page.locator("form[data-drop] button[type=submit]").click()
            expect(said).to_be_visible()
            expect(area).to_have_value("")
            portal.look(f"delivery-{path.replace('/', '-')}-private")
        assert sent == []


def test_public_key_is_dropped_and_added(portal: Portal, account: str) -> None:
    """In the encodings of any system; its fingerprint is shown back."""
    portal.log_in(account)
    portal.is_signed_in()
    page = portal.page
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        portal.open(f"{HUB}/keys/add")
        line = public_line()
        drop(page, line.encode(encoding), "id_ed25519.pub")
        expect(page.locator("[data-says=filled]")).to_be_visible()
        portal.fill("delivery.keys.label", f"Office {encoding}")
        portal.press("delivery.keys.button")
        portal.says("delivery.keys.done_added")
        expect(page.get_by_text(parse_public_key(line.encode()).fingerprint)).to_be_visible()


def test_certificate_without_armor_is_dropped(portal: Portal, account: str, tmp_path: Path) -> None:
    """As programs export it by default: bytes, which a text field cannot hold."""
    portal.log_in(account)
    portal.is_signed_in()
    portal.open(f"{HUB}/certificate/add")
    cert = Tsk.generate("Maria Rossi <maria@example.org>").extract_certificate()
    file = tmp_path / "maria.pgp"
    file.write_bytes(bytes(cert))
    portal.page.locator("#file").set_input_files(file)
    expect(portal.page.locator("[data-says=filled]")).to_be_visible()
    portal.press("delivery.certificate.button")
    portal.says("delivery.certificate.done_set")
    shown = portal.page.locator(".typed.secret").inner_text().replace(" ", "")
    assert shown == cert.fingerprint.upper()
    portal.look("delivery-certificate")


def test_everything_is_done_without_script(new_portal: NewPortal, account: str) -> None:
    """On, a key, an address, a trial, programs' files, the log, off."""
    portal = new_portal(script=False)
    portal.log_in(account)
    portal.is_signed_in()
    portal.open(HUB)
    portal.press("delivery.hub.turn_on")
    portal.follow("delivery.keys.add")
    portal.fill("delivery.keys.field", public_line())
    portal.press("delivery.keys.button")
    portal.says("delivery.keys.done_added")
    portal.open(f"{HUB}/networks")
    portal.press("delivery.networks.add_here")
    portal.says("delivery.networks.here")
    portal.open(f"{HUB}/trial")
    portal.press("delivery.trial.button")
    portal.says("delivery.trial.yes")
    portal.open(f"{HUB}/log")
    portal.follow("delivery.log.reload")
    portal.says("delivery.log.none")
    portal.open(HUB)
    portal.press("delivery.hub.turn_off")
    portal.says("delivery.hub.off")


class Visits:
    """Enters visits as the SFTP server does: from a process of its own."""

    def __init__(self, server: Server, username: str) -> None:
        self._server = server
        self.username = username

    def come(self, *visits: dict[str, str]) -> None:
        """Programs at the door, one after the other: the outcome, and what is not as usual."""
        usual = {"username": self.username, "address": HOME, "program": "WinSCP_release_6.5"}
        done = subprocess.run(
            [sys.executable, "-c", RECORD],
            env=self._server.environment,
            input=json.dumps([usual | visit for visit in visits]),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


RECORD = """
import asyncio, json, sys
from vestibule.app import open_context
from vestibule.base.settings import load
from vestibule.delivery import service
from vestibule.delivery.rules import Outcome, parse_public_key

async def record():
    async with open_context(load()) as ctx:
        for visit in json.load(sys.stdin):
            door = await service.door(ctx, visit["username"])
            line = visit.pop("line", "")
            prints = (parse_public_key(line.encode()).fingerprint,) if line else ()
            outcome = Outcome(visit.pop("outcome"))
            id_ = await service.record_visit(
                ctx, outcome=outcome, door=door, fingerprints=prints, **visit)
            if outcome is Outcome.ACCEPTED:
                await service.end_visit(ctx, id_, files=12, bytes=4_300_000)

asyncio.run(record())
"""


def begin(portal: Portal, account: str) -> Visits:
    """Somebody who has just switched it on."""
    portal.log_in(account)
    portal.is_signed_in()
    portal.open(HUB)
    portal.look("delivery-off")
    portal.press("delivery.hub.turn_on")
    portal.says("delivery.hub.done_on")
    portal.look("delivery-begun")
    row = portal.page.locator(".copies > div", has_text=PORTAL["delivery.hub.username"])
    return Visits(portal.server, row.locator(".typed").inner_text())


def add_key(portal: Portal, line: str, label: str) -> None:
    """Paste a key and give it a name."""
    portal.open(f"{HUB}/keys/add")
    paste(portal.page, line)
    portal.fill("delivery.keys.label", label)
    portal.press("delivery.keys.button")
    portal.says("delivery.keys.done_added")


def test_log_looks_by_itself(portal: Portal, account: str) -> None:
    """A program that connects now is told of at once, with its reason and the way out."""
    visits = begin(portal, account)
    line = public_line()
    add_key(portal, line, "Office computer")
    portal.open(f"{HUB}/log")
    portal.says("delivery.log.watching")
    portal.look("delivery-log-empty")
    visits.come({"outcome": "address_not_allowed", "line": line})
    portal.says("delivery.log.what.address_not_allowed")
    told = portal.page.locator("[data-watch-news]")
    expect(told).to_have_text(pattern(PORTAL["delivery.log.what.address_not_allowed"]))
    portal.page.get_by_role("button", name=HOME).click()
    portal.says("delivery.networks.done_added")
    portal.open(f"{HUB}/log")
    portal.says("delivery.log.settled.address_not_allowed")
    visits.come({"outcome": "accepted", "line": line})
    portal.says("delivery.log.what.accepted")


def test_every_refusal_has_its_way_out(portal: Portal, account: str) -> None:
    """And every page of file delivery is looked at, with something on it."""
    visits = begin(portal, account)
    line = public_line()
    add_key(portal, line, "Office computer")
    add_key(portal, public_line(), "Accountant, Studio Bianchi")
    portal.look("delivery-keys")
    portal.open(f"{HUB}/networks")
    portal.press("delivery.networks.add_here")
    portal.fill("delivery.networks.field", "203.0.113.0/24")
    portal.press("delivery.networks.button")
    portal.look("delivery-networks")
    visits.come(
        {"outcome": "accepted", "line": line},
        {"outcome": "username_unknown", "line": line, "username": account},
        {"outcome": "key_not_registered", "line": public_line()},
        {"outcome": "no_key_offered", "program": "FileZilla_3.67.1"},
        {"outcome": "algorithm_too_old", "username": "", "program": "JSCH-0.1.54"},
        {"outcome": "signature_wrong", "line": line},
        {"outcome": "too_many"},
        {"outcome": "timed_out", "program": ""},
        {"outcome": "lost"},
        {"outcome": "address_not_allowed", "line": line, "address": "198.51.100.23"},
    )
    portal.open(f"{HUB}/log")
    for outcome in ("username_unknown", "key_not_registered", "no_key_offered", "lost"):
        portal.says(f"delivery.log.what.{outcome}")
    portal.look("delivery-log")
    portal.follow("delivery.log.only_accepted")
    portal.says("delivery.log.what.accepted")
    expect(portal.page.locator("[data-watch] li")).to_have_count(1)
    portal.open(HUB)
    portal.look("delivery-on")
    portal.open(f"{HUB}/programs")
    portal.look("delivery-programs")
    portal.open(f"{HUB}/trial")
    portal.fill("delivery.trial.address", "198.51.100.23")
    portal.press("delivery.trial.button")
    portal.says("delivery.trial.no")
    portal.look("delivery-trial")
    portal.open(f"{HUB}/keys/add")
    portal.unfold("delivery.making.linux_putty")
    portal.look("delivery-key-add")
    portal.open(f"{HUB}/certificate/add")
    portal.unfold("delivery.certificate.linux")
    portal.look("delivery-certificate-add")
