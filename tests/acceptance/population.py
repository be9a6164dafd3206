"""Many accounts at once, written past the services: signing up is not what is tested here.

All of them have one password and share its hash: argon2id costs 20 ms each time that it is made.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg

from vestibule.accounts import store
from vestibule.accounts.service import PasswordPool
from vestibule.base.database import sqlite_path
from vestibule.base.sealing import Keys

PASSWORD = "a lantern, a kettle, nine geese"

_COLUMNS = tuple(store.account.c.keys())
_Row = tuple[str | int | bool | None, ...]


def username(number: int) -> str:
    """The name of the account of that number: `person-1`."""
    return f"person-{number}"


async def populate(database_url: str, data: Path, numbers: range) -> None:
    """Add an account for each number to a migrated database; its keys are in `data`."""
    pool = PasswordPool(Keys.load(data).sealer, threads=1)
    encoded = await pool.hash(PASSWORD)
    pool.close()
    rows = _rows(numbers, encoded)
    if database_url.startswith("sqlite:"):
        await asyncio.to_thread(_into_sqlite, sqlite_path(database_url), rows)
        return
    connection = await asyncpg.connect(database_url)
    try:
        await connection.copy_records_to_table("account", records=rows, columns=_COLUMNS)
        await connection.execute("ANALYZE account")
    finally:
        await connection.close()


def _rows(numbers: range, encoded: str) -> Iterator[_Row]:
    now = time.time_ns() // 1_000_000
    for number in numbers:
        values: dict[str, str | int | bool | None] = {
            "id": f"{number:022d}",
            "username": username(number),
            "username_key": username(number),
            "display_name": f"Person {number}",
            "password_hash": encoded,
            "seamless": True,
            "password_change_needed": False,
            "pushes_stopped_until": None,
            "disabled_at": None,
            "created_at": now,
        }
        yield tuple(values.get(name) for name in _COLUMNS)


def _into_sqlite(path: Path, rows: Iterator[_Row]) -> None:
    marks = ", ".join("?" * len(_COLUMNS))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA busy_timeout=60000")
        connection.executemany(
            f"INSERT INTO account ({', '.join(_COLUMNS)}) VALUES ({marks})",  # noqa: S608  -- names of our own columns
            rows,
        )
    connection.close()
