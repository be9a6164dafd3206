"""What is SQLite's own: the writer thread, the shared commit, the file."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from tests.base.rows import GET, PUT, put, putting, subjects
from vestibule.base.compiled import Compiler
from vestibule.base.database import Database, Tx, sqlite_path
from vestibule.base.errors import Unavailable
from vestibule.base.sqlite import SqliteEngine

SECONDS = 20.0


async def test_bodies_that_queue_up_share_one_commit(sqlite_url: str) -> None:
    """On SQLite the bodies that wait while the disk works are committed together."""
    database = await Database.open(sqlite_url)
    commits: list[str] = []
    database.observe(lambda kind, _sql: commits.append(kind) if kind == "commit" else None)
    async with asyncio.TaskGroup() as group:
        for number in range(200):
            group.create_task(database.write(putting(str(number))))
    assert len(await subjects(database)) == 200
    assert 1 <= len(commits) < 100
    await database.close()


async def test_a_body_that_awaits_something_else_is_refused(sqlite_url: str) -> None:
    """On SQLite a body runs in one go; one that waits for anything else is undone."""
    database = await Database.open(sqlite_url)

    async def body(tx: Tx) -> None:
        await put(tx, "a")
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="awaited something other than its tx"):
        await database.write(body)
    assert await subjects(database) == []
    await database.close()


async def test_close_finishes_what_is_queued(sqlite_url: str) -> None:
    """Closing waits for the bodies that were handed in before it."""
    database = await Database.open(sqlite_url)
    tasks = [asyncio.create_task(database.write(putting(str(number)))) for number in range(50)]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*tasks) == [1] * 50


async def test_two_processes_may_write_to_one_file(sqlite_url: str) -> None:
    """Two engines on one SQLite file wait for each other instead of failing."""
    first, second = await Database.open(sqlite_url), await Database.open(sqlite_url)
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        for number in range(40):
            side = first if number % 2 else second
            group.create_task(side.write(putting(str(number))))
    assert len(await subjects(first)) == 40
    await first.close()
    await second.close()


async def test_a_full_disk_fails_the_write_and_heals(sqlite_url: str) -> None:
    """Without room nothing is acknowledged; with room again the next write succeeds."""
    database = await Database.open(sqlite_url)
    engine = database._engine
    assert isinstance(engine, SqliteEngine)
    pages = engine._writer.execute("PRAGMA page_count").fetchone()[0]
    engine._writer.execute(f"PRAGMA max_page_count={pages}")

    async def body(tx: Tx, name: str) -> int:
        return await tx.run(PUT, subject=name, version=1, state="x" * 50_000, forgotten_at=0)

    outcomes = await asyncio.gather(
        *(database.write(partial(body, name=name)) for name in "abc"),
        return_exceptions=True,
    )
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert await subjects(database) == []
    engine._writer.execute(f"PRAGMA max_page_count={pages + 1000}")
    assert await database.write(partial(body, name="d")) == 1
    await database.close()


async def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """A new SQLite file, and those that SQLite puts beside it, cannot be read by others."""
    database = await Database.open(f"sqlite:///{tmp_path / 'new' / 'v.db'}")
    await database.run(text("CREATE TABLE t (n INTEGER)"))
    files = sorted((tmp_path / "new").iterdir())
    assert [file.name for file in files] == ["v.db", "v.db-shm", "v.db-wal"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    await database.close()


def test_sqlite_urls_name_relative_and_absolute_files() -> None:
    """Three slashes are relative, four are absolute."""
    assert sqlite_path("sqlite:///a/b.db") == Path("a/b.db")
    assert sqlite_path("sqlite:////a/b.db") == Path("/a/b.db")


def test_statements_are_compiled_once() -> None:
    """The second call reuses the text of the first: it is the same object."""
    compiler = Compiler(sqlite_dialect(paramstyle="qmark"))
    first, _ = compiler(GET, {"subject": "a"})
    second, arguments = compiler(GET, {"subject": "b"})
    assert first is second
    assert arguments == ["b"]
