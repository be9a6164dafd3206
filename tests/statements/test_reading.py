"""What a client sees and fetches, and what time takes away."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.buckets import Buckets
from tests.delivery.keeper import refused
from tests.statements.operator_desk import Keyholder, Operator, chunks, plain_copies, random_bytes
from vestibule.base.audit import audit_event
from vestibule.base.clock import DAY
from vestibule.base.errors import Unavailable
from vestibule.base.ids import new_id
from vestibule.outside.disk_objects import DiskObjects
from vestibule.statements import service
from vestibule.statements.rules import ORPHAN_MS, PART

DATA = random_bytes(70_000)
OTHER = random_bytes(70_000)


async def test_a_client_sees_its_own_and_nothing_else(operator: Operator) -> None:
    """Neither in the list nor by the id of another's statement."""
    account = await operator.scene.account("bob")
    await operator.publish(DATA)
    await operator.publish(OTHER, account="bob")
    [mine] = await operator.shown()
    [theirs] = (await service.tree(operator.scene.ctx, account.id)).statements
    assert await operator.read(mine) == DATA
    opening = service.open_statement(operator.scene.ctx, operator.account.id, theirs.id)
    assert (await refused(opening)).code.name == "statement_unknown"
    opening = service.open_statement(operator.scene.ctx, operator.account.id, new_id())
    assert (await refused(opening)).code.name == "statement_unknown"


async def test_the_latest_period_comes_first(operator: Operator) -> None:
    """And all of it in one statement of the database."""
    for name in ("2026-11-21.csv", "2026-11-23.csv", "2026-11-22.csv"):
        await operator.publish(DATA, name=name)
    seen: list[str] = []
    operator.scene.ctx.db.observe(lambda kind, _sql: seen.append(kind))
    shown = await operator.shown()
    operator.scene.ctx.db.observe(None)
    assert [one.period for one in shown] == ["2026-11-23", "2026-11-22", "2026-11-21"]
    assert seen == ["statement"]


async def test_seen_is_remembered_once(operator: Operator) -> None:
    """When it was first fetched, and only by its owner."""
    published = await operator.publish(DATA)
    ctx, clock = operator.scene.ctx, operator.scene.clock
    await service.mark_seen(ctx, "somebody else", [published.id])
    assert (await operator.shown())[0].seen_at is None
    first = clock.now()
    await service.mark_seen(ctx, operator.account.id, [published.id, new_id()])
    clock.step(1000)
    await service.mark_seen(ctx, operator.account.id, [published.id])
    assert (await operator.shown())[0].seen_at == first


async def test_a_download_goes_on_while_it_is_replaced(operator: Operator) -> None:
    """Who had opened it reads the former content to its end; who opens it now, the new one."""
    await operator.publish(DATA)
    [former] = await operator.shown()
    _, reader = await service.open_statement(operator.scene.ctx, operator.account.id, former.id)
    bytes_ = service.content(reader)
    await operator.publish(OTHER, replace=True)
    assert b"".join([chunk async for chunk in bytes_]) == DATA
    reader.close()
    assert await operator.read(former) == OTHER


async def test_opening_finds_what_was_replaced_meanwhile(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the row and the opening of the file lies no gap."""
    await operator.publish(DATA)
    [shown] = await operator.shown()
    objects = operator.scene.ctx.objects
    opened = objects.open

    async def late(name: str) -> object:
        monkeypatch.setattr(objects, "open", opened)
        await operator.publish(OTHER, replace=True)
        return await opened(name)

    monkeypatch.setattr(objects, "open", late)
    assert await operator.read(shown) == OTHER


async def test_a_file_that_is_not_there_is_told_as_gone(operator: Operator, house: Path) -> None:
    """Whoever deleted it behind our back: a clean refusal."""
    await operator.publish(DATA)
    [shown] = await operator.shown()
    await operator.scene.ctx.objects.delete(shown.object)
    opening = service.open_statement(operator.scene.ctx, operator.account.id, shown.id)
    assert (await refused(opening)).code.name == "statement_unknown"


# --- purged ------------------------------------------------------------------------------------


async def test_a_statement_is_purged_when_its_days_are_over(operator: Operator) -> None:
    """Row and file go, the event stays with what it was; not an hour before."""
    published = await operator.publish(DATA)
    operator.scene.clock.step(100 * DAY - 1)
    assert await service.purge_due(operator.scene.ctx) == 0
    operator.scene.clock.step(1)
    assert await operator.shown() == []  # also before anybody sweeps
    opening = service.open_statement(operator.scene.ctx, operator.account.id, published.id)
    assert (await refused(opening)).code.name == "statement_unknown"
    assert await service.purge_due(operator.scene.ctx) == 1
    assert await operator.stored() == set()
    event = await operator.scene.ctx.db.one(
        select(audit_event).where(audit_event.c.event == "statement.purged")
    )
    assert event is not None
    assert (event["account_id"], event["subject"]) == (operator.account.id, published.id)
    assert json.loads(event["detail"]) == {
        "kind": "daily",
        "period": "2026-11-22",
        "name": "2026-11-22.csv",
    }


async def test_workers_that_purge_at_once_purge_once(operator: Operator) -> None:
    """Many statements, several workers: each has one event, and all files are gone."""
    names = [f"2026-11-22 {number}.csv" for number in range(230)]
    await asyncio.gather(*(operator.publish(DATA[:99], name=name) for name in names))
    operator.scene.clock.step(100 * DAY)
    purged = await asyncio.gather(*(service.purge_due(operator.scene.ctx) for _ in range(4)))
    assert sum(purged) == len(names)
    assert (await operator.events()).count("statement.purged") == len(names)
    assert await operator.stored() == set()


async def test_purged_while_it_is_read_is_read_to_its_end(operator: Operator) -> None:
    """On a disk, an open file outlives its name."""
    await operator.publish(DATA)
    [shown] = await operator.shown()
    _, reader = await service.open_statement(operator.scene.ctx, operator.account.id, shown.id)
    bytes_ = service.content(reader)
    operator.scene.clock.step(100 * DAY)
    await service.purge_due(operator.scene.ctx)
    assert b"".join([chunk async for chunk in bytes_]) == DATA
    reader.close()


async def test_purging_and_replacing_at_once_leave_a_whole_file(operator: Operator) -> None:
    """Whichever came first, what is published at that moment is there, with new days."""
    await operator.publish(DATA)
    operator.scene.clock.step(100 * DAY)
    await asyncio.gather(
        operator.publish(OTHER, replace=True), service.purge_due(operator.scene.ctx)
    )
    [shown] = await operator.shown()
    assert await operator.read(shown) == OTHER
    assert await operator.stored() == {shown.object}


async def test_a_name_is_free_again_after_purging(operator: Operator) -> None:
    """It is another statement then."""
    first = await operator.publish(DATA)
    operator.scene.clock.step(100 * DAY)
    await service.purge_due(operator.scene.ctx)
    second = await operator.publish(OTHER)
    assert (second.state, second.id != first.id) == ("new", True)


async def test_files_that_nobody_names_are_swept_when_they_are_old(
    operator: Operator, house: Path
) -> None:
    """Drafts of dead processes too; what is young, and what is named, stays."""
    await operator.publish(DATA)
    await operator.append(await operator.begin(random_bytes(PART), kind="trade"), DATA)
    named = await operator.stored()
    objects = operator.scene.ctx.objects
    orphans = [f"{kind}/{new_id()}" for kind in ("statements", "uploads") for _ in range(130)]
    for orphan in orphans:
        await objects.write(orphan, chunks(b"x"))
    draft = house / "statements" / orphans[0].replace("/", f"/{orphans[0][11:13]}/.")
    draft.write_bytes(b"half")
    assert await service.sweep_orphans(operator.scene.ctx) == 0
    old = draft.stat().st_mtime - ORPHAN_MS / 1000 - 5
    for file in (house / "statements").rglob("?" * 22 + "*"):
        os.utime(file, (old, old))
    assert await service.sweep_orphans(operator.scene.ctx) == len(orphans) + 1
    assert await operator.stored() == named


async def test_orphans_are_looked_for_once_a_day(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the number of workers and sweeps: listing a large store takes a while."""
    listed: list[str] = []
    lister = operator.scene.ctx.objects.list

    def noted(prefix: str) -> AsyncIterator[tuple[str, int]]:
        listed.append(prefix)
        return lister(prefix)

    monkeypatch.setattr(operator.scene.ctx.objects, "list", noted)
    for _ in range(3):
        await asyncio.gather(*(service.sweep_statements(operator.scene.ctx) for _ in range(3)))
    assert listed == ["statements", "uploads"]
    operator.scene.clock.step(DAY)
    await service.sweep_statements(operator.scene.ctx)
    assert listed == ["statements", "uploads"] * 2


async def test_a_store_that_does_not_answer_loses_no_purge(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row goes with its event; the file is an orphan, which the sweeper takes."""
    await operator.publish(DATA)
    operator.scene.clock.step(100 * DAY)

    async def away(_name: str) -> None:
        raise Unavailable("store_unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(operator.scene.ctx.objects, "delete", away)
        assert await service.purge_due(operator.scene.ctx) == 1
    assert len(await operator.stored()) == 1
    await service.sweep_orphans(operator.scene.ctx, older_than_ms=-60_000)
    assert await operator.stored() == set()


# --- encrypted later ---------------------------------------------------------------------------


async def test_what_was_published_in_clear_is_hidden_until_it_is_encrypted(
    operator: Operator, keyholder: Keyholder, house: Path
) -> None:
    """From the moment of the certificate on nothing plain is shown, and soon none lies there."""
    for name in ("2026-11-21.csv", "2026-11-22.csv"):
        await operator.publish(DATA, name=name)
    [plain, _] = await operator.shown()
    await operator.certify(keyholder.certificate)
    listing = await service.tree(operator.scene.ctx, operator.account.id)
    assert (listing.statements, listing.hidden) == ((), 2)
    opening = service.open_statement(operator.scene.ctx, operator.account.id, plain.id)
    assert (await refused(opening)).code.name == "statement_unknown"
    assert await service.encrypt_plain(operator.scene.ctx) == 2
    shown = await operator.shown()
    assert [one.shown_name for one in shown] == ["2026-11-22.csv.pgp", "2026-11-21.csv.pgp"]
    for one in shown:
        assert keyholder.decrypt(await operator.read(one)) == DATA
    assert await operator.stored() == {one.object for one in shown}
    assert plain_copies(house, DATA[:64]) == []
    assert (await operator.events()).count("statement.encrypted") == 2
    assert await service.encrypt_plain(operator.scene.ctx) == 0


async def test_workers_that_encrypt_at_once_encrypt_once(
    operator: Operator, keyholder: Keyholder
) -> None:
    """One event and one file for each statement, whoever was first."""
    names = [f"2026-11-22 {number}.csv" for number in range(60)]
    await asyncio.gather(*(operator.publish(DATA, name=name) for name in names))
    await operator.certify(keyholder.certificate)
    done = await asyncio.gather(*(service.encrypt_plain(operator.scene.ctx) for _ in range(3)))
    assert sum(done) == len(names)
    shown = await operator.shown()
    assert await operator.stored() == {one.object for one in shown}
    assert (await operator.events()).count("statement.encrypted") == len(names)
    assert keyholder.decrypt(await operator.read(shown[7])) == DATA


async def test_a_certificate_replaced_while_encrypting_is_not_passed_over(
    operator: Operator, keyholder: Keyholder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was encrypted to the former one meanwhile is not listed; the next round does it."""
    await operator.publish(DATA)
    await operator.certify(Keyholder().certificate)
    objects = operator.scene.ctx.objects
    written = objects.write

    async def write(name: str, source: AsyncIterator[bytes]) -> int:
        size = await written(name, source)
        monkeypatch.setattr(objects, "write", written)
        await operator.certify(keyholder.certificate)
        return size

    monkeypatch.setattr(objects, "write", write)
    assert await service.encrypt_plain(operator.scene.ctx) == 0
    assert await operator.shown() == []
    assert await service.encrypt_plain(operator.scene.ctx) == 1
    [shown] = await operator.shown()
    assert keyholder.decrypt(await operator.read(shown)) == DATA
    assert await operator.stored() == {shown.object}


async def test_what_was_encrypted_to_a_former_certificate_stays(
    operator: Operator, keyholder: Keyholder
) -> None:
    """We have no plain text of it: its owner still has the former key, or has it published anew."""
    former = Keyholder()
    await operator.certify(former.certificate)
    await operator.publish(DATA)
    await operator.certify(keyholder.certificate)
    await operator.publish(OTHER, name="2026-11-23.csv")
    assert await service.encrypt_plain(operator.scene.ctx) == 0
    [second, first] = await operator.shown()
    assert former.decrypt(await operator.read(first)) == DATA
    assert keyholder.decrypt(await operator.read(second)) == OTHER


async def test_one_that_cannot_be_encrypted_does_not_hold_up_the_others(
    operator: Operator, keyholder: Keyholder
) -> None:
    """A damaged file stays hidden; the rest is done."""
    for number in range(5):
        await operator.publish(DATA, name=f"2026-11-22 {number}.csv")
    shown = await operator.shown()
    objects = operator.scene.ctx.objects
    assert isinstance(objects, DiskObjects)
    objects._path(shown[2].object).write_bytes(DATA[:-1] + b"?")
    await operator.certify(keyholder.certificate)
    assert await service.encrypt_plain(operator.scene.ctx) == 4
    listing = await service.tree(operator.scene.ctx, operator.account.id)
    assert (len(listing.statements), listing.hidden) == (4, 1)


# --- on S3 -------------------------------------------------------------------------------------


async def test_purged_while_it_is_read_from_a_network_ends_cleanly(
    operator: Operator, bucket: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read is right; the rest is missing, and said to be."""
    objects = bucket.objects(new_id())
    object.__setattr__(operator.scene.ctx, "objects", objects)
    data = random_bytes(6 << 20)
    await operator.publish(data)
    [shown] = await operator.shown()
    _, reader = await service.open_statement(operator.scene.ctx, operator.account.id, shown.id)
    operator.scene.clock.step(100 * DAY)
    got = b""

    async def fetch() -> None:
        nonlocal got
        async for chunk in service.content(reader):
            got += chunk
            await service.purge_due(operator.scene.ctx)

    with pytest.raises(FileNotFoundError):
        await fetch()
    reader.close()
    assert got == data[: len(got)]
    assert len(got) < len(data)
