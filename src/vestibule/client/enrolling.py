"""What a phone sends to be linked: its enrol-response (specification, section 6)."""

from __future__ import annotations

import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from vestibule.client.offers import Offer
from vestibule.client.state import Enrolled
from vestibule.protocol import keys, messages
from vestibule.protocol.encoding import b64u
from vestibule.protocol.messages import EnrolResponse


def random_id() -> str:
    """A fresh id: 16 random bytes."""
    return b64u(secrets.token_bytes(16))


def claims_of(enrolled: Enrolled, now: float, life: int) -> dict[str, Any]:
    """What every message of this enrollment begins with."""
    return {
        "iss": enrolled.id,
        "aud": enrolled.issuer,
        "iat": int(now),
        "exp": int(now) + life,
        "jti": random_id(),
    }


def enrolled_of(offer: Offer, key: EllipticCurvePrivateKey) -> Enrolled:
    """What is kept of an enrollment with this device key."""
    return Enrolled(
        id=keys.kid_of(keys.public_bytes(key)),
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        account=offer.request.account,
        organisation=offer.request.organisation,
        application=offer.request.application,
        issuer=offer.request.iss,
        address=offer.address,
        server=offer.request.keys.sign,
    )


def enrol_response(
    offer: Offer,
    enrolled: Enrolled,
    key: EllipticCurvePrivateKey,
    root: bytes,
    *,
    label: str,
    device: str,
    platform: str,
    now: float,
) -> str:
    """The signed answer to an offer. `root` is R, `now` the server's time in seconds."""
    knowledge = keys.knowledge_key(root, enrolled.id)
    sealed = keys.seal_secrets(
        keys.Secrets(
            response=b64u(keys.response_key(root, enrolled.id)), knowledge=b64u(knowledge)
        ),
        recipient=keys.raw_of(offer.request.keys.encrypt),
        ephemeral=generate_private_key(SECP256R1()),
        iv=secrets.token_bytes(12),
    )
    claims = EnrolResponse(
        **claims_of(enrolled, now, messages.ENROL_RESPONSE_LIFE_S),
        request=offer.text,
        jwk=keys.jwk_of(keys.public_bytes(key)),
        device=device,
        label=label,
        platform=platform,
        secrets=sealed,
        proof=keys.enrol_proof(knowledge, offer.text),
        push=None,
        webauthn=None,
    )
    return messages.sign(claims, key=key, kid=enrolled.id)
