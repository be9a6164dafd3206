"""Our SFTP server, run alone as `vestibule statements serve`, with accounts that have keys."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.fetching import Target, greets, host_line, make_key
from bench.population import account_id, populate
from tests.delivering import Shelves
from tests.serving import PROGRAM, reserved_port
from vestibule import schema
from vestibule.base.sealing import Keys

KINDS = ("daily", "monthly", "trade")
_STOP_SECONDS = 15.0


@contextmanager
def delivery_server(
    folder: Path, files: Path, client: Path, database_url: str, accounts: int
) -> Iterator[Target]:
    """A running server; the first account has these files and lets the key pair `client` in.

    `files` holds a folder for each kind of statements. Raises RuntimeError with the server's log
    when it does not start.
    """
    folder.mkdir()
    asyncio.run(_furnish(folder, files, client, database_url, accounts))
    with reserved_port() as port:
        table = {
            "data": str(folder),
            "database_url": database_url,
            "sftp_url": f"sftp://127.0.0.1:{port}",
            "sftp_listen": f"127.0.0.1:{port}",
            "sftp_connections": 5_000,
            "sftp_connections_per_account": 5_000,
            "sftp_handshakes": 1_000,
            # Everybody comes from the same address, and in a hurry.
            "sftp_handshakes_per_second": 100_000,
        }
        process = _start(folder, {f"VESTIBULE_{k}".upper(): str(v) for k, v in table.items()}, port)
        try:
            yield Target(
                "Vestibule",
                port,
                asyncio.run(_username(folder, database_url)),
                client,
                host_line(port),
                process.pid,
                Path("/"),
            )
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


async def _furnish(
    folder: Path, files: Path, client: Path, database_url: str, accounts: int
) -> None:
    Keys.create(folder)
    await schema.upgrade(database_url)
    await populate(database_url, folder, range(accounts))
    make_key(folder / "other")
    others = [account_id(number) for number in range(1, accounts)]
    async with Shelves.opened(database_url, folder) as shelves:
        await shelves.let_in(account_id(0), client.with_suffix(".pub").read_bytes())
        await shelves.let_all_in(others, (folder / "other.pub").read_bytes())
        for kind in KINDS:
            await shelves.shelve(account_id(0), kind, *sorted((files / kind).iterdir()))


async def _username(folder: Path, database_url: str) -> str:
    async with Shelves.opened(database_url, folder) as shelves:
        return await shelves.username(account_id(0))


def _start(folder: Path, settings: dict[str, str], port: int) -> subprocess.Popen[bytes]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("VESTIBULE_")}
    log = folder / "server.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*PROGRAM, "statements", "serve"],
            env=environ | settings,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    if greets(port, process):
        return process
    process.kill()
    process.wait()
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-4000:]}")
