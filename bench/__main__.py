"""`make bench`: the real server, driven by the reference phone, against the floors of one run.

Its SFTP server is driven by OpenSSH's client, beside OpenSSH's own server.

The machine is never quiet, so rounds of every kind take turns, and medians are printed. Compare
ratios only: the floors beside them were measured between the same rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench import machine, sftp_pull, waiting
from bench.databases import Maker, databases
from bench.house import House, open_house
from bench.latency import approvals
from bench.push_service import push_service
from bench.report import Figures, report

PARTS = ("password", "application", "latency", "waiting", "sftp")
_SMALL = 1_000
_ROOM_TO_WAIT = 45_000  # accounts of which ten thousand of one kind can wait


@dataclass(frozen=True)
class Plan:
    """How much is done in a round, and how many rounds there are."""

    rounds: int
    sign_ins: int
    with_password: int
    approvals: int
    browsers: int
    wake_ups: int
    floor_seconds: float
    accounts: int


_FULL = Plan(5, 800, 160, 50, 10_000, 2_000, 2.5, 1_000_000)
_QUICK = Plan(2, 250, 50, 20, 2_000, 400, 1.0, _ROOM_TO_WAIT)


async def measure(plan: Plan, parts: set[str], sizes: list[int], folder: Path, make: Maker) -> None:
    """Measure one kind of database with each number of accounts, and print."""
    figures: dict[int, Figures] = {size: defaultdict(list) for size in sizes}
    async with AsyncExitStack() as stack:
        pushes = await stack.enter_async_context(push_service())
        houses = []
        for size in sizes:
            home = folder / f"house-{size}"
            home.mkdir()
            url = await asyncio.to_thread(make, home, f"bench{size}")
            _say(f"{size:,} accounts are made ...")
            houses.append(await stack.enter_async_context(open_house(home, url, size, pushes)))
        for turn in range(plan.rounds):
            _say(f"round {turn + 1} of {plan.rounds} ...")
            for house in houses:
                await _round(house, plan, parts, folder / f"house-{house.accounts}", figures)
    if "waiting" in parts:
        await _wait(plan, folder, make, figures[sizes[-1]])
    report(figures)


async def _round(
    house: House, plan: Plan, parts: set[str], home: Path, figures: dict[int, Figures]
) -> None:
    noted = figures[house.accounts]
    if parts & {"password", "application"}:
        argon2id = await _floor("argon2id", len(house.hashing), plan)
        noted["argon2id_rate"].append(argon2id["rate"])
        noted["argon2id_ms"].append(argon2id["cpu_ms"])
        noted["commit_rate"].append((await _floor("commits", house.url, plan))["rate"])
    for kind, push in (("push", True), ("response", False)):
        if "application" in parts:
            people = house.some(cheap=True, seamless=push)
            storm = await house.storm(people, plan.sign_ins, push=push)
            noted[f"{kind}_ms"].append(storm.application_ms)
            noted[f"{kind}_bare_rate"].append(storm.rate)
        if "password" in parts:
            people = house.some(cheap=False, seamless=push)
            storm = await house.storm(people, plan.with_password, push=push)
            noted[f"{kind}_rate"].append(storm.rate)
            noted[f"{kind}_wall_share"].append(storm.rate / noted["argon2id_rate"][-1])
            noted[f"{kind}_share"].append(noted["argon2id_ms"][-1] / storm.whole_ms)
    if "latency" in parts:
        noted["approval_s"] += await approvals(house, home, plan.approvals)


async def _wait(plan: Plan, folder: Path, make: Maker, noted: Figures) -> None:
    """A server of its own, so that its memory is that of the waiting browsers."""
    home = folder / "house-waiting"
    home.mkdir()
    url = await asyncio.to_thread(make, home, "waiting")
    _say(f"{plan.browsers:,} browsers wait ...")
    async with push_service() as pushes, open_house(home, url, _ROOM_TO_WAIT, pushes) as house:
        crowd = await waiting.crowd(house, plan.browsers, plan.wake_ups)
    noted["waiting"] = [crowd.browsers]
    noted["waiting_mib"] = [crowd.with_mib]
    noted["waiting_kib"] = [crowd.each_kib]
    noted["waiting_load"] = [crowd.load]
    noted["woken_s"] = crowd.woken


async def _floor(kind: str, what: object, plan: Plan) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.floor", kind, str(what), str(plan.floor_seconds)]
    with machine.on(machine.SERVER_CORE):
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0, command
    figures: dict[str, float] = json.loads(said)
    return figures


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser("make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--only", choices=PARTS, help="this part alone")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="this kind alone")
    parser.add_argument("--accounts", type=int, help="the larger number of accounts")
    given = parser.parse_args()
    plan = _QUICK if given.quick else _FULL
    parts = {given.only} if given.only else set(PARTS)
    sizes = sorted({_SMALL, given.accounts or plan.accounts})
    machine.allow_connections()
    for kind in (given.database,) if given.database else ("sqlite", "postgresql"):
        print(f"\n# {kind}")
        with (
            machine.on(machine.OTHER_CORE),
            tempfile.TemporaryDirectory(prefix="vestibule-bench-") as name,
        ):
            folder = Path(name)
            folder.chmod(0o755)  # PostgreSQL may run as a user of its own
            with databases(kind, folder) as make:
                if parts - {"sftp"}:
                    uvloop.run(measure(plan, parts, sizes, folder, make))
                if "sftp" in parts:
                    home = folder / "sftp"
                    home.mkdir(mode=0o755)
                    pulled = sftp_pull.QUICK if given.quick else sftp_pull.FULL
                    sftp_pull.measure(pulled, kind, home, make(home, "statements"))


if __name__ == "__main__":
    main()
