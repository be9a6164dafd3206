"""Tickets that nobody is shown: a case that was granted hands them to its own phone."""

import secrets

from vestibule.activation import store
from vestibule.activation.rules import Authority, State
from vestibule.activation.service.issuing import SECRET_BYTES, link_digest
from vestibule.activation.service.offering import enrol_request
from vestibule.base import audit
from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.ids import new_id


async def issue_for_case(
    tx: Tx,
    ctx: Context,
    *,
    account_id: str,
    case_id: str,
    authority: Authority,
    replaces: str | None,
    source: str,
    now: int,
) -> str:
    """Store a ticket of a case and return its id. No link and no typed code lead to it."""
    id_ = new_id()
    await tx.run(
        store.ISSUE,
        id=id_,
        account_id=account_id,
        session_id=None,
        locator=id_,  # longer than any that can be typed
        code_digest=b"",
        link_digest=link_digest(ctx, secrets.token_bytes(SECRET_BYTES)),
        sealed=b"",
        state=State.OPEN.value,
        tries=0,
        opened_at=now,
        expires_at=now + ctx.settings.ticket_seconds * SECOND,
        enrollment_id=None,
        authority=authority.value,
        replaces=replaces,
        case_id=case_id,
        **audit.journal(
            event="ticket.issued",
            actor="phone",
            source=source,
            at=now,
            detail={"authority": authority.value},
        ),
    )
    return id_


async def request_of_case(tx: Tx, ctx: Context, *, ticket_id: str, now: int) -> str | None:
    """The enrol-request of a case's ticket; None when it cannot be redeemed any more."""
    row = await tx.one(store.BY_ID, id_=ticket_id)
    if row is None or row["state"] != State.OPEN.value or now >= row["expires_at"]:
        return None
    return enrol_request(ctx, row, now=now)
