"""Fixtures of every test: databases and Redis, started when the first test asks for them."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests import services
from vestibule import schema
from vestibule.base.clock import SteppedClock
from vestibule.base.database import Database

KEPT = {"VESTIBULE_TEST_PG", "VESTIBULE_TEST_REDIS", "VESTIBULE_CHROME", services.RUN}


def pytest_configure(config: pytest.Config) -> None:
    """Open the folder of the run before any worker starts; drop settings of whoever runs us."""
    for name in [name for name in os.environ if name.startswith("VESTIBULE_")]:
        if name not in KEPT:
            del os.environ[name]
    if not hasattr(config, "workerinput"):
        services.open_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder of the run."""
    if not hasattr(config, "workerinput"):
        services.close_run()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that start processes and browsers come first: last, they would keep one core idle."""
    early: dict[Path, int] = {}
    for item in items:
        wait = sum(item.get_closest_marker(name) is not None for name in ("processes", "browser"))
        early[item.path] = max(wait, early.get(item.path, 0))
    items.sort(key=lambda item: -early[item.path])


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a running PostgreSQL server."""
    with services.postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def databases(postgresql_server: str) -> Iterator[services.Databases]:
    """Makes PostgreSQL databases."""
    made = services.Databases(postgresql_server)
    yield made
    made.close()


@pytest.fixture
def postgresql_url(databases: services.Databases) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    url = databases.fresh()
    yield url
    databases.drop(url)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "vestibule.db"
    asyncio.run(schema.upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """A migrated SQLite file of this test's own."""
    path = shutil.copy(migrated_file, tmp_path / "vestibule.db")
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own; the test runs on both kinds."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open, migrated database of this test's own; the test runs on both kinds."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> SteppedClock:
    """A clock that moves when it is told to."""
    return SteppedClock()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[services.Redis]:
    """A Redis server of this test's own, running; the test may stop and start it."""
    server = services.Redis(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running Redis that the tests of this process share."""
    given = os.environ.get("VESTIBULE_TEST_REDIS")
    if given:
        yield given
        return
    server = services.Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server.url
    server.stop()
