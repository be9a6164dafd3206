"""A running server for the tests of the reference phone, and phones to try at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.serving import PASSWORD, Server, serving
from vestibule.accounts.service import create_account
from vestibule.app import open_context
from vestibule.base.settings import Settings
from vestibule.client.phone import Phone
from vestibule.client.portal import Page, Portal

PIN = "2580"
_ACCOUNTS = 40


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for a file of tests; each test takes accounts of its own."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        asyncio.run(_add_accounts(running))
        yield running


async def _add_accounts(server: Server) -> None:
    """All of them at once: a process each would take longer than the tests."""
    settings = Settings(data=server.data, portal_url=server.portal, phone_url=server.phone)
    async with open_context(settings) as ctx:
        for number in range(_ACCOUNTS):
            await create_account(ctx, username=f"person{number}", password=PASSWORD)


@pytest.fixture(scope="module")
def usernames(server: Server) -> Iterator[str]:
    """Accounts that no other test has had, without phones."""
    return (f"person{number}" for number in range(_ACCOUNTS))


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Connections for browsers."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Phone]:
    """A new phone."""
    async with Phone(tmp_path / "phone.json") as new:
        yield new


@pytest.fixture
def username(usernames: Iterator[str]) -> str:
    """An account of this test's own."""
    return next(usernames)


@pytest.fixture
def other_username(usernames: Iterator[str]) -> str:
    """Another one."""
    return next(usernames)


async def sign_in(
    http: aiohttp.ClientSession, server: Server, username: str
) -> tuple[Portal, Page]:
    """A new browser after the password."""
    browser = Portal(http, server.portal)
    return browser, await browser.begin(username, PASSWORD)


async def linked(
    http: aiohttp.ClientSession, server: Server, username: str, phone: Phone, pin: str = PIN
) -> None:
    """Link a phone to an account that has none."""
    _, page = await sign_in(http, server, username)
    offer = await phone.fetch_offer(page.activation_link)
    await phone.activate(offer, pin=pin, label="A phone")
