"""Servers as processes of their own: with one worker and with four, on both databases."""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests import services
from tests.acceptance.people import Town
from tests.acceptance.population import populate
from tests.serving import serving

ACCOUNTS = 4000
KINDS = ("sqlite", "postgresql")
# Whoever tests names its own address, so that limits of one test do not stop the next.
PROXIES = '["127.0.0.0/8"]'


@contextmanager
def open_town(
    request: pytest.FixtureRequest, kind: str, **settings: str | int | bool
) -> Iterator[Town]:
    """A running server with accounts, on a database of its own."""
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp(f"town-{kind}")
    url = f"sqlite:///{folder / 'vestibule.db'}"
    with ExitStack() as stack:
        if kind == "postgresql":
            databases: services.Databases = request.getfixturevalue("databases")
            url = databases.fresh()
            stack.callback(databases.drop, url)
        server = stack.enter_context(
            # Telling people goes on beside requests: what is compared before and after is theirs.
            serving(folder, database_url=url, trusted_proxies=PROXIES, telling=False, **settings)
        )
        asyncio.run(populate(url, folder, range(ACCOUNTS)))
        yield Town(server, url, itertools.count())


@pytest.fixture(scope="session", params=KINDS)
def town(request: pytest.FixtureRequest) -> Iterator[Town]:
    """One worker; the test runs on both databases."""
    with open_town(request, request.param) as opened:
        yield opened


@pytest.fixture(scope="session", params=KINDS)
def city(request: pytest.FixtureRequest, redis_url: str) -> Iterator[Town]:
    """Four workers that wake each other over Redis; the test runs on both databases."""
    with open_town(request, request.param, workers=4, redis_url=redis_url) as opened:
        yield opened
