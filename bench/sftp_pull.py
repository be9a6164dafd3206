"""Statements fetched by SFTP, from our server and from OpenSSH's own, in turns.

Each server has one core and the client the other; both serve the same bytes to the same program
with the same cipher. Beside the clock stands the server's CPU, which other programs on the machine
disturb less.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from bench import machine
from bench.delivery import KINDS, delivery_server
from bench.fetching import CIPHER, Spent, Target, make_key, run, run_each
from bench.openssh import openssh_server
from bench.report import Figures, sftp_report

_PARALLEL = 8
"""Programs that sign in at a time."""
_SMALL_BYTES = 24_000
_CLIENTS = 3
"""Programs that fetch small files at a time: a single one mostly waits for its own turn."""


@dataclass(frozen=True)
class Plan:
    """How much is fetched in a round, and how many rounds there are."""

    rounds: int
    big_mib: int
    small: int
    sign_ins: int
    idle: int
    idle_openssh: int
    accounts: int


FULL = Plan(5, 1024, 10_000, 400, 1_000, 200, 10_000)
QUICK = Plan(3, 256, 2_000, 120, 1_000, 60, 1_000)


def measure(plan: Plan, kind: str, folder: Path, database_url: str) -> None:
    """Measure with one kind of database, and print.

    What does not ask the database is measured with SQLite only.
    """
    files = folder / "files"
    _say("files are made ...")
    make_files(files, plan)
    make_key(folder / "client")
    with _servers(plan, folder, files, database_url) as targets:
        figures: dict[str, Figures] = {target.name: defaultdict(list) for target in targets}
        if kind == "sqlite":  # first: later sessions would live in what others have left
            for target, count in zip(targets, (plan.idle, plan.idle_openssh), strict=True):
                _say(f"{count} sessions stay idle at {target.name} ...")
                idle(target, count, figures[target.name])
        for target in targets:  # code is warm, and files are in memory
            run(target, folder, [f"get {target.root}/monthly/big.csv /dev/null"], 2)
        for turn in range(plan.rounds):
            _say(f"round {turn + 1} of {plan.rounds} ...")
            for measured in (sign_ins, big, small) if kind == "sqlite" else (sign_ins,):
                # Whoever is first finds the machine as the other has left it.
                for target in targets if turn % 2 else targets[::-1]:
                    measured(target, plan, folder, figures[target.name])
            newer_sign_ins(targets[0], plan, folder, figures[targets[0].name])
    sftp_report(figures)


@contextmanager
def _servers(plan: Plan, folder: Path, files: Path, database_url: str) -> Iterator[list[Target]]:
    with ExitStack() as stack:
        key = folder / "client"
        with machine.on(machine.SERVER_CORE):
            ours = delivery_server(folder / "ours", files, key, database_url, plan.accounts)
            theirs = openssh_server(folder / "openssh", files, key)
            targets = [stack.enter_context(server) for server in (ours, theirs)]
        for target in targets:
            run(target, folder, ["pwd"])
        yield targets


def make_files(root: Path, plan: Plan) -> None:
    """The same folders for both: one big file, and many small ones in shares of equal size."""
    for name in KINDS:
        (root / name).mkdir(parents=True)
    with (root / "monthly" / "big.csv").open("wb") as file:
        for _ in range(plan.big_mib):
            file.write(os.urandom(1 << 20))
    text = os.urandom(_SMALL_BYTES)
    for number in range(plan.small):
        name = f"{number % _CLIENTS}-{number:06}.csv"
        (root / "daily" / name).write_bytes(number.to_bytes(8, "big") + text[8:])


def sign_ins(target: Target, plan: Plan, folder: Path, noted: Figures) -> None:
    """Connect, prove the key, open SFTP, ask where one is, and leave."""
    spent = [run(target, folder, ["pwd"], _PARALLEL) for _ in range(plan.sign_ins // _PARALLEL)]
    count = len(spent) * _PARALLEL
    noted["sign_in_ms"].append(sum(one.cpu for one in spent) / count * 1000)
    noted["sign_in_rate"].append(count / sum(one.wall for one in spent))


def big(target: Target, plan: Plan, folder: Path, noted: Figures) -> None:
    """One big file to nowhere, as quick as it goes."""
    spent = run(target, folder, [f"get {target.root}/monthly/big.csv /dev/null"])
    noted["big_rate"].append(plan.big_mib / spent.wall)
    noted["big_cpu_ms"].append(spent.cpu / plan.big_mib * 1000)


def small(target: Target, plan: Plan, folder: Path, noted: Figures) -> None:
    """All small files: by one program, and by several, each with a share of them."""
    for name, clients in (("small", 1), ("smalls", _CLIENTS)):
        spent = _fetch(target, folder, clients)
        noted[f"{name}_rate"].append(plan.small / spent.wall)
        noted[f"{name}_ms"].append(spent.cpu / plan.small * 1000)


def _fetch(target: Target, folder: Path, clients: int) -> Spent:
    into = memory_folder(folder) / "fetched"
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    lines = [f"get {target.root}/daily/{share}-* {into}/" for share in range(_CLIENTS)]
    shares = [lines] if clients == 1 else [[line] for line in lines]
    try:
        return run_each(target, folder, shares)
    finally:
        shutil.rmtree(into)


def memory_folder(folder: Path) -> Path:
    """Where the client's files are kept in memory, so that no disk is measured."""
    shared = Path("/dev/shm")  # noqa: S108  -- the client's own folder within
    if not os.access(shared, os.W_OK):
        return folder
    own = shared / folder.name
    own.mkdir(exist_ok=True)
    return own


def idle(target: Target, count: int, noted: Figures) -> None:
    """Memory that the server takes for each session that has signed in and does nothing."""
    before = target.memory_kib()
    after = asyncio.run(_hold(target, count, target.memory_kib))
    noted["idle_kib"].append((after - before) / count)
    noted["idle_sessions"].append(count)


async def _hold(target: Target, count: int, look: Callable[[], float]) -> float:
    """Have so many sessions open, look, and hang up."""
    doors = asyncio.Semaphore(_PARALLEL)

    async def come() -> asyncssh.SSHClientConnection:
        async with doors:
            return await _sign_in(target)

    connections = await asyncio.gather(*[come() for _ in range(count)])
    await asyncio.sleep(1)
    seen = look()
    for connection in connections:
        connection.abort()
    return seen


def newer_sign_ins(target: Target, plan: Plan, _folder: Path, noted: Figures) -> None:
    """The same as `sign_ins`, by a program that agrees keys by ML-KEM, as OpenSSH since 9.9."""

    async def come(count: int) -> None:
        for _ in range(count):
            connection = await _sign_in(target, kex_algs=["mlkem768x25519-sha256"])
            connection.close()
            await connection.wait_closed()

    async def come_together() -> None:
        await asyncio.gather(*[come(plan.sign_ins // _PARALLEL) for _ in range(_PARALLEL)])

    before = target.spent()
    asyncio.run(come_together())
    count = plan.sign_ins // _PARALLEL * _PARALLEL
    noted["newer_ms"].append((target.spent() - before) / count * 1000)


async def _sign_in(target: Target, **options: list[str]) -> asyncssh.SSHClientConnection:
    connection = await asyncssh.connect(
        "127.0.0.1",
        target.port,
        username=target.user,
        client_keys=[str(target.key)],
        known_hosts=asyncssh.import_known_hosts(target.host_line + "\n"),
        encryption_algs=[CIPHER],
        agent_path=None,
        config=None,
        **options,
    )
    client = await connection.start_sftp_client()
    await client.realpath(".")
    return connection


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
