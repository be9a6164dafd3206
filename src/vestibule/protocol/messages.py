"""The six messages: typed, signed and read (sections 2, 6, 7 and 8 of the specification).

`render_*` signs. `parse_*` reads without believing: its result says who claims to have
signed, so that the reader can look the key up, and `verify` makes a believed payload of it.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from vestibule.protocol.encoding import b64u, b64u_decode, parse_segment, render_json
from vestibule.protocol.errors import (
    ClockWrong,
    MessageMalformed,
    RequestExpired,
    ServerForeign,
    SignatureWrong,
    TicketExpired,
)
from vestibule.protocol.keys import (
    Bytes32,
    Id,
    Jwk,
    enrol_proof,
    kid_of,
    open_secrets,
    public_key,
    raw_of,
)

MESSAGE_LIMIT = 8192
CLOCK_ALLOWANCE_S = 60
ENROL_RESPONSE_LIFE_S = 600
PROOF_LIFE_S = 60
APPROVAL_LIFE_S = 30

_ECDSA = ECDSA(SHA256())
Count = Annotated[int, msgspec.Meta(ge=0)]
_PRINTED = r"[^\x00-\x1f\x7f-\x9f]"
Label = Annotated[str, msgspec.Meta(pattern=rf"\A{_PRINTED}{{1,40}}\Z")]
Text = Annotated[str, msgspec.Meta(max_length=512)]


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every payload carries. Times are NumericDate: seconds since the epoch."""

    typ: ClassVar[str]

    iss: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    aud: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    iat: Count
    exp: Count
    jti: Id


class ServerKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The server's public keys: one to verify its messages, one to encrypt to it."""

    sign: Jwk
    encrypt: Jwk


class Argon2idFloor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The least that a PIN is stretched by argon2id: `m` KiB, `t` passes."""

    m: Annotated[int, msgspec.Meta(ge=8, le=4_194_304)]
    t: Annotated[int, msgspec.Meta(ge=1, le=1000)]


class Pbkdf2Floor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The least that a PIN is stretched by PBKDF2-HMAC-SHA-256."""

    rounds: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)]


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the server asks of a new enrollment."""

    pin_min: Annotated[int, msgspec.Meta(ge=1, le=12)]
    pin_max: Annotated[int, msgspec.Meta(ge=1, le=12)]
    suite: Literal["OCRA-1:HOTP-SHA256-8:C-QN06"]
    argon2id: Argon2idFloor
    pbkdf2: Pbkdf2Floor


class PushSubscription(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where and under which keys a phone takes web pushes (W3C Push API, RFC 8291)."""

    endpoint: Annotated[str, msgspec.Meta(pattern=r"\Ahttps?://[!-~]+\Z", max_length=1024)]
    p256dh: Annotated[str, msgspec.Meta(pattern=r"\AB[A-Za-z0-9_-]{85}[AEIMQUYcgkosw048]\Z")]
    auth: Id


class Show(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the phone displays of a request; section 8 says what each member means."""

    organisation: Text
    application: Text
    account: Text
    browser: Text
    place: Text
    address: Text
    known: bool
    others: Count
    detail: Text
    far: bool


class EnrolRequest(Claims, frozen=True, kw_only=True):
    """Server to phone: what the account is, and what a new enrollment must satisfy."""

    typ = "vestibule-enrol-request+jwt"

    ticket: Id
    account: Text
    organisation: Text
    application: Text
    keys: ServerKeys
    policy: Policy
    vapid: Annotated[str, msgspec.Meta(pattern=r"\A(B[A-Za-z0-9_-]{85}[AEIMQUYcgkosw048])?\Z")]


class EnrolResponse(Claims, frozen=True, kw_only=True):
    """Phone to server: the new device key, signed by itself, and the secrets, enveloped."""

    typ = "vestibule-enrol-response+jwt"

    request: str
    jwk: Jwk
    device: Id
    label: Label
    platform: Annotated[str, msgspec.Meta(pattern=rf"\A{_PRINTED}{{1,80}}\Z")]
    secrets: str
    proof: Bytes32
    push: PushSubscription | None
    webauthn: dict[str, Any] | None


class Proof(Claims, frozen=True, kw_only=True):
    """Phone to server: I am this enrollment, and this is the call I make."""

    typ = "vestibule-proof+jwt"

    method: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z]{1,10}\Z")]
    path: Annotated[str, msgspec.Meta(pattern=r"\A/[!-~]*\Z", max_length=1024)]
    body: Bytes32


class ApprovalRequest(Claims, frozen=True, kw_only=True):
    """Server to phone: somebody wants something (`kind`); what to show before asking."""

    typ = "vestibule-approval-request+jwt"

    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    number: bool
    show: Show


class Approval(Claims, frozen=True, kw_only=True):
    """Phone to server: the answer to one exact approval-request."""

    typ = "vestibule-approval+jwt"

    request: Id
    hash: Bytes32
    act: Literal["approve", "deny", "report"]
    number: Annotated[str, msgspec.Meta(pattern=r"\A([0-9]{6})?\Z")]
    proof: Annotated[str, msgspec.Meta(pattern=r"\A([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])?\Z")]
    assertion: dict[str, Any] | None
    push: Literal["ok", "denied", "unavailable"]

    def __post_init__(self) -> None:
        """Hold the rule that no single member can: which proofs go with which act."""
        proofs = bool(self.proof) + (self.assertion is not None)
        if proofs != (self.act == "approve"):
            raise ValueError("approve takes one proof, deny and report none")
        if self.number and self.act != "approve":
            raise ValueError("only approve takes a number")


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    alg: Literal["ES256"]
    typ: str
    kid: Id


C = TypeVar("C", bound=Claims)


@dataclass(frozen=True, slots=True)
class Unverified(Generic[C]):
    """A message that parses. Nobody has checked who wrote it."""

    text: str
    kid: str
    claims: C
    signature: bytes

    def verify(self, key: bytes) -> C:
        """Return the payload, now believed to be of this public key (65 bytes).

        Raises `SignatureWrong`, also when the message names another key, and
        `MessageMalformed` when `key` is no key.
        """
        if self.kid != kid_of(key):
            raise SignatureWrong("signed by another key")
        r, s = (int.from_bytes(half, "big") for half in (self.signature[:32], self.signature[32:]))
        signed = self.text[: self.text.rindex(".")].encode("ascii")
        try:
            public_key(key).verify(encode_dss_signature(r, s), signed, _ECDSA)
        except InvalidSignature:
            raise SignatureWrong from None
        return self.claims


def message_hash(text: str) -> str:
    """Return the hash by which one message names another: b64u(SHA256(ascii(text)))."""
    return b64u(hashlib.sha256(text.encode("ascii")).digest())


def sign(claims: Claims, *, key: EllipticCurvePrivateKey, kid: str) -> str:
    """Sign a payload as a message of its type. `kid` is the key's id.

    Raises `MessageMalformed` when the message is longer than any reader would take.
    """
    signed = f"{_render_header(claims.typ, kid)}.{b64u(render_json(claims))}"
    r, s = decode_dss_signature(key.sign(signed.encode("ascii"), _ECDSA))
    text = f"{signed}.{b64u(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
    if len(text) > MESSAGE_LIMIT:
        raise MessageMalformed("too long")
    return text


def parse(text: str, kind: type[C]) -> Unverified[C]:
    """Read a message of exactly this type without believing it. Raises `MessageMalformed`."""
    if len(text) > MESSAGE_LIMIT:
        raise MessageMalformed("too long")
    parts = text.split(".")
    if len(parts) != 3:
        raise MessageMalformed("not a compact JWS")
    header = _parse_header(parts[0])
    if header.typ != kind.typ:
        raise MessageMalformed("a message of another type")
    claims = parse_segment(parts[1], kind)
    return Unverified(text, header.kid, claims, b64u_decode(parts[2], 64))


def check_times(claims: Claims, *, now: float, life: int) -> None:
    """Check that a phone's message is of now and lives no longer than its type may.

    `now` and `life` in seconds. Raises `MessageMalformed` when it claims a longer life, and
    `ClockWrong` when it is more than 60 s in the future or over for more than 60 s.
    """
    if not 0 < claims.exp - claims.iat <= life:
        raise MessageMalformed("life too long")
    if claims.iat > now + CLOCK_ALLOWANCE_S or claims.exp < now - CLOCK_ALLOWANCE_S:
        raise ClockWrong


def verify_from_phone(message: Unverified[C], *, key: bytes, issuer: str) -> C:
    """Check that an enrollment's message is by its device key and meant for this server.

    Raises `SignatureWrong` and `MessageMalformed`.
    """
    claims = message.verify(key)
    if claims.iss != message.kid or claims.aud != issuer:
        raise MessageMalformed("not from this enrollment to this server")
    return claims


def check_proof(
    proof: Unverified[Proof],
    *,
    key: bytes,
    issuer: str,
    method: str,
    path: str,
    body: bytes,
    now: float,
) -> Proof:
    """Check a proof against the device key of its `kid` and the call that it came with.

    `path` includes the query; `now` in seconds. Raises `MessageMalformed`, `SignatureWrong`
    (also when the proof is for another call) and `ClockWrong`.
    """
    claims = verify_from_phone(proof, key=key, issuer=issuer)
    check_times(claims, now=now, life=PROOF_LIFE_S)
    call = (method, path, b64u(hashlib.sha256(body).digest()))
    if (claims.method, claims.path, claims.body) != call:
        raise SignatureWrong("a proof for another call")
    return claims


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An enrol-response that holds, with what was sealed in it.

    Left to check: the WebAuthn credential, and that the ticket is still open.
    """

    id: str
    public_key: bytes
    request: EnrolRequest
    response: EnrolResponse
    response_key: bytes = field(repr=False)
    knowledge_key: bytes = field(repr=False)


def open_enrol_response(
    text: str, *, sign_key: bytes, encrypt_key: EllipticCurvePrivateKey, issuer: str, now: float
) -> Enrolment:
    """Do section 6's checks of an enrol-response, in its order, up to the credential.

    `sign_key` is the server's own public signing key. Raises `MessageMalformed`,
    `SignatureWrong`, `TicketExpired` and `ClockWrong`.
    """
    message = parse(text, EnrolResponse)
    claims = message.claims
    raw = raw_of(claims.jwk)
    if not message.kid == claims.iss == kid_of(raw):
        raise MessageMalformed("not named after its key")
    message.verify(raw)
    request = parse(claims.request, EnrolRequest).verify(sign_key)
    if request.exp <= now:
        raise TicketExpired
    if claims.aud != issuer or request.iss != issuer:
        raise MessageMalformed("meant for another server")
    check_times(claims, now=now, life=ENROL_RESPONSE_LIFE_S)
    secrets = open_secrets(claims.secrets, key=encrypt_key)
    response, knowledge = b64u_decode(secrets.response), b64u_decode(secrets.knowledge)
    if not hmac.compare_digest(claims.proof, enrol_proof(knowledge, claims.request)):
        raise MessageMalformed("the proof of the secrets is wrong")
    return Enrolment(message.kid, raw, request, claims, response, knowledge)


def read_enrol_request(text: str, *, now: float, server: str | None) -> EnrolRequest:
    """Read what a ticket call answered, as a phone does.

    `server` is the key id that the activation link pins, None when a code was typed; `now` in
    seconds of server time. Raises `MessageMalformed`, `ServerForeign`, `SignatureWrong`,
    `ClockWrong` and `TicketExpired`.
    """
    message = parse(text, EnrolRequest)
    raw = raw_of(message.claims.keys.sign)
    # The pin comes first: under a foreign key a signature says nothing.
    if server is not None and server != kid_of(raw):
        raise ServerForeign
    claims = message.verify(raw)
    if claims.aud != "phone":
        raise MessageMalformed("not for a phone")
    if claims.iat > now + CLOCK_ALLOWANCE_S:
        raise ClockWrong
    if claims.exp <= now:
        raise TicketExpired
    return claims


def read_approval_request(
    text: str, *, key: bytes, issuer: str, enrollment: str, now: float
) -> ApprovalRequest:
    """Read a request to approve, as a phone does before it shows anything of it.

    `key` is the pinned server key; `now` in seconds of server time. Raises
    `MessageMalformed`, `SignatureWrong`, `ClockWrong` and `RequestExpired`.
    """
    claims = parse(text, ApprovalRequest).verify(key)
    if claims.iss != issuer or claims.aud != enrollment:
        raise SignatureWrong("signed for somebody else")
    if claims.iat > now + CLOCK_ALLOWANCE_S:
        raise ClockWrong
    if claims.exp <= now:
        raise RequestExpired
    return claims


# An enrollment signs all its messages of a type under one header: both directions are
# remembered, and a header costs a dictionary look-up instead of a parse.
@lru_cache(maxsize=8192)
def _parse_header(segment: str) -> _Header:
    return parse_segment(segment, _Header)


@lru_cache(maxsize=8192)
def _render_header(typ: str, kid: str) -> str:
    return b64u(render_json(_Header(alg="ES256", typ=typ, kid=kid)))
