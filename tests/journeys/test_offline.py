"""The app without a network, and without a server."""

from tests.journeys.beginnings import link_phone
from tests.journeys.browsers import until
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.words import PHONE
from tests.serving import Server


def test_app_starts_offline_from_the_second_start_on(
    portal: Portal, phone: Phone, account: str, server: Server
) -> None:
    """Without a network the app starts, says that it is offline, and computes responses.

    It does so also with the server stopped and the phone switched off and on between.
    """
    link_phone(portal, phone, account)
    phone.network(on=False)
    phone.open()
    phone.at("home", look="home-offline")
    phone.says("home.offline")
    assert len(phone.respond("314159")) == 8
    phone.network(on=True)
    server.stop()
    try:
        phone.stop()
        phone.start()
        phone.open()
        phone.at("home")
        phone.says("home.offline")
        assert len(phone.respond("314159")) == 8
    finally:
        server.start()
    phone.open()
    phone.at("home")
    phone.page.get_by_text(PHONE["home.offline"]).wait_for(state="hidden")


def test_app_can_be_installed(phone: Phone) -> None:
    """The browser finds nothing that would keep the app off the home screen."""
    phone.open()
    phone.at("home", look="welcome")
    browser = phone.context.new_cdp_session(phone.page)
    wrong = "Page.getInstallabilityErrors"
    until(phone.page, lambda: not browser.send(wrong)["installabilityErrors"], "an app")
    manifest = browser.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"] == f"{phone.server.phone}/manifest.webmanifest"
