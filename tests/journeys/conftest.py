"""What every journey needs: a server, browsers, a push service, a desktop, a pair of eyes."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright

from tests.journeys.background import Background, background
from tests.journeys.browsers import (
    ALLOW,
    ANDROID,
    BLOCK,
    DESK,
    DESK_SIZE,
    PATIENCE_S,
    chromium,
    desk_browser,
    phone_browser,
)
from tests.journeys.camera import Camera
from tests.journeys.desktop import Desktop, desktop
from tests.journeys.looking import Looking
from tests.journeys.ntfy import Ntfy, ntfy_server
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.push_service import PushService, push_service
from tests.journeys.words import LANGUAGE, LOCALE
from tests.serving import Server, serving
from vestibule.base.i18n import DEFAULT

HERE = Path(__file__).parent
NewPortal = Callable[..., Portal]
NewPhone = Callable[..., Phone]
NewBrowser = Callable[..., AbstractContextManager[BrowserContext]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives a browser and starts the server."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.processes)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """The driver of the browsers."""
    if chromium() is None:
        pytest.fail("no Chromium: install chromium, or name one in VESTIBULE_CHROME")
    expect.set_options(timeout=PATIENCE_S * 1000)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def beside() -> Iterator[Background]:
    """A loop for what answers while a browser is driven."""
    with background() as running:
        yield running


@pytest.fixture(scope="package")
def desk(playwright: Playwright) -> Iterator[Browser]:
    """The browser that portals are opened in."""
    browser = desk_browser(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def screen(beside: Background) -> Iterator[Desktop]:
    """Where the phones' notifications appear."""
    with desktop(beside) as shown:
        yield shown


@pytest.fixture(scope="package")
def pushes(beside: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushService]:
    """The push service, working."""
    with push_service(beside, tmp_path_factory.mktemp("push")) as service:
        yield service


@pytest.fixture(scope="package")
def ntfy(beside: Background) -> Iterator[Ntfy]:
    """The house's own ntfy server."""
    with ntfy_server(beside) as running:
        yield running


@pytest.fixture(autouse=True)
def _all_is_well(pushes: PushService, screen: Desktop) -> Iterator[None]:
    yield
    pushes.recover()
    screen.clear()


@contextmanager
def open_house(pushes: PushService, ntfy: Ntfy, data: Path) -> Iterator[Server]:
    """A server as journeys need it."""
    settings: dict[str, str | int | bool] = {
        "organisation": "Northwind",
        "push_origins": json.dumps(pushes.origins),
        "ntfy_url": ntfy.url,
        # Clients' programs all come from one address here.
        "sftp_alone": False,
        "sftp_handshakes_per_second": 100,
    }
    with serving(data, **settings) as up:
        yield up


@pytest.fixture(scope="package")
def server(
    pushes: PushService, ntfy: Ntfy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One server for most journeys; each of them has accounts of its own."""
    with open_house(pushes, ntfy, tmp_path_factory.mktemp("server")) as up:
        yield up


@pytest.fixture(scope="module")
def house(server: Server) -> Server:
    """The server of a file's journeys.

    Journeys move its clock ahead, by minutes. A file that moves it by days, or shows whether it is
    right, opens one of its own under this name.
    """
    return server


@pytest.fixture(scope="package")
def _eyes() -> Iterator[Looking]:
    named = os.environ.get("SCREENS_DIR")
    folder = Path(named) / LANGUAGE if named else None
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    # Other languages differ in their words: one width and one scheme show whether these fit.
    eyes = Looking(folder, thorough=LANGUAGE == DEFAULT)
    yield eyes
    eyes.contact_sheet()


@pytest.fixture
def looking(_eyes: Looking) -> Iterator[Looking]:
    """Looks at screens; the test fails if anything was wrong with one, or a page complained."""
    _eyes.complaints.clear()
    yield _eyes
    assert _eyes.complaints == []


@pytest.fixture(scope="package")
def _accounts(request: pytest.FixtureRequest, server: Server) -> Iterator[str]:
    items = request.session.items
    wanted = sum("account" in getattr(item, "fixturenames", ()) for item in items)
    names = [f"mercer{number}" for number in range(1, wanted + 1)]
    server.add_accounts(names, name="Ada Mercer")
    return iter(names)


@pytest.fixture
def account(_accounts: Iterator[str], house: Server, server: Server) -> str:
    """The username of an account that nobody else uses, without a phone."""
    name = next(_accounts)
    if house is not server:
        house.add_account(name, name="Ada Mercer")
    return name


@pytest.fixture
def new_portal(house: Server, desk: Browser, looking: Looking) -> Iterator[NewPortal]:
    """Opens the portal in one more browser; `script=False` switches JavaScript off in it."""
    with ExitStack() as stack:

        def opened(*, script: bool = True) -> Portal:
            context = desk.new_context(
                viewport=DESK_SIZE,
                user_agent=DESK,
                java_script_enabled=script,
                locale=LOCALE,
                reduced_motion="reduce",
            )
            stack.callback(context.close)
            looking.watch(context)
            return Portal(context.new_page(), house, looking)

        yield opened


@pytest.fixture
def portal(new_portal: NewPortal) -> Portal:
    """The portal in a browser that was never here."""
    return new_portal()


@pytest.fixture(scope="package")
def _launch(playwright: Playwright, pushes: PushService, screen: Desktop) -> NewBrowser:
    return partial(phone_browser, playwright, switches=pushes.arguments, bus=screen.address)


@pytest.fixture(scope="package")
def _shop(
    _launch: NewBrowser,
    server: Server,
    screen: Desktop,
    _eyes: Looking,
    tmp_path_factory: pytest.TempPathFactory,
) -> NewPhone:
    def switched_on(
        *, agent: str = ANDROID, may_film: bool = True, may_notify: bool = True
    ) -> Phone:
        folder = tmp_path_factory.mktemp("phone")
        camera = Camera(folder)
        start = partial(
            _launch,
            folder / "profile",
            *camera.arguments,
            agent=agent,
            camera=ALLOW if may_film else BLOCK,
            notifications=ALLOW if may_notify else BLOCK,
        )
        phone = Phone(start, server, camera, screen, _eyes, may_notify=may_notify)
        phone.start()
        return phone

    return switched_on


@pytest.fixture(scope="package")
def _ahead(_shop: NewPhone) -> Iterator[list[Phone]]:
    # A browser's push client sleeps for the first seconds: one phone is always switched on
    # before anybody needs it.
    phones: list[Phone] = [_shop()]
    yield phones
    for phone in phones:
        phone.stop()


@pytest.fixture
def new_phone(
    _shop: NewPhone, _ahead: list[Phone], house: Server, looking: Looking
) -> Iterator[NewPhone]:
    """Switches on one more phone, without the app; takes what it may not, and what it is."""
    with ExitStack() as stack:

        def taken(**how: str | bool) -> Phone:
            if how:
                phone = _shop(**how)
            else:
                _ahead.append(_shop())
                phone = _ahead.pop(0)
            phone.server = house
            stack.callback(phone.stop)
            return phone

        yield taken


@pytest.fixture
def phone(new_phone: NewPhone) -> Phone:
    """A phone without the app."""
    return new_phone()
