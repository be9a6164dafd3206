"""Enrollments: one account on one phone each. Stored, listed, renamed, removed, and proven.

A call of the phone is proven by a message signed with its device key (specification section 7).
`parse_proof` names the enrollment, `check_proof` decides with the row that was read: a service
that needs more than the enrollment reads both in one statement.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from vestibule.base import audit
from vestibule.base.context import Context, PushTarget
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Malformed, Refused
from vestibule.devices import rules, store
from vestibule.devices.rules import Enrollment, PushHealth
from vestibule.protocol import messages
from vestibule.protocol.encoding import b64u_decode, parse_json_as, render_json
from vestibule.protocol.messages import Proof, PushSubscription, Unverified
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import EndReason, Session

_SCHEME: Final = "Vestibule "


# --- enrolling --------------------------------------------------------------------------------


async def enroll(
    tx: Tx,
    ctx: Context,
    *,
    account_id: str,
    message: messages.Enrolment,
    credential: str | None,
    source: str,
    ticket_id: str,
    now: int,
) -> None:
    """Store a new enrollment inside the transaction that redeems its ticket (one statement).

    Raises Duplicate when the account is active on this device already.
    """
    bound = message.id.encode("ascii")
    response = message.response
    push = response.push if response.push and _allowed(ctx, response.push) else None
    await tx.run(
        store.ENROLL,
        id=message.id,
        account_id=account_id,
        device_id=response.device,
        label=rules.clean_label(response.label),
        platform=response.platform,
        public_key=message.public_key,
        response_key=ctx.sealer.seal("response-key", message.response_key, bound),
        knowledge_key=ctx.sealer.seal("knowledge-key", message.knowledge_key, bound),
        counter=0,
        resync_counter=None,
        credential=credential,
        subscription=_sealed(ctx, message.id, push) if push else None,
        push_health=(PushHealth.OK if push else PushHealth.UNKNOWN).value,
        proof_failures=0,
        created_at=now,
        used_at=None,
        revoked_at=None,
        **audit.journal(
            event="enrollment.created",
            actor=f"phone:{message.id}",
            source=source,
            result="ok",
            detail={
                "label": response.label,
                "platform": response.platform,
                "ticket": ticket_id,
                "push": push is not None,
                "biometric": credential is not None,
            },
            at=now,
        ),
    )


def open_response_key(ctx: Context, enrollment_id: str, sealed: bytes) -> bytes:
    """K_response of an enrollment."""
    return ctx.sealer.open("response-key", sealed, enrollment_id.encode("ascii"))


def open_knowledge_key(ctx: Context, enrollment_id: str, sealed: bytes) -> bytes:
    """K_knowledge of an enrollment."""
    return ctx.sealer.open("knowledge-key", sealed, enrollment_id.encode("ascii"))


# --- listing and changing, from the portal ----------------------------------------------------


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
        used_at=row["used_at"],
    )


async def list_enrollments(ctx: Context, account_id: str) -> list[Enrollment]:
    """The account's active phones, the oldest first."""
    rows = await ctx.db.all(store.ACTIVE_OF, account_id=account_id)
    return [enrollment_of(row) for row in rows]


async def active_enrollments(tx: Tx, account_id: str) -> list[Enrollment]:
    """As `list_enrollments`, inside the caller's transaction."""
    return [enrollment_of(row) for row in await tx.all(store.ACTIVE_OF, account_id=account_id)]


async def get_enrollment(ctx: Context, *, session: Session, id: str) -> Enrollment:  # noqa: A002
    """One active phone of the session's account that the session may change.

    Raises Refused ``enrollment_unknown`` or ``step_up_needed``.
    """
    for enrollment in await list_enrollments(ctx, session.account_id):
        if enrollment.id == id:
            if not rules.may_change_phones(
                strong=session.strong,
                opened_at=session.opened_at,
                created_at=enrollment.created_at,
            ):
                raise Refused("step_up_needed")
            return enrollment
    raise Refused("enrollment_unknown")


async def rename(ctx: Context, *, session: Session, id: str, label: str, source: str) -> str:  # noqa: A002
    """Rename a phone; returns its former name. Raises Refused ``device_name_invalid``."""
    label = rules.clean_label(label)
    before = await get_enrollment(ctx, session=session, id=id)
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
        **_event(ctx, "enrollment.renamed", actor, source, label=label, former=enrollment.label),
    )
    ctx.wake.tell(f"enrollment:{enrollment.id}", "change")


async def revoke(
    ctx: Context,
    *,
    session: Session,
    id: str,  # noqa: A002
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
    event = _event(ctx, "enrollment.removed", actor, source, label=enrollment.label)

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


def _event(
    ctx: Context, event: str, actor: str, source: str, **detail: str | bool
) -> dict[str, str | int]:
    return {
        "event_": event,
        "now": ctx.clock.now(),
        "actor_": actor,
        "source_": source,
        "detail": json.dumps(detail, ensure_ascii=False),
    }


# --- the phone's own calls --------------------------------------------------------------------


def parse_proof(authorization: str | None) -> Unverified[Proof]:
    """Read an Authorization header; its ``kid`` is the enrollment to look up.

    Raises Malformed ``message_malformed`` or ProtocolError.
    """
    if not authorization or not authorization.startswith(_SCHEME):
        raise Malformed("message_malformed")
    return messages.parse(authorization.removeprefix(_SCHEME), Proof)


def check_proof(
    ctx: Context,
    row: Row | None,
    message: Unverified[Proof],
    *,
    method: str,
    path: str,
    body: bytes,
) -> None:
    """Check a proof under the row of its enrollment (`public_key` and `revoked_at` are read).

    `path` includes the query. Raises Refused ``enrollment_unknown`` or ``enrollment_revoked``, and
    ProtocolError ``signature_wrong``, ``clock_wrong`` or ``message_malformed``.
    """
    if row is None:
        raise Refused("enrollment_unknown")
    # The signature comes first: only the phone itself learns that it was removed.
    messages.check_proof(
        message,
        key=row["public_key"],
        issuer=ctx.settings.portal_url,
        method=method,
        path=path,
        body=body,
        now=ctx.clock.now() / 1000,
    )
    if row["revoked_at"] is not None:
        raise Refused("enrollment_revoked")


async def prove(
    ctx: Context, *, authorization: str | None, method: str, path: str, body: bytes
) -> Enrollment:
    """The enrollment that makes a call: one read. Raises as `parse_proof` and `check_proof`."""
    message = parse_proof(authorization)
    row = await ctx.db.one(store.TO_PROVE, id_=message.kid)
    check_proof(ctx, row, message, method=method, path=path, body=body)
    if row is None:  # never: check_proof refused it
        raise Refused("enrollment_unknown")
    return enrollment_of(row)


async def rename_by_phone(ctx: Context, enrollment: Enrollment, *, label: str, source: str) -> None:
    """Rename a phone from the phone itself. Raises Refused ``device_name_invalid``."""
    await _rename(
        ctx, enrollment, rules.clean_label(label), actor=f"phone:{enrollment.id}", source=source
    )


async def remove_by_phone(ctx: Context, enrollment: Enrollment, *, source: str) -> None:
    """End an enrollment from the phone itself; its sessions in browsers go on."""
    await _revoke(ctx, enrollment, actor=f"phone:{enrollment.id}", source=source)


async def set_subscription(
    ctx: Context, enrollment: Enrollment, *, push: PushSubscription | None, source: str
) -> None:
    """Store or clear where a phone is nudged; the same one again changes nothing.

    Raises Refused ``subscription_refused`` for an address that is no push service's.
    """
    if push and not _allowed(ctx, push):
        raise Refused("subscription_refused")
    row = await ctx.db.one(store.TO_PROVE, id_=enrollment.id)
    if row is None or _opened(ctx, enrollment.id, row["subscription"]) == push:
        return
    health = PushHealth.OK if push else PushHealth.UNAVAILABLE
    event = "enrollment.push_on" if push else "enrollment.push_off"
    await ctx.db.run(
        store.SUBSCRIBE,
        id_=enrollment.id,
        sealed=_sealed(ctx, enrollment.id, push) if push else None,
        health=health.value,
        **_event(ctx, event, f"phone:{enrollment.id}", source),
    )


async def drop_subscription(ctx: Context, *, enrollment_id: str, sealed: bytes) -> None:
    """Forget a subscription that its push service says has ended."""
    await ctx.db.run(
        store.UNSUBSCRIBE,
        id_=enrollment_id,
        sealed=sealed,
        **_event(ctx, "enrollment.push_gone", "system", ""),
    )


def push_target(ctx: Context, enrollment_id: str, sealed: bytes) -> PushTarget:
    """Where to send, from the sealed column."""
    subscription = _opened(ctx, enrollment_id, sealed)
    if subscription is None:
        raise ValueError("no subscription")
    return PushTarget(
        endpoint=subscription.endpoint,
        p256dh=b64u_decode(subscription.p256dh, 65),
        auth=b64u_decode(subscription.auth, 16),
    )


def _allowed(ctx: Context, push: PushSubscription) -> bool:
    """Whether this is a push service's address: a phone must not make us call anything else."""
    address = urlsplit(push.endpoint)
    return address.scheme == "https" and ctx.settings.push_host_allowed(address.hostname or "")


def _sealed(ctx: Context, enrollment_id: str, push: PushSubscription) -> bytes:
    return ctx.sealer.seal("subscription", render_json(push), enrollment_id.encode("ascii"))


def _opened(ctx: Context, enrollment_id: str, sealed: bytes | None) -> PushSubscription | None:
    if sealed is None:
        return None
    plain = ctx.sealer.open("subscription", sealed, enrollment_id.encode("ascii"))
    return parse_json_as(plain, PushSubscription)
