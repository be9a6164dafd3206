"""A desk whose help has a few small articles of its own, on both databases."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.desk import Desk, open_desk
from tests.login.scene import Scene
from vestibule.base.assets import knowledge_root
from vestibule.base.clock import SteppedClock
from vestibule.base.database import Database
from vestibule.knowledge.service import Library

SAMPLES = Path(__file__).parent / "articles"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An operator's folder of articles, which a test may add to before it asks for a desk."""
    return Path(shutil.copytree(SAMPLES, tmp_path / "own"))


@pytest.fixture
async def desk(
    database: Database, clock: SteppedClock, tmp_path: Path, own: Path
) -> AsyncIterator[Desk]:
    """A browser at the portal, on a database of this test's own."""
    async with open_desk(database, clock, tmp_path / "house", knowledge_folder=own) as opened:
        yield opened


@pytest.fixture
def scene(desk: Desk) -> Scene:
    """The services behind the desk."""
    return desk.scene


@pytest.fixture(scope="session")
def samples() -> Library:
    """The small articles alone."""
    return Library([SAMPLES])


@pytest.fixture(scope="session")
def ours() -> Library:
    """The articles that come along."""
    return Library([knowledge_root()])
