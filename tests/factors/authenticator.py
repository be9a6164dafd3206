"""A security key in Python: makes passkeys and answers with them, rightly or as told."""

import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from tests.desk import PORTAL
from vestibule.protocol.encoding import b64u

PRESENT, VERIFIED, NEW = 0x01, 0x04, 0x40


class SecurityKey:
    """One authenticator with one passkey; `counts` says whether it keeps a signature counter."""

    def __init__(self, *, counts: bool = True) -> None:
        self.key = generate_private_key(SECP256R1())
        self.id = secrets.token_bytes(32)
        self.counter = 1 if counts else 0
        self.user = ""

    def create(
        self,
        options: str,
        *,
        flags: int = PRESENT | VERIFIED,
        origin: str = PORTAL,
        rp: str = "portal.example",
        kind: str = "webauthn.create",
    ) -> str:
        """What `navigator.credentials.create` gives, as JSON."""
        asked = json.loads(options)
        self.user = asked["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        cose = cbor2.dumps(
            {
                1: 2,
                3: -7,
                -1: 1,
                -2: numbers.x.to_bytes(32, "big"),
                -3: numbers.y.to_bytes(32, "big"),
            }
        )
        data = self._data(flags | NEW, rp) + bytes(16) + len(self.id).to_bytes(2, "big")
        attestation = {"fmt": "none", "attStmt": {}, "authData": data + self.id + cose}
        answer = self._credential(
            {
                "clientDataJSON": _client_data(kind, asked["challenge"], origin),
                "attestationObject": cbor2.dumps(attestation),
            }
        )
        answer["response"]["transports"] = ["usb", "nfc", "nonsense"]
        return json.dumps(answer)

    def get(
        self,
        options: str,
        *,
        flags: int = PRESENT | VERIFIED,
        origin: str = PORTAL,
        rp: str = "portal.example",
        user: str | None = None,
        kind: str = "webauthn.get",
        counter: int | None = None,
    ) -> str:
        """What `navigator.credentials.get` gives, as JSON."""
        if counter is not None:
            self.counter = counter
        elif self.counter:
            self.counter += 1
        data = self._data(flags, rp)
        client = _client_data(kind, json.loads(options)["challenge"], origin)
        signed = data + hashlib.sha256(client).digest()
        answer = self._credential(
            {
                "clientDataJSON": client,
                "authenticatorData": data,
                "signature": self.key.sign(signed, ECDSA(SHA256())),
            }
        )
        answer["response"]["userHandle"] = self.user if user is None else user
        return json.dumps(answer)

    def _data(self, flags: int, rp: str) -> bytes:
        count = self.counter.to_bytes(4, "big")
        return hashlib.sha256(rp.encode()).digest() + bytes([flags]) + count

    def _credential(self, response: dict[str, bytes]) -> dict[str, Any]:
        return {
            "id": b64u(self.id),
            "rawId": b64u(self.id),
            "type": "public-key",
            "response": {name: b64u(value) for name, value in response.items()},
        }


def _client_data(kind: str, challenge: str, origin: str) -> bytes:
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin}).encode()
