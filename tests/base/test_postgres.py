"""What is PostgreSQL's own: connections, and what becomes of them."""

import asyncio
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import BindParameter, select, text

from tests.base.rows import SET, put, putting, subjects
from vestibule.base.database import Database, Tx
from vestibule.base.errors import Unavailable

SECONDS = 20.0


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


async def test_reads_survive_connections_that_died(postgresql_url: str) -> None:
    """After the server ended our idle connections, reads and writes go on with fresh ones."""
    database = await Database.open(postgresql_url)
    await database.write(putting("a"))
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
    assert await database.write(putting("c")) == 1
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
            group.create_task(database.write(partial(body, name=str(number))))
    assert len(await subjects(database)) == 100
    await database.close()
