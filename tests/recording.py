"""What a house's messages go to in tests: each remembers what it was given."""

from __future__ import annotations

from dataclasses import dataclass, field

from vestibule.base.context import By, Mail, MessageOutcome, PushOutcome, PushTarget
from vestibule.base.wake import LocalBus


class HeardBus(LocalBus):
    """Remembers all that was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str]] = []

    def tell(self, topic: str, message: str = "", *, linger: bool = False) -> None:
        """Remember, and wake."""
        self.told.append((topic, message))
        super().tell(topic, message, linger=linger)


@dataclass
class PushService:
    """Takes every push."""

    sent: list[tuple[PushTarget, bytes, str, int]] = field(default_factory=list)
    outcome: PushOutcome = PushOutcome.SENT

    async def send(
        self, target: PushTarget, payload: bytes, *, topic: str, life_s: int
    ) -> PushOutcome:
        """Remember the push and answer as told."""
        self.sent.append((target, payload, topic, life_s))
        return self.outcome


@dataclass
class MailServer:
    """Takes every mail."""

    sent: list[Mail] = field(default_factory=list)
    outcome: MessageOutcome = MessageOutcome.SENT

    async def send(self, mail: Mail) -> MessageOutcome:
        """Remember the mail and answer as told."""
        self.sent.append(mail)
        return self.outcome


@dataclass
class Gateway:
    """Takes every text and call."""

    sent: list[tuple[str, str, By, str]] = field(default_factory=list)
    outcome: MessageOutcome = MessageOutcome.SENT
    ways: frozenset[By] = frozenset({"sms", "voice"})

    async def send(self, number: str, text: str, *, by: By, language: str) -> MessageOutcome:
        """Remember the message and answer as told."""
        self.sent.append((number, text, by, language))
        return self.outcome
