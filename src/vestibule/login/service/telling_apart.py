"""With two attempts at once only the number tells them apart: it is asked for in all of them."""

from __future__ import annotations

from vestibule.base import audit
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.login import store
from vestibule.login.rules import Attempt
from vestibule.login.service.round import Shown, attempt_of, sign_request


async def ask_for_numbers(
    tx: Tx, ctx: Context, attempt: Attempt, *, username: str, others: int, now: int
) -> None:
    """Have every other request that waits ask for the number too, in the caller's transaction."""
    rows = await tx.all(store.OTHERS, now=now, account_id=attempt.account_id, not_id=attempt.id)
    for row in rows:
        other = attempt_of(row)
        if other.enrollment_id is None:
            continue
        shown = Shown(
            account=username,
            browser=other.browser,
            place=other.place,
            address=other.address,
            known=other.known,
            others=others,
        )
        request = sign_request(
            ctx,
            attempt_id=other.id,
            phone_id=other.enrollment_id,
            shown=shown,
            number=True,
            expires_at=other.request_expires_at,
            now=now,
        )
        await tx.run(
            store.FORCE_NUMBER,
            id_=other.id,
            request=request,
            **audit.journal(
                event="login.number_forced", actor="system", source=attempt.address, at=now
            ),
        )
