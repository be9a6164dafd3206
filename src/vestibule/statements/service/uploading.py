"""Uploads: statements that come in parts, over hours and through crashes.

Each part is sealed with AES-256-GCM under a key of its upload, which lies sealed under the master
key in the upload's row; when the row goes, the parts can be read by nobody. A part becomes durable
first; then one transaction names it and moves the offset, by compare-and-set. So the offset that a
publisher is told is always what is there, and any worker goes on from it.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vestibule.base import orphans
from vestibule.base.clock import HOUR
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Lost, Refused
from vestibule.base.ids import new_id
from vestibule.statements import rules, store
from vestibule.statements.rules import Published, Publisher, Upload, Wanted
from vestibule.statements.service.placing import (
    Incoming,
    certificate_in,
    demand_unexpired,
    place,
)
from vestibule.statements.service.publishing import look, there_already
from vestibule.statements.service.reading import whole

_NONCE: Final = 12
_TAG: Final = 16
_PURPOSE: Final = "upload"
_SWEPT_AT_A_TIME: Final = 50


def _upload(row: Row | Mapping[str, Any], *, fresh: bool = False) -> Upload:
    return Upload(
        id=row["id"],
        publisher_id=row["publisher_id"],
        account_id=row["account_id"],
        kind=rules.Kind(row["kind"]),
        period=row["period"],
        name=row["name"],
        media=row["media"],
        size=row["size"],
        sha256=row["sha256"],
        replace=bool(row["replace"]),
        offset=row["offset"],
        seal=row["seal"],
        opened_at=row["opened_at"],
        touched_at=row["touched_at"],
        fresh=fresh,
    )


async def begin_upload(ctx: Context, publisher: Publisher, wanted: Wanted) -> Upload | Published:
    """Open an upload, or find the one that the same words opened before; or it is there already.

    Raises Refused as `publishing.look`, ``statement_differs`` or
    ``certificate_expired``, before anything is sent.
    """
    incoming, row = await look(ctx, publisher, wanted)
    there = there_already(incoming, row)
    if there is not None:
        return there
    demand_unexpired(ctx, certificate_in(row))
    values = _new_values(ctx, publisher, incoming)
    like = ("publisher_id", "account_id", "kind", "name_key", "sha256", "size")

    async def body(tx: Tx) -> Upload:
        if await tx.run(store.OPEN, **values):
            return _upload(values, fresh=True)
        found = await tx.one(store.UPLOAD_LIKE, **{f"{name}_": values[name] for name in like})
        changed = {name: values[name] for name in ("period", "name", "media", "replace")}
        now = values["touched_at"]
        if found is None or not await tx.run(store.REOPEN, id_=found["id"], now=now, **changed):
            raise Lost  # finished or swept between the two
        return _upload({**dict(found), **changed, "touched_at": now})

    return await ctx.db.write(body)


def _new_values(ctx: Context, publisher: Publisher, incoming: Incoming) -> dict[str, Any]:
    made, now = new_id(), ctx.clock.now()
    return {
        "id": made,
        "publisher_id": publisher.id,
        "account_id": incoming.account_id,
        "kind": incoming.kind.value,
        "period": incoming.period,
        "name": incoming.name,
        "name_key": rules.name_key(incoming.name),
        "media": incoming.media,
        "size": incoming.size,
        "sha256": incoming.sha256,
        "replace": incoming.replace,
        "offset": 0,
        "seal": ctx.sealer.seal(_PURPOSE, secrets.token_bytes(32), made.encode()),
        "opened_at": now,
        "touched_at": now,
    }


async def upload_of(ctx: Context, publisher: Publisher, upload_id: str) -> Upload:
    """An open upload of this publisher. Raises Refused ``upload_unknown``."""
    since = ctx.clock.now() - ctx.settings.upload_hours * HOUR
    row = await ctx.db.one(store.UPLOAD, id_=upload_id, publisher_id_=publisher.id, since=since)
    if row is None:
        raise Refused("upload_unknown")
    return _upload(row)


async def append(ctx: Context, upload: Upload, *, chunks: AsyncIterator[bytes]) -> Upload:
    """Keep what ``chunks`` brings, from ``upload.offset`` on; the upload with its new offset.

    Where ``chunks`` fails, what came before is kept, and its exception goes on. Raises Refused
    ``body_too_large`` (more than was announced), ``upload_offset`` with the ``offset`` that holds
    (somebody else went on with it), ``upload_unknown``; Unavailable.
    """
    key = AESGCM(ctx.sealer.open(_PURPOSE, upload.seal, upload.id.encode()))
    async for piece in _pieces(chunks):
        if upload.offset + len(piece) > upload.size:
            raise Refused("body_too_large", most=upload.size - upload.offset)
        upload = await _keep(ctx, upload, key, piece)
    return upload


async def _pieces(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The bytes in pieces of at most ``rules.PART``: no call holds more of them."""
    held = bytearray()
    try:
        async for chunk in chunks:
            held += chunk
            while len(held) >= rules.PART:
                yield bytes(held[: rules.PART])
                del held[: rules.PART]
    except Exception:
        # The connection broke: what has come is kept, and need not be sent again.
        if held:
            yield bytes(held)
        raise
    if held:
        yield bytes(held)


async def _keep(ctx: Context, upload: Upload, key: AESGCM, piece: bytes) -> Upload:
    target, end = f"uploads/{new_id()}", upload.offset + len(piece)
    # A nonce of its own, not one made of the offset: two writers may be at one offset.
    nonce = secrets.token_bytes(_NONCE)
    sealed = await asyncio.to_thread(key.encrypt, nonce, piece, _bound(upload.id, upload.offset))

    async def stored() -> AsyncIterator[bytes]:
        yield nonce
        yield sealed

    await ctx.objects.write(target, stored())
    now = ctx.clock.now()

    async def body(tx: Tx) -> None:
        moved = await tx.run(
            store.MOVE, id_=upload.id, from_offset=upload.offset, to_offset=end, now=now
        )
        if not moved:
            held = await tx.one(
                store.UPLOAD, id_=upload.id, publisher_id_=upload.publisher_id, since=0
            )
            if held is None:
                raise Refused("upload_unknown")
            raise Refused("upload_offset", offset=held["offset"])
        await tx.run(
            store.ADD_PART,
            upload_id=upload.id,
            offset=upload.offset,
            size=len(piece),
            object=target,
        )

    try:
        await ctx.db.write(body)
    except Refused:
        await orphans.discard(ctx, [target])
        raise
    return replace(upload, offset=end, touched_at=now, fresh=False)


def _bound(upload_id: str, offset: int) -> bytes:
    """The place of a part: at another one it does not open."""
    return f"{upload_id}/{offset}".encode()


async def finish(ctx: Context, upload: Upload) -> Published:
    """Put an upload together, check it and publish it.

    Two who finish at once both get the statement. Raises Refused ``upload_offset`` (there is more
    to come), ``digest_wrong`` (and the upload is abandoned), ``statement_differs``,
    ``upload_unknown``; Unavailable.
    """
    incoming = Incoming(
        publisher=upload.publisher_id,
        account_id=upload.account_id,
        kind=upload.kind,
        period=upload.period,
        name=upload.name,
        media=upload.media,
        size=upload.size,
        sha256=upload.sha256,
        replace=upload.replace,
    )
    parts = await ctx.db.all(store.PARTS, upload_id_=upload.id)
    if sum(part["size"] for part in parts) != upload.size:
        held = await ctx.db.one(
            store.UPLOAD, id_=upload.id, publisher_id_=upload.publisher_id, since=0
        )
        if held is None:
            return await _finished(ctx, incoming)
        raise Refused("upload_offset", offset=held["offset"])
    try:
        return await place(
            ctx,
            incoming,
            partial(_plain, ctx, upload, parts),
            certificate=certificate_in(await _held(ctx, incoming)),
            upload_id=upload.id,
        )
    except FileNotFoundError:
        return await _finished(ctx, incoming)
    except Refused as fault:
        if fault.code.name == "digest_wrong":
            await _end(ctx, upload.id)
        raise


async def _finished(ctx: Context, incoming: Incoming) -> Published:
    """What became of an upload whose parts are gone: somebody else finished it, or ended it."""
    there = there_already(incoming, await _held(ctx, incoming))
    if there is None:
        raise Refused("upload_unknown")
    return there


async def _held(ctx: Context, incoming: Incoming) -> Row:
    row = await ctx.db.one(
        store.HELD,
        account_id_=incoming.account_id,
        kind_=incoming.kind.value,
        name_key_=rules.name_key(incoming.name),
    )
    if row is None:
        raise Refused("statement_account")
    return row


async def _plain(ctx: Context, upload: Upload, parts: list[Row]) -> AsyncIterator[bytes]:
    """What was sent, opened again, part by part: it exists in memory only."""
    key = AESGCM(ctx.sealer.open(_PURPOSE, upload.seal, upload.id.encode()))
    for part in parts:
        reader = await ctx.objects.open(part["object"])
        try:
            sealed = await whole(reader)
        finally:
            reader.close()
        bound = _bound(upload.id, part["offset"])
        try:
            opened = await asyncio.to_thread(key.decrypt, sealed[:_NONCE], sealed[_NONCE:], bound)
        except InvalidTag:
            raise Refused(
                "digest_wrong"
            ) from None  # the store has changed it: sent again, it is good
        yield opened


async def abandon(ctx: Context, publisher: Publisher, upload_id: str) -> None:
    """Forget an upload and what was sent of it; that there is none is fine."""
    row = await ctx.db.one(store.UPLOAD, id_=upload_id, publisher_id_=publisher.id, since=0)
    if row is not None:
        await _end(ctx, upload_id)


async def sweep_uploads(ctx: Context) -> int:
    """Abandon the uploads that nobody went on with; how many."""
    before, ended = ctx.clock.now() - ctx.settings.upload_hours * HOUR, 0
    while True:
        stale = await ctx.db.all(store.STALE_UPLOADS, before=before, most=_SWEPT_AT_A_TIME)
        for row in stale:
            ended += await _end(ctx, row["id"], untouched_since=before)
        if len(stale) < _SWEPT_AT_A_TIME:
            return ended


async def _end(ctx: Context, upload_id: str, *, untouched_since: int | None = None) -> bool:
    async def body(tx: Tx) -> list[Row] | None:
        if untouched_since is None:
            ended = await tx.run(store.END_UPLOAD, id_=upload_id)
        else:
            ended = await tx.run(store.END_STALE, id_=upload_id, before=untouched_since)
        if not ended:
            return None
        parts = await tx.all(store.PARTS, upload_id_=upload_id)
        await tx.run(store.END_PARTS, upload_id_=upload_id)
        return parts

    parts = await ctx.db.write(body)
    if parts is None:
        return False
    await orphans.discard(ctx, [part["object"] for part in parts])
    return True
