"""A real server that is killed while it tells of statements: each is told of in one notice."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, func, select

from tests import services
from tests.acceptance.wire import Browser, Origin
from tests.notifications.test_crash import KINDS, LEASE_S, eventually, listening, prepare
from tests.serving import Server, reserved_port, serving
from vestibule.accounts.store import account
from vestibule.base import audit
from vestibule.base.database import Database, Tx, Value
from vestibule.base.ids import new_id
from vestibule.notifications.store import delivery, notice
from vestibule.statements import store
from vestibule.statements.store import statement

pytestmark = pytest.mark.processes

OTHERS = 300
EACH = 3
MESSAGE_ID = re.compile(r"^Message-ID:\s*(<\S+>)", re.MULTILINE)
TOLD = select(func.count().label("count")).where(statement.c.told_at.is_not(None))
NOTICES = select(notice.c.id, notice.c.account_id, notice.c.detail).where(
    notice.c.event == "statements.ready"
)
MAILS = (
    select(delivery.c.notice_id, delivery.c.outcome)
    .join(notice, notice.c.id == delivery.c.notice_id)
    .where(notice.c.event == "statements.ready", delivery.c.way == "mail")
)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database for a server of this test's own, of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'vestibule.db'}"
        return
    databases: services.Databases = request.getfixturevalue("databases")
    url = databases.fresh()
    yield url
    databases.drop(url)


def rows(url: str, wanted: Select[Any]) -> list[dict[str, Any]]:
    """What the database says."""

    async def read() -> list[dict[str, Any]]:
        opened = await Database.open(url)
        try:
            return [dict(row) for row in await opened.all(wanted)]
        finally:
            await opened.close()

    return asyncio.run(read())


def publish(url: str, account_ids: list[str]) -> None:
    """So many statements for each, which nobody was told of; their content plays no part."""
    now = time.time_ns() // 1_000_000

    async def body(tx: Tx) -> None:
        for account_id in account_ids:
            for number in range(EACH):
                id_ = new_id()
                values: dict[str, Value] = {
                    "id": id_,
                    "account_id": account_id,
                    "kind": "daily",
                    "period": "2026-11-22",
                    "name": f"{number}.csv",
                    "name_key": f"{number}.csv",
                    "media": "text/csv",
                    "size": 1,
                    "stored_size": 1,
                    "sha256": bytes(32),
                    "encrypted_to": None,
                    "object": f"statements/{id_}",
                    "published_at": now,
                    "purge_at": now + 10**10,
                    "told_at": None,
                    "seen_at": None,
                }
                said = audit.journal(event="statement.published", actor="system", at=now)
                await tx.run(store.ADD, **values, **said)

    async def write() -> None:
        opened = await Database.open(url)
        try:
            await opened.write(body)
        finally:
            await opened.close()

    asyncio.run(write())


async def knock(server: Server) -> None:
    """Have the server write something: any commit has its teller look again."""
    await Browser(Origin.of(server.portal), source="10.1.2.3").begin("m.rossi", "not this one")


def killed_half_way(server: Server, url: str, before: int, everything: int) -> int:
    """Kill it as soon as it has told of more than before; of how many by then."""

    async def watch() -> None:
        opened = await Database.open(url)
        try:
            limit = time.monotonic() + 30
            while time.monotonic() < limit:
                row = await opened.one(TOLD)
                if row is not None and row["count"] > before:
                    return
                await asyncio.sleep(0.002)
        finally:
            await opened.close()
        pytest.fail("nothing was told")

    if before < everything:
        asyncio.run(watch())
    server.kill()
    (row,) = rows(url, TOLD)
    return int(row["count"])


def test_each_statement_is_told_of_once_however_often_the_server_dies(
    database: str, tmp_path: Path
) -> None:
    """Killed in the midst of it, again and again: the notices count each statement once.

    Mails come at least once; two of the same notice bear one Message-ID, so that a mailbox drops
    the second.
    """
    everything = EACH * (OTHERS + 1)
    with reserved_port() as port, listening(port) as post:
        settings: dict[str, str | int] = {
            "database_url": database,
            "smtp_url": f"smtp+plain://127.0.0.1:{port}",
            "statement_gather_seconds": 0,
        }
        with serving(tmp_path, telling=False, **settings) as server:
            prepare(server, database)
            server.kill()
        (owner,) = rows(database, select(account.c.id))
        publish(database, [*(new_id() for _ in range(OTHERS)), owner["id"]])
        told, half_way = 0, 0
        with serving(tmp_path, **settings) as server:
            for _ in range(3):
                told = killed_half_way(server, database, told, everything)
                half_way += 0 < told < everything
                server.start()
            eventually(lambda: rows(database, TOLD)[0]["count"] == everything, 60)
            # What a dead process had taken up is free again when its lease is over.
            server.move_clock(LEASE_S)
            asyncio.run(knock(server))
            eventually(lambda: {row["outcome"] for row in rows(database, MAILS)} == {"sent"}, 60)
        assert half_way, "it was always too late: more accounts are needed"
    notices = rows(database, NOTICES)
    counted = Counter[str]()
    for row in notices:
        counted[row["account_id"]] += json.loads(row["detail"])["daily"]
    assert set(counted.values()) == {EACH}
    assert len(counted) == OTHERS + 1
    mails = [text for text in post.received if "New statements are ready" in text]
    ids = {found[1] for text in mails if (found := MESSAGE_ID.search(text))}
    assert len(ids) == sum(row["account_id"] == owner["id"] for row in notices)
