"""Answering with a factor: what a page has to ask, and whether an answer is right, once."""

from typing import Any

import msgspec

from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.factors import rules, store
from vestibule.factors.rules import Event, Factor, Kind
from vestibule.factors.service import card, codes, passes, passkeys, records, totp
from vestibule.sessions.rules import Proof


async def usable(tx: Tx, ctx: Context, account_id: str, now: int) -> list[Factor]:  # noqa: ARG001
    # The context is handed on by every caller alike; this one kind of listing needs nothing of it.
    """The factors that may answer for an account now, the oldest first."""
    listed = [records.factor_of(row) for row in await tx.all(store.LISTED, account_id=account_id)]
    return [factor for factor in listed if factor.usable(now)]


async def challenge(
    ctx: Context, factor: Factor, attempt_id: str, challenge: str
) -> dict[str, Any]:
    """What a page needs to ask for this factor.

    A code card: ``{"indexes": [17, 60]}``, the same until they were answered, whoever asks. A
    passkey: ``{"options": {...}}``, bound to the attempt and its round's challenge. Else nothing.
    """
    if factor.kind not in (Kind.CODE_CARD, Kind.PASSKEY):
        return {}
    row = await ctx.db.one(store.BY_ID, id_=factor.id)
    row = records.demand_row(row, factor.account_id, factor.kind)
    if factor.kind is Kind.CODE_CARD:
        return {"indexes": list(card.indexes(ctx, row))}
    bytes_ = passkeys.attempt_challenge(ctx, attempt_id, challenge)
    return {"options": passkeys.request_options(ctx, row, bytes_)}


async def verify(
    tx: Tx,
    ctx: Context,
    *,
    factor_id: str,
    account_id: str,
    answer: str,
    attempt_id: str,
    challenge: str,
    now: int,
    source: str = "",
) -> Proof:
    """Judge an answer and spend what it spends, in the caller's transaction; what it proves.

    ``answer`` is what was typed, or for a passkey the JSON of the browser's answer; ``attempt_id``
    and ``challenge`` are those that `challenge` was asked with. Raises Refused ``factor_unknown``,
    ``factor_unconfirmed``, ``factor_spent``, ``factor_wrong``, ``factor_code_used`` or
    ``passkey_copied``, and Lost where another answer came in between. Counts nothing.
    """
    row = records.demand_row(await tx.one(store.TO_VERIFY, id_=factor_id), account_id)
    factor = records.factor_of(row)
    rules.move(factor.state(now), Event.USE)
    asked = passkeys.attempt_challenge(ctx, attempt_id, challenge)
    state, ends_at = _check(ctx, row, answer, asked, now=now)
    await _used(tx, row, state, ends_at, source=source, now=now)
    return factor.proof


def _check(
    ctx: Context, row: Row, answer: str, asked: bytes, *, now: int
) -> tuple[msgspec.Struct, int | None]:
    """What the factor remembers after a right answer, and when it ends."""
    kind = Kind(row["kind"])
    if kind is Kind.TOTP:
        return totp.check(ctx, row, answer, now=now), None
    if kind is Kind.CODE_CARD:
        return card.check(ctx, row, answer), row["expires_at"]
    if kind is Kind.RECOVERY_CODES:
        left = codes.check(ctx, row, answer)
        return left, None if left.digests else now
    if kind is Kind.TEMPORARY_PASS:
        state = passes.check(ctx, row, answer)
        return state, now if state.single else row["expires_at"]
    named, response = passkeys.parse_answer(ctx, answer)
    if named != row["id"]:
        raise Refused("factor_wrong")
    return passkeys.check(ctx, row, response, asked), None


async def verify_passkey_login(
    tx: Tx,
    ctx: Context,
    *,
    response: str,
    token: str,
    bound: str,
    now: int,
    source: str = "",
) -> tuple[str, str]:
    """Judge a passkey that is the whole sign-in: the account's id and the factor's.

    ``response`` is the JSON of the browser's answer, ``token`` and ``bound`` are those of
    `login_options`. An answer counts once. Raises Refused ``passkey_late``, ``factor_wrong`` (also
    for a passkey that nobody here has), ``factor_code_used`` or ``passkey_copied``.
    """
    asked = passkeys.login_challenge(ctx, token, bound=bound, now=now)
    named, answer = passkeys.parse_answer(ctx, response)
    row = await tx.one(store.TO_VERIFY, id_=named)
    if row is None or not records.factor_of(row).usable(now):
        raise Refused("factor_wrong")
    state = passkeys.spend(passkeys.check(ctx, row, answer, asked), asked, now=now)
    await _used(tx, row, state, None, source=source, now=now)
    return row["account_id"], row["id"]


async def _used(
    tx: Tx, row: Row, state: msgspec.Struct, ends_at: int | None, *, source: str, now: int
) -> None:
    await records.change(
        tx,
        row,
        event="factor.used",
        source=source,
        now=now,
        state=state,
        used_at=now,
        expires_at=ends_at,
    )
