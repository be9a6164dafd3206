"""The desk: conversations of clients with staff, what is attached to them, and how they are told.

Clients' part is `tickets`, staff's `answering`; both move the same record by `records.carry`.
"""

from vestibule.support.service.answering import answer, assign, note, settle
from vestibule.support.service.diagnosing import sweep_diagnoses
from vestibule.support.service.expiring import sweep_attachments
from vestibule.support.service.following import (
    Happened,
    get_ticket,
    history,
    list_tickets,
    mark_seen,
    messages_for_client,
    messages_for_staff,
    refresh_mark,
)
from vestibule.support.service.reading import sweep_presence
from vestibule.support.service.records import (
    DESK,
    targets_of,
    tell,
    ticket_of,
    topic_of,
    topic_of_account,
)
from vestibule.support.service.telling import (
    quoted,
    remind_due,
    remind_for_ever,
    set_text_in_mails,
    sweep_tickets,
    text_in_mails,
)
from vestibule.support.service.tickets import (
    cancel,
    close,
    open_ticket,
    reopen,
    reply,
    ticket_id_of,
)

__all__ = [
    "DESK",
    "Happened",
    "answer",
    "assign",
    "cancel",
    "close",
    "get_ticket",
    "history",
    "list_tickets",
    "mark_seen",
    "messages_for_client",
    "messages_for_staff",
    "note",
    "open_ticket",
    "quoted",
    "refresh_mark",
    "remind_due",
    "remind_for_ever",
    "reopen",
    "reply",
    "set_text_in_mails",
    "settle",
    "sweep_attachments",
    "sweep_diagnoses",
    "sweep_presence",
    "sweep_tickets",
    "targets_of",
    "tell",
    "text_in_mails",
    "ticket_id_of",
    "ticket_of",
    "topic_of",
    "topic_of_account",
]
