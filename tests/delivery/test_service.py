"""The delivery home is changed by its owner alone, told of, and asked in one statement."""

from tests.delivery.keeper import INSIDE, OUTSIDE, door_of, events, opened, owner
from tests.login.scene import Scene
from vestibule.delivery import rules, service
from vestibule.delivery.rules import Outcome


async def test_a_home_lets_in_its_keys_from_its_networks(scene: Scene) -> None:
    """Registered, allowed and switched on: the door says so, and the journal tells how."""
    _, session = await owner(scene)
    home, key = await opened(scene, session)
    door = await door_of(scene, home)
    assert rules.judge(door, fingerprint=key.fingerprint, address=INSIDE) is Outcome.ACCEPTED
    away = rules.judge(door, fingerprint=key.fingerprint, address=OUTSIDE)
    assert away is Outcome.ADDRESS_NOT_ALLOWED
    assert await service.door(scene.ctx, "nobodyhere") is None
    assert await service.doors(scene.ctx, [session.account_id, "x"]) == {session.account_id: door}
    assert await events(scene) == [
        "delivery.opened",
        "delivery.key_added",
        "delivery.networks_changed",
        "delivery.switched_on",
    ]
    visit = await service.record_visit(
        scene.ctx,
        outcome=Outcome.ACCEPTED,
        address=INSIDE,
        username=home.username,
        program="SSH-2.0-OpenSSH_9.2",
        door=door,
        fingerprints=(key.fingerprint,),
    )
    assert visit is not None
    await service.end_visit(scene.ctx, visit, files=2, bytes=7)
    (seen,) = await service.list_visits(scene.ctx, session.account_id)
    assert (seen.id, seen.key_id, seen.files, seen.bytes) == (visit, key.id, 2, 7)
    assert seen.program == "OpenSSH_9.2"
    (used,) = await service.list_keys(scene.ctx, session.account_id)
    assert (used.used_at, used.used_from) == (scene.clock.now(), INSIDE)
    (first,) = await service.host_keys(scene.ctx)
    (again,) = await service.host_keys(scene.ctx)
    assert first == again
    assert first.line.startswith("ssh-ed25519 ")
