"""A recording is made safe in the browser: nothing that was planted in it is ever sent."""

import gzip
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Error, Locator, Page, Playwright, expect

from tests.captures.canaries import Canaries
from tests.captures.finder import find
from tests.journeys.browsers import ARGUMENTS, DESK, DESK_SIZE, chromium, until
from tests.journeys.conftest import NewPortal
from tests.journeys.looking import Looking
from tests.journeys.portal import Portal
from tests.journeys.wire import Wire, wire_to
from tests.journeys.words import LOCALE, PORTAL
from tests.serving import PASSWORD, Server
from vestibule import captures

CORPUS = Path(__file__).parents[1] / "captures" / "corpus"
CAPTURE = CORPUS / "chromium.har"
CANARIES = Canaries.load(CORPUS / "canaries.json")
TEXT = "The list of statements stays empty."
BROKEN = {
    "capture_empty": b" \n",
    "capture_not_json": b"<html></html>",
    "capture_not_har": b'{"log":{}}',
    "capture_cut": CAPTURE.read_bytes()[:-90],
    "capture_encoding": b'{"log":{"entries":[{"comment":"\xff"}]}}',
    "capture_too_deep": b'{"x":' + b"[" * 300 + b"]" * 300 + b"}",
    "capture_compressed": gzip.compress(CAPTURE.read_bytes()),
}


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    """What the browser of `tapped` sends goes through here."""
    with wire_to(server.portal) as made:
        yield made


@pytest.fixture
def tapped(
    playwright: Playwright, server: Server, wire: Wire, looking: Looking, tmp_path: Path
) -> Iterator[Portal]:
    """The portal, every byte of whose browser is seen, in no private window: it has a disk."""
    context = playwright.chromium.launch_persistent_context(
        tmp_path / "profile",
        executable_path=chromium(),
        args=[*ARGUMENTS, wire.mapping(server.portal)],
        viewport=DESK_SIZE,
        user_agent=DESK,
        locale=LOCALE,
        reduced_motion="reduce",
    )
    looking.watch(context)
    yield Portal(context.new_page(), server, looking)
    context.close()


def writing(portal: Portal, account: str) -> Locator:
    """A message begun, with the block for recordings open."""
    portal.log_in(account)
    portal.is_signed_in()
    return begun(portal)


def begun(portal: Portal) -> Locator:
    """The same, where somebody is signed in."""
    portal.open("/messages/new")
    portal.page.locator("select[name=topic]").select_option("sign-in")
    portal.fill("support.new.subject", "It does not load")
    portal.fill("support.new.text", TEXT)
    portal.unfold("support.attach.record")
    block = portal.page.locator("[data-recording]")
    expect(stage(block, "pick")).to_be_visible()
    return block


def stage(block: Locator, name: str) -> Locator:
    """What is shown at a stage."""
    return block.locator(f"[data-stage={name}]")


def choose(block: Locator, path: Path) -> None:
    """Choose a file, as a person does."""
    block.locator("#recording-file").set_input_files(path)


def made_ready(block: Locator, path: Path) -> None:
    """Choose a file, and wait until it can be sent."""
    choose(block, path)
    expect(stage(block, "ready")).to_be_visible()


def made_safe(path: Path) -> tuple[bytes, captures.Report]:
    """What the server's program makes of a file."""
    out = BytesIO()
    with path.open("rb") as file:
        report = captures.sanitise(file.read, out.write)
    return out.getvalue(), report


def private_files(page: Page) -> dict[str, str]:
    """What lies in the browser's private file system for the portal."""
    found: dict[str, str] = page.evaluate(
        """async () => {
            const found = {};
            for await (const [name, handle] of await navigator.storage.getDirectory()) {
                found[name] = await (await handle.getFile()).text();
            }
            return found;
        }"""
    )
    return found


def nothing_is_left(page: Page) -> None:
    """No private file lies there, now or soon."""
    until(page, lambda: not private_files(page), "the private file is removed")


def large(path: Path) -> Path:
    """A capture of 40,000 requests, which is worked at for a while."""
    entry = b'{"request":{"url":"https://a.example/"},"comment":"' + b"c" * 5000 + b'"},\n'
    path.write_bytes(b'{"log":{"entries":[' + entry * 40_000 + b'{"request":{}}]}}')
    return path


def is_kept(portal: Portal) -> None:
    """What was typed is still there."""
    assert portal.page.locator("textarea[name=text]").input_value() == TEXT


def test_only_what_is_safe_leaves_the_browser(tapped: Portal, wire: Wire, account: str) -> None:
    """The recording is shown as it will go, request by request, and exactly that is sent."""
    safe, report = made_safe(CAPTURE)
    block = writing(tapped, account)
    tapped.look("recording-pick")
    made_ready(block, CAPTURE)
    tapped.look("recording-ready")
    told = block.locator("[data-reason]:not([hidden])")
    assert told.count() == len(report.removed)
    passwords = block.locator("[data-reason=password] dd").inner_text()
    assert int(passwords.replace(",", "")) == report.removed["password"]

    block.locator("[data-slot=requests] summary").first.click()
    line = block.locator("pre").first
    expect(line).to_contain_text('"request"')
    assert line.inner_text().encode() in safe
    tapped.look("recording-opened")
    assert b"~removed" not in wire.sent, "it was sent before anybody asked for it"

    tapped.press("captures.block.send")
    expect(stage(block, "done")).to_be_visible()
    tapped.look("recording-attached")
    tapped.press("support.new.send")
    tapped.says("support.done.sent")
    assert wire.sent.count(safe) == 1
    assert TEXT.encode() in wire.sent
    assert find(wire.sent, CANARIES) == {}
    assert find(CAPTURE.read_bytes(), CANARIES), "there was something to find"


def test_message_waits_for_a_recording_that_is_ready(
    tapped: Portal, wire: Wire, account: str
) -> None:
    """Whoever sends the message sends the recording with it, and never without it."""
    safe, _ = made_safe(CAPTURE)
    block = writing(tapped, account)
    made_ready(block, CAPTURE)
    tapped.press("support.new.send")
    tapped.says("support.done.sent")
    assert wire.sent.count(safe) == 1
    expect(tapped.page.get_by_text("chromium.safe.har")).to_be_visible()


def test_stopped_recording_is_not_sent(portal: Portal, account: str, tmp_path: Path) -> None:
    """Stopping takes effect at once, says so, and the next file is taken as the first would be."""
    block = writing(portal, account)
    stop = stage(block, "working").locator("[data-does=stop]")
    # A worker that never starts: the page can be looked at in peace.
    portal.page.route("**/worker.js", lambda _: None)
    choose(block, CAPTURE)
    expect(stage(block, "working")).to_be_visible()
    portal.look("recording-working")
    stop.click()
    portal.page.unroute("**/worker.js")
    choose(block, large(tmp_path / "large.har"))
    expect(stage(block, "working").locator("progress")).not_to_have_js_property("value", 0)
    stop.click()
    portal.says("captures.block.stopped")
    expect(stage(block, "pick")).to_be_visible()
    is_kept(portal)
    made_ready(block, CAPTURE)


def test_what_cannot_be_read_is_refused_with_a_reason(
    portal: Portal, account: str, tmp_path: Path
) -> None:
    """Title, cause and next step of each refusal; another file can be chosen, nothing is lost."""
    block = writing(portal, account)
    for code, content in BROKEN.items():
        path = tmp_path / f"{code}.har"
        path.write_bytes(content)
        choose(block, path)
        refused = stage(block, "refused")
        expect(refused.locator(f"[data-refusal={code}]")).to_be_visible()
        expect(refused.locator("[data-refusal]:visible")).to_have_count(1)
        expect(refused).to_contain_text(PORTAL[f"error.{code}.title"])
        portal.look("recording-refused")
        refused.locator("[data-does=again]").click()
        expect(stage(block, "pick")).to_be_visible()
    is_kept(portal)


def test_recording_is_sent_again_after_a_cut(portal: Portal, account: str) -> None:
    """The connection breaks while it is sent: the recording and what was typed are still there."""
    block = writing(portal, account)
    made_ready(block, CAPTURE)
    address = "**/attachments?name=*"
    portal.page.route(address, lambda route: route.abort("connectionreset"))
    portal.press("captures.block.send")
    expect(stage(block, "cut")).to_be_visible()
    portal.look("recording-cut")
    is_kept(portal)
    portal.page.unroute(address)
    portal.press("captures.block.send_again")
    expect(stage(block, "done")).to_be_visible()


def test_requests_are_found_by_address_and_by_failure(portal: Portal, account: str) -> None:
    """Whoever wants to know what goes need not read all of it."""
    block = writing(portal, account)
    made_ready(block, CAPTURE)
    found: list[captures.Entry] = []
    captures.sanitise(BytesIO(CAPTURE.read_bytes()).read, lambda _: None, entry=found.append)
    failed = [one for one in found if one.status <= 0 or one.status >= 400 or one.error]
    assert 0 < len(failed) < len(found)
    shown = block.locator("[data-slot=shown]")
    expect(shown).to_contain_text(str(len(found)))
    block.locator("#recording-find").fill("no such address")
    expect(block.locator("[data-slot=requests] > li")).to_have_count(0)
    block.locator("#recording-find").fill("")
    block.locator("#recording-failed").check()
    expect(shown).to_contain_text(str(len(failed)))
    while block.locator("[data-does=more]").is_visible():
        block.locator("[data-does=more]").click()
    expect(block.locator("[data-slot=requests] > li")).to_have_count(len(failed))


def test_without_script_the_server_is_named(new_portal: NewPortal, account: str) -> None:
    """The page says who makes the recording safe then, and how to attach it."""
    portal = new_portal(script=False)
    portal.open("/login")
    portal.fill("login.sign_in.username", account)
    portal.fill("login.sign_in.password", PASSWORD)
    portal.press("login.sign_in.button")
    portal.is_signed_in()
    portal.open("/messages/new")
    portal.unfold("support.attach.record")
    portal.says("captures.block.no_script")
    block = portal.page.locator("[data-recording]")
    expect(block.locator("[data-stage]:visible")).to_have_count(0)


def test_guide_begins_with_the_visitors_browser(portal: Portal, account: str) -> None:
    """How a recording is made, for the browser at hand first; the others beside it."""
    block = writing(portal, account)
    portal.unfold("captures.guide.title")
    guides = block.locator("details details")
    expect(guides.first).to_have_attribute("open", "")
    expect(guides.first.locator("summary")).to_contain_text("Chrome")
    assert guides.count() == 4
    portal.look("recording-guide")
    links = block.locator("a[href^='/article/3512#']")
    assert links.count() == 4


# --- where it lies until it is sent -----------------------------------------------------------


def test_result_lies_on_the_disk_until_it_was_sent(
    tapped: Portal, wire: Wire, account: str
) -> None:
    """In one private file, of safe bytes alone; what is sent is that file, which goes then."""
    safe, _ = made_safe(CAPTURE)
    block = writing(tapped, account)
    made_ready(block, CAPTURE)
    assert [text.encode() for text in private_files(tapped.page).values()] == [safe]
    tapped.press("captures.block.send")
    expect(stage(block, "done")).to_be_visible()
    assert wire.sent.count(safe) == 1
    nothing_is_left(tapped.page)


def test_nothing_is_left_of_what_is_not_sent(tapped: Portal, account: str, tmp_path: Path) -> None:
    """Left out, replaced, refused, stopped while it is written, left behind with its page."""
    block = writing(tapped, account)
    page = tapped.page
    made_ready(block, CAPTURE)
    assert len(private_files(page)) == 1
    tapped.press("captures.block.leave_out")
    nothing_is_left(page)

    made_ready(block, CAPTURE)
    first = private_files(page).keys()
    choose(block, CORPUS / "firefox.har")
    expect(stage(block, "ready").locator("[data-slot=name]")).to_have_text("firefox.har")
    expect(stage(block, "ready")).to_be_visible()
    until(page, lambda: not first & private_files(page).keys(), "the replaced one is removed")
    assert len(private_files(page)) == 1

    cut = tmp_path / "cut.har"
    cut.write_bytes(BROKEN["capture_cut"])
    choose(block, cut)
    expect(stage(block, "refused")).to_be_visible()
    nothing_is_left(page)

    choose(block, large(tmp_path / "large.har"))
    working = stage(block, "working")
    expect(working.locator("progress")).not_to_have_js_property("value", 0)
    assert len(private_files(page)) == 1
    working.locator("[data-does=stop]").click()
    nothing_is_left(page)

    made_ready(block, CAPTURE)
    assert len(private_files(page)) == 1
    tapped.open("/")
    nothing_is_left(page)


def test_file_of_a_crashed_tab_goes_and_that_of_a_living_one_stays(
    tapped: Portal, wire: Wire, account: str, looking: Looking
) -> None:
    """With the next visit to a page that has the block."""
    safe, _ = made_safe(CAPTURE)
    block = writing(tapped, account)
    made_ready(block, CAPTURE)
    living = private_files(tapped.page).keys()
    crashing = Portal(tapped.page.context.new_page(), tapped.server, looking)
    other = begun(crashing)
    made_ready(other, CORPUS / "firefox.har")
    with crashing.page.expect_event("crash"), pytest.raises(Error):
        crashing.page.goto("chrome://crash")
    assert len(private_files(tapped.page)) == 2

    visiting = Portal(tapped.page.context.new_page(), tapped.server, looking)
    begun(visiting)
    until(visiting.page, lambda: len(private_files(visiting.page)) == 1, "it was tidied up")
    assert private_files(visiting.page).keys() == living
    tapped.press("captures.block.send")
    expect(stage(block, "done")).to_be_visible()
    assert wire.sent.count(safe) == 1
    nothing_is_left(visiting.page)


@pytest.mark.parametrize("missing", ["getDirectory", "storage", "locks"])
def test_browser_without_private_files_keeps_it_in_memory(
    tapped: Portal, wire: Wire, account: str, missing: str
) -> None:
    """Refused as in Firefox's private windows, or unknown as in old browsers: nobody notices."""
    away = f"Object.defineProperty(Navigator.prototype, '{missing}', {{value: undefined}})"
    refused = "() => Promise.reject(new DOMException('private', 'SecurityError'))"
    refusing = f"StorageManager.prototype.getDirectory = {refused}"
    tapped.page.add_init_script(refusing if missing == "getDirectory" else away)
    safe, _ = made_safe(CAPTURE)
    block = writing(tapped, account)
    made_ready(block, CAPTURE)
    looker = tapped.page.context.new_page()
    looker.goto(tapped.server.portal)
    assert private_files(looker) == {}
    tapped.press("captures.block.send")
    expect(stage(block, "done")).to_be_visible()
    assert wire.sent.count(safe) == 1


@pytest.mark.parametrize("quota", [1_500_000, 0])
def test_full_disk_loses_nothing(
    tapped: Portal, wire: Wire, account: str, tmp_path: Path, quota: int
) -> None:
    """It fills up in the middle, or is full from the start: the rest is kept in memory."""
    path = large(tmp_path / "large.har")
    safe, _ = made_safe(path)
    block = writing(tapped, account)
    session = tapped.page.context.new_cdp_session(tapped.page)
    limit = {"origin": tapped.server.portal, "quotaSize": quota}
    session.send("Storage.overrideQuotaForOrigin", limit)
    made_ready(block, path)
    filed = [text.encode() for text in private_files(tapped.page).values()]
    assert sum(map(len, filed)) <= quota < len(safe)
    assert all(safe.startswith(each) for each in filed)
    assert any(filed) == bool(quota)
    tapped.press("captures.block.send")
    expect(stage(block, "done")).to_be_visible()
    assert wire.sent.count(safe) == 1
    nothing_is_left(tapped.page)
