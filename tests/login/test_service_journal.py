"""What a sign-in leaves behind: events for the auditor, and no secret anywhere."""

import pytest

from tests.login.scene import HERE, Scene, mine, shown
from vestibule.base.errors import Refused
from vestibule.login import service as login
from vestibule.protocol.encoding import b64u

PHONE_AT = "198.51.100.9"


async def test_journal_tells_the_whole_sign_in(scene: Scene) -> None:
    """Every step of a sign-in with a mistyped PIN: who, what, from where, with what result."""
    phone = await scene.phone(await scene.account())
    began = await scene.begin()
    request = await scene.request(phone, began)
    number = shown(began).challenge
    text = phone.approval(
        request, now=scene.clock.now(), number=number, proof=phone.wrong_proof(request)
    )
    with pytest.raises(Refused):
        await scene.answer(text, source=PHONE_AT)
    await scene.answer(
        phone.approval(request, now=scene.clock.now(), number=number), source=PHONE_AT
    )
    cookie = await login.collect(scene.ctx, mine(began), visitor=HERE)
    assert cookie is not None
    by_phone = f"phone:{phone.id}"
    journal = [row for row in await scene.events() if row["event"] != "account.created"][1:]
    assert [(e["event"], e["actor"], e["source"], e["result"]) for e in journal] == [
        ("login.began", "browser", HERE.address, "ok"),
        ("login.proof_refused", by_phone, PHONE_AT, "proof_wrong"),
        ("login.approved", by_phone, PHONE_AT, "ok"),
        ("login.collected", "browser", HERE.address, "ok"),
        ("session.opened", "browser", HERE.address, "ok"),
    ]
    assert {row["subject"] for row in journal[:4]} == {shown(began).id}
    everything = repr(await scene.events())
    for secret in (number, began.secret, cookie, request, b64u(phone.root)):
        assert secret not in everything


async def test_no_secret_is_stored_in_the_clear(scene: Scene) -> None:
    """No table holds a cookie, a password, a root or a derived key in a readable form."""
    phone = await scene.phone(await scene.account())
    began = await scene.begin()
    await scene.approve(phone, began)
    cookie = await login.collect(scene.ctx, mine(began), visitor=HERE)
    assert cookie is not None
    tables = repr(await scene.everything()) + repr(await scene.events())
    keys = (phone.response_key, phone.knowledge_key)
    assert phone.subscription is not None
    for secret in (cookie, began.secret, phone.subscription.auth, phone.subscription.endpoint):
        assert secret not in tables
    for key in keys:
        assert repr(key)[2:-1] not in tables
        assert b64u(key) not in tables
