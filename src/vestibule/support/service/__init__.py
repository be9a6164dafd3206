"""The desk: conversations of clients with staff, what is attached to them, and how they are told.

Clients' part is `tickets`, staff's `answering`; both move the same record by `records.carry`.
"""

from vestibule.support.service.answering import answer, assign, note, settle
from vestibule.support.service.records import (
    DESK,
    targets_of,
    tell,
    ticket_of,
    topic_of,
    topic_of_account,
)
from vestibule.support.service.tickets import (
    cancel,
    close,
    get_ticket,
    list_tickets,
    mark_seen,
    messages_for_client,
    messages_for_staff,
    open_ticket,
    refresh_mark,
    reopen,
    reply,
    ticket_id_of,
)

__all__ = [
    "DESK",
    "answer",
    "assign",
    "cancel",
    "close",
    "get_ticket",
    "list_tickets",
    "mark_seen",
    "messages_for_client",
    "messages_for_staff",
    "note",
    "open_ticket",
    "refresh_mark",
    "reopen",
    "reply",
    "settle",
    "targets_of",
    "tell",
    "ticket_id_of",
    "ticket_of",
    "topic_of",
    "topic_of_account",
]
