"""A scene with a publisher and a client for each test of this room, on both databases."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.buckets import Buckets, buckets
from tests.desk import Desk, open_desk
from tests.login.scene import Scene
from tests.statements.operator_desk import Keyholder, Operator, open_operator
from vestibule.base.clock import SteppedClock
from vestibule.base.database import Database


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """The data folder, in which the store of statements is."""
    return tmp_path / "house"


@pytest.fixture
async def desk(database: Database, clock: SteppedClock, house: Path) -> AsyncIterator[Desk]:
    """A browser at the portal, on a database of this test's own."""
    async with open_desk(database, clock, house) as opened:
        yield opened


@pytest.fixture
def scene(desk: Desk) -> Scene:
    """The services behind the desk."""
    return desk.scene


@pytest.fixture
async def operator(scene: Scene) -> Operator:
    """A publisher, and alice, whose statements it publishes."""
    return await open_operator(scene)


@pytest.fixture(scope="module")
def keyholder() -> Keyholder:
    """A client's OpenPGP key."""
    return Keyholder()


@pytest.fixture(scope="session")
def bucket() -> Iterator[Buckets]:
    """A running S3 server."""
    with buckets() as running:
        yield running
