"""The printed code card: its owner prints it, proves it by two cells, and has it for some weeks."""

import secrets
from dataclasses import dataclass

import msgspec

from vestibule.accounts import service as accounts
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.base.ids import new_id
from vestibule.factors import rules, store
from vestibule.factors.rules import Event, Factor, Kind, card
from vestibule.factors.rules.card import Cell
from vestibule.factors.service import records
from vestibule.sessions.rules import Session
from vestibule.web.visitor import Visitor


class CardState(msgspec.Struct, frozen=True):
    """What a card remembers."""

    uses: int = 0
    """Right answers so far; they decide which cells are asked for next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardShown:
    """A card to print, and the two cells that activate it."""

    factor: Factor
    cells: tuple[Cell, ...]
    indexes: tuple[int, int]


async def make_card(ctx: Context, *, session: Session, label: str, source: str) -> Factor:
    """A new card to print. The one in use stays good until the new one is activated.

    Raises Refused ``step_up_needed``.
    """
    await records.demand_adding(ctx, session)
    id_, now = new_id(), ctx.clock.now()

    async def body(tx: Tx) -> None:
        await accounts.lock_account(tx, session.account_id)
        for row in await tx.all(store.LISTED, account_id=session.account_id):
            if row["kind"] == Kind.CODE_CARD and not records.factor_of(row).usable(now):
                await records.revoke(tx, row, source=source, now=now)
        await records.add(
            tx,
            ctx,
            id_=id_,
            account_id=session.account_id,
            kind=Kind.CODE_CARD,
            label=label,
            secret=secrets.token_bytes(card.SECRET_BYTES),
            state=CardState(),
            source=source,
            now=now,
        )

    await ctx.db.write(body)
    return await records.get_factor(ctx, session, id_)


async def show_card(
    ctx: Context,
    session: Session,
    id: str,  # noqa: A002  -- the record's own name for it
) -> CardShown:
    """The card, for as long as it is not activated.

    Raises Refused ``step_up_needed``, ``factor_unknown`` or ``factor_confirmed``.
    """
    await records.demand_adding(ctx, session)
    row = await records.row_of(ctx, session, id, Kind.CODE_CARD)
    factor = records.factor_of(row)
    rules.move(factor.state(ctx.clock.now()), Event.CONFIRM)
    secret = records.open_secret(ctx, row)
    return CardShown(factor=factor, cells=card.cells(secret), indexes=indexes(ctx, row))


async def activate_card(
    ctx: Context,
    *,
    session: Session,
    id: str,  # noqa: A002  -- the record's own name for it
    answer: str,
    visitor: Visitor,
) -> None:
    """Prove that the card is on paper; from now on it counts, and a former one does not.

    Raises Refused ``factor_unknown``, ``factor_confirmed`` or ``factor_wrong``.
    """
    now = ctx.clock.now()
    source = visitor.address

    async def body(tx: Tx) -> None:
        row = await tx.one(store.TO_VERIFY, id_=id)
        row = records.demand_row(row, session.account_id, Kind.CODE_CARD)
        rules.move(records.factor_of(row).state(now), Event.CONFIRM)
        state = check(ctx, row, answer)
        for other in await tx.all(store.LISTED, account_id=session.account_id):
            if other["kind"] == Kind.CODE_CARD and other["id"] != id:
                await records.revoke(tx, other, source=source, now=now)
        await records.confirm(
            tx,
            ctx,
            row,
            session=session,
            visitor=visitor,
            now=now,
            state=state,
            expires_at=now + ctx.settings.code_card_days * DAY,
        )

    await ctx.db.write(body)


def indexes(ctx: Context, row: Row) -> tuple[int, int]:
    """The two cells that are asked for, until they were answered."""
    return card.challenge(records.open_secret(ctx, row), _uses(row))


def check(ctx: Context, row: Row, answer: str) -> CardState:
    """What is remembered after a right answer. Raises Refused ``factor_wrong``."""
    uses = _uses(row)
    if not card.answers(records.open_secret(ctx, row), uses, answer):
        raise Refused("factor_wrong")
    return CardState(uses + 1)


def _uses(row: Row) -> int:
    return msgspec.json.decode(row["state"], type=CardState).uses
