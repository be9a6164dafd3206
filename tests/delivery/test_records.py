"""Keys, networks and certificates: one at a time or all at once, and told of."""

import asyncio
import json

from sqlalchemy import select

from tests.delivery.keeper import (
    FROM,
    added,
    certificate,
    door_of,
    events,
    fresh_line,
    opened,
    owner,
    refused,
)
from tests.login.scene import Scene
from vestibule.app import sweep
from vestibule.base.audit import audit_event
from vestibule.base.clock import DAY
from vestibule.delivery import rules, service, store

# --- keys --------------------------------------------------------------------------------------


async def test_keys_are_listed_renamed_and_removed(scene: Scene) -> None:
    """By the tool's comment at first; removed, a key is history for a quarter of a year."""
    _, session = await owner(scene)
    key = await added(scene, session)
    assert key.label == "laptop"
    scene.clock.step(1)
    named = await added(scene, session, label=" The  office ")
    assert named.label == "The office"
    await service.rename_key(scene.ctx, session, key_id=key.id, label="home", **FROM)
    labels = [one.label for one in await service.list_keys(scene.ctx, session.account_id)]
    assert labels == ["home", "The office"]
    await service.rename_key(scene.ctx, session, key_id=key.id, label="", **FROM)
    await service.remove_key(scene.ctx, session, key_id=key.id, **FROM)
    gone = await refused(service.remove_key(scene.ctx, session, key_id=key.id, **FROM))
    assert gone.code.name == "key_unknown"
    ever = await service.list_keys(scene.ctx, session.account_id, removed=True)
    assert [(one.id, one.removed_at) for one in ever] == [
        (named.id, None),
        (key.id, scene.clock.now()),
    ]
    home = await service.home_of(scene.ctx, session.account_id)
    assert home is not None
    assert list((await door_of(scene, home)).keys) == [named.fingerprint]
    scene.clock.step(91 * DAY)
    await sweep(scene.ctx)
    ever = await service.list_keys(scene.ctx, session.account_id, removed=True)
    assert [one.id for one in ever] == [named.id]


async def test_the_same_key_twice_at_once_is_registered_once(scene: Scene) -> None:
    """Of eight requests one wins; removed, it may be registered again."""
    _, session = await owner(scene)
    data = fresh_line()
    made = await asyncio.gather(
        *(added(scene, session, data) for _ in range(8)), return_exceptions=True
    )
    won = [one for one in made if isinstance(one, rules.Key)]
    assert len(won) == 1
    assert {str(one) for one in made if one not in won} == {"key_exists"}
    await service.remove_key(scene.ctx, session, key_id=won[0].id, **FROM)
    again = await added(scene, session, data)
    assert again.id != won[0].id


async def test_there_are_never_more_than_twenty_keys(scene: Scene) -> None:
    """However many are added at once, and while one is removed in between."""
    _, session = await owner(scene)
    keys = [await added(scene, session) for _ in range(18)]
    made = await asyncio.gather(
        *(added(scene, session) for _ in range(6)),
        service.remove_key(scene.ctx, session, key_id=keys[0].id, **FROM),
        *(added(scene, session) for _ in range(6)),
        return_exceptions=True,
    )
    live = await service.list_keys(scene.ctx, session.account_id)
    assert len(live) in (19, 20)
    assert keys[0].id not in {key.id for key in live}
    faults = {str(one) for one in made if isinstance(one, Exception)}
    assert faults == {"keys_full most=20"}
    while len(await service.list_keys(scene.ctx, session.account_id)) < 20:
        await added(scene, session)
    assert (await refused(added(scene, session))).facts == {"most": 20}


async def test_two_accounts_have_one_key(scene: Scene) -> None:
    """An accountant's: each name opens its own home, and removing one leaves the other."""
    _, one = await owner(scene)
    _, two = await owner(scene, "robin")
    data = fresh_line("accountant")
    first, second = await added(scene, one, data), await added(scene, two, data)
    assert first.fingerprint == second.fingerprint
    await service.remove_key(scene.ctx, one, key_id=first.id, **FROM)
    doors = await service.doors(scene.ctx, [one.account_id, two.account_id])
    assert doors[one.account_id].keys == {}
    assert doors[two.account_id].keys == {second.fingerprint: second.id}


# --- networks ----------------------------------------------------------------------------------


async def test_networks_change_at_once_and_say_what_changed(scene: Scene) -> None:
    """The journal names what came and went; the same list again is no change."""
    _, session = await owner(scene)
    await opened(scene, session)
    home = await service.add_address(scene.ctx, session, address="2001:db8:1:2::3", **FROM)
    assert home.networks == ("192.0.2.0/24", "2001:db8:1:2::/64")
    door = await door_of(scene, home)
    assert rules.allowed(door.networks, "2001:db8:1:2:ffff::1")
    same = tuple(reversed(home.networks))
    await service.set_networks(scene.ctx, session, networks=same, **FROM)
    await service.remove_network(scene.ctx, session, network="10.0.0.0/8", **FROM)
    home = await service.remove_network(scene.ctx, session, network="192.0.2.0/24", **FROM)
    assert home.networks == ("2001:db8:1:2::/64",)
    rows = await scene.ctx.db.all(
        select(audit_event.c.detail)
        .where(audit_event.c.event == "delivery.networks_changed")
        .order_by(audit_event.c.id)
    )
    assert [json.loads(row["detail"]) for row in rows] == [
        {"networks": 1, "added": "192.0.2.0/24", "removed": "-"},
        {"networks": 2, "added": "2001:db8:1:2::/64", "removed": "-"},
        {"networks": 1, "added": "-", "removed": "192.0.2.0/24"},
    ]


async def test_networks_added_at_once_are_all_there(scene: Scene) -> None:
    """Each request adds to the list as it is by then: none is lost."""
    _, session = await owner(scene)
    await asyncio.gather(
        *(
            service.add_network(scene.ctx, session, network=f"198.51.100.{n}", **FROM)
            for n in range(10)
        )
    )
    home = await service.home_of(scene.ctx, session.account_id)
    assert home is not None
    assert sorted(home.networks) == sorted(f"198.51.100.{n}/32" for n in range(10))
    rows = await scene.rows(store.delivery_network)
    assert {row["network"] for row in rows} == set(home.networks)


# --- the certificate ---------------------------------------------------------------------------


async def test_a_certificate_takes_the_place_of_the_former(scene: Scene) -> None:
    """One at a time; the same again changes nothing; removed, there is none."""
    _, session = await owner(scene)
    one, two = certificate(), certificate()
    first = await service.set_certificate(scene.ctx, session, data=one, **FROM)
    assert await service.set_certificate(scene.ctx, session, data=one, **FROM) == first
    second = await service.set_certificate(scene.ctx, session, data=two, **FROM)
    held = await service.certificate_of(scene.ctx, session.account_id)
    assert held is not None
    assert (held.fingerprint, held.id) == (second.fingerprint, second.id)
    assert held.data
    home = await service.home_of(scene.ctx, session.account_id)
    assert home is not None
    assert home.certificate == second
    assert (await door_of(scene, home)).certificate == second.fingerprint
    await service.remove_certificate(scene.ctx, session, **FROM)
    assert await service.certificate_of(scene.ctx, session.account_id) is None
    assert (await door_of(scene, home)).certificate is None
    fault = await refused(service.remove_certificate(scene.ctx, session, **FROM))
    assert fault.code.name == "certificate_unknown"
    assert await events(scene) == [
        "delivery.opened",
        "delivery.certificate_set",
        "delivery.certificate_replaced",
        "delivery.certificate_set",
        "delivery.certificate_removed",
    ]


async def test_certificates_set_at_once_leave_one(scene: Scene) -> None:
    """Whoever comes last holds, and no account ever has two."""
    _, session = await owner(scene)
    await asyncio.gather(
        *(service.set_certificate(scene.ctx, session, data=certificate(), **FROM) for _ in range(4))
    )
    rows = await scene.rows(store.delivery_certificate)
    assert sum(row["removed_at"] is None for row in rows) == 1
    assert len(rows) == 4
