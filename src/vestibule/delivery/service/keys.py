"""Keys: registered, renamed, removed, listed."""

from collections.abc import Mapping
from typing import Any

from vestibule.accounts import service as accounts
from vestibule.base import audit
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Duplicate, Refused
from vestibule.base.ids import new_id
from vestibule.delivery import rules, store
from vestibule.delivery.rules import Key
from vestibule.delivery.service import records
from vestibule.sessions.rules import Session


def key_of(row: Row | Mapping[str, Any]) -> Key:
    """The key in a row."""
    return Key(
        id=row["id"],
        account_id=row["account_id"],
        label=row["label"],
        algorithm=row["algorithm"],
        bits=row["bits"],
        fingerprint=row["fingerprint"],
        blob=row["blob"],
        added_at=row["added_at"],
        used_at=row["used_at"],
        used_from=row["used_from"],
        removed_at=row["removed_at"],
    )


async def list_keys(ctx: Context, account_id: str, *, removed: bool = False) -> list[Key]:
    """The account's keys, the oldest first; with ``removed``, behind them those taken away."""
    statement = store.KEYS_EVER if removed else store.KEYS
    return [key_of(row) for row in await ctx.db.all(statement, account_id=account_id)]


async def get_key(ctx: Context, account_id: str, key_id: str) -> Key:
    """One live key of the account. Raises Refused ``key_unknown``."""
    for key in await list_keys(ctx, account_id):
        if key.id == key_id:
            return key
    raise Refused("key_unknown")


async def add_key(
    ctx: Context,
    session: Session,
    *,
    data: bytes,
    label: str = "",
    source: str,
    actor: str = "browser",
) -> Key:
    """Register a public key; it may sign in at once. Made is the home, where it is missing.

    The label is the key's comment where none is given. Raises Refused ``private_key_sent`` before
    anything else is looked at, then as `rules.parse_public_key`, ``step_up_needed``,
    ``cooling_down``, ``key_exists`` or ``keys_full``.
    """
    public = rules.parse_public_key(data)
    label = rules.key_label(label, otherwise=public.comment or public.algorithm)
    records.demand_widening(ctx, session)
    await records.ensure_home(ctx, session, source=source, actor=actor)
    key = Key(
        id=new_id(),
        account_id=session.account_id,
        label=label,
        algorithm=public.algorithm,
        bits=public.bits,
        fingerprint=public.fingerprint,
        blob=public.blob,
        added_at=ctx.clock.now(),
        used_at=None,
        used_from=None,
        removed_at=None,
    )

    async def body(tx: Tx) -> None:
        # In turn with whoever else adds, or there would be one too many.
        await accounts.lock_account(tx, key.account_id)
        held = await tx.all(store.KEYS, account_id=key.account_id)
        if any(row["fingerprint"] == key.fingerprint for row in held):
            raise Refused("key_exists")
        if len(held) >= rules.KEYS_MOST:
            raise Refused("keys_full", most=rules.KEYS_MOST)
        await _store(tx, key, source=source, actor=actor)

    try:
        await ctx.db.write(body)
    except Duplicate:
        raise Refused("key_exists") from None
    return key


async def _store(tx: Tx, key: Key, *, source: str, actor: str) -> None:
    await tx.run(
        store.ADD_KEY,
        id=key.id,
        account_id=key.account_id,
        label=key.label,
        algorithm=key.algorithm,
        bits=key.bits,
        fingerprint=key.fingerprint,
        blob=key.blob,
        added_at=key.added_at,
        used_at=None,
        used_from=None,
        removed_at=None,
        **audit.journal(
            event="delivery.key_added",
            actor=actor,
            source=source,
            at=key.added_at,
            detail=_facts(key),
        ),
    )


def _facts(key: Key) -> dict[str, str | int]:
    return {
        "label": key.label,
        "fingerprint": key.fingerprint,
        "algorithm": key.algorithm,
        "bits": key.bits,
    }


async def rename_key(
    ctx: Context,
    session: Session,
    *,
    key_id: str,
    label: str,
    source: str,
    actor: str = "browser",
) -> None:
    """Call a key something else; empty: by its kind.

    Raises Refused ``private_key_sent``, ``step_up_needed`` or ``key_unknown``.
    """
    rules.key_label(label, otherwise="")
    records.demand_narrowing(ctx, session)
    key = await get_key(ctx, session.account_id, key_id)
    label = rules.key_label(label, otherwise=key.algorithm)
    facts = {**_facts(key), "label": label, "former": key.label}
    await ctx.db.run(
        store.RENAME_KEY,
        id_=key.id,
        account_id_=key.account_id,
        label_=label,
        **records.told(ctx, "delivery.key_renamed", actor=actor, source=source, detail=facts),
    )


async def remove_key(
    ctx: Context, session: Session, *, key_id: str, source: str, actor: str = "browser"
) -> Key:
    """Take a key away; what runs with it ends within seconds.

    Raises Refused ``step_up_needed`` or ``key_unknown``.
    """
    records.demand_narrowing(ctx, session)
    key = await get_key(ctx, session.account_id, key_id)
    if not await ctx.db.write(lambda tx: _remove(tx, ctx, key, source=source, actor=actor)):
        raise Refused("key_unknown")
    return key


async def disown_key(
    tx: Tx, ctx: Context, *, account_id: str, key_id: str, actor: str, source: str
) -> bool:
    """Take a key away that its account's owner says is not theirs.

    In the caller's transaction, which has locked the account. False where it is gone already.
    """
    rows = await tx.all(store.KEYS, account_id=account_id)
    key = next((key_of(row) for row in rows if row["id"] == key_id), None)
    return key is not None and await _remove(tx, ctx, key, source=source, actor=actor)


async def _remove(tx: Tx, ctx: Context, key: Key, *, source: str, actor: str) -> bool:
    said = records.told(ctx, "delivery.key_removed", actor=actor, source=source, detail=_facts(key))
    return bool(await tx.run(store.REMOVE_KEY, id_=key.id, account_id_=key.account_id, **said))
