"""What an account may fetch, and its bytes."""

from collections.abc import AsyncIterator, Iterable, Mapping
from inspect import isawaitable
from typing import Any, Final

from vestibule.base.context import Context, ObjectReader
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.statements import rules, store
from vestibule.statements.rules import Listing, Statement

_CHUNK: Final = 256 << 10


def statement_of(row: Row | Mapping[str, Any]) -> Statement:
    """The statement in a row that has the columns of ``store.SHOWN``."""
    return Statement(
        id=row["id"],
        account_id=row["account_id"],
        kind=rules.Kind(row["kind"]),
        period=row["period"],
        name=row["name"],
        media=row["media"],
        size=row["size"],
        stored_size=row["stored_size"],
        sha256=row["sha256"],
        encrypted_to=row["encrypted_to"],
        object=row["object"],
        published_at=row["published_at"],
        purge_at=row["purge_at"],
        told_at=row["told_at"],
        seen_at=row["seen_at"],
    )


async def tree(ctx: Context, account_id: str) -> Listing:
    """Everything that an account may fetch now, in one statement.

    An account with a certificate sees encrypted files only: what was published in clear before is
    hidden until it is encrypted.
    """
    rows = await ctx.db.all(store.OF_ACCOUNT, account_id=account_id, now=ctx.clock.now())
    shown = [row for row in rows if row["encrypted_to"] or not row["certified"]]
    return Listing(
        statements=tuple(statement_of(row) for row in shown), hidden=len(rows) - len(shown)
    )


async def get_statement(ctx: Context, account_id: str, statement_id: str) -> Statement:
    """A statement that this account may fetch now. Raises Refused ``statement_unknown``."""
    row = await ctx.db.one(store.ONE, id_=statement_id, account_id=account_id, now=ctx.clock.now())
    if row is None:
        raise Refused("statement_unknown")
    return statement_of(row)


async def open_statement(
    ctx: Context, account_id: str, statement_id: str
) -> tuple[Statement, ObjectReader]:
    """A statement and its content, to be closed by the caller.

    What is replaced or purged while it is read is read to its end from a disk; from a network
    ``read`` raises FileNotFoundError. Raises Refused ``statement_unknown``, Unavailable.
    """
    found = await get_statement(ctx, account_id, statement_id)
    while True:
        try:
            return found, await ctx.objects.open(found.object)
        except FileNotFoundError:
            now = await get_statement(ctx, account_id, statement_id)
            if now.object == found.object:
                raise Refused("statement_unknown") from None
            found = now  # replaced between the two looks


async def content(reader: ObjectReader) -> AsyncIterator[bytes]:
    """All bytes of an object, in chunks. Raises FileNotFoundError, Unavailable."""
    offset = 0
    while offset < reader.size:
        found = reader.read(offset, _CHUNK)
        chunk = await found if isawaitable(found) else found
        if not chunk:
            return
        offset += len(chunk)
        yield chunk


async def whole(reader: ObjectReader) -> bytes:
    """A small object at once."""
    found = reader.read(0, reader.size)
    return await found if isawaitable(found) else found


async def mark_seen(ctx: Context, account_id: str, statement_ids: Iterable[str]) -> None:
    """Remember that statements were fetched for the first time; one transaction."""
    ids, now = tuple(statement_ids), ctx.clock.now()

    async def body(tx: Tx) -> None:
        for one in ids:
            await tx.run(store.SEEN, id_=one, account_id_=account_id, now=now)

    if ids:
        await ctx.db.write(body)
