"""Recovery codes: ten, shown once, each good once. Only their digests are kept.

The digest is keyed by the house's master key, which is no part of the database: a dump alone
cannot be searched at all, and with the key there remain 80 bits, which no slow hash would need
to stretch. So a code is judged inside the transaction that spends it.
"""

import hmac
import secrets
from typing import Final

from vestibule.accounts import service as accounts
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.base.ids import new_id
from vestibule.factors import store
from vestibule.factors.rules import Kind, codes
from vestibule.factors.service import records
from vestibule.factors.service.records import CodesState
from vestibule.protocol.encoding import b64u
from vestibule.sessions.rules import Session
from vestibule.web.visitor import Visitor

_BYTES: Final = codes.RECOVERY_LENGTH * 5 // 8


async def make_codes(
    ctx: Context, *, session: Session, label: str, visitor: Visitor
) -> tuple[str, ...]:
    """Ten fresh codes: the only moment at which they are known. Former ones are void.

    Raises Refused ``step_up_needed``, or ``cooling_down`` where there are some already.
    """
    await records.demand_adding(ctx, session)
    now = ctx.clock.now()
    made = tuple(
        codes.spell(secrets.token_bytes(_BYTES), codes.RECOVERY_LENGTH)
        for _ in range(codes.RECOVERY_CODES)
    )
    fresh = new_id()

    async def body(tx: Tx) -> None:
        await accounts.lock_account(tx, session.account_id)
        listed = await tx.all(store.LISTED, account_id=session.account_id)
        held = next((row for row in listed if row["kind"] == Kind.RECOVERY_CODES), None)
        if held is not None:
            records.demand_weakening(ctx, session)
            await _renew(tx, ctx, held, made, source=visitor.address, now=now)
            return
        await records.add(
            tx,
            ctx,
            id_=fresh,
            account_id=session.account_id,
            kind=Kind.RECOVERY_CODES,
            label=label,
            secret=b"",
            state=_state(ctx, fresh, made),
            source=visitor.address,
            now=now,
        )
        row = records.demand_row(await tx.one(store.TO_VERIFY, id_=fresh), session.account_id)
        await records.confirm(tx, ctx, row, session=session, visitor=visitor, now=now)

    await ctx.db.write(body)
    return tuple(codes.shown(code) for code in made)


async def _renew(
    tx: Tx, ctx: Context, row: Row, made: tuple[str, ...], *, source: str, now: int
) -> None:
    await records.change(
        tx,
        row,
        event="codes.renewed",
        source=source,
        now=now,
        state=_state(ctx, row["id"], made),
        confirmed_at=now,
        # Spent ones had an end; fresh ones have none before all of them are used.
        expires_at=None,
    )


def _state(ctx: Context, id_: str, made: tuple[str, ...]) -> CodesState:
    return CodesState(tuple(_digest(ctx, id_, code) for code in made))


def _digest(ctx: Context, id_: str, code: str) -> str:
    return b64u(ctx.sealer.digest("recovery-code", id_, code))


def check(ctx: Context, row: Row, answer: str) -> CodesState:
    """What is left after a right code. Raises Refused ``factor_wrong``: also for a used one."""
    code = codes.read(answer, codes.RECOVERY_LENGTH)
    if code is None:
        raise Refused("factor_wrong")
    held = records.codes_of(row).digests
    digest = _digest(ctx, row["id"], code)
    left = tuple(one for one in held if not hmac.compare_digest(one, digest))
    if len(left) == len(held):
        raise Refused("factor_wrong")
    return CodesState(left)
