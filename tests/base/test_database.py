"""The database door, on both dialects."""

import asyncio
from collections import Counter
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import BindParameter, bindparam, delete, select, text, update

from vestibule.base.compiled import Compiler
from vestibule.base.database import Database, Tx, insert, sqlite_path
from vestibule.base.errors import Duplicate, Lost, Unavailable
from vestibule.base.limits import limit_state
from vestibule.base.sqlite import SqliteEngine, sqlite_dialect

PUT = insert(limit_state)
GET = select(limit_state).where(limit_state.c.subject == bindparam("subject"))
ALL = select(limit_state.c.subject).order_by(limit_state.c.subject)
DROP = delete(limit_state)
SET = update(limit_state).where(limit_state.c.subject == bindparam("subject_"))
SWAP = (
    update(limit_state)
    .where(
        limit_state.c.subject == bindparam("subject_"),
        limit_state.c.version == bindparam("version_"),
    )
    .values(version=limit_state.c.version + 1)
)
ADD = SET.values(version=limit_state.c.version + 10).returning(limit_state.c.version)
SECONDS = 20.0


async def put(tx: Tx, subject: str) -> int:
    """Insert one row of version 1."""
    return await tx.run(PUT, subject=subject, version=1, state="{}", forgotten_at=0)


async def subjects(database: Database) -> list[str]:
    """What is stored."""
    return [row["subject"] for row in await database.all(ALL)]


class Broken(Exception):  # noqa: N818  -- reads as what it is
    """Raised by a body."""


async def test_write_commits_when_the_body_returns(database: Database) -> None:
    """What a body wrote is there for the next reader, by column name."""

    async def body(tx: Tx) -> str:
        assert await put(tx, "a") == 1
        return "done"

    assert await database.write(body) == "done"
    row = await database.one(GET, subject="a")
    assert row is not None
    assert dict(row) == {"subject": "a", "version": 1, "state": "{}", "forgotten_at": 0}
    assert await database.one(GET, subject="b") is None


async def test_write_undoes_everything_when_the_body_raises(database: Database) -> None:
    """A body that raises leaves nothing behind, and the next one is not affected."""

    async def body(tx: Tx) -> None:
        await put(tx, "a")
        raise Broken

    with pytest.raises(Broken):
        await database.write(body)
    await database.write(lambda tx: put(tx, "b"))
    assert await subjects(database) == ["b"]


async def test_one_failing_body_leaves_its_neighbours_alone(database: Database) -> None:
    """Of twenty bodies written together, those that raise are undone and all others kept."""

    async def body(tx: Tx, number: int) -> None:
        await put(tx, f"{number:02}")
        if number % 3 == 0:
            raise Broken

    def numbered(number: int) -> asyncio.Task[None]:
        return asyncio.create_task(database.write(lambda tx: body(tx, number)))

    outcomes = await asyncio.gather(*map(numbered, range(20)), return_exceptions=True)
    assert [isinstance(outcome, Broken) for outcome in outcomes] == [
        number % 3 == 0 for number in range(20)
    ]
    assert await subjects(database) == [f"{number:02}" for number in range(20) if number % 3]


async def test_a_failed_statement_spares_the_neighbours(database: Database) -> None:
    """A violated constraint in one body undoes that body only, and is told as Duplicate."""
    await database.write(lambda tx: put(tx, "taken"))

    async def body(tx: Tx) -> None:
        await put(tx, "before")
        await put(tx, "taken")

    outcomes = await asyncio.gather(
        database.write(lambda tx: put(tx, "x")),
        database.write(body),
        database.write(lambda tx: put(tx, "y")),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], Duplicate)
    assert await subjects(database) == ["taken", "x", "y"]


async def test_a_body_that_swallows_a_failed_statement_commits_nothing(
    postgresql_url: str,
) -> None:
    """PostgreSQL answers such a COMMIT with a silent ROLLBACK; it must not pass for success."""
    database = await Database.open(postgresql_url)

    async def body(tx: Tx) -> None:
        await put(tx, "a")
        with pytest.raises(asyncpg.UniqueViolationError):
            await put(tx, "a")

    with pytest.raises(RuntimeError, match="went on after a failed statement"):
        await database.write(body)
    assert await subjects(database) == []
    await database.close()


async def test_lost_races_are_run_again(database: Database) -> None:
    """Sixty-four bodies that read, decide and compare-and-set: each counts exactly once."""
    await database.write(lambda tx: put(tx, "a"))
    tries = 0

    async def body(tx: Tx) -> None:
        nonlocal tries
        tries += 1
        row = await tx.one(GET, subject="a")
        assert row is not None
        if not await tx.run(SWAP, subject_="a", version_=row["version"]):
            raise Lost

    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        for _ in range(64):
            group.create_task(database.write(body))
    row = await database.one(GET, subject="a")
    assert row is not None
    assert row["version"] == 65
    assert tries >= 64


async def test_a_race_that_is_always_lost_ends(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that loses every time is given up as busy instead of turning for ever."""
    monkeypatch.setattr("vestibule.base.database._LONGEST_PAUSE", 0.0)

    async def body(_tx: Tx) -> None:
        raise Lost

    with pytest.raises(Unavailable) as caught:
        await database.write(body)
    assert caught.value.code.name == "busy"


async def test_single_statements_commit_by_themselves(database: Database) -> None:
    """The database is a Tx itself: reads, writes, and writes that return rows."""
    assert await database.run(PUT, subject="a", version=1, state="", forgotten_at=0) == 1
    row = await database.one(ADD, subject_="a")
    assert row is not None
    assert row["version"] == 11
    assert len(await database.all(ALL)) == 1
    assert await database.run(DROP) == 1
    assert await database.run(DROP) == 0


async def test_insert_takes_its_columns_from_the_parameters(database: Database) -> None:
    """The same open statement serves calls with different columns."""
    await database.run(PUT, subject="a", version=1, state="x", forgotten_at=0)
    assert await database.run(SET, subject_="a", state="y") == 1
    assert await database.run(SET, subject_="a", version=7, forgotten_at=2**53 + 1) == 1
    row = await database.one(GET, subject="a")
    assert row is not None
    assert tuple(row) == ("a", 7, "y", 2**53 + 1)


async def test_do_nothing_on_conflict_tells_that_nothing_was_inserted(database: Database) -> None:
    """PostgreSQL's words for conflicts work on both, and the count says who won."""
    polite = insert(limit_state).on_conflict_do_nothing()
    values = {"subject": "a", "version": 1, "state": "", "forgotten_at": 0}
    assert await database.run(polite, **values) == 1
    assert await database.run(polite, **values) == 0


@pytest.mark.parametrize(
    "statement, params",
    [
        (GET, {}),
        (GET, {"subject": "a", "subjcet": "b"}),
        (PUT, {"subject": "a", "verison": 1}),
        (SWAP, {"subject_": "a"}),
        (SWAP, {"subject_": "a", "version_": 1, "version": 2}),
    ],
)
async def test_a_wrong_parameter_is_refused_by_name(
    database: Database, statement: object, params: dict[str, str | int]
) -> None:
    """A parameter that is missing, misspelt or too many never reaches the database."""
    with pytest.raises(TypeError, match=r"parameter|column"):
        await database.run(statement, **params)  # type: ignore[arg-type]


async def test_observers_see_every_statement_and_commit(database: Database) -> None:
    """The statement budget rests on these counts: one write of two statements, one bare read."""
    seen: Counter[str] = Counter()

    async def body(tx: Tx) -> None:
        await put(tx, "a")
        await tx.one(GET, subject="a")

    database.observe(lambda kind, _sql: seen.update([kind]))
    await database.write(body)
    assert seen == {"begin": 1, "statement": 2, "commit": 1}
    seen.clear()
    await database.one(GET, subject="a")
    assert seen == {"statement": 1}
    seen.clear()
    database.observe(None)
    await database.one(GET, subject="a")
    assert not seen


async def test_bodies_that_queue_up_share_one_commit(sqlite_url: str) -> None:
    """On SQLite the bodies that wait while the disk works are committed together."""
    database = await Database.open(sqlite_url)
    commits: list[str] = []
    database.observe(lambda kind, _sql: commits.append(kind) if kind == "commit" else None)
    async with asyncio.TaskGroup() as group:
        for number in range(200):
            group.create_task(database.write(lambda tx, name=str(number): put(tx, name)))
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


async def test_who_stops_waiting_disturbs_nobody(database: Database) -> None:
    """Cancelled writes neither break the connection nor the writes of others."""
    tasks = [
        asyncio.create_task(database.write(lambda tx, name=str(number): put(tx, name)))
        for number in range(30)
    ]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    kept = [str(number) for number, outcome in enumerate(outcomes) if outcome == 1]
    assert set(kept) >= {str(number) for number in range(1, 30, 2)}
    assert set(kept) <= set(await subjects(database))
    assert await database.write(lambda tx: put(tx, "after")) == 1


async def test_close_finishes_what_is_queued(sqlite_url: str) -> None:
    """Closing waits for the bodies that were handed in before it."""
    database = await Database.open(sqlite_url)
    tasks = [
        asyncio.create_task(database.write(lambda tx, name=str(number): put(tx, name)))
        for number in range(50)
    ]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*tasks) == [1] * 50


async def test_two_processes_may_write_to_one_file(sqlite_url: str) -> None:
    """Two engines on one SQLite file wait for each other instead of failing."""
    first, second = await Database.open(sqlite_url), await Database.open(sqlite_url)
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        for number in range(40):
            side = first if number % 2 else second
            group.create_task(side.write(lambda tx, name=str(number): put(tx, name)))
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
        *(database.write(lambda tx, name=name: body(tx, name)) for name in "abc"),
        return_exceptions=True,
    )
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert await subjects(database) == []
    engine._writer.execute(f"PRAGMA max_page_count={pages + 1000}")
    assert await database.write(lambda tx: body(tx, "d")) == 1
    await database.close()


async def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """A new SQLite file, and those that SQLite puts beside it, cannot be read by others."""
    database = await Database.open(f"sqlite:///{tmp_path / 'new' / 'v.db'}")
    await database.run(text("CREATE TABLE t (n INTEGER)"))
    files = sorted((tmp_path / "new").iterdir())
    assert [file.name for file in files] == ["v.db", "v.db-shm", "v.db-wal"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    await database.close()


async def test_reads_survive_connections_that_died(postgresql_url: str) -> None:
    """After the server ended our idle connections, reads and writes go on with fresh ones."""
    database = await Database.open(postgresql_url)
    await database.write(lambda tx: put(tx, "a"))
    for _ in range(2):
        killer = await asyncpg.connect(postgresql_url)
        await killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await killer.close()
        assert await subjects(database) == ["a"]
        assert await database.write(lambda tx: tx.run(SET, subject_="a", state="x")) == 1
    await database.close()


async def test_a_connection_that_dies_within_a_body_is_unavailable(postgresql_url: str) -> None:
    """What a dying server leaves unknown is told as such, also to a body that goes on."""
    database = await Database.open(postgresql_url)

    async def body(tx: Tx) -> None:
        await put(tx, "a")
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await tx.one(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        await put(tx, "b")

    with pytest.raises(Unavailable) as caught:
        await database.write(body)
    assert caught.value.code.name == "database_unavailable"
    assert await subjects(database) == []
    assert await database.write(lambda tx: put(tx, "c")) == 1
    await database.close()


async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """Nobody listening means Unavailable, for opening as for everything else."""
    with pytest.raises(Unavailable) as caught:
        await Database.open(f"postgresql://x@/y?host={tmp_path}")
    assert caught.value.code.name == "database_unavailable"


async def test_a_connection_ends_with_its_body(postgresql_url: str) -> None:
    """More bodies than connections wait for their turn; all come through."""
    database = await Database.open(postgresql_url)

    async def body(tx: Tx, name: str) -> None:
        await put(tx, name)
        await tx.one(select(BindParameter("x", 1).label("x")))

    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        for number in range(100):
            group.create_task(database.write(lambda tx, name=str(number): body(tx, name)))
    assert len(await subjects(database)) == 100
    await database.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql://x/y"])
async def test_a_url_without_a_file_or_server_is_refused(url: str) -> None:
    """A database in memory, or of another kind, is refused before anything is opened."""
    with pytest.raises(ValueError, match="URL"):
        await Database.open(url)


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
