"""The app without a network, and without a server."""

from tests.journeys.beginnings import link_phone
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
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
    phone.page.get_by_text("x" * 40).wait_for(state="hidden")
