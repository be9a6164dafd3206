"""Publishing, killed at any moment: every statement is whole or absent, and nothing is doubled.

Real processes, real SIGKILLs, SQLite and PostgreSQL, a disk and an S3 server. KILL_CYCLES in the
environment sets how many times (100 where it is not given); on S3, which is slower, a third of it.
"""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.delivery.keeper import owner
from tests.login.scene import HERE, Scene, open_scene
from tests.statements import victim
from tests.statements.operator_desk import Keyholder, Operator, open_operator
from vestibule.app import open_objects
from vestibule.base.audit import audit_event
from vestibule.base.clock import DAY, SteppedClock
from vestibule.base.database import Database
from vestibule.delivery import service as delivery
from vestibule.outside.disk_objects import DiskObjects
from vestibule.statements import service
from vestibule.statements.rules import Statement

ROOT = Path(__file__).resolve().parent.parent.parent
CYCLES = int(os.environ.get("KILL_CYCLES", "100"))
A_CYCLE = 8
START = SteppedClock().now()


@pytest.fixture(params=["disk", "s3"])
async def scene(
    request: pytest.FixtureRequest, database: Database, house: Path
) -> AsyncIterator[Scene]:
    """The services over either kind of store."""
    store: dict[str, Any] = {}
    if request.param == "s3":
        store = request.getfixturevalue("bucket").settings(house.parent.name)
    url = request.getfixturevalue("database_url")
    async with open_scene(database, SteppedClock(), house, database_url=url, **store) as opened:
        objects = open_objects(opened.ctx.settings)
        yield replace(opened, ctx=replace(opened.ctx, objects=objects))
        objects.close()


class Victims:
    """Cycles of publishing in processes that are killed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(
        self,
        numbers: Sequence[int] = (),
        *,
        delay: float | None,
        task: str = "publish",
        now: int = START,
    ) -> tuple[set[int], float]:
        """Which of the files were acknowledged, and how long it took."""
        asked = {"task": task, "numbers": list(numbers), "delay": delay, "now": now}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return set(answer["acked"]), answer["took"]


@contextmanager
def victims(operator: Operator) -> Iterator[Victims]:
    """A process that forks the children to be killed."""
    settings = operator.scene.ctx.settings
    told = {name: str(getattr(settings, name)) for name in ("data", "database_url")}
    told |= {
        name: getattr(settings, name)
        for name in ("statement_store", "s3_endpoint", "s3_access_key_id", "s3_secret_access_key")
    }
    command = [sys.executable, "-m", "tests.statements.victim", json.dumps(told), operator.token]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Victims(process)
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.processes
async def test_publishing_killed_at_any_moment_is_whole_or_absent(
    scene: Scene, keyholder: Keyholder
) -> None:
    """What is listed is whole, what was acknowledged is listed, and again finishes the rest.

    Bob's files, which are encrypted, lie in clear nowhere: not in the store, nor in what dead
    processes left of uploads and drafts. Each file has one event, and its replacement another.
    """
    operator = await open_operator(scene)
    account, session = await owner(scene, "bob")
    bob = replace(operator, session=session, account=account)
    await delivery.set_certificate(
        scene.ctx, session, data=bytes(keyholder.certificate), source=HERE.address
    )
    cycles = CYCLES if isinstance(scene.ctx.objects, DiskObjects) else CYCLES // 3
    chance = random.Random(20261122)
    acked: set[int] = set()
    killed = 0
    with victims(operator) as publishing:
        _, full = publishing(range(A_CYCLE), delay=None)
        for cycle in range(1, cycles + 1):
            every = range((cycle + 1) * A_CYCLE)
            left = [number for number in every if number not in acked][: 2 * A_CYCLE]
            chance.shuffle(left)
            told, took = publishing(left, delay=chance.uniform(0, full * 1.3))
            acked |= told
            killed += told != set(left)
            if told == set(left):
                full = min(full, took)  # the first of all was slow: everything was cold
            if cycle % 10 == 0:
                await _demand_whole(operator, bob, keyholder, acked)
        assert killed > cycles // 3
        every = range((cycles + 1) * A_CYCLE)
        publishing([number for number in every if number not in acked], delay=None)
    await _demand_sealed(operator)
    await service.sweep_orphans(scene.ctx, older_than_ms=-3_600_000)
    shown = await _demand_whole(operator, bob, keyholder, set(every))
    assert {one.name for one in shown} == {victim.name(number) for number in every}
    # An upload that the killed process had opened may be open still; its parts are named.
    opened = {one.object for one in shown}
    assert opened <= await operator.stored()
    scene.clock.step(49 * 3_600_000)
    await service.sweep_uploads(scene.ctx)
    assert await operator.stored() == opened
    await _demand_told_once(scene, every)


async def _demand_whole(
    operator: Operator, bob: Operator, keyholder: Keyholder, acked: set[int]
) -> list[Statement]:
    """All that is listed is whole, and all that was acknowledged is listed."""
    listed: list[Statement] = []
    for client in (operator, bob):
        for one in await client.shown():
            number = int(one.name.split()[1].removesuffix(".csv"))
            data = await client.read(one)
            if client is bob:
                assert one.encrypted_to == keyholder.fingerprint
                data = keyholder.decrypt(data)
            versions = (
                [victim.final(number)]
                if number in acked
                else [victim.content(number, version) for version in (1, 2)]
            )
            assert data in versions
            listed.append(one)
    assert {victim.name(number) for number in acked} <= {one.name for one in listed}
    return listed


async def _demand_sealed(operator: Operator) -> None:
    """No file of the store holds plain text of an account with a certificate."""
    objects = operator.scene.ctx.objects
    plain = {one.object for one in await operator.shown()}
    for stored in await operator.stored() - plain:
        reader = await objects.open(stored)
        data = b"".join([chunk async for chunk in service.content(reader)])
        reader.close()
        if victim.MARK in data:
            # Left of alice's, whose files are published in clear: its content says whose it is.
            assert any(
                data[:400] == victim.content(number, version)[:400][: len(data)]
                for number in range(0, (CYCLES + 1) * A_CYCLE, 2)
                for version in (1, 2)
            )


async def _demand_told_once(scene: Scene, numbers: range) -> None:
    """One event for each file, and one for each replacement that happened."""
    rows = await scene.ctx.db.all(select(audit_event.c.event, audit_event.c.detail))
    counted = Counter(
        (row["event"], json.loads(row["detail"])["name"])
        for row in rows
        if row["event"] in {"statement.published", "statement.replaced"}
    )
    for number in numbers:
        assert counted["statement.published", victim.name(number)] == 1
        replaced = counted["statement.replaced", victim.name(number)]
        # Killed between its two versions, the first may be published over the second once more.
        assert replaced >= 1 if victim.way(number) == "replaced" else replaced == 0


@pytest.mark.slow
@pytest.mark.processes
async def test_encrypting_and_purging_killed_at_any_moment_lose_and_double_nothing(
    scene: Scene, keyholder: Keyholder
) -> None:
    """Of each statement there is one whole file all the time, and one event of each kind."""
    operator = await open_operator(scene)
    data = {f"2026-11-22 {number}.csv": victim.content(number) for number in range(60)}
    for name, content in data.items():
        await operator.publish(content, name=name)
    await operator.certify(keyholder.certificate)
    chance, killed, longest = random.Random(5), 0, 0.05
    with victims(operator) as working:
        left = len(data)
        while left:
            working(task="encrypt", delay=chance.uniform(0, longest))
            killed += 1
            before, left = left, (await service.tree(scene.ctx, operator.account.id)).hidden
            # Where a machine is too busy to get anywhere before it is killed, it lives longer.
            longest *= 1 if left < before else 1.5
            for one in chance.sample(shown := await operator.shown(), min(9, len(shown))):
                assert keyholder.decrypt(await operator.read(one)) == data[one.name]
        assert killed > 2
        await service.sweep_orphans(scene.ctx, older_than_ms=-3_600_000)
        shown = await operator.shown()
        assert await operator.stored() == {one.object for one in shown}
        assert {one.name for one in shown} == set(data)
        for one in shown:
            assert keyholder.decrypt(await operator.read(one)) == data[one.name]
        assert (await operator.events()).count("statement.encrypted") == len(data)
        over = scene.clock.step(100 * DAY)
        for _ in range(6):
            working(task="purge", delay=chance.uniform(0, 0.03), now=over)
        working(task="purge", delay=None, now=over)
    await service.sweep_orphans(scene.ctx, older_than_ms=-3_600_000)
    assert await operator.stored() == set()
    assert (await operator.events()).count("statement.purged") == len(data)
