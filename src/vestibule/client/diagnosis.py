"""A diagnosis: what the phone knows of its own state, for its owner to attach to a message.

Specification, section 7. Its owner need not be able to sign in.
"""

from dataclasses import dataclass

from vestibule.client.phone import Phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A diagnosis as the server keeps it."""

    reference: str
    kept_until: int
    """Milliseconds since the epoch."""


async def send(phone: Phone, text: str, *, account: str | None = None) -> Sent:
    """Send it; the same text sent again is the same one.

    Raises `Refused` (`diagnosis_text`, `body_too_large`, `diagnoses_many`, ...), `Unreachable`.
    """
    answer = await phone.call_as(account, "POST", "/device/diagnosis", {"text": text})
    return Sent(reference=answer["reference"], kept_until=answer["kept_until"])
