"""Many accounts at once, written past the services: signing up is not what is measured or raced.

They share two hashes of one password, because argon2id costs 20 ms each time that one is made.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy import Table

from bench.device import Device
from vestibule.accounts.service import PasswordPool
from vestibule.accounts.store import account
from vestibule.base.database import sqlite_path
from vestibule.base.ids import new_id
from vestibule.base.sealing import Keys, Sealer
from vestibule.devices.store import enrollment
from vestibule.protocol.encoding import b64u, render_json
from vestibule.protocol.messages import PushSubscription

PASSWORD = "a lantern, a kettle, nine geese"  # noqa: S105  -- guards nothing

_Value = str | int | bool | bytes | None
_Row = tuple[_Value, ...]


@dataclass(frozen=True)
class Hashes:
    """Two hashes of the same password: as the house makes them, and one that costs 20 µs.

    A hash names its own parameters, so the server checks the cheap one by the same code. It shows
    what a sign-in costs beside the password.
    """

    proper: str
    cheap: str

    @classmethod
    async def make(cls, sealer: Sealer) -> Hashes:
        """Hash the password twice under the house's key."""
        proper = PasswordPool(sealer, threads=1)
        cheap = PasswordPool(sealer, threads=1, memory_kib=8, passes=1)
        try:
            return cls(await proper.hash(PASSWORD), await cheap.hash(PASSWORD))
        finally:
            proper.close()
            cheap.close()


def username(number: int) -> str:
    """The name of the account of that number: `person-1`."""
    return f"person-{number}"


async def populate(database_url: str, data: Path, numbers: range) -> None:
    """Add an account without a phone for each number; the keys of the house are in `data`."""
    hashes = await Hashes.make(Keys.load(data).sealer)
    rows = (_account(number, hashes.proper) for number in numbers)
    await _insert(database_url, account, rows)


async def populate_linked(
    database_url: str, data: Path, *, accounts: int, devices: dict[int, Device]
) -> None:
    """Add `accounts` accounts, each with a phone.

    There are four kinds in turn (`is_cheap`, `is_seamless`). Those of `devices` have a phone
    that can answer; every other one's keys are noise.
    """
    sealer = Keys.load(data).sealer
    hashes = await Hashes.make(sealer)
    people = (
        _account(
            number,
            hashes.cheap if is_cheap(number) else hashes.proper,
            seamless=is_seamless(number),
        )
        for number in range(accounts)
    )
    await _insert(database_url, account, people)
    phones = (_enrollment(number, devices.get(number), sealer) for number in range(accounts))
    await _insert(database_url, enrollment, phones)


def is_cheap(number: int) -> bool:
    """Whether that account's password costs nothing to check."""
    return number % 2 == 1


def is_seamless(number: int) -> bool:
    """Whether that account is asked on its phone; the others answer challenges."""
    return number % 4 < 2


def _account(number: int, encoded: str, *, seamless: bool = True) -> dict[str, _Value]:
    return {
        "id": account_id(number),
        "username": username(number),
        "username_key": username(number),
        "display_name": f"Person {number}",
        "password_hash": encoded,
        "seamless": seamless,
        "password_change_needed": False,
        "pushes_stopped_until": None,
        "disabled_at": None,
        "created_at": _now(),
    }


def _enrollment(number: int, device: Device | None, sealer: Sealer) -> dict[str, _Value]:
    """A phone; what is sealed for nobody's phone is noise of the same length."""
    noise = os.urandom(192)
    row: dict[str, _Value] = {
        "id": new_id(),
        "account_id": account_id(number),
        "device_id": new_id(),
        "label": "Pixel 9",
        "platform": "Chrome on Android",
        "public_key": b"\x04" + noise[:64],
        "response_key": noise[:77],
        "knowledge_key": noise[77:154],
        "counter": 0,
        "push_health": "unknown",
        "created_at": _now(),
    }
    if device is not None:
        bound = device.id.encode("ascii")
        push = PushSubscription(
            endpoint=device.endpoint, p256dh=b64u(device.public), auth=b64u(bytes(16))
        )
        row |= {
            "id": device.id,
            "public_key": device.public,
            "response_key": sealer.seal("response-key", device.response_key, bound),
            "knowledge_key": sealer.seal("knowledge-key", device.knowledge_key, bound),
            "push_health": "ok",
            "subscription": sealer.seal("subscription", render_json(push), bound),
        }
    return row


def account_id(number: int) -> str:
    """The id of the account of that number."""
    # Scattered over the index like real ids, and yet known without asking.
    return f"{number * 2654435761 % 2**32:022d}"


def _now() -> int:
    return time.time_ns() // 1_000_000


async def _insert(database_url: str, table: Table, values: Iterable[dict[str, _Value]]) -> None:
    columns = tuple(table.c.keys())
    rows: Iterator[_Row] = (tuple(row.get(name) for name in columns) for row in values)
    if database_url.startswith("sqlite:"):
        await asyncio.to_thread(_into_sqlite, sqlite_path(database_url), table.name, columns, rows)
        return
    connection = await asyncpg.connect(database_url)
    try:
        await connection.copy_records_to_table(table.name, records=rows, columns=columns)
        await connection.execute(f"VACUUM ANALYZE {table.name}")
    finally:
        await connection.close()


def _into_sqlite(path: Path, table: str, columns: tuple[str, ...], rows: Iterator[_Row]) -> None:
    marks = ", ".join("?" * len(columns))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA busy_timeout=60000")
        connection.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608  -- names of our own
            rows,
        )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
