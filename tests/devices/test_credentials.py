"""Biometrics: only this phone's authenticator, with its person present, over this very request."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.desk import PHONE
from tests.login.scene import Scene, with_settings
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
        vouched: Callable[[bytes], dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """What `navigator.credentials.create` gives, as JSON.

        `vouched` makes the statement of a packed attestation over what is signed.
        """
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
        data += self.id + cose
        client = _client_data("webauthn.create", request, origin)
        attestation: dict[str, Any] = {"fmt": "none", "attStmt": {}, "authData": data}
        if vouched is not None:
            signed = data + hashlib.sha256(client).digest()
            attestation |= {"fmt": "packed", "attStmt": vouched(signed)}
        return self._credential(
            {"clientDataJSON": client, "attestationObject": cbor2.dumps(attestation)}
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


class Maker:
    """A maker of phones: a root certificate, and one for what its phones vouch with."""

    def __init__(self) -> None:
        root_key, self.key = (generate_private_key(SECP256R1()) for _ in range(2))
        name = f"Root {x509.random_serial_number():x}"[:40]
        self.root = _certificate(name, root_key, name, root_key, root=True)
        self.leaf = _certificate("Phones", self.key, name, root_key, root=False)

    def vouch(self, signed: bytes) -> dict[str, Any]:
        """A packed attestation (WebAuthn section 8.2) by the maker."""
        signature = self.key.sign(signed, ECDSA(SHA256()))
        leaf = self.leaf.public_bytes(Encoding.DER)
        return {"alg": -7, "sig": signature, "x5c": [leaf]}


def _certificate(
    name: str,
    key: EllipticCurvePrivateKey,
    issuer: str,
    signer: EllipticCurvePrivateKey,
    *,
    root: bool,
) -> x509.Certificate:
    def named(text: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "IT"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Maker"),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"),
                x509.NameAttribute(NameOID.COMMON_NAME, text),
            ]
        )

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
        .sign(signer, SHA256())
    )


def strict(scene: Scene, folder: Path | None, *makers: Maker) -> Scene:
    """The same house, where a maker has to vouch for each phone."""
    if folder is not None:
        folder.mkdir()
        for number, maker in enumerate(makers):
            (folder / f"{number}.pem").write_bytes(maker.root.public_bytes(Encoding.PEM))
    return with_settings(scene, attestation="required", attestation_roots=folder)


def test_known_maker_vouches_for_its_phone(scene: Scene, tmp_path: Path) -> None:
    """A chain that leads to a root of the settings' folder; what is kept is the same as ever."""
    maker, phone = Maker(), Authenticator()
    house = strict(scene, tmp_path / "roots", Maker(), maker)
    registration = phone.register(vouched=maker.vouch)
    kept = service.credential_of(house.ctx, registration=registration, request=REQUEST)
    assert set(json.loads(kept)) == {"id", "public_key", "sign_count"}


def test_phone_that_nobody_vouches_for_is_refused(scene: Scene, tmp_path: Path) -> None:
    """No credential, no statement, one signed by the key itself, or a maker that is not known."""
    known, phone = Maker(), Authenticator()
    house = strict(scene, tmp_path / "roots", known)

    def by_itself(signed: bytes) -> dict[str, Any]:
        return {"alg": -7, "sig": phone.key.sign(signed, ECDSA(SHA256()))}

    with pytest.raises(Refused, match="attestation_missing"):
        service.demand_attested(house.ctx, None)
    for vouched, code in (
        (None, "attestation_missing"),
        (by_itself, "attestation_missing"),
        (Maker().vouch, "assertion_wrong"),
    ):
        registration = phone.register(vouched=vouched)
        with pytest.raises(Refused, match=code):
            service.credential_of(house.ctx, registration=registration, request=REQUEST)
    # Without roots of the operator's own, a certificate of anybody's making vouches for nothing.
    bare = strict(scene, None)
    registration = phone.register(vouched=Maker().vouch)
    with pytest.raises(Refused, match="attestation_missing"):
        service.credential_of(bare.ctx, registration=registration, request=REQUEST)
    service.demand_attested(scene.ctx, None)
