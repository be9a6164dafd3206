"""Answers that staff keeps ready: who may write them is asked here, not by the page."""

from vestibule.base import audit
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.base.i18n import LANGUAGES
from vestibule.base.ids import new_id
from vestibule.staff.rules import Ability, Member, demand
from vestibule.support.rules import canned as rules
from vestibule.support.rules.canned import Canned
from vestibule.support.store import desk as store


async def list_canned(ctx: Context, member: Member) -> list[Canned]:
    """All of them, by name. Raises Refused ``staff_role``."""
    demand(member, Ability.ANSWER)
    return [_canned(row) for row in await ctx.db.all(store.CANNED)]


async def get_canned(ctx: Context, member: Member, canned_id: str) -> Canned:
    """One of them. Raises Refused ``staff_role``, ``not_found``."""
    demand(member, Ability.ANSWER)
    row = await ctx.db.one(store.CANNED_ONE, id_=canned_id)
    if row is None:
        raise Refused("not_found")
    return _canned(row)


async def add_canned(
    ctx: Context, *, member: Member, name: str, language: str, text: str, source: str
) -> str:
    """Keep an answer, or an answer in one more language; its id.

    Raises Refused ``staff_role``, ``canned_name``, ``canned_language``, ``desk_text`` or
    ``canned_exists``.
    """
    demand(member, Ability.WRITE_CANNED)
    name = rules.clean_name(name)
    language = rules.known_language(language, LANGUAGES)
    text = rules.clean_answer(text)
    canned_id, now = new_id(), ctx.clock.now()

    async def body(tx: Tx) -> None:
        added = await tx.run(
            store.ADD_CANNED,
            id=canned_id,
            name=name,
            name_key=rules.name_key(name),
            language=language,
            text=text,
            version=1,
            changed_at=now,
            changed_by=member.account_id,
        )
        if not added:
            raise Refused("canned_exists")
        told = Canned(
            id=canned_id,
            name=name,
            language=language,
            text=text,
            version=1,
            changed_at=now,
            changed_by=member.display_name,
        )
        await _record(tx, "support.canned_added", member, told, source=source, now=now)

    await ctx.db.write(body)
    return canned_id


async def change_canned(
    ctx: Context, *, member: Member, canned_id: str, seen: int, text: str, source: str
) -> None:
    """Write another text over the version that was seen.

    Raises Refused ``staff_role``, ``not_found``, ``desk_text``, or ``canned_changed`` with
    ``who``: somebody was first, and theirs stands.
    """
    demand(member, Ability.WRITE_CANNED)
    text = rules.clean_answer(text)
    now = ctx.clock.now()

    async def body(tx: Tx) -> None:
        one = await _found(tx, canned_id)
        changed = await tx.run(
            store.CHANGE_CANNED,
            id_=canned_id,
            seen=seen,
            text_=text,
            now=now,
            by=member.account_id,
        )
        if not changed:
            raise Refused("canned_changed", who=one.changed_by)
        await _record(tx, "support.canned_changed", member, one, source=source, now=now)

    await ctx.db.write(body)


async def remove_canned(
    ctx: Context, *, member: Member, canned_id: str, seen: int, source: str
) -> None:
    """Keep it no longer. Raises as `change_canned` does."""
    demand(member, Ability.WRITE_CANNED)
    now = ctx.clock.now()

    async def body(tx: Tx) -> None:
        one = await _found(tx, canned_id)
        if not await tx.run(store.REMOVE_CANNED, id_=canned_id, seen=seen):
            raise Refused("canned_changed", who=one.changed_by)
        await _record(tx, "support.canned_removed", member, one, source=source, now=now)

    await ctx.db.write(body)


async def _found(tx: Tx, canned_id: str) -> Canned:
    row = await tx.one(store.CANNED_ONE, id_=canned_id)
    if row is None:
        raise Refused("not_found")
    return _canned(row)


async def _record(
    tx: Tx, event: str, member: Member, one: Canned, *, source: str, now: int
) -> None:
    # The text itself stays out of the journal: it is no secret, but it may be long.
    await audit.record(
        tx,
        event=event,
        account_id=None,
        subject=one.id,
        actor=f"staff:{member.account_id}",
        source=source,
        at=now,
        detail={"name": one.name, "language": one.language, "staff": member.username},
    )


def _canned(row: Row) -> Canned:
    return Canned(
        id=row["id"],
        name=row["name"],
        language=row["language"],
        text=row["text"],
        version=row["version"],
        changed_at=row["changed_at"],
        changed_by=row["changed_by"] or "",
    )
