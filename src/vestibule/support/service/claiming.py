"""Where a message takes up what was attached to it, in the transaction that stores the message."""

from vestibule.base import audit
from vestibule.base.database import Tx
from vestibule.support.service.records import staff_actor
from vestibule.support.store import attachments as store


def adder(account_id: str, added_by: str) -> str:
    """Who adds, sends or takes back a file of a client's conversation, as events name them."""
    return "browser" if added_by == account_id else staff_actor(added_by)


async def claim_attachments(
    tx: Tx, *, ticket_id: str, message_id: str, added_by: str, now: int
) -> int:
    """Give a message all that its author has attached to the conversation and not sent yet.

    Returns how many there are. The caller holds the author's turn (`accounts.lock_account`).
    """
    waiting = await tx.all(store.WAITING, ticket_id_=ticket_id, added_by_=added_by)
    sent = 0
    for row in waiting:
        sent += await tx.run(
            store.SEND,
            id_=row["id"],
            ticket_id_=ticket_id,
            added_by_=added_by,
            message_id=message_id,
            **audit.journal(
                event="support.attachment_sent",
                actor=adder(row["account_id"], added_by),
                at=now,
                detail={"kind": row["kind"], "size": row["size"]},
            ),
        )
    return sent
