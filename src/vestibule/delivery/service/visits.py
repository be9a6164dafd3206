"""The log of visits: who connected, what became of it, and whose log it belongs into."""

import json
from collections.abc import Mapping
from typing import Final

import structlog

from vestibule.accounts import rules as account_rules
from vestibule.base.clock import MINUTE
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.base.ids import new_id
from vestibule.delivery import rules, store
from vestibule.delivery.rules import Door, Outcome, Visit

_log = structlog.get_logger("vestibule.delivery")
# One visit in sixteen looks whether there are too many, by the first letter of its random id.
_LOOKS: Final = frozenset("ABCD")


async def record_visit(
    ctx: Context,
    *,
    outcome: Outcome,
    address: str,
    username: str = "",
    program: str = "",
    door: Door | None = None,
    fingerprints: tuple[str, ...] = (),
    detail: Mapping[str, str | int] | None = None,
) -> str | None:
    """Enter a visit into its owner's log, and return its id; None where it has no owner.

    ``door`` is what `doors.door` said of the username. ``fingerprints`` are those of the keys that
    were offered, in their order; of an accepted visit, of the one that opened. All words may come
    as the program sent them: they are cleaned here. The owner is, by what is known: whose SFTP
    username it is; who registered one of the keys; whose portal name was typed in its place; and
    of programs that gave no name, in whose narrow networks they are.
    """
    seen = _Seen(
        outcome=outcome,
        address=rules.plain_address(address),
        username=rules.clean_username(username),
        program=rules.clean_program(program),
        fingerprint=rules.clean_fingerprint(fingerprints[0]) if fingerprints else None,
        key_id=door.keys.get(fingerprints[0]) if door and fingerprints else None,
        detail=json.dumps(rules.clean_detail(detail or {}, fingerprints), ensure_ascii=False),
    )
    owners = await _owners(ctx, door, username, address, fingerprints)
    if not owners:
        # Without the username: in a hurry people type their password there.
        _log.info(
            "visit.stranger", outcome=outcome.value, address=seen.address, program=seen.program
        )
        return None
    ids = [
        await ctx.db.write(lambda tx, owner=owner: _record(tx, ctx, owner, seen))  # type: ignore[misc]  # bound now
        for owner in owners
    ]
    return ids[0]


class _Seen:
    """What is told of a visit, cleaned."""

    __slots__ = ("address", "detail", "fingerprint", "key_id", "outcome", "program", "username")

    def __init__(
        self,
        *,
        outcome: Outcome,
        address: str,
        username: str,
        program: str,
        fingerprint: str | None,
        key_id: str | None,
        detail: str,
    ) -> None:
        self.outcome = outcome
        self.address = address
        self.username = username
        self.program = program
        self.fingerprint = fingerprint
        self.key_id = key_id
        self.detail = detail


async def _owners(
    ctx: Context, door: Door | None, username: str, address: str, fingerprints: tuple[str, ...]
) -> list[str]:
    if door is not None:
        return [door.account_id]
    if fingerprints:
        offered = fingerprints[: rules.OFFERED_MOST]
        asked = _filled("offered", offered, rules.OFFERED_MOST)
        found = await ctx.db.all(store.OWNERS_BY_KEY, **asked)
        if found:
            return [row["account_id"] for row in found]
    if username.strip():
        return await _by_portal_name(ctx, username)
    networks = rules.own_networks(address)
    if not networks:
        return []
    asked = _filled("network", networks, rules.OWN_MOST)
    return [row["account_id"] for row in await ctx.db.all(store.OWNERS_BY_ADDRESS, **asked)]


async def _by_portal_name(ctx: Context, username: str) -> list[str]:
    try:
        key = account_rules.username_key(username)
    except Refused:
        return []
    row = await ctx.db.one(store.OWNER_BY_PORTAL_NAME, username_key=key)
    return [row["account_id"]] if row is not None else []


def _filled(name: str, values: tuple[str, ...], most: int) -> dict[str, str]:
    """As many parameters as the statement has; those left over repeat the last."""
    return {f"{name}_{place}": values[min(place, len(values) - 1)] for place in range(most)}


async def _record(tx: Tx, ctx: Context, account_id: str, seen: _Seen) -> str:
    now = ctx.clock.now()
    if seen.outcome is Outcome.ACCEPTED and seen.key_id is not None:
        await tx.run(
            store.USED,
            id_=seen.key_id,
            account_id_=account_id,
            before=now - MINUTE,
            now_=now,
            address_=seen.address,
        )
    same = await tx.one(
        store.SAME,
        account_id=account_id,
        again_after=now - rules.AGAIN_MS,
        together_after=now - rules.TOGETHER_MS,
        outcome=seen.outcome.value,
        address=seen.address,
        username=seen.username,
        fingerprint=seen.fingerprint or "",
    )
    if same is not None:
        await tx.run(
            store.AGAIN, id_=same["id"], now=now, program_=seen.program, detail_=seen.detail
        )
        again: str = same["id"]
        return again
    return await _add(tx, account_id, seen, now=now)


async def _add(tx: Tx, account_id: str, seen: _Seen, *, now: int) -> str:
    id_ = new_id()
    accepted = seen.outcome is Outcome.ACCEPTED
    await tx.run(
        store.ADD_VISIT,
        id=id_,
        account_id=account_id,
        at=now,
        last_at=now,
        times=1,
        username=seen.username,
        address=seen.address,
        program=seen.program,
        outcome=seen.outcome.value,
        accepted=accepted,
        fingerprint=seen.fingerprint,
        key_id=seen.key_id,
        detail=seen.detail,
        files=0,
        bytes=0,
        ended_at=None,
        ended_as=None,
    )
    if id_[0] in _LOOKS:
        await tx.run(store.CAP, account_id_=account_id, accepted_=accepted)
    return id_


async def end_visit(
    ctx: Context,
    visit_id: str,
    *,
    files: int = 0,
    bytes: int = 0,  # noqa: A002  -- the record's own name for it
    outcome: Outcome | None = None,
) -> None:
    """Add what was fetched to a visit that is over; ``outcome``: why, where nobody said goodbye."""
    await ctx.db.run(
        store.END_VISIT,
        id_=visit_id,
        files_=files,
        bytes_=bytes,
        now=ctx.clock.now(),
        ended_as_=outcome.value if outcome is not None else None,
    )


async def list_visits(
    ctx: Context,
    account_id: str,
    *,
    before: str | None = None,
    most: int = 50,
    accepted: bool | None = None,
) -> list[Visit]:
    """The account's visits, the latest first; ``before`` is the `Visit.cursor` of the last seen.

    ``accepted`` leaves the refused ones out, or the others; None: all of them.
    """
    at, id_ = rules.cursor_from(before)
    rows = await ctx.db.all(
        store.VISITS,
        account_id=account_id,
        all=accepted is None,
        accepted=bool(accepted),
        before=at,
        before_id=id_,
        most=most,
    )
    return [_visit_in(row) for row in rows]


def _visit_in(row: Row) -> Visit:
    return Visit(
        id=row["id"],
        account_id=row["account_id"],
        at=row["at"],
        last_at=row["last_at"],
        times=row["times"],
        username=row["username"],
        address=row["address"],
        program=row["program"],
        outcome=Outcome(row["outcome"]),
        fingerprint=row["fingerprint"],
        key_id=row["key_id"],
        detail=json.loads(row["detail"]),
        files=row["files"],
        bytes=row["bytes"],
        ended_at=row["ended_at"],
        ended_as=Outcome(row["ended_as"]) if row["ended_as"] else None,
    )
