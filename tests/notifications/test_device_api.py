"""What the phone asks about notifications: proven calls, its own things only."""

import json
from typing import Any

import pytest

from tests.desk import Desk
from tests.login.scene import ScenePhone
from vestibule.accounts import service as accounts
from vestibule.accounts.store import account as account_table
from vestibule.base.clock import HOUR, MINUTE
from vestibule.base.context import PushOutcome
from vestibule.base.ids import new_id
from vestibule.notifications import service
from vestibule.notifications.rules import TESTS, TESTS_WITHIN_MS
from vestibule.notifications.service.nudging import settle


async def call(desk: Desk, phone: ScenePhone, method: str, path: str, body: Any = None) -> Any:
    """A proven call of the phone; the answer."""
    raw = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    proof = phone.proof(method, path, raw, now=desk.scene.clock.now())
    headers = {"authorization": proof, "content-type": "application/json"}
    return await desk.phone_http.request(method, path, content=raw or None, headers=headers)


@pytest.fixture
async def phone(desk: Desk) -> ScenePhone:
    """A phone that takes pushes."""
    return await desk.scene.phone(await desk.scene.account())


async def test_receipts_are_answered_alike(desk: Desk) -> None:
    """Ours, nonsense and nothing: the answer tells no difference."""
    for sent in ("nonsense", "", new_id()):
        answer = await desk.ask("POST", "/device/delivered", {"id": sent})
        assert answer.json() == {"now": desk.scene.clock.now()}
    assert desk.scene.bus.told == []


async def test_overlong_receipt_is_malformed(desk: Desk) -> None:
    """An id is short."""
    answer = await desk.ask("POST", "/device/delivered", {"id": "x" * 600})
    assert answer.json()["code"] == "json_malformed"


async def test_notices_are_listed_and_marked_read(desk: Desk, phone: ScenePhone) -> None:
    """The newest first, in the account's language, with the link for "this was not me"."""
    (account,) = await accounts.list_accounts(desk.scene.ctx)
    second = await desk.scene.phone(account, label="Nokia")
    answer = (await call(desk, phone, "GET", "/device/notices")).json()
    assert answer["unread"] == 2
    newest, oldest = answer["notices"]
    assert newest["title"] == "A phone was linked to your account"
    assert newest["text"] == "Nokia can approve sign-ins from now on."
    assert (newest["weight"], newest["not_me"], newest["read"]) == ("alarm", True, False)
    assert newest["place"] == "192.0.2.7"
    token = newest["not_me_url"].removeprefix("https://portal.example/not-me/")
    said = service.open_not_me(desk.scene.ctx, token)
    assert said is not None
    assert (said.event, said.subject) == ("enrollment.created", second.id)
    done = await call(desk, phone, "POST", "/device/notices/read", {"upto": oldest["id"]})
    assert done.status_code == 200
    after = (await call(desk, phone, "GET", f"/device/notices?after={oldest['id']}")).json()
    assert after["unread"] == 1
    assert [notice["id"] for notice in after["notices"]] == [newest["id"]]


async def test_notices_of_others_are_not_shown(desk: Desk, phone: ScenePhone) -> None:
    """Neither listed nor marked."""
    other = await desk.scene.phone(await desk.scene.account("nadia"))
    await call(desk, other, "POST", "/device/notices/read", {"upto": 2**53 - 1})
    mine = (await call(desk, phone, "GET", "/device/notices")).json()
    assert (mine["unread"], len(mine["notices"])) == (1, 1)


@pytest.mark.parametrize("after", ["x", "-1", "1" * 30, "²"])
async def test_nonsense_after_is_refused(desk: Desk, phone: ScenePhone, after: str) -> None:
    """A number, or an error that says so."""
    answer = await call(desk, phone, "GET", f"/device/notices?after={after}")
    assert answer.status_code in (400, 403)


async def test_test_push_is_timed(desk: Desk, phone: ScenePhone) -> None:
    """From the moment that it was sent to the moment that the phone's receipt came in."""
    started = (await call(desk, phone, "POST", "/device/test-push", {})).json()
    await settle()
    sent_at = desk.scene.clock.now()
    path = f"/device/test-push?id={started['id']}"
    before = (await call(desk, phone, "GET", path)).json()
    assert (before["sent_at"], before["outcome"], before["second"]) == (sent_at, "sent", "none")
    assert before["delivered_at"] is None
    message = json.loads(desk.scene.push.sent[-1][1])
    assert message["kind"] == "test"
    desk.scene.clock.step(1_234)
    await desk.ask("POST", "/device/delivered", {"id": message["id"]})
    desk.scene.clock.step(1_000)
    await desk.ask("POST", "/device/delivered", {"id": message["id"]})
    after = (await call(desk, phone, "GET", path)).json()
    assert after["delivered_at"] - after["sent_at"] == 1_234


async def test_test_push_says_what_is_wrong(desk: Desk, phone: ScenePhone) -> None:
    """A subscription that ended, and then none at all."""
    desk.scene.push.outcome = PushOutcome.GONE
    said = []
    for _ in range(2):
        started = (await call(desk, phone, "POST", "/device/test-push", {})).json()
        await settle()
        path = f"/device/test-push?id={started['id']}"
        said.append((await call(desk, phone, "GET", path)).json()["outcome"])
    assert said == ["gone", "none"]


async def test_test_pushes_are_few(desk: Desk, phone: ScenePhone) -> None:
    """Six in ten minutes; then the phone is told to wait."""
    answers = [
        (await call(desk, phone, "POST", "/device/test-push", {})).status_code
        for _ in range(TESTS + 1)
    ]
    assert answers == [200] * TESTS + [429]
    desk.scene.clock.step(TESTS_WITHIN_MS)
    assert (await call(desk, phone, "POST", "/device/test-push", {})).status_code == 200
    await settle()


async def test_test_of_another_phone_is_not_found(desk: Desk, phone: ScenePhone) -> None:
    """Its id alone shows nothing."""
    started = (await call(desk, phone, "POST", "/device/test-push", {})).json()
    await settle()
    other = await desk.scene.phone(await desk.scene.account("nadia"))
    answer = await call(desk, other, "GET", f"/device/test-push?id={started['id']}")
    assert answer.json()["code"] == "not_found"


async def test_health_tells_what_the_server_knows(desk: Desk, phone: ScenePhone) -> None:
    """Each row of the self-test that the phone cannot know by itself."""
    health = (await call(desk, phone, "GET", "/device/health")).json()
    now = desk.scene.clock.now()
    assert health == {
        "now": now,
        "seamless": True,
        "push": "ok",
        "push_stopped_until": None,
        "quiet": False,
        "quiet_until": None,
        "last_delivered_at": None,
        "second": None,
    }
    minute = now // MINUTE % 1440
    change = account_table.update().values(
        seamless=False,
        pushes_stopped_until=now + HOUR,
        timezone="UTC",
        quiet_from=minute,
        quiet_until=(minute + 10) % 1440,
    )
    await desk.scene.ctx.db.run(change)
    health = (await call(desk, phone, "GET", "/device/health")).json()
    assert (health["seamless"], health["quiet"]) == (False, True)
    assert health["push_stopped_until"] == now + HOUR
    assert health["quiet_until"] == now // MINUTE * MINUTE + 10 * MINUTE


async def test_second_way_needs_a_server_for_it(desk: Desk, phone: ScenePhone) -> None:
    """Without one the switch is refused, and switching off changes nothing."""
    answer = await call(desk, phone, "PUT", "/device/second-push", {"on": True})
    assert answer.json()["code"] == "second_push_unavailable"
    assert (await call(desk, phone, "PUT", "/device/second-push", {"on": False})).json() == {
        "now": desk.scene.clock.now(),
        "topic_url": None,
        "subscribe": None,
    }


_CALLS = [
    ("GET", "/device/notices", None),
    ("POST", "/device/notices/read", {"upto": 1}),
    ("POST", "/device/test-push", {}),
    ("GET", "/device/test-push?id=x", None),
    ("PUT", "/device/second-push", {"on": True}),
    ("GET", "/device/health", None),
]


@pytest.mark.parametrize("method, path, body", _CALLS)
async def test_calls_are_proven(desk: Desk, method: str, path: str, body: Any) -> None:
    """Without a proof nothing is told and nothing changed; nor with that of a stranger."""
    stranger = ScenePhone(desk.scene.ctx.settings.portal_url)
    before = await desk.scene.everything()
    assert (await desk.ask(method, path, body)).json()["code"] == "message_malformed"
    answer = await call(desk, stranger, method, path, body)
    assert answer.json()["code"] == "enrollment_unknown"
    assert await desk.scene.everything() == before
