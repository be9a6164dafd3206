"""The records: enrolling, listing, renaming and removing phones."""

from collections.abc import Mapping
from typing import Any

from vestibule.base import audit
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.devices import rules, store
from vestibule.devices.rules import Enrollment, Phone, PushHealth
from vestibule.devices.service.subscriptions import allowed, event_values, seal_subscription
from vestibule.protocol.messages import Enrolment, PushSubscription
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import EndReason, Session


async def enroll(
    tx: Tx,
    ctx: Context,
    *,
    account_id: str,
    message: Enrolment,
    credential: str | None,
    source: str,
    ticket_id: str,
    now: int,
    label: str | None = None,
    rests_until: int | None = None,
    in_case: bool = False,
) -> None:
    """Store a new enrollment inside the transaction that redeems its ticket (one statement).

    `label` stands in for the message's, where it takes the place of a phone that has a name;
    until `rests_until` (ms) it cannot approve. `in_case` says that a case tells of it. Raises
    Duplicate when the account is active on this device already.
    """
    name = label or rules.clean_label(message.response.label)
    bound = message.id.encode("ascii")
    response = message.response
    push = response.push if response.push and allowed(ctx, response.push) else None
    await tx.run(
        store.ENROLL,
        id=message.id,
        account_id=account_id,
        device_id=response.device,
        label=name,
        platform=response.platform,
        public_key=message.public_key,
        response_key=ctx.sealer.seal("response-key", message.response_key, bound),
        knowledge_key=ctx.sealer.seal("knowledge-key", message.knowledge_key, bound),
        counter=0,
        credential=credential,
        subscription=seal_subscription(ctx, message.id, push) if push else None,
        push_health=(PushHealth.OK if push else PushHealth.UNKNOWN).value,
        created_at=now,
        rests_until=rests_until,
        retires_at=None,
        revoked_at=None,
        **audit.journal(
            event="enrollment.created",
            actor=f"phone:{message.id}",
            source=source,
            detail=_told(message, name, ticket_id, credential, push=push, in_case=in_case),
            at=now,
        ),
    )


def _told(
    message: Enrolment,
    name: str,
    ticket_id: str,
    credential: str | None,
    *,
    push: PushSubscription | None,
    in_case: bool,
) -> audit.Detail:
    return {
        "label": name,
        "platform": message.response.platform,
        "ticket": ticket_id,
        "push": push is not None,
        "biometric": credential is not None,
        "case": in_case,
    }


def open_response_key(ctx: Context, enrollment_id: str, sealed: bytes) -> bytes:
    """K_response of an enrollment."""
    return ctx.sealer.open("response-key", sealed, enrollment_id.encode("ascii"))


def open_knowledge_key(ctx: Context, enrollment_id: str, sealed: bytes) -> bytes:
    """K_knowledge of an enrollment."""
    return ctx.sealer.open("knowledge-key", sealed, enrollment_id.encode("ascii"))


def enrollment_of(row: Row | Mapping[str, Any]) -> Enrollment:
    """The enrollment in a row that has the columns of ``store.SHOWN``."""
    return Enrollment(
        id=row["id"],
        account_id=row["account_id"],
        device_id=row["device_id"],
        label=row["label"],
        platform=row["platform"],
        push_health=PushHealth(row["push_health"]),
        biometric=row["credential"] is not None,
        created_at=row["created_at"],
        rests_until=row["rests_until"],
        retires_at=row["retires_at"],
    )


async def list_phones(ctx: Context, account_id: str) -> list[Phone]:
    """The account's active phones, the oldest first."""
    return await active_phones(ctx.db, account_id)


async def active_phones(tx: Tx, account_id: str) -> list[Phone]:
    """As `list_phones`, inside the caller's transaction."""
    rows = await tx.all(store.ACTIVE_OF, account_id=account_id)
    return [Phone(enrollment=enrollment_of(row), used_at=row["used_at"]) for row in rows]


async def active_enrollments(tx: Tx, account_id: str) -> list[Enrollment]:
    """The account's active enrollments, read inside the caller's transaction."""
    return [enrollment_of(row) for row in await tx.all(store.ACTIVE_OF, account_id=account_id)]


async def get_enrollment(
    ctx: Context,
    *,
    session: Session,
    id: str,  # noqa: A002  -- the record's own name for it
    fresh: bool = True,
) -> Enrollment:
    """One active phone of the session's account that the session may change.

    `fresh`: the proof must be a recent one, as for a removal; a name only asks for any. What was
    linked during the session may be undone by it without one. Raises Refused
    ``enrollment_unknown`` or ``step_up_needed``.
    """
    for phone in await list_phones(ctx, session.account_id):
        enrollment = phone.enrollment
        if enrollment.id == id:
            if not rules.linked_in(enrollment, session.opened_at):
                within_s = None if fresh else ctx.settings.session_hours * 3600
                sessions.demand(ctx, session, within_s=within_s)
            return enrollment
    raise Refused("enrollment_unknown")


async def rename(
    ctx: Context,
    *,
    session: Session,
    id: str,  # noqa: A002  -- the record's own name for it
    label: str,
    source: str,
) -> str:
    """Rename a phone; returns its former name. Raises Refused ``device_name_invalid``."""
    label = rules.clean_label(label)
    before = await get_enrollment(ctx, session=session, id=id, fresh=False)
    await _rename(ctx, before, label, actor="browser", source=source)
    return before.label


async def _rename(
    ctx: Context, enrollment: Enrollment, label: str, *, actor: str, source: str
) -> None:
    await ctx.db.run(
        store.RENAME,
        id_=enrollment.id,
        account_id_=enrollment.account_id,
        label_=label,
        **event_values(
            ctx, "enrollment.renamed", actor, source, label=label, former=enrollment.label
        ),
    )
    ctx.wake.tell(f"enrollment:{enrollment.id}", "change")


async def revoke(
    ctx: Context,
    *,
    session: Session,
    id: str,  # noqa: A002  -- the record's own name for it
    end_sessions: bool,
    source: str,
) -> Enrollment:
    """Remove a phone, from the portal; `end_sessions` also ends the other sessions it opened.

    Once this returned, nothing that the phone signs counts any more.
    """
    enrollment = await get_enrollment(ctx, session=session, id=id)
    await _revoke(
        ctx,
        enrollment,
        actor="browser",
        source=source,
        keep_session=session.id,
        end_sessions=end_sessions,
    )
    return enrollment


async def _revoke(
    ctx: Context,
    enrollment: Enrollment,
    *,
    actor: str,
    source: str,
    keep_session: str | None = None,
    end_sessions: bool = False,
) -> None:
    event = event_values(ctx, "enrollment.removed", actor, source, label=enrollment.label)

    async def body(tx: Tx) -> None:
        removed = await tx.run(
            store.REVOKE, id_=enrollment.id, account_id_=enrollment.account_id, **event
        )
        if removed and end_sessions:
            await sessions.end_others(
                tx,
                account_id=enrollment.account_id,
                keep=keep_session,
                reason=EndReason.PHONE_REMOVED,
                actor=actor,
                source=source,
                now=int(event["now"]),
                enrollment_id=enrollment.id,
            )

    await ctx.db.write(body)
    ctx.wake.tell(f"enrollment:{enrollment.id}", "removed")


async def rename_by_phone(ctx: Context, enrollment: Enrollment, *, label: str, source: str) -> None:
    """Rename a phone from the phone itself. Raises Refused ``device_name_invalid``."""
    await _rename(
        ctx, enrollment, rules.clean_label(label), actor=f"phone:{enrollment.id}", source=source
    )


async def remove_by_phone(ctx: Context, enrollment: Enrollment, *, source: str) -> None:
    """End an enrollment from the phone itself; its sessions in browsers go on."""
    await _revoke(ctx, enrollment, actor=f"phone:{enrollment.id}", source=source)


async def remove_by_operator(ctx: Context, enrollment: Enrollment) -> None:
    """Remove a lost phone for its owner, with every session that it opened."""
    await _revoke(ctx, enrollment, actor="system", source="", end_sessions=True)


async def advance_counter(tx: Tx, *, enrollment_id: str, counter: int, now: int) -> bool:
    """Accept a response's counter.

    False when one at least as high was accepted before, or the phone may not respond any more.
    """
    return bool(await tx.run(store.ADVANCE, id_=enrollment_id, counter_=counter, now=now))
