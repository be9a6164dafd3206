"""The stranger's browser: what it reads from pages, and that it is a browser at all."""

from __future__ import annotations

import aiohttp
import pytest

from tests.client.conftest import linked, sign_in
from tests.serving import PASSWORD, Server
from vestibule.client.errors import NotPossible, Unreachable
from vestibule.client.phone import Phone
from vestibule.client.portal import Page, Portal

pytestmark = pytest.mark.processes
Http = aiohttp.ClientSession


async def test_password_alone_signs_in_while_there_is_no_phone(
    http: Http, server: Server, username: str
) -> None:
    """The first page shows how to bring a phone, by link and by code."""
    browser, page = await sign_in(http, server, username)
    assert browser.signed_in
    assert page.path == "/"
    assert page.activation_link.startswith(f"{server.phone}/activate#1.")
    assert len(page.activation_code) == 12
    assert page.challenge == ""


async def test_wrong_password_stays_at_the_form(http: Http, server: Server, username: str) -> None:
    """The form again, with status 401, and no session."""
    browser = Portal(http, server.portal)
    page = await browser.begin(username, f"{PASSWORD}!")
    assert (page.status, browser.signed_in) == (401, False)
    assert page.hidden("/login")["form"]


async def test_browser_chooses_among_several_phones(
    http: Http,
    server: Server,
    username: str,
    phone: Phone,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """With two phones nothing is sent before one is chosen, and only that one is asked."""
    await linked(http, server, username, phone)
    browser, page = await sign_in(http, server, username)
    (request,) = await phone.requests()
    await phone.approve(request, pin="2580", number=page.challenge)
    await browser.get("/login/next")
    more = await browser.get("/activation")
    async with Phone(tmp_path_factory.mktemp("second") / "phone.json") as second:
        offer = await second.fetch_offer(more.activation_link)
        await second.activate(offer, pin="7294", label="Second")
        other, page = await sign_in(http, server, username)
        assert (page.path, len(page.ways)) == ("/login/choose", 2)
        assert await phone.requests() == await second.requests() == []
        page = await other.choose(page, second.state.account().id)
        assert await phone.requests() == []
        (request,) = await second.requests()
        await second.approve(request, pin="7294", number=page.challenge)
        await other.get("/login/next")
        assert other.signed_in


async def test_signing_out_ends_the_session(http: Http, server: Server, username: str) -> None:
    """The cookie goes, and the old one opens nothing."""
    browser, page = await sign_in(http, server, username)
    old = dict(browser.cookies)
    await browser.logout(page)
    assert not browser.signed_in
    browser.cookies = old
    assert (await browser.get("/")).status == 401


async def test_browsers_share_connections_and_no_cookies(
    http: Http, server: Server, username: str
) -> None:
    """Two browsers over one pool are two strangers."""
    first, _ = await sign_in(http, server, username)
    second = Portal(http, server.portal)
    assert (await second.get("/")).path == "/login"
    assert first.cookies.keys() != second.cookies.keys()


async def test_stream_that_is_refused_says_so(http: Http, server: Server) -> None:
    """Without a sign-in there is nothing to wait for."""
    with pytest.raises(NotPossible):
        await Portal(http, server.portal).wait()


async def test_portal_that_does_not_answer_is_named(http: Http) -> None:
    """Nobody listens: the address is in the message."""
    with pytest.raises(Unreachable, match="localhost:9"):
        await Portal(http, "http://localhost:9").get("/")


def test_page_reads_what_people_see() -> None:
    """Titles are unescaped, numbers joined, tokens found."""
    text = (
        "<title>Sign&nbsp;in &amp; out</title>"
        '<form method="post" action="/x"><input type="hidden" name="form" value="wrong"></form>'
        '<form method="post" action="/a?b&amp;c" class="stack">\n'
        '<input type="hidden" name="form" value="a&amp;b"><input type="hidden" name="n" value="">'
        '<input id="u" name="username" type="text" value="not hidden"></form>'
        '<p class="number code" dir="ltr"><span>ABCD</span>\n<span>2345</span></p>'
        '<p class="number " dir="ltr"><span>123</span><span>456</span></p>'
        '<input type="radio" name="way" value="x"><input type="radio" name="way" value="y">'
    )
    page = Page(200, "/", "", text)
    assert page.title == "Sign\u00a0in & out"
    assert page.hidden("/a?b&c") == {"form": "a&b", "n": ""}
    assert (page.activation_code, page.challenge) == ("ABCD2345", "123456")
    assert page.ways == ["x", "y"]


def test_page_that_shows_nothing_says_nothing() -> None:
    """No forms, no numbers: empty texts."""
    page = Page(200, "/", "", "")
    assert (page.title, page.challenge, page.activation_code) == ("", "", "")
    assert (page.activation_link, page.ways) == ("", [])
    with pytest.raises(NotPossible):
        page.hidden("/login")
