"""The second push way: a local endpoint that speaks ntfy's interface receives."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.login.scene import Scene, ScenePhone
from tests.notifications.reaching import reached
from vestibule.base.context import Context, PushOutcome
from vestibule.base.settings import Settings
from vestibule.devices import service as devices
from vestibule.devices.rules import Enrollment
from vestibule.devices.store import enrollment
from vestibule.notifications import service
from vestibule.notifications.service.nudging import settle
from vestibule.outside.ntfy import Ntfy
from vestibule.outside.web_push import WebPush


@dataclass
class Topics:
    """What an ntfy server was given, as its topics would show it."""

    url: str = ""
    status: int = 200
    messages: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def topics() -> Iterator[Topics]:
    """A running server that takes JSON messages at its root, as ntfy does."""
    made = Topics()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            made.headers.append(dict(self.headers))
            if self.path == "/":
                made.messages.append(json.loads(raw))
            self.send_response(made.status if self.path == "/" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.url = f"http://127.0.0.1:{server.server_port}"
        yield made
        server.shutdown()


@pytest.fixture
async def ctx(scene: Scene, topics: Topics) -> AsyncIterator[Context]:
    """A house with an ntfy server."""
    async with Ntfy(Settings(ntfy_url=topics.url, ntfy_token="tk_x")) as ntfy:
        yield replace(scene.ctx, second_push=ntfy)


async def enrolled(ctx: Context, phone: ScenePhone, account_id: str) -> Enrollment:
    """The phone's record."""
    phones = await devices.list_phones(ctx, account_id)
    return next(each.enrollment for each in phones if each.enrollment.id == phone.id)


async def test_topic_is_the_phones_own_and_sealed(scene: Scene, ctx: Context) -> None:
    """Nobody can guess it, the database does not show it, and it stays the same."""
    person = await reached(scene, phones=2)
    ways = []
    for phone in person.phones:
        record = await enrolled(ctx, phone, person.account.id)
        ways.append(await service.set_second_way(ctx, record, on=True, source=""))
        assert await service.set_second_way(ctx, record, on=True, source="") == ways[-1]
    urls = [way.topic_url or "" for way in ways]
    assert len(set(urls)) == 2
    assert all(len(url.rsplit("/", 1)[1]) == 22 for url in urls)
    assert (ways[0].subscribe or "").startswith("ntfy://127.0.0.1:")
    stored = b"".join(row["ntfy_topic"] for row in await scene.rows(enrollment))
    assert all(url.rsplit("/", 1)[1].encode() not in stored for url in urls)


async def test_requests_notices_and_tests_go_there_too(
    scene: Scene, ctx: Context, topics: Topics
) -> None:
    """Beside the first way: generic words, the app's address, urgent where somebody waits."""
    person = await reached(scene)
    record = await enrolled(ctx, person.phones[0], person.account.id)
    way = await service.set_second_way(ctx, record, on=True, source="")
    (row,) = await scene.rows(enrollment)
    service.nudge(
        ctx,
        enrollment_id=record.id,
        subscription=row["subscription"],
        ntfy_topic=row["ntfy_topic"],
        about="a" * 22,
        life_s=60,
        language="en",
    )
    await settle()
    await person.happens("account.seamless_off")
    await service.tell_due(ctx)
    started = await service.start_test(ctx, record)
    await settle()
    test = await service.find_test(ctx, record, started)
    assert (test.outcome, test.second) == ("sent", "sent")
    assert len(scene.push.sent) == len(topics.messages) == 3
    topic = (way.topic_url or "").rsplit("/", 1)[1]
    assert {message["topic"] for message in topics.messages} == {topic}
    assert [message["priority"] for message in topics.messages] == [5, 4, 5]
    phone_url = ctx.settings.phone_url
    assert [message["click"] for message in topics.messages] == [
        f"{phone_url}/",
        f"{phone_url}/?open=notices",
        f"{phone_url}/?open=test",
    ]
    assert all("rossi" not in json.dumps(message) for message in topics.messages)
    assert topics.headers[0]["Authorization"] == "Bearer tk_x"


async def test_phone_without_push_service_is_reached_alone_by_it(
    scene: Scene, ctx: Context, topics: Topics
) -> None:
    """A sign-in sends there, is counted as a notification, and the page is not told otherwise."""
    account = await scene.account()
    phone = await scene.phone(account, push=False)
    await service.set_second_way(ctx, await enrolled(ctx, phone, account.id), on=True, source="")
    began = await replace(scene, ctx=ctx).begin()
    await settle()
    assert began.view is not None
    assert len(topics.messages) == 1
    assert scene.push.sent == []
    assert (f"login:{began.view.id}", "undelivered") not in scene.bus.told


async def test_failure_of_both_ways_is_told_to_the_page(
    scene: Scene, ctx: Context, topics: Topics
) -> None:
    """One way that works is enough; none, and the page offers the response at once."""
    account = await scene.account()
    phone = await scene.phone(account)
    await service.set_second_way(ctx, await enrolled(ctx, phone, account.id), on=True, source="")
    scene.push.outcome = PushOutcome.FAILED
    began = await replace(scene, ctx=ctx).begin()
    await settle()
    assert began.view is not None
    assert (f"login:{began.view.id}", "undelivered") not in scene.bus.told
    topics.status = 507
    again = await replace(scene, ctx=ctx).begin()
    await settle()
    assert again.view is not None
    assert (f"login:{again.view.id}", "undelivered") in scene.bus.told


async def test_switched_off_it_is_told_no_more(scene: Scene, ctx: Context, topics: Topics) -> None:
    """And the next time that it is switched on the topic is another one."""
    person = await reached(scene)
    record = await enrolled(ctx, person.phones[0], person.account.id)
    first = await service.set_second_way(ctx, record, on=True, source="")
    off = await service.set_second_way(ctx, record, on=False, source="")
    assert (off.on, off.topic_url) == (False, None)
    await person.happens("account.seamless_off")
    await service.tell_due(ctx)
    assert topics.messages == []
    assert await service.set_second_way(ctx, record, on=True, source="") != first
    told = [event["event"] for event in await scene.events()]
    assert told.count("enrollment.second_push_on") == 2
    assert told.count("enrollment.second_push_off") == 1


async def test_server_that_is_away_fails_without_raising() -> None:
    """Nothing listens there."""
    async with Ntfy(Settings(ntfy_url="http://127.0.0.1:9")) as ntfy:
        sent = await ntfy.send("t", title="a", text="b", click="c", urgent=False)
    assert sent is PushOutcome.FAILED


async def test_unified_push_goes_by_the_first_way(scene: Scene) -> None:
    """A distributor's endpoint is a push service once the operator names its host."""
    endpoint = "https://ntfy.b.example/upAbCdEf?up=1"
    usual = Settings()
    named = Settings(push_allowed_hosts=(*usual.push_allowed_hosts, "ntfy.b.example"))
    assert not WebPush(usual, scene.ctx.keys.vapid).allows(endpoint)
    assert WebPush(named, scene.ctx.keys.vapid).allows(endpoint)
