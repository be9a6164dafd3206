"""The operator's scanner, if there is one: a command that reads a file and says whether it is well.

It gets the bytes on its standard input while they are stored, and its answer before anything of
them is listed: what it refuses was never there. It is started without a shell, and with none of
our settings in its environment.
"""

import asyncio
import os
import shlex
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Final

import structlog

from vestibule.base.errors import Refused, Unavailable

_log = structlog.get_logger("vestibule.support")

PATIENCE_S: Final = 300.0
"""How long it may take over one piece, and over its answer at the end."""
_WELL: Final = 0
_INFECTED: Final = 1
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")


async def scanned(command: str, plain: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The same bytes; the end comes only once the scanner has found nothing. "": no scanner.

    Raises Refused ``attachment_infected``, Unavailable ``attachment_unchecked`` (it cannot be
    started, ends oddly or takes too long).
    """
    if not command:
        async for piece in plain:
            yield piece
        return
    process = await _start(command)
    try:
        async for piece in plain:
            await _feed(process, piece)
            yield piece
        await _demand_well(process)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _start(command: str) -> Process:
    words = shlex.split(command)
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        return await asyncio.create_subprocess_exec(
            *words, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, env=environment
        )
    except (OSError, ValueError) as fault:
        _log.exception("support.scanner_failed")
        raise Unavailable("attachment_unchecked", reason="it does not start") from fault


async def _feed(process: Process, piece: bytes) -> None:
    if process.stdin is None:
        raise AssertionError
    # One that has seen enough may close its ears: its answer is asked for at the end all the same.
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(piece)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await process.stdin.drain()
        except TimeoutError:
            raise Unavailable("attachment_unchecked", reason="it reads too slowly") from None


async def _demand_well(process: Process) -> None:
    if process.stdin is None:
        raise AssertionError
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.close()
        await process.stdin.wait_closed()
    try:
        async with asyncio.timeout(PATIENCE_S):
            code = await process.wait()
    except TimeoutError:
        raise Unavailable("attachment_unchecked", reason="it does not answer") from None
    if code == _INFECTED:
        raise Refused("attachment_infected")
    if code != _WELL:
        _log.error("support.scanner_failed", code=code)
        raise Unavailable("attachment_unchecked", reason=f"it ended with {code}")
