"""Two real processes on one SQLite file."""

import asyncio
import subprocess
import sys

from sqlalchemy import select

from vestibule.base.database import Database, insert, sqlite_path
from vestibule.base.limits import limit_state

VISITOR = """
import sqlite3, sys
visit = sqlite3.connect(sys.argv[1])
visit.execute("INSERT INTO limit_state VALUES (?, 1, '{}', 0)", sys.argv[2:])
visit.commit()
visit.close()
"""


async def test_process_that_ends_leaves_the_log_to_the_one_that_stays(sqlite_url: str) -> None:
    """A command that comes and goes while the server runs loses nothing of either.

    Who ends as the last one deletes the write-ahead log: an open database must be seen to be open.
    """
    database = await Database.open(sqlite_url)
    path = sqlite_path(sqlite_url)
    log = path.with_name(f"{path.name}-wal")
    put = insert(limit_state)
    await database.run(put, subject="a", version=1, state="{}", forgotten_at=0)
    before = log.stat().st_ino
    for number in range(2):
        visit = [sys.executable, "-c", VISITOR, str(path), f"v{number}"]
        await asyncio.to_thread(subprocess.run, visit, check=True)
        await database.run(put, subject=f"b{number}", version=1, state="{}", forgotten_at=0)
    assert log.stat().st_ino == before
    stored = {row["subject"] for row in await database.all(select(limit_state.c.subject))}
    assert stored == {"a", "b0", "b1", "v0", "v1"}
    await database.close()
