"""Nudges are sent beside the request, carry nothing, and their receipts wake the page."""

import asyncio
import json

import pytest

from tests.login.scene import Scene, ScenePhone
from vestibule.base.clock import HOUR, MINUTE
from vestibule.base.context import PushOutcome
from vestibule.base.i18n import LANGUAGES, PSEUDO, t
from vestibule.base.ids import new_id
from vestibule.devices.store import enrollment
from vestibule.notifications import service
from vestibule.notifications.rules import Kind
from vestibule.notifications.service.nudging import Nudge, payload, receipt_id
from vestibule.outside.web_push import PADDED


def about(
    phone_id: str, kind: Kind = Kind.SIGN_IN, *, id_: str = "", language: str = "en"
) -> Nudge:
    """A nudge that is not sent."""
    return Nudge(
        enrollment_id=phone_id,
        subscription=None,
        ntfy_topic=None,
        kind=kind,
        about=id_ or new_id(),
        language=language,
        life_s=180,
    )


async def nudge(scene: Scene, phone: ScenePhone, attempt: str, language: str | None = None) -> None:
    """Nudge the phone and wait until that is done."""
    (row,) = await scene.rows(enrollment)
    service.nudge(
        scene.ctx,
        enrollment_id=phone.id,
        subscription=row["subscription"],
        ntfy_topic=row["ntfy_topic"],
        about=attempt,
        life_s=180,
        language=language,
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


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("language", [*LANGUAGES, *PSEUDO])
async def test_nudges_are_of_one_size(scene: Scene, kind: Kind, language: str) -> None:
    """Whatever they are about, in any language: the push service sees one length."""
    made = [payload(scene.ctx, about(new_id(), kind, language=language)) for _ in range(5)]
    assert len({len(plain) for plain in made}) == 1
    assert len(made[0]) < PADDED - 100


async def test_nudge_speaks_the_accounts_language(scene: Scene) -> None:
    """Else that of the house."""
    phone = await scene.phone(await scene.account())
    for language in ("en-XA", None):
        await nudge(scene, phone, new_id(), language)
    bodies = [json.loads(sent[1])["notification"]["body"] for sent in scene.push.sent]
    assert bodies[0] == t("notifications.push.sign-in", "en-XA")
    assert bodies[1] == t("notifications.push.sign-in", "en")


async def test_receipt_wakes_the_waiting_page(scene: Scene) -> None:
    """The id in the nudge is good for that, for an hour, and for nothing else."""
    attempt = new_id()
    receipt = receipt_id(scene.ctx, about(new_id(), id_=attempt))
    assert await service.delivered(scene.ctx, receipt)
    assert scene.bus.told == [(f"login:{attempt}", "delivered")]
    assert not await service.delivered(scene.ctx, receipt[:-2] + "AA")
    assert not await service.delivered(scene.ctx, attempt)
    scene.clock.step(HOUR)
    assert not await service.delivered(scene.ctx, receipt)


async def test_last_delivery_is_written_once_an_hour(scene: Scene) -> None:
    """A receipt in between costs no statement at all: signing in must not write for it."""
    phone = await scene.phone(await scene.account())
    seen: list[str] = []

    async def arrives() -> tuple[int | None, int]:
        seen.clear()
        scene.ctx.db.observe(lambda kind, _: seen.append(kind))
        await service.delivered(scene.ctx, receipt_id(scene.ctx, about(phone.id)))
        scene.ctx.db.observe(None)
        (row,) = await scene.rows(enrollment)
        return row["last_delivered_at"], seen.count("statement")

    first = scene.clock.now()
    assert await arrives() == (first, 1)
    scene.clock.step(59 * MINUTE)
    assert await arrives() == (first, 0)
    second = scene.clock.step(MINUTE)
    assert await arrives() == (second, 1)


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
        about=new_id(),
        life_s=180,
        language=None,
    )
    settled = asyncio.ensure_future(service.settle())
    await asyncio.sleep(0.01)
    assert not settled.done()
    release.set()
    await settled


async def test_permission_that_a_phone_took_back_is_remembered(scene: Scene) -> None:
    """An answer says whether the phone may notify; what is news is written, the rest is not."""
    phone = await scene.phone(await scene.account())
    for said, health, events in (
        ("ok", "ok", 0),
        ("denied", "denied", 1),
        ("denied", "denied", 1),
        ("unavailable", "denied", 1),
        ("ok", "ok", 2),
    ):
        await scene.approve(phone, await scene.begin(), push=said)
        (row,) = await scene.rows(enrollment)
        assert row["push_health"] == health
        told = [event["event"] for event in await scene.events()]
        assert told.count("enrollment.push_off") + told.count("enrollment.push_on") == events
        scene.clock.step(HOUR)
