"""Every figure of the help articles is what its screen says today.

Taken in one language here; `make figures` takes them anew in each.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.fetching import Machine
from tests.journeys.beginnings import link_and_leave, sign_in, wait_for_pushes
from tests.journeys.browsers import DESK
from tests.journeys.camera import FAR_AWAY
from tests.journeys.conftest import NewPhone, NewPortal, open_house
from tests.journeys.delivery import HUB, add_key, allow_here, newest, read_facts, turn_on
from tests.journeys.figures import FOLDER, MOST_BYTES, Figures
from tests.journeys.looking import Looking
from tests.journeys.ntfy import Ntfy
from tests.journeys.phone import PIN, Phone
from tests.journeys.portal import Portal
from tests.journeys.proving import recovery_codes, sign_in_on, verify_number
from tests.journeys.push_service import PushService
from tests.journeys.words import LANGUAGE, LOCALE
from tests.serving import Server
from vestibule.base.assets import knowledge_root
from vestibule.knowledge.service import Library

TRUSTED_S = 73 * 3600
WIDTH: ViewportSize = {"width": 760, "height": 900}
"""Narrow enough that a figure can be read beside the text."""


@pytest.fixture(scope="module")
def house(
    pushes: PushService, ntfy: Ntfy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server whose clock is right until a journey here moves it: the self-test shows that."""
    with open_house(pushes, ntfy, tmp_path_factory.mktemp("house")) as up:
        yield up


@pytest.fixture(scope="module")
def figures() -> Iterator[Figures]:
    """The figures of this run's language."""
    opened = Figures.opened()
    yield opened
    opened.close()


class Passing(Looking):
    """Passes by: other journeys look at these screens."""

    def at(self, page: Page, name: str) -> None:
        """Nothing."""


@pytest.fixture
def shown_phone(new_phone: NewPhone) -> NewPhone:
    """Switches on one more phone, whose screens are not looked at but taken."""

    def taken() -> Phone:
        phone = new_phone()
        phone._looking = Passing()
        return phone

    return taken


@pytest.fixture
def phone(shown_phone: NewPhone) -> Phone:
    """A phone without the app."""
    return shown_phone()


@pytest.fixture
def plain(house: Server, desk: Browser) -> Iterator[Portal]:
    """The portal in a browser of the width of a figure, by day."""
    context = desk.new_context(
        viewport=WIDTH,
        user_agent=DESK,
        locale=LOCALE,
        color_scheme="light",
        reduced_motion="reduce",
        timezone_id="Europe/Rome",
    )
    yield Portal(context.new_page(), house, Passing())
    context.close()


def fresh(figures: Figures) -> None:
    """Nothing that was taken says anything else than before."""
    assert figures.stale == [], "run `make figures`, and look at what changed"


def test_figures_of_linking_a_phone(
    plain: Portal, phone: Phone, account: str, figures: Figures
) -> None:
    """The way in: form, banner, and each screen of the app up to its start page."""
    page, app = plain.page, phone
    plain.open("/login")
    figures.take(page, "portal-sign-in", page.locator("main > *"))
    plain.log_in(account)
    plain.is_signed_in()
    figures.take(page, "portal-banner", page.locator(".activation"))
    app.camera.show(plain.picture(), FAR_AWAY)
    app.open()
    app.at("home", look="welcome")
    figures.take(app.page, "app-welcome")
    app.press("welcome.scan")
    app.at("scan")
    app.page.wait_for_timeout(1500)
    figures.take(app.page, "app-scan")
    code = plain.code()
    app.open()
    app.press("welcome.type")
    app.at("type_code", look="type-code")
    app.fill("code.label", code)
    figures.take(app.page, "app-code")
    app.press("action.continue")
    app.at("confirm")
    figures.take(app.page, "app-confirm")
    app.press("confirm.agree")
    app.at("security", look="pin")
    app.fill("pin.choose", PIN)
    app.fill("pin.again", PIN)
    figures.take(app.page, "app-pin")
    app.press("pin.save")
    app.is_linked()
    wait_for_pushes(plain)
    figures.take(app.page, "app-home")
    fresh(figures)


def test_figures_of_signing_in(plain: Portal, phone: Phone, account: str, figures: Figures) -> None:
    """Menu and settings, the waiting page with the number, the request, the response, the test."""
    page, app = plain.page, phone
    link_and_leave(plain, app, account)
    plain.log_in(account)
    plain.read_number()
    figures.take(page, "portal-waiting", page.locator("main > *"))
    app.take_request()
    app.at("request", look="request-number")
    figures.take(app.page, "app-request")
    plain.unfold("login.wait.not_received")
    figures.take(page, "portal-challenge", page.locator("main details[open]"))
    challenge = plain.challenge()
    app.open_authenticate()
    response = app.make_response(challenge)
    figures.take(app.page, "app-response")
    plain.respond(response)
    plain.is_signed_in()
    page.locator("details.menu summary").click()
    figures.take(page, "portal-menu", page.locator("header.top"), page.locator(".menu-sheet"))
    plain.open("/settings/sign-in")
    figures.take(page, "portal-secure-login", page.locator(".settings > :nth-child(-n+3)"))
    app.open_self_test()
    app.flies("arrived")
    figures.take(app.page, "app-self-test")
    fresh(figures)


def test_figure_of_the_ways_to_prove_oneself(
    plain: Portal, shown_phone: NewPhone, account: str, figures: Figures
) -> None:
    """On a second phone: the first one, a recovery code, a text."""
    phone = shown_phone()
    plain.log_in(account)
    verify_number(plain)
    # A number counts for recovery once it has been there for days; the session ends meanwhile.
    plain.server.move_clock(TRUSTED_S)
    link_and_leave(plain, phone, account)
    sign_in(plain, phone, account)
    phone.press("action.done")
    recovery_codes(plain)
    second = shown_phone()
    second.open()
    second.press("welcome.password")
    sign_in_on(second, account)
    second.at("replaces")
    second.press("replaces.none")
    second.at("ways")
    figures.take(second.page, "app-ways")
    fresh(figures)


def test_figures_of_file_delivery(
    plain: Portal, phone: Phone, account: str, figures: Figures, tmp_path: Path
) -> None:
    """A key, the facts to type into a program, the log that says why it was refused."""
    page = plain.page
    machine = Machine(tmp_path / "machine", plain.server.sftp)
    turn_on(plain, phone, account)
    public = machine.make_putty_key()
    plain.open(f"{HUB}/keys/add")
    plain.fill("delivery.keys.field", public.decode())
    plain.fill("delivery.keys.label", "Office computer")
    figures.take(page, "portal-delivery-key", page.locator(".settings form[data-drop]"))
    add_key(plain, public, "Office computer")
    allow_here(plain)
    read_facts(plain, machine)
    figures.take(page, "portal-delivery", page.locator("section[aria-labelledby=needs]"))
    plain.open(f"{HUB}/log")
    other = Machine(tmp_path / "other", machine.port, machine.username)
    other.host_fingerprint = machine.host_fingerprint
    other.make_putty_key()
    assert "refused our key" in other.psftp("ls").said
    figures.take(page, "portal-delivery-log", newest(plain, "key_not_registered"))
    fresh(figures)


TALK = {
    "en": (
        "The page stays empty",
        "Since this morning the list of statements shows nothing.",
        "Thank you for the recording. We found it: please load the page once more.",
    ),
    "it": (
        "La pagina resta vuota",
        "Da stamattina l’elenco degli estratti conto è vuoto.",
        "Grazie per la registrazione. Abbiamo trovato la causa: ricarichi la pagina.",
    ),
    "fr": (
        "La page reste vide",
        "Depuis ce matin, la liste des relevés est vide.",
        "Merci pour l’enregistrement. La cause est trouvée : rechargez la page.",
    ),
    "es": (
        "La página se queda vacía",
        "Desde esta mañana la lista de extractos está vacía.",
        "Gracias por la grabación. Hemos encontrado la causa: vuelva a cargar la página.",
    ),
    "pt": (
        "A página fica vazia",
        "Desde esta manhã a lista de extratos está vazia.",
        "Obrigado pela gravação. Encontramos a causa: carregue a página de novo.",
    ),
}


def recording(folder: Path) -> Path:
    """A small recording with a few secrets in it."""
    requests = (
        ("GET", "https://portal.example.com/statements?page=2", 200, "Cookie", "session=4f7k9qzm"),
        ("POST", "https://portal.example.com/api/list", 503, "Authorization", "Bearer a1b2c3"),
        ("GET", "https://portal.example.com/static/app.js", 304, "Accept", "*/*"),
    )
    entries = [
        {
            "startedDateTime": f"2026-11-23T09:00:0{at}.000Z",
            "time": 120 * (at + 1),
            "request": {
                "method": method,
                "url": url,
                "httpVersion": "HTTP/2",
                "cookies": [],
                "headers": [{"name": header, "value": value}],
                "queryString": [],
                "headersSize": -1,
                "bodySize": 0,
            },
            "response": {
                "status": status,
                "statusText": "",
                "httpVersion": "HTTP/2",
                "cookies": [],
                "headers": [],
                "content": {"size": 0, "mimeType": "application/json"},
                "redirectURL": "",
                "headersSize": -1,
                "bodySize": 0,
            },
            "cache": {},
            "timings": {"send": 1, "wait": 100, "receive": 19},
        }
        for at, (method, url, status, header, value) in enumerate(requests)
    ]
    creator = {"name": "Browser", "version": "1"}
    path = folder / "portal.har"
    log = {"version": "1.2", "creator": creator, "pages": [], "entries": entries}
    path.write_text(json.dumps({"log": log}))
    return path


def test_figures_of_messages(
    plain: Portal, new_portal: NewPortal, phone: Phone, account: str, figures: Figures
) -> None:
    """A recording before it is sent, and a conversation with an answer."""
    page, server = plain.page, plain.server
    subject, text, answer = TALK[LANGUAGE]
    plain.log_in(account)
    plain.is_signed_in()
    plain.open("/messages/new")
    page.locator("select#topic").select_option("statements")
    plain.fill("support.new.subject", subject)
    page.locator("textarea#text").fill(text)
    page.locator("#files").set_input_files(recording(phone.camera.path.parent))
    plain.says("captures.block.ready")
    figures.take(page, "portal-capture", page.locator("[data-recording] [data-stage=ready]"))
    plain.press("captures.block.send")
    expect(page.locator("[data-attach] [data-slot=files] > li")).to_have_count(1)
    plain.press("support.new.send")
    page.wait_for_url(re.compile("/messages/[0-9A-Z]{4}-"))
    number = page.url.rsplit("/", 1)[1].partition("?")[0]

    colleague = account.replace("mercer", "hale")
    server.add_account(colleague, name="Robin Hale")
    server.command("staff", "add", colleague, "--role", "support")
    staff = new_portal()
    staff._looking = Passing()
    link_and_leave(staff, phone, colleague)
    sign_in(staff, phone, colleague)
    staff.open(f"/staff/tickets/{number}")
    staff.page.locator("#answer textarea#text").fill(answer)
    staff.press("support.staff.answer.send")
    # The client's page follows by itself.
    expect(page.locator(".talk li[data-by=staff]")).to_have_count(1)
    figures.take(page, "portal-ticket", page.locator("main h1"), page.locator("[data-live]"))
    fresh(figures)


def test_every_figure_is_taken_here_and_small(figures: Figures) -> None:
    """None is left that nobody renews; none makes a phone wait."""
    ours = Library([knowledge_root()])
    shown = {
        name
        for number in ours.numbers
        if (article := ours.find(number, LANGUAGE))
        for name in article.document.figures
    }
    there = {path.stem: path.stat().st_size for path in (FOLDER / LANGUAGE).glob("*.webp")}
    assert shown == there.keys()
    assert {name for name, size in there.items() if size > MOST_BYTES} == set()
    assert figures.manifest[LANGUAGE].keys() == there.keys()
