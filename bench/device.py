"""A phone reduced to what it signs: the protocol of the reference phone, without PIN and file.

The reference phone stretches its PIN and keeps its counter on disk; a client that is to be faster
than the server cannot. Both stand on `vestibule.protocol`.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)

from vestibule.base.ids import new_id
from vestibule.protocol import keys, messages, ocra
from vestibule.protocol.encoding import b64u_decode

PUSH_ORIGIN = "https://fcm.googleapis.com"


def _key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


@dataclass(frozen=True)
class Asked:
    """What a phone has to know of an approval-request to answer it."""

    text: str
    attempt: str
    number: bool

    @classmethod
    def read(cls, text: str) -> Asked:
        """Read a request; who signed it is the reference phone's business, not the client's."""
        claims = json.loads(b64u_decode(text.split(".")[1]))
        return cls(text, claims["jti"], claims["number"])


@dataclass
class Device:
    """One enrollment on one phone."""

    key: EllipticCurvePrivateKey = field(default_factory=_key, repr=False)
    root: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    counter: int = 1

    def __post_init__(self) -> None:
        self.public = keys.public_bytes(self.key)
        self.id = keys.kid_of(self.public)
        self.response_key = keys.response_key(self.root, self.id)
        self.knowledge_key = keys.knowledge_key(self.root, self.id)
        self._empty = messages.message_hash("")

    @property
    def endpoint(self) -> str:
        """Where this phone is nudged."""
        return f"{PUSH_ORIGIN}/{self.id}"

    def proof(self, method: str, path: str, issuer: str) -> str:
        """The Authorization header of a call without a body."""
        now = int(time.time())
        claims = messages.Proof(
            iss=self.id,
            aud=issuer,
            iat=now,
            exp=now + messages.PROOF_LIFE_S,
            jti=new_id(),
            method=method,
            path=path,
            body=self._empty,
        )
        return f"Vestibule {messages.sign(claims, key=self.key, kid=self.id)}"

    def approval(self, asked: Asked, issuer: str, number: str) -> str:
        """The signed approval of a request."""
        now = int(time.time())
        claims = messages.Approval(
            iss=self.id,
            aud=issuer,
            iat=now,
            exp=now + messages.APPROVAL_LIFE_S,
            jti=new_id(),
            request=asked.attempt,
            hash=messages.message_hash(asked.text),
            act="approve",
            number=number if asked.number else "",
            proof=keys.approval_proof(self.knowledge_key, asked.text),
            assertion=None,
            push="ok",
        )
        return messages.sign(claims, key=self.key, kid=self.id)

    def respond(self, challenge: str) -> str:
        """The eight digits for a challenge."""
        self.counter += 1
        return ocra.response(self.response_key, challenge, self.counter - 1)
