"""The delivery home is changed by its owner alone, told of, and asked in one statement."""

import asyncio

from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.delivery.keeper import (
    FROM,
    INSIDE,
    OUTSIDE,
    added,
    certificate,
    door_of,
    events,
    fresh_line,
    opened,
    owner,
    refused,
)
from tests.desk import open_session
from tests.login.scene import Scene
from vestibule.accounts import service as accounts
from vestibule.base.clock import DAY, HOUR
from vestibule.base.database import Tx
from vestibule.delivery import rules, service, store
from vestibule.delivery.rules import Choice, Mailed, Notices, Outcome
from vestibule.sessions.rules import Proof

# --- the home and its door ---------------------------------------------------------------------


async def test_a_home_lets_in_its_keys_from_its_networks(scene: Scene) -> None:
    """Registered, allowed and switched on: the door says so, and the journal tells how."""
    _, session = await owner(scene)
    home, key = await opened(scene, session)
    door = await door_of(scene, home)
    assert rules.judge(door, fingerprint=key.fingerprint, address=INSIDE) is Outcome.ACCEPTED
    away = rules.judge(door, fingerprint=key.fingerprint, address=OUTSIDE)
    assert away is Outcome.ADDRESS_NOT_ALLOWED
    assert await service.door(scene.ctx, f" {home.username.upper()}") == door
    assert await service.doors(scene.ctx, [session.account_id, "x"]) == {session.account_id: door}
    assert await events(scene) == [
        "delivery.opened",
        "delivery.key_added",
        "delivery.networks_changed",
        "delivery.switched_on",
    ]


async def test_a_home_begins_closed_and_is_made_once(scene: Scene) -> None:
    """Nobody comes in by a home that was only looked at, however many make it at once."""
    _, session = await owner(scene)
    assert await service.home_of(scene.ctx, session.account_id) is None
    made = await asyncio.gather(
        *(service.ensure_home(scene.ctx, session, **FROM) for _ in range(8))
    )
    assert len({home.username for home in made}) == 1
    assert (made[0].enabled, made[0].networks, made[0].certificate) == (False, (), None)
    assert await events(scene) == ["delivery.opened"]
    door = await door_of(scene, made[0])
    assert rules.judge(door, fingerprint=None, address=INSIDE) is Outcome.OFF
    await service.switch(scene.ctx, session, on=True, **FROM)
    door = await door_of(scene, made[0])
    assert rules.judge(door, fingerprint=None, address=INSIDE) is Outcome.ADDRESS_NOT_ALLOWED


async def test_a_door_costs_one_statement_whoever_knocks(scene: Scene) -> None:
    """The same statement, and one row of it, for names that are there, are not, and cannot be."""
    _, session = await owner(scene)
    home, _ = await opened(scene, session)
    await added(scene, session)
    seen: list[str] = []
    scene.ctx.db.observe(lambda kind, sql: seen.append(f"{kind} {sql}"))
    asked = []
    for name in (home.username, "abcdefghjk", "morgan", "", "x" * 9999, "' OR 1=1 --", "\x00"):
        seen.clear()
        found = await service.door(scene.ctx, name)
        assert (found is not None) is (name == home.username)
        asked.append(tuple(seen))
    scene.ctx.db.observe(None)
    assert len(set(asked)) == 1
    assert len([line for line in asked[0] if line.startswith("statement")]) == 1
    rows = await scene.ctx.db.all(store.DOOR, username="abcdefghjk")
    assert [row["account_id"] for row in rows] == [None]


async def test_doors_of_many_are_read_at_once(scene: Scene) -> None:
    """Any number of running connections is judged anew in one statement per thousand."""
    _, session = await owner(scene)
    home, _ = await opened(scene, session)
    door = await door_of(scene, home)
    seen: list[str] = []
    for count, statements in ((0, 0), (1, 1), (15, 1), (100, 1), (1000, 1), (1500, 2)):
        ids = [session.account_id, *(f"other{n}" for n in range(count))][:count]
        scene.ctx.db.observe(lambda kind, sql: seen.append(kind))
        found = await service.doors(scene.ctx, ids)
        scene.ctx.db.observe(None)
        assert found == ({session.account_id: door} if count else {})
        assert seen.count("statement") == statements
        seen.clear()


async def test_a_disabled_account_lets_nobody_in(scene: Scene) -> None:
    """As soon as it is disabled; its settings stay for when it is enabled again."""
    account, session = await owner(scene)
    home, key = await opened(scene, session)
    await accounts.set_disabled(scene.ctx, account_id=account.id, disabled=True)
    door = await door_of(scene, home)
    assert rules.judge(door, fingerprint=key.fingerprint, address=INSIDE) is Outcome.OFF
    assert not (await service.doors(scene.ctx, [account.id]))[account.id].enabled
    await accounts.set_disabled(scene.ctx, account_id=account.id, disabled=False)
    assert (await door_of(scene, home)).enabled


async def test_what_would_happen_is_foreseen(scene: Scene) -> None:
    """The same judgement as at the door, for a pasted key, a fingerprint, or any that is there."""
    _, session = await owner(scene)
    id_ = session.account_id
    before = await service.foresee(scene.ctx, id_, address=INSIDE)
    assert before.outcome is Outcome.USERNAME_UNKNOWN
    _, key = await opened(scene, session)
    seen = await service.foresee(scene.ctx, id_, address=f"::ffff:{INSIDE}")
    assert (seen.outcome, seen.key_id, seen.address) == (Outcome.ACCEPTED, key.id, INSIDE)
    strange = await service.foresee(scene.ctx, id_, address=INSIDE, data=fresh_line())
    assert (strange.outcome, strange.key_id) == (Outcome.KEY_NOT_REGISTERED, None)
    named = await service.foresee(scene.ctx, id_, address=OUTSIDE, fingerprint=key.fingerprint)
    assert named.outcome is Outcome.ADDRESS_NOT_ALLOWED
    fault = await refused(service.foresee(scene.ctx, id_, address="home"))
    assert fault.code.name == "network_invalid"


# --- who may change it -------------------------------------------------------------------------


async def test_widening_takes_a_fresh_proof_and_rests_after_a_recovery(scene: Scene) -> None:
    """Neither an open browser that somebody left nor a thief who recovered the account may."""
    account, session = await owner(scene)
    home, key = await opened(scene, session)
    await service.set_certificate(scene.ctx, session, data=certificate(), **FROM)
    await service.switch(scene.ctx, session, on=False, **FROM)
    attaching = Notices(daily=Choice(mail=Mailed.ATTACHMENT))

    def widening() -> list[object]:
        ctx = scene.ctx
        return [
            service.switch(ctx, session, on=True, **FROM),
            service.add_key(ctx, session, data=fresh_line(), **FROM),
            service.set_networks(ctx, session, networks=("198.51.100.0/24",), **FROM),
            service.add_network(ctx, session, network="198.51.100.9", **FROM),
            service.add_address(ctx, session, address=OUTSIDE, **FROM),
            service.set_certificate(ctx, session, data=certificate(), **FROM),
            service.remove_certificate(ctx, session, **FROM),
            service.set_notices(ctx, session, notices=attaching, **FROM),
        ]

    before = await events(scene)
    scene.clock.step(HOUR)
    for call in widening():
        assert (await refused(call)).code.name == "step_up_needed"  # type: ignore[arg-type]
    until = scene.clock.now() + DAY

    async def guard(tx: Tx) -> None:
        await accounts.guard(tx, account_id=account.id, until=until)

    await scene.ctx.db.write(guard)
    session, _ = await open_session(scene, account, proof=Proof.NUMBER)
    for call in widening():
        assert (await refused(call)).code.name == "cooling_down"  # type: ignore[arg-type]
    assert await events(scene) == before
    # What lets nobody in is open to the owner all the time.
    await service.rename_key(scene.ctx, session, key_id=key.id, label="old", **FROM)
    await service.set_networks(scene.ctx, session, networks=("192.0.2.128/25",), **FROM)
    await service.remove_network(scene.ctx, session, network="192.0.2.128/25", **FROM)
    await service.remove_key(scene.ctx, session, key_id=key.id, **FROM)
    await service.switch(scene.ctx, session, on=False, **FROM)
    silent = Choice(mail=Mailed.OFF)
    await service.set_notices(scene.ctx, session, notices=Notices(daily=silent), **FROM)
    assert (await service.home_of(scene.ctx, account.id)) != home
    scene.clock.step(DAY)
    session, _ = await open_session(scene, account, proof=Proof.NUMBER)
    await service.switch(scene.ctx, session, on=True, **FROM)


async def test_narrowing_takes_a_fresh_proof_too(scene: Scene) -> None:
    """An open browser that somebody left takes nothing away."""
    account, session = await owner(scene)
    home, key = await opened(scene, session)
    scene.clock.step(HOUR)
    for call in (
        service.switch(scene.ctx, session, on=False, **FROM),
        service.remove_key(scene.ctx, session, key_id=key.id, **FROM),
        service.rename_key(scene.ctx, session, key_id=key.id, label="x", **FROM),
        service.remove_network(scene.ctx, session, network=home.networks[0], **FROM),
        service.set_networks(scene.ctx, session, networks=(), **FROM),
    ):
        assert (await refused(call)).code.name == "step_up_needed"
    assert await service.home_of(scene.ctx, account.id) == home


async def test_nobody_touches_anothers_key(scene: Scene) -> None:
    """Who knows its id is told that there is none."""
    _, session = await owner(scene)
    _, key = await opened(scene, session)
    _, other = await owner(scene, "robin")
    for call in (
        service.remove_key(scene.ctx, other, key_id=key.id, **FROM),
        service.rename_key(scene.ctx, other, key_id=key.id, label="mine", **FROM),
    ):
        assert (await refused(call)).code.name == "key_unknown"
    assert await service.list_keys(scene.ctx, session.account_id) == [key]


# --- host keys ---------------------------------------------------------------------------------


async def test_all_workers_have_the_same_host_key(scene: Scene) -> None:
    """Made once by whoever starts first, kept sealed, shown with its fingerprints."""
    made = await asyncio.gather(*(service.host_keys(scene.ctx) for _ in range(8)))
    assert len(set(made)) == 1
    (key,) = made[0]
    assert key.algorithm == "ssh-ed25519"
    assert key.line.startswith("ssh-ed25519 AAAA")
    assert rules.parse_public_key(key.line.encode()).fingerprint == key.fingerprint
    assert key.md5.count(":") == 16
    load_ssh_private_key(key.private, password=None)
    assert "PRIVATE" not in repr(key)
    (row,) = await scene.rows(store.ssh_host_key)
    assert b"OPENSSH" not in row["sealed"]
    (shown,) = await service.shown_host_keys(scene.ctx)
    assert not hasattr(shown, "private")
    assert (shown.line, shown.md5) == (key.line, key.md5)


# --- hostile input reaches no table ------------------------------------------------------------


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=200), st.text(max_size=80), st.text(max_size=40))
async def test_whatever_is_sent_is_stored_cleaned_or_refused(
    scene: Scene, data: bytes, label: str, username: str
) -> None:
    """Any bytes as a key, any text as a name: a refusal of ours or a printable row."""
    found = await accounts.find_account(scene.ctx, username="alice")
    session, _ = await open_session(
        scene, found or await scene.account("alice"), proof=Proof.NUMBER
    )
    await refused(service.add_key(scene.ctx, session, data=data, label=label, **FROM))
    key = await added(scene, session, label=label)
    assert key.label.isprintable()
    await service.remove_key(scene.ctx, session, key_id=key.id, **FROM)
    await service.door(scene.ctx, username)
    await service.record_visit(
        scene.ctx, outcome=Outcome.USERNAME_UNKNOWN, address=label, username=username, program=label
    )
