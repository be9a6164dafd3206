"""The records: adding, verifying, preferring and removing contacts."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from vestibule.accounts import service as accounts
from vestibule.base import audit
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Duplicate, Refused
from vestibule.base.ids import new_id
from vestibule.contacts import rules, store
from vestibule.contacts.rules import Contact, Event, Kind, State
from vestibule.contacts.service.codes import Checked, check_code, spend_code
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session

_UNVERIFIED_KEPT: Final = 7 * DAY


def contact_of(row: Row | Mapping[str, Any]) -> Contact:
    """The contact in a row that has the columns of ``store.SHOWN``."""
    return Contact(
        id=row["id"],
        account_id=row["account_id"],
        kind=Kind(row["kind"]),
        address=row["address"],
        state=State(row["state"]),
        verified_at=row["verified_at"],
        added_at=row["added_at"],
        removed_at=row["removed_at"],
        preferred=bool(row["preferred"]),
    )


async def list_contacts(ctx: Context, account_id: str) -> list[Contact]:
    """The account's addresses and numbers, those not verified yet among them."""
    return [contact_of(row) for row in await ctx.db.all(store.OF_ACCOUNT, account_id=account_id)]


async def verified(
    tx: Tx, account_id: str, kind: Kind | None = None, before: int | None = None
) -> list[Contact]:
    """Verified contacts, the preferred first; with `before`, those verified by then (ms)."""
    found = [contact_of(row) for row in await tx.all(store.OF_ACCOUNT, account_id=account_id)]
    return [
        contact
        for contact in found
        if contact.state is State.VERIFIED
        and kind in (None, contact.kind)
        and (before is None or (contact.verified_at or before) <= before)
    ]


async def to_tell(ctx: Context, account_id: str) -> list[Contact]:
    """Whom to tell what happens: verified contacts, and those removed a short time ago.

    Whoever takes an account over removes the owner's address first; it is told all the same.
    """
    since = ctx.clock.now() - ctx.settings.old_address_days * DAY
    rows = await ctx.db.all(store.TO_TELL, account_id=account_id, since=since)
    return [contact_of(row) for row in rows]


async def get_contact(ctx: Context, *, account_id: str, contact_id: str) -> Contact:
    """One contact on the account's list. Raises Refused ``contact_unknown``."""
    row = await ctx.db.one(store.BY_ID, id_=contact_id)
    if row is None or row["account_id"] != account_id or row["removed_at"] is not None:
        raise Refused("contact_unknown")
    return contact_of(row)


async def add(
    ctx: Context, *, session: Session, kind: Kind, typed: str, country: str, source: str
) -> Contact:
    """Put an address or a number on the list; a code then has to show whose it is.

    A number is a new way to the account (NIST SP 800-63B-4, section 3.1.3.3), so it takes what the
    account's strongest way takes. Raises Refused ``step_up_needed``, ``cooling_down``,
    ``contact_invalid``, ``contact_exists`` or ``contacts_full``.
    """
    demand_may_change(ctx, session)
    address = _address(kind, typed, country)
    return await _add(
        ctx, session.account_id, kind, address, actor="browser", source=source, verified=False
    )


async def add_by_operator(
    ctx: Context, *, account_id: str, kind: Kind, typed: str, country: str, verified: bool
) -> Contact:
    """As `add`, from the command line; `verified`: the operator has seen whose it is."""
    address = _address(kind, typed, country)
    return await _add(ctx, account_id, kind, address, actor="system", source="", verified=verified)


def _address(kind: Kind, typed: str, country: str) -> str:
    return rules.mail_address(typed) if kind is Kind.MAIL else rules.number(typed, country)


def demand_may_change(ctx: Context, session: Session) -> None:
    """Whether this session may change where the account's owner is reached.

    Raises Refused ``cooling_down`` or ``step_up_needed``.
    """
    accounts.demand_unguarded(session, ctx.clock.now())
    sessions.demand(ctx, session, first=True)


async def _add(
    ctx: Context,
    account_id: str,
    kind: Kind,
    address: str,
    *,
    actor: str,
    source: str,
    verified: bool,
) -> Contact:
    now = ctx.clock.now()
    new = Contact(
        id=new_id(),
        account_id=account_id,
        kind=kind,
        address=address,
        state=State.VERIFIED if verified else State.NEW,
        verified_at=now if verified else None,
        added_at=now,
        removed_at=None,
        preferred=False,
    )

    async def body(tx: Tx) -> Contact:
        # In turn with whoever else adds, or the list would grow past its end.
        await accounts.lock_account(tx, account_id)
        here = [contact_of(row) for row in await tx.all(store.OF_ACCOUNT, account_id=account_id)]
        if sum(one.kind is kind for one in here) >= rules.MOST:
            raise Refused("contacts_full", most=rules.MOST)
        preferred = verified and not any(one.preferred and one.kind is kind for one in here)
        made = replace(new, preferred=preferred)
        await _store(tx, made, actor=actor, source=source)
        return made

    try:
        return await ctx.db.write(body)
    except Duplicate:
        raise Refused("contact_exists") from None


async def _store(tx: Tx, new: Contact, *, actor: str, source: str) -> None:
    await tx.run(
        store.ADD,
        id=new.id,
        account_id=new.account_id,
        kind=new.kind.value,
        address=new.address,
        state=new.state.value,
        verified_at=new.verified_at,
        added_at=new.added_at,
        removed_at=None,
        preferred=new.preferred,
        **audit.journal(
            event="contact.added",
            actor=actor,
            source=source,
            at=new.added_at,
            detail={
                "kind": new.kind.value,
                "to": new.masked,
                "verified": new.state is State.VERIFIED,
            },
        ),
    )


async def verify(
    ctx: Context, *, session: Session, contact_id: str, code: str, source: str
) -> Contact:
    """Show by its code that a contact is the account's owner's.

    Raises Refused ``contact_unknown``, ``cooling_down`` or as `check_code`.
    """
    accounts.demand_unguarded(session, ctx.clock.now())
    contact = await get_contact(ctx, account_id=session.account_id, contact_id=contact_id)
    rules.move(contact.state, Event.VERIFIED)
    checked = await check_code(ctx, subject=contact.id, code=code, source=source)
    if checked.contact_id != contact.id or checked.purpose != "verify":
        raise Refused("sms_code_expired")
    return await ctx.db.write(
        lambda tx: _verified(tx, contact, checked, source=source, now=ctx.clock.now())
    )


async def _verified(
    tx: Tx, contact: Contact, checked: Checked, *, source: str, now: int
) -> Contact:
    await accounts.lock_account(tx, contact.account_id)
    await spend_code(tx, checked, now=now)
    others = await verified(tx, contact.account_id, contact.kind)
    moved = await tx.run(
        store.VERIFY,
        id_=contact.id,
        preferred_=not any(one.preferred for one in others),
        **_event(Event.VERIFIED, contact, actor="browser", source=source, now=now),
    )
    if not moved:
        raise Refused("contact_unknown")
    row = await tx.one(store.BY_ID, id_=contact.id)
    return contact_of(row) if row else contact


async def prefer(ctx: Context, *, session: Session, contact_id: str, source: str) -> None:
    """Make a verified contact the first one that is used of its kind.

    Raises Refused ``step_up_needed``, ``cooling_down``, ``contact_unknown`` or
    ``contact_unverified``.
    """
    demand_may_change(ctx, session)
    contact = await get_contact(ctx, account_id=session.account_id, contact_id=contact_id)
    if contact.state is not State.VERIFIED:
        raise Refused("contact_unverified")
    now = ctx.clock.now()

    async def body(tx: Tx) -> None:
        await accounts.lock_account(tx, contact.account_id)
        row = await tx.one(store.BY_ID, id_=contact.id)
        if row is None or row["state"] != State.VERIFIED.value:
            raise Refused("contact_unknown")
        changed = await tx.run(
            store.PREFER,
            id_=contact.id,
            account_id_=contact.account_id,
            kind_=contact.kind.value,
        )
        if changed:
            await audit.record(
                tx,
                event="contact.preferred",
                account_id=contact.account_id,
                subject=contact.id,
                actor="browser",
                source=source,
                at=now,
                detail={"kind": contact.kind.value, "to": contact.masked},
            )

    await ctx.db.write(body)


async def remove(ctx: Context, *, session: Session, contact_id: str, source: str) -> Contact:
    """Take a contact off the list; one that was verified is told for some days more.

    What was never verified may go at any time. Raises Refused ``step_up_needed``,
    ``cooling_down`` or ``contact_unknown``.
    """
    contact = await get_contact(ctx, account_id=session.account_id, contact_id=contact_id)
    if contact.state is State.VERIFIED:
        demand_may_change(ctx, session)
    await _remove(ctx, contact, actor="browser", source=source)
    return contact


async def remove_by_operator(ctx: Context, contact: Contact) -> None:
    """Take a contact off the list, from the command line."""
    await _remove(ctx, contact, actor="system", source="")


async def disown(
    tx: Tx, *, account_id: str, contact_id: str, actor: str, source: str, now: int
) -> bool:
    """Take a contact off the list that its account's owner says is not theirs.

    In the caller's transaction, which has locked the account. False where it is gone already.
    """
    rows = await tx.all(store.OF_ACCOUNT, account_id=account_id)
    contact = next((contact_of(row) for row in rows if row["id"] == contact_id), None)
    if contact is None or contact.state is State.REMOVED:
        return False
    await _remove_in(tx, contact, actor=actor, source=source, now=now)
    return True


async def _remove(ctx: Context, contact: Contact, *, actor: str, source: str) -> None:
    rules.move(contact.state, Event.REMOVED)

    async def body(tx: Tx) -> None:
        await accounts.lock_account(tx, contact.account_id)
        await _remove_in(tx, contact, actor=actor, source=source, now=ctx.clock.now())

    await ctx.db.write(body)


async def _remove_in(tx: Tx, contact: Contact, *, actor: str, source: str, now: int) -> None:
    await tx.run(
        store.REMOVE,
        id_=contact.id,
        account_id_=contact.account_id,
        **_event(Event.REMOVED, contact, actor=actor, source=source, now=now),
    )
    left = await verified(tx, contact.account_id, contact.kind)
    if contact.preferred and left:
        await tx.run(
            store.PREFER,
            id_=left[0].id,
            account_id_=contact.account_id,
            kind_=contact.kind.value,
        )


async def sweep_contacts(ctx: Context) -> int:
    """Delete what nobody is told at any more, and what was never verified."""
    now = ctx.clock.now()
    removed = await ctx.db.run(
        store.SWEEP_REMOVED, before=now - ctx.settings.old_address_days * DAY
    )
    return removed + await ctx.db.run(store.SWEEP_UNVERIFIED, before=now - _UNVERIFIED_KEPT)


def _event(
    event: Event, contact: Contact, *, actor: str, source: str, now: int
) -> dict[str, str | int]:
    return {
        "event_": event.value,
        "now": now,
        "actor_": actor,
        "source_": source,
        "detail": json.dumps(
            {"kind": contact.kind.value, "to": contact.masked}, ensure_ascii=False
        ),
    }
