"""What every service is handed: the wiring of one running house.

``app.py`` builds one Context a process; tests build their own. The seams to the world outside
(push services, the place of an address) are named here as protocols, so that the rooms below the
adapters need not know them.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

from vestibule.base import openpgp
from vestibule.base.clock import Clock
from vestibule.base.database import Database
from vestibule.base.sealing import Keys, Sealer
from vestibule.base.settings import Settings
from vestibule.base.wake import WakeBus


@dataclass(frozen=True, slots=True)
class PushTarget:
    """A browser's push subscription (RFC 8030, RFC 8291)."""

    endpoint: str
    """https address of the push service, with the subscription's own path."""
    p256dh: bytes
    """The subscriber's public key: 65 bytes, uncompressed P-256."""
    auth: bytes
    """The authentication secret: 16 bytes."""


class PushOutcome(StrEnum):
    """What became of one push message."""

    SENT = "sent"
    """The push service took it."""
    GONE = "gone"
    """The subscription ended: forget it (404 or 410)."""
    FAILED = "failed"
    """Not taken after all retries; the subscription may still be good."""


class PushSender(Protocol):
    """Hands messages to push services."""

    async def send(
        self, target: PushTarget, payload: bytes, *, topic: str, life_s: int
    ) -> PushOutcome:
        """Encrypt and deliver ``payload``, urgency high. Never raises for the network's sake."""
        ...


class SecondPush(Protocol):
    """Publishes to topics that phones without a push service listen to."""

    def address(self, topic: str) -> str:
        """Where a topic can be read."""
        ...

    def subscribe(self, topic: str) -> str:
        """The link that makes the listening app subscribe."""
        ...

    async def send(
        self, topic: str, *, title: str, text: str, click: str, urgent: bool
    ) -> PushOutcome:
        """Publish one message. Never raises for the network's sake."""
        ...


class MessageOutcome(StrEnum):
    """What became of a mail or a text."""

    SENT = "sent"
    """Handed to the next server; whether it arrives, nobody can tell."""
    FAILED = "failed"
    """Not taken now: the server cannot be reached or is busy. Later it may be."""
    REFUSED = "refused"
    """Not taken, and never will be: there is no such address, or no such way at all."""


@dataclass(frozen=True, slots=True)
class EncryptedFile:
    """A file that travels with a mail: encrypted with OpenPGP, or it cannot be made at all.

    Raises ValueError for anything else. A mail is read by every server on its way, so that a file
    in clear is no mistake that review has to find: there is no value for it.
    """

    name: str
    """As its reader sees it; ends in ``.pgp``."""
    data: bytes

    def __post_init__(self) -> None:
        if not self.name.endswith(".pgp") or not openpgp.is_encrypted(self.data):
            raise ValueError("not a file that is encrypted with OpenPGP")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message to one address."""

    to: str
    subject: str
    text: str
    html: str = ""
    """The same in HTML; empty: text alone."""
    language: str = "en"
    id: str = ""
    """Letters and digits: the same for a mail that is sent again because nobody knows whether it
    left before; empty: there is no such doubt."""
    attachments: tuple[EncryptedFile, ...] = ()


class MailSender(Protocol):
    """Hands mails to a mail server."""

    async def send(self, mail: Mail) -> MessageOutcome:
        """Deliver one mail. Never raises for the network's sake."""
        ...


By = Literal["sms", "voice"]
"""How a number is reached: a text, or a call in which a voice reads it."""


class TextSender(Protocol):
    """Hands texts and calls to a gateway."""

    @property
    def ways(self) -> frozenset[By]:
        """What can be done at all, by the settings."""
        ...

    async def send(self, number: str, text: str, *, by: By, language: str) -> MessageOutcome:
        """Send or speak ``text`` to a number in E.164. Never raises for the network's sake."""
        ...


class Places(Protocol):
    """Says roughly where an address is."""

    def place(self, address: str) -> str:
        """``Turin, Italy``, or an empty string where that is not known."""
        ...


class ObjectReader(Protocol):
    """One stored object, open for reading at any place."""

    @property
    def size(self) -> int:
        """Its length in bytes."""
        ...

    def read(self, offset: int, size: int) -> bytes | Awaitable[bytes]:
        """The bytes from ``offset`` on, fewer at the end, none behind it.

        From a disk they are there at once, from a network they are awaited. Raises
        FileNotFoundError (deleted meanwhile; a disk goes on handing it out), Unavailable.
        """
        ...

    def close(self) -> None:
        """Let go of it; may be called twice."""
        ...


class Objects(Protocol):
    """Keeps files. Their names are ours: a kind, a slash and a random id; never a client's words.

    What is written is never changed, so whoever reads needs no lock.
    """

    async def write(self, name: str, chunks: AsyncIterator[bytes]) -> int:
        """Store what ``chunks`` brings and return its size: whole, or not at all.

        It is on stable storage when this returns. What ``chunks`` raises leaves nothing behind.
        Raises Unavailable ``store_full`` or ``store_unavailable``.
        """
        ...

    async def open(self, name: str) -> ObjectReader:
        """Open for reading. Raises FileNotFoundError, Unavailable ``store_unavailable``."""
        ...

    async def delete(self, name: str) -> None:
        """Delete; that there is none is fine. Raises Unavailable ``store_unavailable``."""
        ...

    def list(self, prefix: str) -> AsyncIterator[tuple[str, int]]:
        """Each object of a kind, and what a crash left of one: its name and when it was written.

        Milliseconds since the epoch, by the clock of the store. In no order.
        """
        ...

    def close(self) -> None:
        """Let go of threads and connections."""
        ...


class Passwords(Protocol):
    """Hashes passwords away from the event loop (accounts.service.PasswordPool)."""

    async def hash(self, password: str) -> str:
        """An encoded argon2id hash. Raises Unavailable ``password_busy``."""
        ...

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password fits; None (no such account) takes as long and is False.

        Raises Unavailable ``password_busy``.
        """
        ...


class Enclosing(Protocol):
    """Finds what goes along with the mails about a notice; the rooms that have it lie above."""

    async def __call__(
        self, ctx: "Context", *, account_id: str, at: int, detail: Mapping[str, object]
    ) -> tuple[EncryptedFile, ...]:
        """The files of the event at ``at`` (ms); none where they may not travel by mail."""
        ...


@dataclass(frozen=True, slots=True)
class ArticleNamed:
    """A help article, or a part of one, as a link to it says."""

    address: str
    """A path of the portal."""
    title: str
    language: str
    """In which it is written; not always the reader's."""


class Articles(Protocol):
    """The help articles; the room that has them lies above."""

    def named(self, place: str, language: str) -> ArticleNamed | None:
        """The article at ``3862#code-used``; None: there is none."""
        ...


class Quoting(Protocol):
    """Finds the words that mails about a notice may carry; the rooms that have them lie above."""

    async def __call__(
        self, ctx: "Context", *, account_id: str, detail: Mapping[str, object]
    ) -> str:
        """The text that the event speaks of; empty unless its reader wants it in mails."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """One process's wiring; nothing in it changes while it runs."""

    settings: Settings
    db: Database
    clock: Clock
    keys: Keys
    wake: WakeBus
    passwords: Passwords
    push: PushSender
    mail: MailSender
    text: TextSender
    places: Places
    objects: Objects
    second_push: SecondPush | None = None
    """None: the operator names no server for it."""
    enclosing: Enclosing | None = None
    """None: mails bring nothing along."""
    quoting: Quoting | None = None
    """None: mails say that there is something to read, never what."""
    articles: Articles | None = None
    """None: errors lead to no article."""

    @property
    def sealer(self) -> Sealer:
        """Seals and digests under the house's master key."""
        return self.keys.sealer
