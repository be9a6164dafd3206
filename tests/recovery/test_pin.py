"""One PIN serves every account on a phone: it cannot be searched through several of them.

On both databases, over the phone's interface.
"""

import asyncio
import json
import secrets

import pytest

from tests.desk import Desk
from tests.login.scene import HERE, Scene, ScenePhone, code_of, mine
from tests.recovery.newcomer import newcomer, notices, with_codes
from vestibule.base.clock import DAY, HOUR
from vestibule.base.errors import Fault
from vestibule.login import service as login
from vestibule.protocol import keys
from vestibule.protocol.encoding import b64u


async def shared_phone(scene: Scene, *names: str) -> list[ScenePhone]:
    """One device with one root and an enrollment of each account."""
    found: list[ScenePhone] = []
    for name in names:
        account = await scene.account(name)
        phone = await scene.phone(account, push=False, device=found[0].device if found else None)
        found.append(phone)
    return found


async def wrong_pin(scene: Scene, phone: ScenePhone, name: str) -> str:
    """Approve a fresh sign-in under a wrong PIN: the refusal."""
    began = await scene.begin(name)
    text = await scene.request(phone, began)
    with pytest.raises(Fault) as caught:
        await scene.approve(phone, began, proof=phone.wrong_proof(text))
    await login.cancel(scene.ctx, mine(began), visitor=HERE)
    return code_of(caught.value)


async def checked(desk: Desk, phone: ScenePhone, *, right: bool) -> tuple[int, str]:
    """A knowledge check: ok, or the refusal."""
    nonce = secrets.token_bytes(16)
    key = phone.knowledge_key if right else bytes(32)
    said = {"nonce": b64u(nonce), "proof": keys.nonce_proof(key, nonce)}
    body = json.dumps(said).encode("ascii")
    proof = phone.proof("POST", "/device/knowledge", body, now=desk.scene.clock.now())
    answer = await desk.phone_http.post(
        "/device/knowledge",
        content=body,
        headers={"authorization": proof, "content-type": "application/json"},
    )
    return answer.status_code, answer.json().get("code", "ok")


async def test_pin_cannot_be_searched_through_several_accounts(desk: Desk) -> None:
    """Five wrong PINs in all, whichever account or door they were tried at; then a wait."""
    scene = desk.scene
    names = ("morgan", "robin", "sasha")
    phones = await shared_phone(scene, *names)
    assert await wrong_pin(scene, phones[0], names[0]) == "proof_wrong"
    assert await wrong_pin(scene, phones[1], names[1]) == "proof_wrong"
    assert await checked(desk, phones[2], right=False) == (403, "proof_wrong")
    assert await checked(desk, phones[0], right=False) == (403, "proof_wrong")
    assert await wrong_pin(scene, phones[1], names[1]) == "proof_wrong"
    # The sixth is not looked at, though no account has had more than two.
    assert await checked(desk, phones[2], right=True) == (429, "approvals_blocked")
    assert await wrong_pin(scene, phones[2], names[2]) == "approvals_blocked"


async def test_response_typed_for_one_account_counts_for_the_device(desk: Desk) -> None:
    """Wrong responses in one account's sign-ins use up what the other accounts have."""
    scene = desk.scene
    phones = await shared_phone(scene, "morgan", "robin")
    for _ in range(2):
        began = await scene.begin("morgan")
        for _ in range(2):
            with pytest.raises(Fault):
                await login.respond(scene.ctx, mine(began), typed="00000000", visitor=HERE)
    assert await checked(desk, phones[1], right=False) == (403, "proof_wrong")
    assert await checked(desk, phones[1], right=True) == (429, "approvals_blocked")


async def test_own_account_on_a_stolen_phone_forgives_nothing(desk: Desk) -> None:
    """A thief who links an account of their own to the device clears only its own failures."""
    scene = desk.scene
    victim, own = await shared_phone(scene, "morgan", "zelda")
    for _ in range(4):
        assert await checked(desk, victim, right=False) == (403, "proof_wrong")
        assert await checked(desk, own, right=True) == (200, "ok")
    assert await checked(desk, victim, right=False) == (403, "proof_wrong")
    assert await checked(desk, own, right=True) == (429, "approvals_blocked")


async def test_ten_wrong_pins_lock_the_pin_for_good(desk: Desk) -> None:
    """After the tenth even the right PIN counts for nothing; denying goes on."""
    scene = desk.scene
    account = await scene.account()
    phone = await scene.phone(account, push=False)
    for _ in range(10):
        assert await checked(desk, phone, right=False) == (403, "proof_wrong")
        scene.clock.step(HOUR)
    scene.clock.step(2 * DAY)
    assert await checked(desk, phone, right=True) == (403, "pin_locked")
    assert (await notices(scene, account))[0] == "enrollment.pin_locked"
    began = await scene.begin()
    with pytest.raises(Fault) as caught:
        await scene.approve(phone, began)
    assert code_of(caught.value) == "pin_locked"
    text = await scene.request(phone, began)
    said = await scene.answer(phone.approval(text, now=scene.clock.now(), act="deny", proof=""))
    assert said == "denied"


async def test_right_pin_forgives_the_wrong_ones(desk: Desk) -> None:
    """Who mistypes now and then is never locked."""
    scene = desk.scene
    phone = await scene.phone(await scene.account(), push=False)
    for _ in range(4):
        for _ in range(3):
            assert await checked(desk, phone, right=False) == (403, "proof_wrong")
        assert await checked(desk, phone, right=True) == (200, "ok")


async def test_wrong_pins_side_by_side_are_counted(desk: Desk) -> None:
    """Of 64 at once five are looked at; the right one among them counts only in its turn."""
    scene = desk.scene
    phone = await scene.phone(await scene.account(), push=False)
    answers = await asyncio.gather(*(checked(desk, phone, right=False) for _ in range(64)))
    assert answers.count((403, "proof_wrong")) == 5
    assert answers.count((429, "approvals_blocked")) == 59


async def test_new_pin_for_a_locked_phone_works_again(desk: Desk) -> None:
    """A printed code renews the phone under a device id of its own: nothing is locked there."""
    scene = desk.scene
    account = await scene.account()
    codes = await with_codes(scene, account)
    phone = await scene.phone(account, push=False)
    for _ in range(10):
        await checked(desk, phone, right=False)
        scene.clock.step(HOUR)
    new = newcomer(desk)
    await new.begin(former=phone.id)
    await new.choose("code")
    await new.type(codes[0])
    await new.enrol()
    assert await checked(desk, new.phone, right=True) == (200, "ok")
