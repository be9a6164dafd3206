"""Waiting costs no statement, misses nothing, and ends when the browser leaves."""

import asyncio
from typing import Any

import pytest
from starlette.types import Scope

from tests.desk import Desk
from tests.patience import PATIENCE_S, until
from vestibule.web import sse
from vestibule.web.sse import Look, Stream, frame


class Browser:
    """A waiting browser, by hand: what it was sent, and the moment when it leaves."""

    def __init__(self, desk: Desk, stream: Stream) -> None:
        self.sent: list[dict[str, Any]] = []
        self.gone = asyncio.Event()
        self.asked = False
        app = type("App", (), {"state": type("State", (), {"ctx": desk.scene.ctx})})
        scope = {"type": "http", "app": app}
        self.task = asyncio.create_task(stream(scope, self.receive, self.send))

    async def receive(self) -> dict[str, Any]:
        """The request once, then nothing until the browser leaves."""
        if not self.asked:
            self.asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Take what is sent."""
        self.sent.append(message)

    @property
    def text(self) -> str:
        """All that it read."""
        return b"".join(message.get("body", b"") for message in self.sent).decode()


class Record:
    """Something that changes, and how often it was looked at."""

    def __init__(self, desk: Desk, *, life: int = 60_000) -> None:
        self.ctx = desk.scene.ctx
        self.looks: list[str | None] = []
        self.news = Look()
        self.life = life

    async def prepare(self, _: Scope) -> tuple[str, sse.Looker, int]:
        """What `Stream` wants to know."""
        return "topic", self.look, self.ctx.clock.now() + self.life

    async def look(self, message: str | None) -> Look:
        """Look, and say what there is."""
        self.looks.append(message)
        return self.news


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A heart that beats fast enough for tests."""
    monkeypatch.setattr(sse, "BEAT_S", 0.03)


async def test_waiting_is_kept_alive_without_looking(desk: Desk) -> None:
    """One look on arrival, then comments only: no statement for a waiting browser."""
    record = Record(desk)
    browser = Browser(desk, Stream(record.prepare))
    await until(lambda: browser.text.count(":\n\n") >= 3)
    assert record.looks == [None]
    browser.gone.set()
    await asyncio.wait_for(browser.task, PATIENCE_S)


async def test_wake_up_is_passed_on_and_ends_when_all_is_told(desk: Desk) -> None:
    """The looker hears the message; its last word closes the stream properly."""
    record = Record(desk)
    browser = Browser(desk, Stream(record.prepare))
    await until(lambda: record.looks)
    record.news = Look(frame("go", {"to": "/next"}), done=True)
    desk.scene.bus.tell("topic", "approved")
    await asyncio.wait_for(browser.task, PATIENCE_S)
    assert record.looks == [None, "approved"]
    assert browser.text.endswith('event: go\ndata: {"to":"/next"}\n\n')
    assert browser.sent[-1]["more_body"] is False


async def test_change_between_subscription_and_look_is_not_missed(desk: Desk) -> None:
    """What is told while the first look is under way is heard right after it."""
    record = Record(desk)
    first = record.look

    async def look(message: str | None) -> Look:
        if not record.looks:
            desk.scene.bus.tell("topic", "early")
        return await first(message)

    record.look = look  # type: ignore[method-assign]
    browser = Browser(desk, Stream(record.prepare))
    await until(lambda: len(record.looks) > 1)
    assert record.looks == [None, "early"]
    browser.gone.set()
    await asyncio.wait_for(browser.task, PATIENCE_S)


async def test_browser_that_left_is_forgotten(desk: Desk) -> None:
    """Within a beat, without an error, and the bus keeps no trace."""
    record = Record(desk)
    browser = Browser(desk, Stream(record.prepare))
    await until(lambda: record.looks)
    browser.gone.set()
    await asyncio.wait_for(browser.task, PATIENCE_S)
    assert desk.scene.bus.waiters == {}


async def test_stream_ends_with_its_time_after_a_last_look(desk: Desk) -> None:
    """When the record expires, the browser is told how it stands and let go."""
    record = Record(desk, life=100)
    browser = Browser(desk, Stream(record.prepare))
    await until(lambda: record.looks)
    record.news = Look(frame("over"))
    desk.scene.clock.step(200)
    await asyncio.wait_for(browser.task, PATIENCE_S)
    assert len(record.looks) == 2
    assert "event: over" in browser.text


async def test_unhealthy_bus_is_not_relied_upon(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While wake-ups may get lost, the record is looked at again and again."""
    monkeypatch.setattr(type(desk.scene.bus), "healthy", property(lambda _: False))
    record = Record(desk)
    browser = Browser(desk, Stream(record.prepare))
    await until(lambda: len(record.looks) >= 3)
    browser.gone.set()
    await asyncio.wait_for(browser.task, PATIENCE_S)


def test_frame_is_one_line_of_json() -> None:
    """Whatever a name contains, it cannot begin an event of its own."""
    assert frame("show", {"label": "a\nevent: go\n\n"}) == (
        b'event: show\ndata: {"label":"a\\nevent: go\\n\\n"}\n\n'
    )
