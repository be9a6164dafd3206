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
) -> tuple[Attempt, ...]:
    """Have every other request that waits ask for the number too, in the caller's transaction.

    Returns those that did not ask for it before, for `tell_changed` after the commit.
    """
    changed = []
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
            kind=other.kind,
            detail=other.detail,
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
        won = await tx.run(
            store.FORCE_NUMBER,
            id_=other.id,
            request=request,
            **audit.journal(
                event="login.number_forced", actor="system", source=attempt.address, at=now
            ),
        )
        if won:
            changed.append(other)
    return tuple(changed)


def tell_changed(ctx: Context, changed: tuple[Attempt, ...]) -> None:
    """After the commit: the other pages show their number, the phones draw the request anew."""
    for other in changed:
        ctx.wake.tell(f"login:{other.id}", "changed")
        ctx.wake.tell(f"enrollment:{other.enrollment_id}", "change")
