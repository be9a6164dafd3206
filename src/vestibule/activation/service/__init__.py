"""Bringing a phone: tickets are issued to signed-in browsers and redeemed by phones.

A ticket has two secrets that open the same thing: the link's 128 bits, and a code of 40 bits to
type, which therefore counts wrong tries. Both are stored as digests to be found by, and sealed to
be shown again.
"""

from vestibule.activation.service.for_cases import issue_for_case, request_of_case
from vestibule.activation.service.issuing import (
    current_ticket,
    glance,
    issue_ticket,
    sweep_tickets,
    ticket_to_show,
)
from vestibule.activation.service.offering import open_ticket
from vestibule.activation.service.redeeming import (
    Enrolled,
    Opened,
    close_password_sessions,
    open_response,
    redeem_in_case,
    redeem_ticket,
)

__all__ = [
    "Enrolled",
    "Opened",
    "close_password_sessions",
    "current_ticket",
    "glance",
    "issue_for_case",
    "issue_ticket",
    "open_response",
    "open_ticket",
    "redeem_in_case",
    "redeem_ticket",
    "request_of_case",
    "sweep_tickets",
    "ticket_to_show",
]
