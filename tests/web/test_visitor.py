"""Who asks: address, network, browser in words; and whose word is taken for it."""

from ipaddress import ip_network
from types import SimpleNamespace

import pytest
from starlette.requests import Request

from tests.desk import Desk
from tests.login.scene import with_settings
from vestibule.web.visitor import browser_words, source_of, visitor


@pytest.mark.parametrize(
    "agent, words",
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:153.0) Gecko/20100101 Firefox/153.0",
            "Firefox on Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/131.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("", "Unknown browser"),
        ("\x00<script>" * 50, "Unknown browser"),
    ],
)
def test_browser_is_named_in_words(agent: str, words: str) -> None:
    """As a person would say it; what is no browser is unknown."""
    assert browser_words(agent) == words


@pytest.mark.parametrize(
    "address, source",
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", "unknown"),
        ("testclient", "unknown"),
    ],
)
def test_source_is_what_one_household_holds(address: str, source: str) -> None:
    """An IPv6 network counts as one, an IPv4 address in either spelling too."""
    assert source_of(address) == source


def ask(desk: Desk, peer: str, *forwarded: str, proxies: tuple[str, ...] = ()) -> str:
    """The address that a request with these X-Forwarded-For headers is said to come from."""
    networks = tuple(ip_network(proxy) for proxy in proxies)
    ctx = with_settings(desk.scene, trusted_proxies=networks).ctx
    app = SimpleNamespace(state=SimpleNamespace(ctx=ctx))
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    scope = {"type": "http", "app": app, "client": (peer, 1), "headers": headers}
    return visitor(Request(scope)).address


def test_forwarded_address_is_believed_from_trusted_proxies_only(desk: Desk) -> None:
    """The nearest address that no trusted proxy has; whatever lies beyond it is hearsay."""
    assert ask(desk, "192.0.2.7", "10.9.9.9") == "192.0.2.7"
    trusted = ("10.0.0.0/8",)
    assert ask(desk, "10.0.0.1", "192.0.2.7", proxies=trusted) == "192.0.2.7"
    assert ask(desk, "10.0.0.1", "203.0.113.5, 192.0.2.7, 10.0.0.2", proxies=trusted) == (
        "192.0.2.7"
    )
    assert ask(desk, "10.0.0.1", "203.0.113.5", "192.0.2.7", proxies=trusted) == "192.0.2.7"
    assert ask(desk, "10.0.0.1", "nonsense", proxies=trusted) == "10.0.0.1"
    assert ask(desk, "10.0.0.1", proxies=trusted) == "10.0.0.1"
    assert ask(desk, "192.0.2.7", "10.0.0.3", proxies=trusted) == "192.0.2.7"
