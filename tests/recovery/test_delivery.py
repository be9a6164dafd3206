"""What a thief does to file delivery from a stolen session is undone by "this was not me"."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pysequoia import Tsk

from tests.desk import Desk, open_session
from tests.login.scene import HERE, Scene
from tests.recovery.newcomer import told
from vestibule.accounts.rules import Account
from vestibule.base.errors import Refused
from vestibule.delivery import rules, service as delivery
from vestibule.delivery.rules import Home
from vestibule.notifications import service as notifications
from vestibule.recovery import service
from vestibule.recovery.service import Undone
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof, Session

FROM: dict[str, Any] = {"source": HERE.address}


async def stolen(scene: Scene) -> tuple[Account, Session, str]:
    """An account whose session somebody else has, proven a moment ago."""
    account = await scene.account()
    session, cookie = await open_session(scene, account, proof=Proof.NUMBER)
    return account, session, cookie


async def said_not_me(scene: Scene, account: Account, event: str) -> Undone:
    """Follow the link in the mail about the latest such event."""
    notice = next(notice for _, notice in await told(scene, account) if notice.event == event)
    link = notifications.not_me_link(scene.ctx, notice)
    return await service.undo_by_link(scene.ctx, link.rpartition("/")[2], source="192.0.2.7")


async def home_of(scene: Scene, account: Account) -> Home:
    """The account's home, which is there."""
    home = await delivery.home_of(scene.ctx, account.id)
    assert home is not None
    return home


async def add_key(scene: Scene, session: Session) -> str:
    """A new key's id."""
    public = Ed25519PrivateKey.generate().public_key()
    line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return (await delivery.add_key(scene.ctx, session, data=line, **FROM)).id


async def test_a_key_that_was_not_mine_is_removed(desk: Desk) -> None:
    """That key and no other; every browser is signed out, and a second time nothing is left."""
    scene = desk.scene
    account, session, cookie = await stolen(scene)
    mine = await add_key(scene, session)
    thiefs = await add_key(scene, session)
    assert await said_not_me(scene, account, "delivery.key_added") is Undone.KEY_REMOVED
    keys = await delivery.list_keys(scene.ctx, account.id, removed=True)
    assert {key.id: key.removed_at is None for key in keys} == {mine: True, thiefs: False}
    assert await sessions.session_of(scene.ctx, cookie) is None
    assert await said_not_me(scene, account, "delivery.key_added") is Undone.NOTHING


@pytest.mark.parametrize(
    "event",
    [
        "delivery.networks_changed",
        "delivery.certificate_set",
        "delivery.certificate_removed",
        "delivery.switched_on",
    ],
)
async def test_what_opened_delivery_further_switches_it_off(desk: Desk, event: str) -> None:
    """Nothing is handed out until the owner has looked; keys and networks stay to be looked at."""
    scene = desk.scene
    account, session, cookie = await stolen(scene)
    await add_key(scene, session)
    certificate = bytes(Tsk.generate("Thief").extract_certificate())
    await delivery.add_network(scene.ctx, session, network="203.0.113.66", **FROM)
    await delivery.set_certificate(scene.ctx, session, data=certificate, **FROM)
    await delivery.switch(scene.ctx, session, on=True, **FROM)
    if event == "delivery.certificate_removed":
        await delivery.remove_certificate(scene.ctx, session, **FROM)
    assert (await home_of(scene, account)).enabled
    assert await said_not_me(scene, account, event) is Undone.DELIVERY_OFF
    home = await home_of(scene, account)
    assert (home.enabled, home.networks) == (False, ("203.0.113.66/32",))
    door = await delivery.door(scene.ctx, home.username)
    assert rules.judge(door, fingerprint=None, address="203.0.113.66") is rules.Outcome.OFF
    assert await sessions.session_of(scene.ctx, cookie) is None
    with pytest.raises(Refused):
        await sessions.get_session(scene.ctx, cookie)


async def test_off_already_the_thief_is_shut_out_all_the_same(desk: Desk) -> None:
    """Delivery that is off stays off, and the session that changed it ends."""
    scene = desk.scene
    account, session, cookie = await stolen(scene)
    await delivery.add_network(scene.ctx, session, network="203.0.113.66", **FROM)
    said = await said_not_me(scene, account, "delivery.networks_changed")
    assert said is Undone.SESSIONS_ENDED
    assert not (await home_of(scene, account)).enabled
    assert await sessions.session_of(scene.ctx, cookie) is None
