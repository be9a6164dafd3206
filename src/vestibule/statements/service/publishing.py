"""Publishing a statement that comes in one piece, and telling publishers what is there."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from vestibule.accounts import rules as account_rules
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.statements import rules, store
from vestibule.statements.rules import Presence, Published, Publisher, State, Wanted
from vestibule.statements.service.placing import (
    Incoming,
    certificate_in,
    checked,
    demand_unexpired,
    place,
)

_CHECKED_AT_A_TIME: Final = 50


async def look(ctx: Context, publisher: Publisher, wanted: Wanted) -> tuple[Incoming, Row]:
    """Check a publisher's words, and read what they are about.

    Raises Refused ``statement_kind``, ``statement_name``, ``statement_period``,
    ``statement_too_large`` or ``statement_account``.
    """
    kind = rules.kind_from(wanted.kind)
    name = rules.name_from(wanted.name)
    period = rules.period_from(kind, wanted.period, name=name)
    rules.demand_size(wanted.size, most_mib=ctx.settings.statement_most_mib)
    key = _username_key(wanted.account)
    row = key and await ctx.db.one(
        store.TARGET, username_key_=key, kind_=kind.value, name_key_=rules.name_key(name)
    )
    if not row:
        raise Refused("statement_account")
    incoming = Incoming(
        publisher=publisher.id,
        account_id=row["account_id"],
        kind=kind,
        period=period,
        name=name,
        media=rules.media_from(wanted.media),
        size=wanted.size,
        sha256=wanted.sha256,
        replace=wanted.replace,
    )
    return incoming, row


def there_already(incoming: Incoming, row: Row) -> Published | None:
    """The statement, if it is there with this content. Raises Refused ``statement_differs``."""
    state = rules.judge(
        (row["sha256"], row["size"]) if row["statement_id"] else None,
        (incoming.sha256, incoming.size),
        replace=incoming.replace,
    )
    return Published(state=state, id=row["statement_id"]) if state is State.SAME else None


async def publish(
    ctx: Context, publisher: Publisher, wanted: Wanted, *, chunks: AsyncIterator[bytes]
) -> Published:
    """Publish a file of at most ``rules.WHOLE_MOST`` bytes; larger ones come as an upload.

    When this returns, the statement is listed, durable and whole; when it raises, it is not there,
    or is there because somebody else published it. Where the same is there already, ``chunks`` are
    not read. Raises Refused as `look`, ``body_too_large``, ``statement_differs`` or
    ``digest_wrong``; Unavailable ``store_full`` and others; and what ``chunks`` raises.
    """
    if wanted.size > rules.WHOLE_MOST:
        raise Refused("body_too_large", most=rules.WHOLE_MOST)
    incoming, row = await look(ctx, publisher, wanted)
    there = there_already(incoming, row)
    if there is not None:
        return there
    demand_unexpired(ctx, certificate_in(row))
    # Held in memory: the sender's pace binds no thread and no half of a file, and where the
    # certificate changes meanwhile it is encrypted again without being sent again.
    whole = bytearray()
    async for chunk in checked(chunks, size=incoming.size, sha256=incoming.sha256):
        whole += chunk
    held = bytes(whole)

    async def again() -> AsyncIterator[bytes]:
        yield held

    return await place(ctx, incoming, again, certificate=certificate_in(row))


async def check(ctx: Context, asked: Sequence[tuple[str, str, str, bytes]]) -> list[Presence]:
    """What is there already of (account, kind, name, SHA-256), in the same order."""
    answers: list[Presence] = []
    for start in range(0, len(asked), _CHECKED_AT_A_TIME):
        some = asked[start : start + _CHECKED_AT_A_TIME]

        async def body(
            tx: Tx, some: Sequence[tuple[str, str, str, bytes]] = some
        ) -> list[Presence]:
            return [await _presence(tx, *one) for one in some]

        answers += await ctx.db.read(body)
    return answers


async def _presence(tx: Tx, account: str, kind: str, name: str, sha256: bytes) -> Presence:
    try:
        key = rules.name_key(rules.name_from(name))
    except Refused:
        key = ""  # nothing has such a name: publishing it says what is wrong
    username_key = _username_key(account)
    row = username_key and await tx.one(
        store.PRESENT, username_key_=username_key, kind_=kind, name_key_=key
    )
    if not row:
        return Presence.ACCOUNT_UNKNOWN
    return rules.presence(row["sha256"], sha256)


def _username_key(typed: str) -> str:
    """As accounts are looked up by; empty for what cannot be a username."""
    try:
        return account_rules.username_key(typed)
    except Refused:
        return ""
