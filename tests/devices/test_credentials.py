"""Biometrics: only this phone's authenticator, with its person present, over this very request."""

import hashlib
import json
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from tests.desk import PHONE
from tests.login.scene import Scene
from vestibule.base.errors import Refused
from vestibule.devices import service
from vestibule.protocol.encoding import b64u

PRESENT, VERIFIED, NEW = 0x01, 0x04, 0x40
REQUEST = "header.claims.signature"


class Authenticator:
    """A phone's platform authenticator with one key."""

    def __init__(self) -> None:
        self.key = generate_private_key(SECP256R1())
        self.id = b"credential-of-a-phone"

    def _data(self, flags: int, rp: str) -> bytes:
        return hashlib.sha256(rp.encode()).digest() + bytes([flags]) + bytes(4)

    def register(
        self,
        request: str = REQUEST,
        *,
        flags: int = PRESENT | VERIFIED,
        origin: str = PHONE,
        rp: str = "phone.example",
    ) -> dict[str, Any]:
        """What `navigator.credentials.create` gives, as JSON."""
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
        return self._credential(
            {
                "clientDataJSON": _client_data("webauthn.create", request, origin),
                "attestationObject": cbor2.dumps(attestation),
            }
        )

    def answer(
        self,
        request: str = REQUEST,
        *,
        flags: int = PRESENT | VERIFIED,
        origin: str = PHONE,
        rp: str = "phone.example",
    ) -> dict[str, Any]:
        """What `navigator.credentials.get` gives, as JSON."""
        data, client = self._data(flags, rp), _client_data("webauthn.get", request, origin)
        signed = data + hashlib.sha256(client).digest()
        return self._credential(
            {
                "clientDataJSON": client,
                "authenticatorData": data,
                "signature": self.key.sign(signed, ECDSA(SHA256())),
            }
        )

    def _credential(self, response: dict[str, bytes]) -> dict[str, Any]:
        return {
            "id": b64u(self.id),
            "rawId": b64u(self.id),
            "type": "public-key",
            "response": {name: b64u(value) for name, value in response.items()},
        }


def _client_data(kind: str, request: str, origin: str) -> bytes:
    challenge = b64u(hashlib.sha256(request.encode()).digest())
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin}).encode()


def test_registered_credential_answers_for_its_person(scene: Scene) -> None:
    """Registered at enrolment, it approves later; what is kept is public."""
    phone = Authenticator()
    kept = service.credential_of(scene.ctx, registration=phone.register(), request=REQUEST)
    assert set(json.loads(kept)) == {"id", "public_key", "sign_count"}
    assert service.assertion_holds(
        scene.ctx,
        credential=kept,
        assertion=phone.answer("other.request.x"),
        request="other.request.x",
    )


WRONG: dict[str, dict[str, Any]] = {
    "not verified": {"flags": PRESENT},
    "another request": {"request": "another.request.x"},
    "another origin": {"origin": "https://phone.evil.example"},
    "another relying party": {"rp": "evil.example"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
def test_registration_that_is_not_right_is_refused(scene: Scene, wrong: dict[str, Any]) -> None:
    """Without user verification, for another request, from or for another site: no."""
    with pytest.raises(Refused, match="assertion_wrong"):
        service.credential_of(
            scene.ctx, registration=Authenticator().register(**wrong), request=REQUEST
        )


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
def test_assertion_that_is_not_right_does_not_hold(scene: Scene, wrong: dict[str, Any]) -> None:
    """The same for every approval."""
    phone = Authenticator()
    kept = service.credential_of(scene.ctx, registration=phone.register(), request=REQUEST)
    assert not service.assertion_holds(
        scene.ctx, credential=kept, assertion=phone.answer(**wrong), request=REQUEST
    )


def test_assertion_of_another_key_does_not_hold(scene: Scene) -> None:
    """The same id under another key is a forgery."""
    phone, forger = Authenticator(), Authenticator()
    kept = service.credential_of(scene.ctx, registration=phone.register(), request=REQUEST)
    assert not service.assertion_holds(
        scene.ctx, credential=kept, assertion=forger.answer(), request=REQUEST
    )
