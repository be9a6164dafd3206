"""Authenticator apps: a secret is shown until a first code proves that an app has it."""

import secrets
from dataclasses import dataclass

import msgspec

from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.base.ids import new_id
from vestibule.factors import rules, store
from vestibule.factors.rules import Event, Factor, Kind, totp
from vestibule.factors.service import records
from vestibule.protocol.encoding import fold_digits
from vestibule.sessions.rules import Session
from vestibule.web.visitor import Visitor


class TotpState(msgspec.Struct, frozen=True):
    """What an app remembers."""

    step: int = 0
    """The last step that was accepted: none up to it counts again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpShown:
    """What is needed to put the secret into an app."""

    factor: Factor
    text: str
    link: str


async def add_totp(ctx: Context, *, session: Session, label: str, source: str) -> Factor:
    """A secret for an app; it counts once a first code confirms it.

    Raises Refused ``step_up_needed``, ``factor_name_invalid`` or ``factors_full``.
    """
    await records.demand_adding(ctx, session)
    id_, secret = new_id(), secrets.token_bytes(totp.SECRET_BYTES)

    async def body(tx: Tx) -> None:
        await records.add(
            tx,
            ctx,
            id_=id_,
            account_id=session.account_id,
            kind=Kind.TOTP,
            label=label,
            secret=secret,
            state=TotpState(),
            source=source,
            now=ctx.clock.now(),
        )

    await ctx.db.write(body)
    return await records.get_factor(ctx, session, id_)


async def show_totp(
    ctx: Context,
    session: Session,
    id: str,  # noqa: A002  -- the record's own name for it
) -> TotpShown:
    """The secret again, for as long as no code confirmed it.

    Raises Refused ``step_up_needed``, ``factor_unknown`` or ``factor_confirmed``.
    """
    await records.demand_adding(ctx, session)
    row = await records.row_of(ctx, session, id, Kind.TOTP)
    factor = records.factor_of(row)
    rules.move(factor.state(ctx.clock.now()), Event.CONFIRM)
    secret = records.open_secret(ctx, row)
    link = totp.link(secret, issuer=ctx.settings.organisation, account=session.username)
    return TotpShown(factor=factor, text=totp.secret_text(secret), link=link)


async def confirm_totp(
    ctx: Context,
    *,
    session: Session,
    id: str,  # noqa: A002  -- the record's own name for it
    code: str,
    visitor: Visitor,
) -> None:
    """Prove that an app has the secret. The code is spent by it, for signing in too.

    No fresh second factor is asked for: whoever knows a code has seen the secret, and that was
    shown behind one. Raises Refused ``factor_unknown``, ``factor_confirmed``, ``factor_wrong``.
    """
    now = ctx.clock.now()

    async def body(tx: Tx) -> None:
        row = await tx.one(store.TO_VERIFY, id_=id)
        row = records.demand_row(row, session.account_id, Kind.TOTP)
        rules.move(records.factor_of(row).state(now), Event.CONFIRM)
        state = check(ctx, row, code, now=now)
        await records.confirm(tx, ctx, row, session=session, visitor=visitor, now=now, state=state)

    await ctx.db.write(body)


def check(ctx: Context, row: Row, answer: str, *, now: int) -> TotpState:
    """What is remembered after a right code.

    Raises Refused ``factor_wrong``, or ``factor_code_used`` for a step that has counted already.
    """
    step = totp.find_step(records.open_secret(ctx, row), fold_digits(answer), now=now)
    if step is None:
        raise Refused("factor_wrong")
    if step <= msgspec.json.decode(row["state"], type=TotpState).step:
        raise Refused("factor_code_used")
    return TotpState(step)
