"""The help article on statements by SFTP: a Linux client sets it up, and what may go wrong."""

from pathlib import Path

from playwright.sync_api import expect

from tests.fetching import Machine
from tests.journeys.beginnings import link_phone
from tests.journeys.browsers import PHONE_SIZE
from tests.journeys.conftest import NewPortal
from tests.journeys.delivery import (
    HUB,
    add_key,
    allow_here,
    download_setups,
    newest,
    publish,
    read_facts,
    turn_on,
)
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.words import PORTAL, pattern


def machine_of(portal: Portal, folder: Path) -> Machine:
    """A Linux machine without anything on it."""
    return Machine(folder / "machine", portal.server.sftp)


def test_kb4819_statements_by_sftp_on_linux(
    portal: Portal, phone: Phone, account: str, tmp_path: Path
) -> None:
    """The two puttygen commands, the public key pasted, the phone, the address; then it is fetched.

    By psftp with what the page shows, and by OpenSSH and lftp with the files that it offers.
    """
    machine = machine_of(portal, tmp_path)
    turn_on(portal, phone, account)
    portal.look("delivery-steps")
    add_key(portal, machine.make_putty_key(), "Office computer")
    portal.look("delivery-keys")
    fingerprint = machine.fingerprint(machine.folder / "public.key")
    expect(portal.page.get_by_text(fingerprint)).to_be_visible()
    allow_here(portal)
    portal.look("delivery-networks")
    content = publish(portal, account, machine, "2026-11-22.csv")
    read_facts(portal, machine)
    portal.look("delivery-ready")
    portal.open(f"{HUB}/log")
    portal.look("delivery-log-none")
    machine.psftp("get /daily/2026-11-22.csv got.csv").well()
    assert (machine.folder / "got.csv").read_bytes() == content
    expect(newest(portal, "accepted")).to_contain_text("PuTTY")

    plain = machine.make_key()
    portal.open(f"{HUB}/keys/add")
    portal.page.locator("input[type=file]").set_input_files(machine.folder / "id_ed25519.pub")
    portal.says("delivery.drop.filled")
    assert (
        portal.page.get_by_label(PORTAL["delivery.keys.field"], exact=True).input_value()
        == plain.decode()
    )
    portal.press("delivery.keys.button")
    portal.says("delivery.keys.done_added")
    commands = download_setups(portal, machine, machine.key)
    for program, into in (("sftp", "daily"), ("lftp", "statements/daily")):
        command = next(line for line in reversed(commands) if line.startswith(program))
        machine.run("sh", "-c", command).well()
        assert (machine.folder / into / "2026-11-22.csv").read_bytes() == content


def test_kb4819_possible_issues_of_connecting(
    portal: Portal, phone: Phone, account: str, tmp_path: Path
) -> None:
    """Each failure that clients' programs tell alike has a line of its own in the log.

    An address that is not allowed is allowed there; a program without its key file is told of it;
    a wrong key is shown beside the right one. The last is read at a phone's width.
    """
    machine = machine_of(portal, tmp_path)
    turn_on(portal, phone, account)
    add_key(portal, machine.make_putty_key(), "Office computer")
    read_facts(portal, machine)
    portal.open(f"{HUB}/log")

    assert machine.psftp("ls").code != 0
    line = newest(portal, "address_not_allowed")
    expect(line).to_contain_text("127.0.0.1")
    portal.look("delivery-log-address")
    line.get_by_role("button", name=pattern(PORTAL["delivery.log.go.address_not_allowed"])).click()
    portal.says("delivery.networks.done_added")
    machine.psftp("ls").well()

    portal.open(f"{HUB}/log")
    assert machine.psftp("ls", password="guessed").code != 0
    newest(portal, "no_key_offered")
    portal.says("delivery.log.next.no_key_offered")

    other = Machine(tmp_path / "other", machine.port, machine.username)
    other.host_fingerprint = machine.host_fingerprint
    other.make_putty_key()
    assert "refused our key" in other.psftp("ls").said
    portal.page.set_viewport_size(PHONE_SIZE)
    line = newest(portal, "key_not_registered")
    for one in (machine, other):
        shown = line.get_by_text(one.fingerprint(one.folder / "public.key"))
        shown.scroll_into_view_if_needed()
        expect(shown).to_be_in_viewport(ratio=1)
    portal.says("delivery.log.next.key_not_registered")
    portal.look("delivery-log-key")


def test_kb4819_private_key_is_not_taken(
    portal: Portal, new_portal: NewPortal, phone: Phone, account: str, tmp_path: Path
) -> None:
    """Pasted, it is gone before anything is sent; without script the server refuses it.

    No word of it is in the server's files or in what it says.
    """
    machine = machine_of(portal, tmp_path)
    machine.make_putty_key()
    private = (machine.folder / "privatekey.ppk").read_text()
    link_phone(portal, phone, account)
    sent: list[str] = []
    portal.page.on("request", lambda request: sent.append(request.method))
    portal.open(f"{HUB}/keys/add")
    portal.fill("delivery.keys.field", private)
    portal.says("delivery.drop.private_title")
    portal.look("delivery-key-private")
    expect(portal.page.get_by_label(PORTAL["delivery.keys.field"], exact=True)).to_have_value("")
    portal.page.locator("input[type=file]").set_input_files(machine.folder / "privatekey.ppk")
    portal.says("delivery.drop.private_title")
    assert "POST" not in sent

    plain = new_portal(script=False)
    plain.log_in(account)
    number = plain.read_number()
    phone.open()
    phone.approve(number)
    plain.follow("login.wait.no_script")
    plain.open(f"{HUB}/keys/add")
    plain.fill("delivery.keys.field", private)
    plain.press("delivery.keys.button")
    plain.says("error.private_key_sent.title")
    plain.says("error.private_key_sent.next")
    expect(plain.page.get_by_label(PORTAL["delivery.keys.field"], exact=True)).to_have_value("")
    secret = private.partition("Private-Lines")[2].split()[2].encode()
    for path in portal.server.data.rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes(), path
    assert secret.decode() not in plain.page.content()
