"""The database door, on both dialects."""

import asyncio
from collections import Counter

import pytest

from tests.base.rows import ADD, ALL, DROP, GET, PUT, SET, SWAP, put, putting, subjects
from vestibule.base.database import Database, Tx, Value, insert
from vestibule.base.errors import Duplicate, Lost, Unavailable
from vestibule.base.limits import limit_state

SECONDS = 20.0


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
    await database.write(putting("b"))
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
    await database.write(putting("taken"))

    async def body(tx: Tx) -> None:
        await put(tx, "before")
        await put(tx, "taken")

    outcomes = await asyncio.gather(
        database.write(putting("x")),
        database.write(body),
        database.write(putting("y")),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], Duplicate)
    assert await subjects(database) == ["taken", "x", "y"]


async def test_lost_races_are_run_again(database: Database) -> None:
    """Sixty-four bodies that read, decide and compare-and-set: each counts exactly once."""
    await database.write(putting("a"))
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
    values: dict[str, Value] = {"subject": "a", "version": 1, "state": "", "forgotten_at": 0}
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


async def test_who_stops_waiting_disturbs_nobody(database: Database) -> None:
    """Cancelled writes neither break the connection nor the writes of others."""
    tasks = [asyncio.create_task(database.write(putting(str(number)))) for number in range(30)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    kept = [str(number) for number, outcome in enumerate(outcomes) if outcome == 1]
    assert set(kept) >= {str(number) for number in range(1, 30, 2)}
    assert set(kept) <= set(await subjects(database))
    assert await database.write(putting("after")) == 1


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql://x/y"])
async def test_a_url_without_a_file_or_server_is_refused(url: str) -> None:
    """A database in memory, or of another kind, is refused before anything is opened."""
    with pytest.raises(ValueError, match="URL"):
        await Database.open(url)
