"""`vestibule statements copy`: from one store to another, before the setting is changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from rich.filesize import decimal

from vestibule.app import open_objects
from vestibule.base.context import Context, Objects
from vestibule.cli import terminal
from vestibule.statements import service

_KINDS = ("statements", "uploads", "attachments")
_AT_ONCE = 8


async def copy_store(ctx: Context, to: str) -> None:
    """Copy every object that is not there yet; may be repeated, also while the server runs."""
    if to == (ctx.settings.statement_store or str(ctx.settings.data / "statements")):
        raise terminal.StoppedError("That is the store that is in use.", "Name another one.")
    if not to.startswith(("/", "s3://")):
        raise terminal.StoppedError(
            f"{to} is no store.",
            "Name a folder by its whole path, or s3://bucket/prefix.",
            code=terminal.USAGE,
        )
    target = open_objects(ctx.settings.model_copy(update={"statement_store": to}))
    try:
        copied, size, there = 0, 0, 0
        for kind in _KINDS:
            known = {name async for name, _ in target.list(kind)}
            waiting = [name async for name, _ in ctx.objects.list(kind) if _is_whole(name)]
            there += len(known.intersection(waiting))
            missing = [name for name in waiting if name not in known]
            for start in range(0, len(missing), _AT_ONCE):
                some = missing[start : start + _AT_ONCE]
                sizes = await asyncio.gather(*(_copy(ctx.objects, target, name) for name in some))
                copied += sum(1 for one in sizes if one is not None)
                size += sum(one or 0 for one in sizes)
        terminal.out.print(f"{copied} copied ({decimal(size)}), {there} there already.")
    finally:
        target.close()


def _is_whole(name: str) -> bool:
    """Not one of those that are being written, or that a crash left."""
    return "/." not in name


async def _copy(source: Objects, target: Objects, name: str) -> int | None:
    try:
        reader = await source.open(name)
    except FileNotFoundError:
        return None  # purged since it was listed
    try:

        async def chunks() -> AsyncIterator[bytes]:
            async for chunk in service.content(reader):
                yield chunk

        written = await target.write(name, chunks())
        if written != reader.size:
            raise terminal.StoppedError(f"{name} was cut short.", "Copy again.")
        return written
    finally:
        reader.close()
