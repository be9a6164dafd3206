"""Nudges are sent beside the request, carry nothing, and their receipts wake the page."""

import asyncio
import json

import pytest

from tests.login.scene import Scene, ScenePhone
from vestibule.base.clock import HOUR
from vestibule.base.context import PushOutcome
from vestibule.base.ids import new_id
from vestibule.devices.store import enrollment
from vestibule.notifications import service


async def nudge(scene: Scene, phone: ScenePhone, attempt: str) -> None:
    """Nudge the phone and wait until that is done."""
    (row,) = await scene.rows(enrollment)
    service.nudge(
        scene.ctx,
        enrollment_id=phone.id,
        subscription=row["subscription"],
        attempt_id=attempt,
        life_s=180,
    )
    await service.settle()


async def test_nudge_goes_to_the_subscription_and_says_nothing(scene: Scene) -> None:
    """Address and topic are right; neither account, nor attempt, nor phone can be read."""
    account = await scene.account("m.rossi", display_name="Maria Rossi")
    phone = await scene.phone(account)
    attempt = new_id()
    await nudge(scene, phone, attempt)
    ((target, payload, topic, life),) = scene.push.sent
    assert phone.subscription is not None
    assert (target.endpoint, topic, life) == (phone.subscription.endpoint, attempt, 180)
    assert len(target.p256dh) == 65
    message = json.loads(payload)
    assert message["web_push"] == 8030
    assert set(message["notification"]) == {"title", "body", "navigate", "tag"}
    for secret in ("rossi", attempt, phone.id, account.id):
        assert secret not in payload.decode()


async def test_payloads_are_equally_long(scene: Scene) -> None:
    """Their length tells nobody anything."""
    lengths = {len(service.payload(scene.ctx, new_id())) for _ in range(20)}
    assert len(lengths) == 1


async def test_receipt_wakes_the_waiting_page(scene: Scene) -> None:
    """The id in the nudge is good for that, for an hour, and for nothing else."""
    attempt = new_id()
    receipt = service.receipt_id(scene.ctx, attempt)
    assert service.delivered(scene.ctx, receipt)
    assert scene.bus.told == [(f"login:{attempt}", "delivered")]
    assert not service.delivered(scene.ctx, receipt[:-2] + "AA")
    assert not service.delivered(scene.ctx, attempt)
    scene.clock.step(HOUR)
    assert not service.delivered(scene.ctx, receipt)


async def test_ended_subscription_is_forgotten(scene: Scene) -> None:
    """When the push service says "gone", nobody is nudged there again, and the page is told."""
    phone = await scene.phone(await scene.account())
    scene.push.outcome = PushOutcome.GONE
    attempt = new_id()
    await nudge(scene, phone, attempt)
    (row,) = await scene.rows(enrollment)
    assert (row["subscription"], row["push_health"]) == (None, "gone")
    assert (f"login:{attempt}", "undelivered") in scene.bus.told


async def test_failed_push_keeps_the_subscription(scene: Scene) -> None:
    """A push service that is down says nothing about the phone."""
    phone = await scene.phone(await scene.account())
    scene.push.outcome = PushOutcome.FAILED
    await nudge(scene, phone, new_id())
    (row,) = await scene.rows(enrollment)
    assert row["subscription"] is not None


async def test_push_service_that_hangs_holds_up_nobody(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request that caused the nudge does not wait for it."""
    phone = await scene.phone(await scene.account())
    (row,) = await scene.rows(enrollment)
    release = asyncio.Event()

    async def hang(*_: object, **__: object) -> PushOutcome:
        await release.wait()
        return PushOutcome.SENT

    monkeypatch.setattr(scene.push, "send", hang)
    service.nudge(
        scene.ctx,
        enrollment_id=phone.id,
        subscription=row["subscription"],
        attempt_id=new_id(),
        life_s=180,
    )
    settled = asyncio.ensure_future(service.settle())
    await asyncio.sleep(0.01)
    assert not settled.done()
    release.set()
    await settled
