"""A desk and a scene for each test of the kit, which knows no database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.desk import Desk, open_desk
from tests.login.scene import Scene
from vestibule.base.clock import SteppedClock
from vestibule.base.database import Database


@pytest.fixture
async def desk(sqlite_url: str, clock: SteppedClock, tmp_path: Path) -> AsyncIterator[Desk]:
    """A browser at the portal."""
    database = await Database.open(sqlite_url)
    async with open_desk(database, clock, tmp_path / "house") as opened:
        yield opened
    await database.close()


@pytest.fixture
def scene(desk: Desk) -> Scene:
    """The services behind the desk."""
    return desk.scene
