"""What a phone is offered, is asked, and answers with."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.client.state import Enrolled
from vestibule.protocol import keys, messages
from vestibule.protocol.errors import ProtocolFault
from vestibule.protocol.messages import ApprovalRequest, EnrolRequest


@dataclass(frozen=True, slots=True)
class Offer:
    """What an activation link or code leads to: show it, and ask, before activating."""

    address: str
    text: str
    request: EnrolRequest


@dataclass(frozen=True, slots=True)
class Request:
    """A sign-in that waits for an answer, verified."""

    account: Enrolled
    text: str
    claims: ApprovalRequest


@dataclass(frozen=True, slots=True)
class Response:
    """An eight-digit response and the counter that was spent on it."""

    response: str
    counter: int


def verified(enrolled: Enrolled, texts: list[str], *, now: float) -> list[Request]:
    """The requests that hold under the key pinned for this account; others are left out."""
    found = []
    for text in texts:
        try:
            claims = messages.read_approval_request(
                text,
                key=keys.raw_of(enrolled.server),
                issuer=enrolled.issuer,
                enrollment=enrolled.id,
                now=now,
            )
        except ProtocolFault:
            continue
        found.append(Request(enrolled, text, claims))
    return found
