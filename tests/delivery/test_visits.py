"""The log shows each owner what happened at their door, and nothing of others."""

import asyncio
import io
import json
from collections.abc import Iterator
from string import ascii_letters, digits

import pytest
import structlog

from tests.delivery.keeper import FROM, INSIDE, OUTSIDE, added, door_of, fresh_line, opened, owner
from tests.login.scene import Scene
from vestibule.app import sweep
from vestibule.base import log
from vestibule.base.clock import DAY, HOUR, MINUTE, SECOND
from vestibule.base.database import Tx
from vestibule.delivery import rules, service, store
from vestibule.delivery.rules import Outcome, Visit
from vestibule.delivery.service import visits as recording

UNKNOWN = Outcome.USERNAME_UNKNOWN


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What is logged."""
    stream = io.StringIO()
    before = structlog.get_config()
    log.configure("debug", stream=stream)
    structlog.configure(cache_logger_on_first_use=False)
    yield stream
    structlog.configure(**before)


async def visits_of(scene: Scene, account_id: str) -> list[Visit]:
    """The account's log."""
    return await service.list_visits(scene.ctx, account_id)


async def test_an_accepted_visit_is_told_with_what_it_fetched(scene: Scene) -> None:
    """By which key, from where, by which program, how much; and the key was used."""
    _, session = await owner(scene)
    home, key = await opened(scene, session)
    door = await door_of(scene, home)
    came = scene.clock.now()
    visit = await service.record_visit(
        scene.ctx,
        outcome=Outcome.ACCEPTED,
        address=f"::ffff:{INSIDE}",
        username=home.username,
        program="SSH-2.0-OpenSSH_9.2",
        door=door,
        fingerprints=(key.fingerprint,),
        detail={"kex": "mlkem768x25519-sha256"},
    )
    assert visit is not None
    scene.clock.step(MINUTE)
    await service.end_visit(scene.ctx, visit, files=2, bytes=7, outcome=Outcome.LOST)
    (seen,) = await visits_of(scene, session.account_id)
    assert seen == Visit(
        id=visit,
        account_id=session.account_id,
        at=came,
        last_at=came + MINUTE,
        times=1,
        username=home.username,
        address=INSIDE,
        program="OpenSSH_9.2",
        outcome=Outcome.ACCEPTED,
        fingerprint=key.fingerprint,
        key_id=key.id,
        detail={"kex": "mlkem768x25519-sha256"},
        files=2,
        bytes=7,
        ended_at=came + MINUTE,
        ended_as=Outcome.LOST,
    )
    (used,) = await service.list_keys(scene.ctx, session.account_id)
    assert (used.used_at, used.used_from) == (came, INSIDE)


async def test_a_wrong_username_is_told_to_whose_key_it_was(scene: Scene) -> None:
    """To every account that has the key; an unregistered key tells nobody."""
    _, one = await owner(scene)
    _, two = await owner(scene, "robin")
    _, three = await owner(scene, "zelda")
    await added(scene, three)
    shared = fresh_line()
    key = await added(scene, one, shared)
    await added(scene, two, shared)
    strange = rules.parse_public_key(fresh_line()).fingerprint
    told = await service.record_visit(
        scene.ctx,
        outcome=UNKNOWN,
        address=OUTSIDE,
        username="kvwm4hsp7m",
        fingerprints=(strange, key.fingerprint),
    )
    assert told is not None
    for session in (one, two):
        (seen,) = await visits_of(scene, session.account_id)
        assert (seen.outcome, seen.username) == (UNKNOWN, "kvwm4hsp7m")
        assert (seen.fingerprint, seen.key_id) == (strange, None)
        assert seen.detail["offered"] == [strange, key.fingerprint]
    assert await visits_of(scene, three.account_id) == []
    nobody = await service.record_visit(
        scene.ctx, outcome=UNKNOWN, address=OUTSIDE, username="x", fingerprints=(strange,)
    )
    assert nobody is None


async def test_the_portals_username_is_told_to_its_owner(scene: Scene) -> None:
    """The commonest mistake: it was typed where the SFTP username belongs, however written."""
    _, session = await owner(scene, "morgan")
    await service.ensure_home(scene.ctx, session, **FROM)
    for typed in (" Morgan", "ｍｏｒｇａｎ"):
        told = await service.record_visit(
            scene.ctx, outcome=UNKNOWN, address=OUTSIDE, username=typed
        )
        assert told is not None
    seen = {one.username for one in await visits_of(scene, session.account_id)}
    assert seen == {"Morgan", "ｍｏｒｇａｎ"}


async def test_a_registered_key_weighs_more_than_a_portals_username(scene: Scene) -> None:
    """Whose key it is, is known better than whose name somebody typed."""
    _, one = await owner(scene)
    _, two = await owner(scene, "robin")
    key = await added(scene, one)
    await added(scene, two)
    await service.record_visit(
        scene.ctx,
        outcome=UNKNOWN,
        address=OUTSIDE,
        username="robin",
        fingerprints=(key.fingerprint,),
    )
    assert len(await visits_of(scene, one.account_id)) == 1
    assert await visits_of(scene, two.account_id) == []


async def test_a_program_that_gave_no_name_is_told_to_whose_network_it_is_in(
    scene: Scene,
) -> None:
    """Of narrow networks alone: a wide one holds strangers, whom its owner need not see."""
    _, narrow = await owner(scene)
    await service.set_networks(scene.ctx, narrow, networks=("192.0.2.0/24",), **FROM)
    _, wide = await owner(scene, "robin")
    await service.set_networks(scene.ctx, wide, networks=("192.0.0.0/8",), **FROM)
    _, six = await owner(scene, "zelda")
    await service.set_networks(scene.ctx, six, networks=("2001:db8::/48",), **FROM)
    for address in (INSIDE, "2001:db8::77", OUTSIDE):
        await service.record_visit(
            scene.ctx,
            outcome=Outcome.ALGORITHM_TOO_OLD,
            address=address,
            program="SSH-2.0-PuTTY_Release_0.70",
            detail={"offered": "diffie-hellman-group14-sha1"},
        )
    (seen,) = await visits_of(scene, narrow.account_id)
    assert (seen.outcome, seen.address) == (Outcome.ALGORITHM_TOO_OLD, INSIDE)
    assert (seen.username, seen.program) == ("", "PuTTY_Release_0.70")
    assert await visits_of(scene, wide.account_id) == []
    assert [one.address for one in await visits_of(scene, six.account_id)] == ["2001:db8::77"]


async def test_floods_of_strangers_store_nothing(scene: Scene, logged: io.StringIO) -> None:
    """Unknown names and keys from anywhere leave one line each in the log, and no row."""
    _, session = await owner(scene)
    await opened(scene, session)
    for number in range(200):
        told = await service.record_visit(
            scene.ctx,
            outcome=UNKNOWN,
            address=f"198.51.100.{number}",
            username=f"root{number}\r\n{{}}\x1b[2J\u202e",
            program="SSH-2.0-scan\n\x00",
            fingerprints=(f"SHA256:{number}",),
        )
        assert told is None
    assert await scene.rows(store.delivery_visit) == []
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    strangers = [line for line in lines if line["event"] == "visit.stranger"]
    assert len(strangers) == 200
    assert not [line for line in strangers if "root" in str(line)]
    assert strangers[0]["program"] == "scan"


async def test_the_same_again_is_counted_up(scene: Scene) -> None:
    """Within ten minutes of the last, for a day; another reason or address is a line of its own."""
    _, session = await owner(scene)
    home, _ = await opened(scene, session)
    door = await door_of(scene, home)

    async def come(outcome: Outcome = Outcome.NO_KEY_OFFERED, address: str = INSIDE) -> None:
        await service.record_visit(
            scene.ctx, outcome=outcome, address=address, username=home.username, door=door
        )

    first = scene.clock.now()
    for _ in range(5):
        await come()
        scene.clock.step(9 * MINUTE)
    await come(Outcome.KEY_NOT_REGISTERED)
    await come(address="192.0.2.78")
    seen = await visits_of(scene, session.account_id)
    assert sorted(one.times for one in seen) == [1, 1, 5]
    (many,) = [one for one in seen if one.times == 5]
    assert (many.at, many.last_at) == (first, first + 36 * MINUTE)
    scene.clock.step(2 * MINUTE)
    await come()
    assert len(await visits_of(scene, session.account_id)) == 4
    for _ in range(200):
        scene.clock.step(8 * MINUTE)
        await come()
    lines = [one for one in await visits_of(scene, session.account_id) if one.times > 10]
    assert len(lines) == 2
    assert all(one.last_at - one.at <= DAY for one in lines)


async def test_accepted_ones_are_summed_up(scene: Scene) -> None:
    """A program that comes by several connections at once fills one line."""
    _, session = await owner(scene)
    home, key = await opened(scene, session)
    door = await door_of(scene, home)
    ids = []
    for _ in range(3):
        ids.append(
            await service.record_visit(
                scene.ctx,
                outcome=Outcome.ACCEPTED,
                address=INSIDE,
                username=home.username,
                door=door,
                fingerprints=(key.fingerprint,),
            )
        )
        scene.clock.step(SECOND)
    assert len(set(ids)) == 1
    assert ids[0] is not None
    for _ in range(3):
        await service.end_visit(scene.ctx, ids[0], files=1, bytes=10)
    (seen,) = await visits_of(scene, session.account_id)
    assert (seen.times, seen.files, seen.bytes) == (3, 3, 30)


async def filled(scene: Scene, account_id: str, rows: int) -> None:
    """Refusals of the past, one a millisecond."""
    since = scene.clock.now() - rows

    async def body(tx: Tx) -> None:
        for number in range(rows):
            await tx.run(
                store.ADD_VISIT,
                **dict.fromkeys(("fingerprint", "key_id", "ended_at", "ended_as")),
                **dict.fromkeys(("address", "program"), "x"),
                **dict.fromkeys(("files", "bytes"), 0),
                **dict.fromkeys(("at", "last_at"), since + number),
                id=f"{account_id}{number}",
                account_id=account_id,
                times=1,
                username=f"old{number}",
                outcome=Outcome.OFF.value,
                accepted=False,
                detail="{}",
            )

    await scene.ctx.db.write(body)


async def test_the_log_of_an_account_has_an_end(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refusals push older refusals out, and never who fetched; other accounts are not touched."""
    _, session = await owner(scene)
    home, key = await opened(scene, session)
    door = await door_of(scene, home)
    _, other = await owner(scene, "robin")
    theirs, _ = await opened(scene, other)
    door_of_other = await door_of(scene, theirs)
    await service.record_visit(
        scene.ctx, outcome=UNKNOWN, address=INSIDE, username="x", door=door_of_other
    )
    await service.record_visit(
        scene.ctx,
        outcome=Outcome.ACCEPTED,
        address=INSIDE,
        username=home.username,
        door=door,
        fingerprints=(key.fingerprint,),
    )
    monkeypatch.setattr(recording, "_LOOKS", frozenset(ascii_letters + digits + "-_"))
    await filled(scene, session.account_id, rules.VISITS_MOST)
    for number in range(60):
        scene.clock.step(SECOND)
        await service.record_visit(
            scene.ctx,
            outcome=Outcome.ADDRESS_NOT_ALLOWED,
            address=f"203.0.113.{number}",
            username=f"{number}",
            door=door,
        )
    rows = await scene.rows(store.delivery_visit)
    mine = [row for row in rows if row["account_id"] == session.account_id]
    refused = [row for row in mine if not row["accepted"]]
    assert len(refused) == rules.VISITS_MOST
    named = [row["username"] for row in refused]
    assert "59" in named
    assert "old0" not in named
    assert len(mine) - len(refused) == 1
    assert len(rows) - len(mine) == 1


async def test_the_log_is_read_page_by_page(scene: Scene) -> None:
    """Each line once, the latest first, also where several are of one moment."""
    _, session = await owner(scene)
    home, _ = await opened(scene, session)
    door = await door_of(scene, home)
    for number in range(25):
        scene.clock.step(SECOND if number % 3 else 0)
        await service.record_visit(
            scene.ctx,
            outcome=Outcome.ADDRESS_NOT_ALLOWED,
            address=f"203.0.113.{number}",
            username=home.username,
            door=door,
        )
    seen: list[Visit] = []
    before = None
    while page := await service.list_visits(scene.ctx, session.account_id, before=before, most=7):
        seen += page
        before = page[-1].cursor
    assert len({one.id for one in seen}) == len(seen) == 25
    assert [one.last_at for one in seen] == sorted((one.last_at for one in seen), reverse=True)
    accepted = await service.list_visits(scene.ctx, session.account_id, accepted=True)
    turned = await service.list_visits(scene.ctx, session.account_id, accepted=False)
    assert (len(accepted), len(turned)) == (0, 25)
    _, other = await owner(scene, "robin")
    assert await visits_of(scene, other.account_id) == []


async def test_old_visits_go(scene: Scene) -> None:
    """After as many days as the operator set."""
    _, session = await owner(scene)
    home, _ = await opened(scene, session)
    door = await door_of(scene, home)
    for _ in range(2):
        await service.record_visit(
            scene.ctx, outcome=Outcome.NO_KEY_OFFERED, address=INSIDE, username="x", door=door
        )
        scene.clock.step((scene.ctx.settings.visit_days - 1) * DAY)
    assert len(await visits_of(scene, session.account_id)) == 2
    scene.clock.step(HOUR)
    await sweep(scene.ctx)
    assert len(await visits_of(scene, session.account_id)) == 1


async def test_visits_recorded_at_once_are_all_counted(scene: Scene) -> None:
    """Side by side nothing is lost and nothing fails."""
    _, session = await owner(scene)
    home, _ = await opened(scene, session)
    door = await door_of(scene, home)
    await asyncio.gather(
        *(
            service.record_visit(
                scene.ctx,
                outcome=Outcome.NO_KEY_OFFERED,
                address=INSIDE,
                username=home.username,
                door=door,
            )
            for _ in range(20)
        )
    )
    assert sum(one.times for one in await visits_of(scene, session.account_id)) == 20
