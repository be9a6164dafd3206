"""The phone's own calls: proven, small, and idempotent."""

import json
from typing import Any

import httpx
import pytest

from tests.desk import Desk
from tests.login.scene import ScenePhone
from vestibule.devices import service
from vestibule.devices.store import enrollment


async def call(
    desk: Desk, phone: ScenePhone, method: str, path: str, body: Any, **headers: str
) -> httpx.Response:
    """A call with the phone's proof over exactly its bytes."""
    raw = json.dumps(body).encode()
    proof = phone.proof(method, path, raw, now=desk.scene.clock.now())
    return await desk.phone_http.request(
        method,
        path,
        content=raw,
        headers={"authorization": proof, "content-type": "application/json"} | headers,
    )


async def test_phone_renames_itself(desk: Desk) -> None:
    """PUT /device/label: the portal shows the new name; twice is as good as once."""
    account = await desk.scene.account()
    phone = await desk.scene.phone(account)
    for _ in range(2):
        answer = await call(desk, phone, "PUT", "/device/label", {"label": "Mine"})
        assert answer.json() == {"now": desk.scene.clock.now()}
    (listed,) = await service.list_phones(desk.scene.ctx, account.id)
    assert listed.enrollment.label == "Mine"


async def test_phone_says_where_it_is_nudged(desk: Desk) -> None:
    """PUT /device/subscription takes a subscription, or null for none."""
    phone = await desk.scene.phone(await desk.scene.account(), push=False)
    given = ScenePhone(phone.issuer).subscription
    assert given is not None
    push = {"endpoint": given.endpoint, "p256dh": given.p256dh, "auth": given.auth}
    assert (await call(desk, phone, "PUT", "/device/subscription", {"push": push})).is_success
    (row,) = await desk.scene.rows(enrollment)
    assert row["subscription"] is not None
    assert (await call(desk, phone, "PUT", "/device/subscription", {"push": None})).is_success
    (row,) = await desk.scene.rows(enrollment)
    assert row["subscription"] is None


async def test_phone_ends_its_enrollment(desk: Desk) -> None:
    """POST /device/removal; the next call hears that it is over."""
    account = await desk.scene.account()
    phone = await desk.scene.phone(account)
    assert (await call(desk, phone, "POST", "/device/removal", {})).is_success
    answer = await call(desk, phone, "POST", "/device/removal", {})
    assert (answer.status_code, answer.json()["code"]) == (410, "enrollment_revoked")
    assert await service.list_phones(desk.scene.ctx, account.id) == []


@pytest.mark.parametrize(
    "path, body",
    [
        ("/device/label", {"label": "x", "more": 1}),
        ("/device/label", {}),
        ("/device/label", {"label": None}),
        ("/device/subscription", {}),
        ("/device/subscription", {"push": {"endpoint": "https://x"}}),
    ],
)
async def test_body_with_other_members_is_malformed(desk: Desk, path: str, body: Any) -> None:
    """Also with a right proof, nothing is guessed and nothing changed."""
    phone = await desk.scene.phone(await desk.scene.account())
    before = await desk.scene.rows(enrollment)
    answer = await call(desk, phone, "PUT", path, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "json_malformed")
    assert await desk.scene.rows(enrollment) == before


async def test_call_without_the_phones_proof_changes_nothing(desk: Desk) -> None:
    """No proof, a proof of another body, another phone's proof: refused before the body is read."""
    account = await desk.scene.account()
    phone = await desk.scene.phone(account)
    stranger = ScenePhone(phone.issuer)
    before = await desk.scene.rows(enrollment)
    other = phone.proof("PUT", "/device/label", b"{}", now=desk.scene.clock.now())
    answers = [
        await call(desk, phone, "PUT", "/device/label", {"label": "x"}, authorization=proof)
        for proof in ("", other)
    ]
    answers.append(await call(desk, stranger, "PUT", "/device/label", {"label": "x"}))
    assert [answer.json()["code"] for answer in answers] == [
        "message_malformed",
        "signature_wrong",
        "enrollment_unknown",
    ]
    assert await desk.scene.rows(enrollment) == before


async def test_slow_clock_is_told_the_time(desk: Desk) -> None:
    """`clock_wrong` carries the server's time, so that the phone can correct itself."""
    phone = await desk.scene.phone(await desk.scene.account())
    raw = b'{"label":"x"}'
    proof = phone.proof("PUT", "/device/label", raw, now=desk.scene.clock.now() - 3_600_000)
    answer = await desk.phone_http.put(
        "/device/label",
        content=raw,
        headers={"authorization": proof, "content-type": "application/json"},
    )
    assert answer.json()["code"] == "clock_wrong"
    assert answer.json()["now"] == desk.scene.clock.now()
