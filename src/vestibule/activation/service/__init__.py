"""Bringing a phone: tickets are issued to signed-in browsers and redeemed by phones.

A ticket has two secrets that open the same thing: the link's 128 bits, and a code of 40 bits to
type, which therefore counts wrong tries. Both are stored as digests to be found by, and sealed to
be shown again.
"""

from vestibule.activation.service.issuing import (
    current_ticket,
    glance,
    issue_ticket,
    sweep_tickets,
    ticket_to_show,
)
from vestibule.activation.service.redeeming import Enrolled, open_ticket, redeem_ticket

__all__ = [
    "Enrolled",
    "current_ticket",
    "glance",
    "issue_ticket",
    "open_ticket",
    "redeem_ticket",
    "sweep_tickets",
    "ticket_to_show",
]
