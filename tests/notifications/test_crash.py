"""A real server that is killed at the worst moment: whoever was to be told is told."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import insert, select

from tests import services
from tests.acceptance.wire import Browser, Origin
from tests.serving import PASSWORD, Server, reserved_port, serving
from vestibule.accounts.store import account
from vestibule.base.database import Database
from vestibule.base.ids import new_id
from vestibule.contacts.store import contact
from vestibule.notifications.store import delivery

pytestmark = pytest.mark.processes

KINDS = ("sqlite", "postgresql")
LEASE_S = 121.0


class Post:
    """A mail server's memory."""

    def __init__(self) -> None:
        self.received: list[str] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name for it
        """One mail."""
        content = envelope.content
        assert isinstance(content, bytes)
        self.received.append(content.decode())
        return "250 taken"


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


def eventually(what: Callable[[], bool], patience_s: float = 20.0) -> None:
    """Wait until it is so."""
    limit = time.monotonic() + patience_s
    while not what():
        assert time.monotonic() < limit, "it never came"
        time.sleep(0.05)


def deliveries(url: str) -> list[dict[str, object]]:
    """What the database says of the mails."""

    async def read() -> list[dict[str, object]]:
        opened = await Database.open(url)
        try:
            rows = await opened.all(select(delivery).where(delivery.c.way == "mail"))
            return [dict(row) for row in rows]
        finally:
            await opened.close()

    return asyncio.run(read())


async def _sign_in(server: Server, password: str) -> None:
    browser = Browser(Origin.of(server.portal), source="10.1.2.3")
    page = await browser.begin("m.rossi", password)
    assert (page.status == 303) is (password == PASSWORD)


def prepare(server: Server, url: str) -> None:
    """Somebody with an address, for whom the server itself has just written an event."""
    server.add_account("m.rossi")

    async def write() -> None:
        opened = await Database.open(url)
        try:
            (who,) = await opened.all(select(account.c.id))
            values = {
                "id": new_id(),
                "account_id": who["id"],
                "kind": "mail",
                "address": "m.rossi@example.com",
                "state": "verified",
                "verified_at": 1,
                "added_at": 1,
                "preferred": True,
            }
            await opened.run(insert(contact), **values)
        finally:
            await opened.close()

    asyncio.run(write())
    asyncio.run(_sign_in(server, PASSWORD))


@contextmanager
def listening(port: int) -> Iterator[Post]:
    """A mail server that takes everything."""
    post = Post()
    controller = Controller(post, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield post
    finally:
        controller.stop()


def test_nothing_is_lost_between_commit_and_telling(database: str, tmp_path: Path) -> None:
    """Killed after the commit, with nothing planned yet: the next start tells, once."""
    with reserved_port() as port:
        settings = {"database_url": database, "smtp_url": f"smtp+plain://127.0.0.1:{port}"}
        with serving(tmp_path, telling=False, **settings) as server:
            prepare(server, database)
            server.kill()
        assert deliveries(database) == []
        with listening(port) as post, serving(tmp_path, **settings):
            eventually(lambda: len(post.received) >= 1)
            eventually(lambda: [row["outcome"] for row in deliveries(database)] == ["sent"])
            time.sleep(1)
            assert len(post.received) == 1
            assert "A sign-in from a new browser or device" in post.received[0]


def test_killed_while_sending_it_is_sent_by_the_next(database: str, tmp_path: Path) -> None:
    """Killed while it talked to the mail server: when the lease ends, the next one sends."""
    with reserved_port() as port:
        settings = {"database_url": database, "smtp_url": f"smtp+plain://127.0.0.1:{port}"}
        with socket.socket() as silent, serving(tmp_path, **settings) as server:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            silent.bind(("127.0.0.1", port))
            silent.listen()
            silent.settimeout(30)
            prepare(server, database)
            called, _ = silent.accept()
            server.kill()
            called.close()
        (row,) = deliveries(database)
        assert (row["outcome"], row["tries"]) == (None, 1)
        with listening(port) as post, serving(tmp_path, **settings) as server:
            time.sleep(1)
            assert post.received == []
            server.move_clock(LEASE_S)
            # Any commit has the teller look again.
            asyncio.run(_sign_in(server, "not this one"))
            eventually(lambda: [row["outcome"] for row in deliveries(database)] == ["sent"])
            assert [row["tries"] for row in deliveries(database)] == [2]
            assert len(post.received) == 1
