"""A desk and a scene for each test of this room, on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.desk import Desk, open_desk, open_session
from tests.login.scene import Scene
from tests.support.clients import Client, open_client
from tests.support.talking import Two, member_of
from vestibule.base.clock import SteppedClock
from vestibule.base.database import Database


@pytest.fixture
async def desk(database: Database, clock: SteppedClock, tmp_path: Path) -> AsyncIterator[Desk]:
    """A browser at the portal, on a database of this test's own."""
    async with open_desk(database, clock, tmp_path / "house") as opened:
        yield opened


@pytest.fixture
def scene(desk: Desk) -> Scene:
    """The services behind the desk."""
    return desk.scene


@pytest.fixture
async def alice(scene: Scene) -> Client:
    """A client who has begun a conversation."""
    return await open_client(scene)


@pytest.fixture
async def two(scene: Scene) -> Two:
    """A client and a member of staff."""
    account = await scene.account("morgan")
    client, cookie = await open_session(scene, account)
    return Two(scene, client, cookie, account, await member_of(scene, "dana"))
