"""Fixed keys and a hand-made JWS and JWE writer, apart from the code under test."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

NOW = 1_795_000_000
ISSUER = "https://portal.example"
PHONE = "https://phone.example"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

Key = ec.EllipticCurvePrivateKey


def seed(label: str, length: int = 32) -> bytes:
    """Bytes that are the same in every run."""
    return hashlib.shake_256(label.encode()).digest(length)


def key(label: str) -> Key:
    """A P-256 key that is the same in every run."""
    return ec.derive_private_key(int.from_bytes(seed(label)) % (ORDER - 1) + 1, ec.SECP256R1())


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwk(of: Key, *, private: bool = False) -> dict[str, str]:
    """A key as JWK, with `d` if private."""
    numbers = of.private_numbers()
    point = numbers.public_numbers
    members = {
        "kty": "EC",
        "crv": "P-256",
        "x": b64(point.x.to_bytes(32)),
        "y": b64(point.y.to_bytes(32)),
    }
    return members | ({"d": b64(numbers.private_value.to_bytes(32))} if private else {})


def point(of: Key) -> bytes:
    """A key's public half as an uncompressed point."""
    numbers = of.public_key().public_numbers()
    return b"\4" + numbers.x.to_bytes(32) + numbers.y.to_bytes(32)


def kid(of: Key | dict[str, str]) -> str:
    """The key id by section 2, from the JWK's canonical form."""
    members = of if isinstance(of, dict) else jwk(of)
    canonical = {name: members[name] for name in ("crv", "kty", "x", "y")}
    text = json.dumps(canonical, separators=(",", ":"))
    return b64(hashlib.sha256(text.encode()).digest()[:16])


def compact(value: Any) -> bytes:
    """A JSON value as bytes; bytes stay as they are, so that a case can be wrong on purpose."""
    return (
        value
        if isinstance(value, bytes)
        else json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    )


def signature(of: Key, signed: str) -> bytes:
    """ES256 by RFC 6979, so that the files do not change from run to run."""
    der = of.sign(signed.encode(), ec.ECDSA(SHA256(), deterministic_signing=True))
    r, s = decode_dss_signature(der)
    return r.to_bytes(32) + s.to_bytes(32)


def token(of: Key, header: Any, payload: Any) -> str:
    """A compact JWS over whatever header and payload the case wants."""
    signed = f"{b64(compact(header))}.{b64(compact(payload))}"
    return f"{signed}.{b64(signature(of, signed))}"


def header(of: Key, name: str, **changes: Any) -> dict[str, Any]:
    """The right header of a message; a change of None leaves a member out."""
    return _changed({"alg": "ES256", "typ": f"vestibule-{name}+jwt", "kid": kid(of)}, changes)


def claims(iss: str, aud: str, life: int, jti: str, /, **members: Any) -> dict[str, Any]:
    """The right claims of a message of now."""
    dates = {"iss": iss, "aud": aud, "iat": NOW, "exp": NOW + life, "jti": b64(seed(jti, 16))}
    return dates | members


def changed(value: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy with members changed; `...` leaves one out."""
    return _changed(value, changes)


def _changed(value: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: member for name, member in (value | changes).items() if member is not ...}
