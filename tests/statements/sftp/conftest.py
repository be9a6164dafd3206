"""What the tests of the SFTP server share: one client with a key, and the rooms behind the door."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncssh
import pytest
import uvloop

from tests.patience import PATIENCE_S
from tests.statements.sftp.standing import USERNAME, StandIn, Standing, new_key, standing

FILES = {
    ("daily", "2026-11-22.csv"): b"date,amount\n2026-11-22,1\n",
    ("daily", "2026-11-23.csv"): b"date,amount\n2026-11-23,2\n",
    ("monthly", "2026-10 – Überblick.pdf"): bytes(range(256)) * 4096,
}


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that the server runs on: its transports behave differently from Python's own."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def pair(tmp_path: Path) -> tuple[asyncssh.SSHKey, Path]:
    """The client's key, and the file of its private half."""
    return new_key(tmp_path)


@pytest.fixture
def key(pair: tuple[asyncssh.SSHKey, Path]) -> asyncssh.SSHKey:
    """The client's key."""
    return pair[0]


@pytest.fixture
def rooms(key: asyncssh.SSHKey) -> StandIn:
    """One account with three files."""
    made = StandIn()
    made.add(USERNAME, key.public_data, files=FILES)
    return made


@pytest.fixture
async def server(rooms: StandIn, tmp_path: Path) -> AsyncIterator[Standing]:
    """A running server."""
    async with standing(rooms, tmp_path) as running:
        yield running


@pytest.fixture
async def steady(server: Standing, key: asyncssh.SSHKey) -> AsyncIterator[Standing]:
    """A server with a client that is there all the time, and still is at the end."""
    async with server.connect(key) as client, client.start_sftp_client() as sftp:
        yield server
        async with asyncio.timeout(PATIENCE_S), sftp.open("/daily/2026-11-22.csv", "rb") as file:
            assert await file.read()
        async with asyncio.timeout(PATIENCE_S), server.connect(key):
            pass
