"""Publishers: the operator's systems, each with a token of its own."""

from collections.abc import Mapping
from typing import Any, Final

from vestibule.base import audit
from vestibule.base.clock import HOUR
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Duplicate, Refused
from vestibule.base.ids import new_id, new_secret
from vestibule.statements import rules, store
from vestibule.statements.rules import Publisher

_MARK: Final = "vsp_"
"""So that scanners of repositories and logs recognise what must not be there."""
_TOKEN_LENGTH: Final = len(_MARK) + 43
_USE_WRITTEN_MS: Final = HOUR


def _publisher(row: Row | Mapping[str, Any]) -> Publisher:
    return Publisher(
        id=row["id"],
        name=row["name"],
        created_at=row["created_at"],
        used_at=row["used_at"],
        revoked_at=row["revoked_at"],
    )


async def add_publisher(ctx: Context, name: str) -> tuple[Publisher, str]:
    """Make a publisher; its token is known at this moment only.

    Raises Refused ``publisher_name_invalid`` or ``publisher_exists``.
    """
    token, now = f"{_MARK}{new_secret()}", ctx.clock.now()
    values: dict[str, Any] = {
        "id": new_id(),
        "account_id": None,
        "name": rules.publisher_name(name),
        "token_digest": ctx.sealer.digest("publisher", token),
        "created_at": now,
        "used_at": None,
        "revoked_at": None,
    }
    values |= audit.journal(
        event="publisher.added", actor="system", at=now, detail={"name": values["name"]}
    )
    try:
        await ctx.db.run(store.ADD_PUBLISHER, **values)
    except Duplicate:
        raise Refused("publisher_exists") from None
    return _publisher(values), token


async def list_publishers(ctx: Context) -> list[Publisher]:
    """All publishers, the revoked ones last."""
    return [_publisher(row) for row in await ctx.db.all(store.PUBLISHERS)]


async def revoke_publisher(ctx: Context, name: str) -> None:
    """End a publisher's token at once. Raises Refused ``publisher_unknown``."""
    now = ctx.clock.now()
    told = audit.journal(event="publisher.revoked", actor="system", at=now, detail={"name": name})
    if not await ctx.db.run(store.REVOKE, name_=name, now=now, **told):
        raise Refused("publisher_unknown")


async def publisher_of(ctx: Context, token: str) -> Publisher | None:
    """Whose token this is; None: nobody's, or it was revoked."""
    if not token.startswith(_MARK) or len(token) != _TOKEN_LENGTH or not token.isascii():
        return None
    digest = ctx.sealer.digest("publisher", token)
    row = await ctx.db.one(store.PUBLISHER_BY_DIGEST, token_digest_=digest)
    if row is None:
        return None
    now = ctx.clock.now()
    if row["used_at"] is None or row["used_at"] < now - _USE_WRITTEN_MS:

        async def used(tx: Tx) -> None:
            await tx.run(store.USED, id_=row["id"], now=now)

        await ctx.db.write(used, alone=True)
    return _publisher(row)
