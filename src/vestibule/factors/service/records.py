"""The records: adding, listing, renaming and removing factors, and who may."""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from vestibule.accounts import service as accounts
from vestibule.base import audit
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Lost, Refused
from vestibule.factors import rules, store
from vestibule.factors.rules import Event, Factor, Kind
from vestibule.factors.rules.passes import REMEMBERED_MS
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Assurance, EndReason, Proof, Session
from vestibule.web.visitor import Visitor

_REVOKED_MS: Final = 30 * DAY
_UNFINISHED_MS: Final = 7 * DAY
# Shown by somebody who lost everything else: what they are for is to bring something new.
_RECOVERING: Final = frozenset({Proof.RECOVERY_CODE, Proof.TEMPORARY_PASS})


class CodesState(msgspec.Struct, frozen=True):
    """What recovery codes remember: the digests of those that are left."""

    digests: tuple[str, ...]


def factor_of(row: Row | Mapping[str, Any]) -> Factor:
    """The factor in a row."""
    kind = Kind(row["kind"])
    left = None
    if kind is Kind.RECOVERY_CODES:
        left = len(codes_of(row).digests)
    return Factor(
        id=row["id"],
        account_id=row["account_id"],
        kind=kind,
        label=row["label"],
        created_at=row["created_at"],
        confirmed_at=row["confirmed_at"],
        used_at=row["used_at"],
        expires_at=row["expires_at"],
        left=left,
    )


def codes_of(row: Row | Mapping[str, Any]) -> CodesState:
    """What is left of recovery codes."""
    return msgspec.json.decode(row["state"], type=CodesState)


async def list_factors(ctx: Context, account_id: str) -> list[Factor]:
    """The account's factors that were not removed, the oldest first."""
    return [factor_of(row) for row in await ctx.db.all(store.LISTED, account_id=account_id)]


async def get_factor(
    ctx: Context,
    session: Session,
    id: str,  # noqa: A002  -- the record's own name for it
    kind: Kind | None = None,
) -> Factor:
    """One factor of the session's account. Raises Refused ``factor_unknown``."""
    return factor_of(await row_of(ctx, session, id, kind))


async def row_of(ctx: Context, session: Session, id_: str, kind: Kind | None = None) -> Row:
    """The row of one factor of the session's account. Raises Refused ``factor_unknown``."""
    row = await ctx.db.one(store.BY_ID, id_=id_)
    return demand_row(row, session.account_id, kind)


def demand_row(row: Row | None, account_id: str, kind: Kind | None = None) -> Row:
    """The row, if it is this account's and of that kind. Raises Refused ``factor_unknown``."""
    if row is None or row["account_id"] != account_id or kind not in (None, row["kind"]):
        raise Refused("factor_unknown")
    return row


# --- who may ----------------------------------------------------------------------------------


async def demand_adding(ctx: Context, session: Session) -> None:
    """Refuse a session that may not add a factor (``step_up_needed``).

    A fresh second factor has to be shown. Two may add with less: an account that has none yet
    adds its first by its password (a session of a password alone ends as soon as the account has
    a second factor), and who came by a recovery code or a temporary pass is here for just this.
    """
    older = [
        factor
        for factor in await list_factors(ctx, session.account_id)
        if factor.confirmed_at is not None and factor.confirmed_at < session.opened_at
    ]
    if not older and not session.strong:
        return
    level = Assurance.BASIC if session.proof in _RECOVERING else Assurance.STANDARD
    sessions.demand(ctx, session, assurance=level)


def demand_changing(ctx: Context, session: Session) -> None:
    """Refuse a session that may not rename a factor (``step_up_needed``)."""
    sessions.demand(ctx, session)


def demand_weakening(ctx: Context, session: Session) -> None:
    """Refuse a session that may not take factors away: ``step_up_needed``, ``cooling_down``.

    While an account that was recovered cools down, whoever recovered it cannot shut out its
    owner; adding stays open, because the owner may have nothing else left.
    """
    sessions.demand(ctx, session)
    accounts.demand_unguarded(session, ctx.clock.now())


# --- adding -----------------------------------------------------------------------------------


async def add(
    tx: Tx,
    ctx: Context,
    *,
    id_: str,
    account_id: str,
    kind: Kind,
    label: str,
    secret: bytes,
    state: msgspec.Struct,
    source: str,
    now: int,
) -> None:
    """Store a factor that waits for its first answer, in the caller's transaction.

    Raises Refused ``factors_full`` or ``factor_name_invalid``; Duplicate for an id that is there.
    """
    label = rules.clean_label(label)
    await accounts.lock_account(tx, account_id)
    held = await tx.all(store.LISTED, account_id=account_id)
    if sum(row["kind"] == kind for row in held) >= rules.MOST_OF_A_KIND:
        raise Refused("factors_full", most=rules.MOST_OF_A_KIND)
    await tx.run(
        store.ADD,
        id=id_,
        account_id=account_id,
        kind=kind.value,
        label=label,
        secret=ctx.sealer.seal("factor", secret, id_.encode("ascii")),
        state=msgspec.json.encode(state).decode(),
        version=1,
        created_at=now,
        confirmed_at=None,
        used_at=None,
        expires_at=None,
        revoked_at=None,
        **audit.journal(
            event="factor.added",
            actor="browser",
            source=source,
            at=now,
            detail={"kind": kind.value, "label": label},
        ),
    )


def open_secret(ctx: Context, row: Row) -> bytes:
    """What was sealed for this factor."""
    return ctx.sealer.open("factor", row["secret"], row["id"].encode("ascii"))


async def confirm(
    tx: Tx,
    ctx: Context,
    row: Row,
    *,
    session: Session,
    visitor: Visitor,
    now: int,
    state: msgspec.Struct | None = None,
    expires_at: int | None = None,
) -> None:
    """Let a factor count from now on: it has answered once, or needs no trial.

    A password alone is no longer enough: other sessions that it opened end, and this one rises to
    what was just shown in it. Raises Refused where it does not wait any more.
    """
    factor = factor_of(row)
    rules.move(factor.state(now), Event.CONFIRM)
    await change(
        tx,
        row,
        event="factor.confirmed",
        source=visitor.address,
        now=now,
        state=state,
        confirmed_at=now,
        expires_at=expires_at,
    )
    await sessions.end_others(
        tx,
        account_id=session.account_id,
        keep=session.id,
        reason=EndReason.FACTOR_ADDED,
        actor="browser",
        source=visitor.address,
        now=now,
        proof=Proof.PASSWORD,
    )
    if session.proof is Proof.PASSWORD and factor.kind in rules.LASTING:
        await sessions.prove_again(
            tx,
            ctx,
            session=session,
            proof=factor.proof,
            enrollment_id=None,
            factor_id=factor.id,
            visitor=visitor,
            now=now,
        )


async def change(
    tx: Tx,
    row: Row,
    *,
    event: str,
    source: str,
    now: int,
    expires_at: int | None,
    state: msgspec.Struct | None = None,
    confirmed_at: int | None = None,
    used_at: int | None = None,
) -> None:
    """Change a factor from exactly what was read. Raises Lost.

    `expires_at` is written as it is, None: never; of the others, what is None stays.
    """
    changed = await tx.run(
        store.CHANGE,
        id_=row["id"],
        account_id_=row["account_id"],
        version_=row["version"],
        state_=row["state"] if state is None else msgspec.json.encode(state).decode(),
        confirmed_at_=row["confirmed_at"] if confirmed_at is None else confirmed_at,
        used_at_=row["used_at"] if used_at is None else used_at,
        expires_at_=expires_at,
        **event_values(event, row, source=source, now=now),
    )
    if not changed:
        raise Lost


def event_values(
    event: str, row: Row, *, source: str, now: int, actor: str = "browser", **detail: str
) -> dict[str, str | int]:
    """The journal parameters of `store`'s updates of a factor."""
    return {
        "event_": event,
        "actor_": actor,
        "source_": source,
        "now": now,
        "detail": json.dumps({"kind": row["kind"], "label": row["label"], **detail}),
    }


# --- renaming and removing --------------------------------------------------------------------


async def rename(
    ctx: Context,
    *,
    session: Session,
    id: str,  # noqa: A002  -- the record's own name for it
    label: str,
    source: str,
) -> None:
    """Give a factor another name.

    Raises Refused ``factor_unknown``, ``step_up_needed`` or ``factor_name_invalid``.
    """
    demand_changing(ctx, session)
    label = rules.clean_label(label)
    row = await row_of(ctx, session, id)
    values = event_values(
        "factor.renamed", row, source=source, now=ctx.clock.now(), former=row["label"]
    )
    values["detail"] = json.dumps({"kind": row["kind"], "label": label, "former": row["label"]})
    await ctx.db.run(store.RENAME, id_=id, account_id_=session.account_id, label_=label, **values)


async def remove(
    ctx: Context,
    *,
    session: Session,
    id: str,  # noqa: A002  -- the record's own name for it
    source: str,
) -> Factor:
    """Take a factor away: from now on it answers for nobody.

    One that still waits may go without a proof, for it was never worth anything. Raises Refused
    ``factor_unknown``, ``step_up_needed`` or ``cooling_down``.
    """
    row = await row_of(ctx, session, id)
    if row["confirmed_at"] is not None:
        demand_weakening(ctx, session)
    await ctx.db.write(lambda tx: revoke(tx, row, source=source, now=ctx.clock.now()))
    return factor_of(row)


async def revoke(tx: Tx, row: Row, *, source: str, now: int, actor: str = "browser") -> None:
    """Remove a factor in the caller's transaction; nothing where somebody else just did."""
    values = event_values("factor.removed", row, source=source, now=now, actor=actor)
    await tx.run(store.REVOKE, id_=row["id"], account_id_=row["account_id"], **values)


async def disown(
    tx: Tx, *, account_id: str, factor_id: str, actor: str, source: str, now: int
) -> bool:
    """Remove a factor that its account's owner says is not theirs, in the caller's transaction.

    False where it is gone already.
    """
    row = await tx.one(store.BY_ID, id_=factor_id)
    if row is None or row["account_id"] != account_id:
        return False
    await revoke(tx, row, source=source, now=now, actor=actor)
    return True


async def sweep_factors(ctx: Context) -> int:
    """Delete what was removed a month ago, what nobody finished, and what is forgotten."""
    now = ctx.clock.now()

    async def body(tx: Tx) -> int:
        factors = await tx.run(
            store.SWEEP,
            revoked_before=now - _REVOKED_MS,
            unfinished_before=now - _UNFINISHED_MS,
            passes_before=now - REMEMBERED_MS,
        )
        return factors + await tx.run(store.SWEEP_REQUESTS, before=now - REMEMBERED_MS)

    return await ctx.db.write(body)
