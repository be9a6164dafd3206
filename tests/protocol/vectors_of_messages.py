"""Cases of the messages: right ones, and each way in which one can be wrong."""

# ruff: noqa: E501  -- tables of cases
from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from tests.protocol.seeds import (
    ISSUER,
    NOW,
    Key,
    b64,
    changed,
    claims,
    compact,
    header,
    jwk,
    key,
    kid,
    point,
    seed,
    signature,
    token,
)
from tests.protocol.vectors_of_bytes import Case, case

SIGN, ENCRYPT, DEVICE, OTHER = (
    key("server sign"),
    key("server encrypt"),
    key("device"),
    key("other"),
)
ME = kid(DEVICE)
K_RESPONSE, K_KNOWLEDGE = seed("K_response"), seed("K_knowledge")
VAPID = b64(point(key("vapid")))
MALFORMED, SIGNATURE, CLOCK = "message_malformed", "signature_wrong", "clock_wrong"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def sha(text: str) -> bytes:
    """SHA256(ascii(text))."""
    return hashlib.sha256(text.encode("ascii")).digest()


def mac(label: str, request: str, secret: bytes = K_KNOWLEDGE) -> str:
    """A knowledge proof by section 6 or 8."""
    return b64(
        hmac.digest(secret, f"vestibule/1/{label}".encode() + b"\0" + sha(request), "sha256")
    )


def jws() -> Iterator[Case]:
    """Section 2: compact JWS under ES256, and how every other text is refused. The type is `proof`'s."""
    payload = claims(
        ME,
        ISSUER,
        60,
        "jws",
        method="GET",
        path="/device/attempts",
        body=b64(hashlib.sha256(b"").digest()),
    )
    good = token(DEVICE, header(DEVICE, "proof"), payload)
    first, second, third = good.split(".")
    reordered = dict(reversed(header(DEVICE, "proof").items()))
    for name, text in {
        "right": good,
        "members in another order": token(DEVICE, reordered, dict(reversed(payload.items()))),
        "white space in the JSON": token(
            DEVICE, header(DEVICE, "proof"), json.dumps(payload, indent=1).encode()
        ),
    }.items():
        yield _verify(name, text, {"payload": payload})
    wrong = {
        "by another key": token(OTHER, header(DEVICE, "proof"), payload),
        "names another key": token(DEVICE, header(OTHER, "proof"), payload),
        "one bit of the payload": f"{first}.{b64(compact(changed(payload, path='/device/attemptt')))}.{third}",
        "signature over nothing": f"{first}.{second}.{b64(signature(DEVICE, ''))}",
        "zero signature": f"{first}.{second}.{b64(bytes(64))}",
        "r and s of all ones": f"{first}.{second}.{b64(bytes([255]) * 64)}",
    }
    for name, text in wrong.items():
        yield _verify(name, text, SIGNATURE)
    yield from _wrong_forms(good, payload)
    yield from _wrong_headers(payload)
    yield from _wrong_payloads(payload)


def _verify(name: str, text: str, outcome: Case | str) -> Case:
    return case(
        name,
        "verify",
        {"message": text, "typ": "vestibule-proof+jwt", "device_key": jwk(DEVICE)},
        outcome,
    )


def _wrong_forms(good: str, payload: Case) -> Iterator[Case]:
    first, second, third = good.split(".")
    der = DEVICE.sign(f"{first}.{second}".encode(), ec.ECDSA(SHA256(), deterministic_signing=True))
    loose = third[:-1] + ALPHABET[ALPHABET.index(third[-1]) | 1]
    texts = {
        "empty": "", "two parts": f"{first}.{second}", "four parts": f"{good}.{third}", "no signature": f"{first}.{second}.",
        "padding": f"{good}==", "padded payload": f"{first}.{second}=.{third}", "white space": f"{first}. {second}.{third}",
        "line end": f"{good}\n", "standard alphabet": f"{first}.{second}.{'+' + third[1:]}",
        "non-canonical bits": f"{first}.{second}.{loose}", "63 bytes of signature": f"{first}.{second}.{b64(bytes(63))}",
        "65 bytes of signature": f"{first}.{second}.{b64(bytes(65))}", "DER signature": f"{first}.{second}.{b64(der)}",
        "JSON serialisation": json.dumps({"protected": first, "payload": second, "signature": third}),
        "beyond ASCII": good[:-1] + "\u00e4", "empty payload": token(DEVICE, header(DEVICE, "proof"), b""),
    }  # fmt: skip
    for name, text in texts.items():
        yield _verify(name, text, MALFORMED)
    path = "/" + "a" * 5950
    yield _verify(
        "oversized", token(DEVICE, header(DEVICE, "proof"), changed(payload, path=path)), MALFORMED
    )


def _wrong_headers(payload: Case) -> Iterator[Case]:
    hs256 = header(DEVICE, "proof", alg="HS256")
    signed = f"{b64(compact(hs256))}.{b64(compact(payload))}"
    confused = hmac.digest(point(DEVICE), signed.encode(), "sha256")
    yield _verify("HS256 under the public key", f"{signed}.{b64(confused)}", MALFORMED)
    none = f"{b64(compact(header(DEVICE, 'proof', alg='none')))}.{b64(compact(payload))}."
    yield _verify("alg none, no signature", none, MALFORMED)
    double = f'{{"alg":"ES256","alg":"ES256","typ":"vestibule-proof+jwt","kid":"{ME}"}}'.encode()
    for name, value in {
        "alg none": header(DEVICE, "proof", alg="none"),
        "alg ES384": header(DEVICE, "proof", alg="ES384"),
        "alg in lower case": header(DEVICE, "proof", alg="es256"),
        "no alg": changed(header(DEVICE, "proof"), alg=...),
        "type of another message": header(DEVICE, "approval"),
        "type of another version": header(DEVICE, "proof", typ="vestibule-proof2+jwt"),
        "type with a prefix": header(DEVICE, "proof", typ="application/vestibule-proof+jwt"),
        "no typ": changed(header(DEVICE, "proof"), typ=...),
        "no kid": changed(header(DEVICE, "proof"), kid=...),
        "kid is a number": header(DEVICE, "proof", kid=1),
        "kid too short": header(DEVICE, "proof", kid=ME[:-1]),
        "kid not canonical": header(DEVICE, "proof", kid=ME[:-1] + "B"),
        "jwk beside the kid": header(DEVICE, "proof", jwk=jwk(OTHER)),
        "crit": header(DEVICE, "proof", crit=["b64"], b64=False),
        "jku": header(DEVICE, "proof", jku="https://evil.example/keys"),
        "duplicate member": double,
        "an array": [header(DEVICE, "proof")],
        "a text": "ES256",
        "not JSON": b"{",
    }.items():
        yield _verify(f"header: {name}", token(DEVICE, value, payload), MALFORMED)


def _wrong_payloads(payload: Case) -> Iterator[Case]:
    for name, value in {
        "unknown member": changed(payload, extra=1),
        "member missing": changed(payload, jti=...),
        "duplicate member": compact(payload)[:-1] + b',"method":"POST"}',
        "time with a fraction": changed(payload, iat=NOW + 0.5),
        "time as a text": changed(payload, iat=str(NOW)),
        "time with an exponent": compact(payload).replace(str(NOW).encode(), b"1.795e9", 1),
        "negative time": changed(payload, iat=-1),
        "time true": changed(payload, iat=True),
        "time too large": changed(payload, exp=2**53),
        "jti not canonical": changed(payload, jti="A" * 21 + "B"),
        "iss null": changed(payload, iss=None),
        "aud an array": changed(payload, aud=[ISSUER]),
        "an array": [payload],
        "null": None,
        "not UTF-8": compact(payload)[:-1] + b',"x":"\xff"}',
        "lone surrogate": compact(payload).replace(b"/device/attempts", b"/\\ud800"),
    }.items():
        yield _verify(f"payload: {name}", token(DEVICE, header(DEVICE, "proof"), value), MALFORMED)


def envelope(
    plain: Any,
    *,
    epk: Key | None = None,
    changes: Case | None = None,
    to: Key = ENCRYPT,
    party: bytes = b"",
) -> str:
    """A JWE by hand: section 6's ECDH-ES and A256GCM."""
    ephemeral = epk or key("ephemeral")
    head = changed(
        {"alg": "ECDH-ES", "enc": "A256GCM", "kid": kid(to), "epk": jwk(ephemeral)},
        **(changes or {}),
    )
    shared = ephemeral.exchange(ec.ECDH(), to.public_key())
    info = b"\0\0\0\7A256GCM" + len(party).to_bytes(4) + party + bytes(4) + (256).to_bytes(4)
    content = hashlib.sha256((1).to_bytes(4) + shared + info).digest()
    aad, iv = b64(compact(head)), seed("jwe iv", 12)
    sealed = AESGCM(content).encrypt(iv, compact(plain), aad.encode())
    return f"{aad}..{b64(iv)}.{b64(sealed[:-16])}.{b64(sealed[-16:])}"


SECRETS = {"response": b64(K_RESPONSE), "knowledge": b64(K_KNOWLEDGE)}


def jwe() -> Iterator[Case]:
    """Section 6: the envelope of the secrets, as the server opens it."""
    good = envelope(SECRETS)
    head, _, iv, text, tag = good.split(".")
    ok = {"response_key_hex": K_RESPONSE.hex(), "knowledge_key_hex": K_KNOWLEDGE.hex()}
    yield _open("right", good, ok)
    yield _open("members in another order", envelope(dict(reversed(SECRETS.items()))), ok)
    off = jwk(OTHER) | {"y": jwk(OTHER)["x"]}
    for name, wrong in {
        "empty": "", "four parts": f"{head}.{iv}.{text}.{tag}", "an encrypted key": f"{head}.AAAA.{iv}.{text}.{tag}",
        "tag cut": f"{head}..{iv}.{text}.{tag[:16]}", "tag changed": f"{head}..{iv}.{text}.{'AA' + tag[2:]}",
        "text changed": f"{head}..{iv}.{'AA' + text[2:]}.{tag}", "iv of 16 bytes": f"{head}..{b64(bytes(16))}.{text}.{tag}",
        "padding": f"{good}==", "header changed": good.replace(head, b64(compact({"alg": "dir"}))),
        "alg dir": envelope(SECRETS, changes={"alg": "dir"}), "alg ECDH-ES+A256KW": envelope(SECRETS, changes={"alg": "ECDH-ES+A256KW"}),
        "enc A128GCM": envelope(SECRETS, changes={"enc": "A128GCM"}), "zip": envelope(SECRETS, changes={"zip": "DEF"}),
        "party info": envelope(SECRETS, changes={"apu": b64(b"a")}, party=b"a"), "no kid": envelope(SECRETS, changes={"kid": ...}),
        "kid of another key": envelope(SECRETS, changes={"kid": kid(OTHER)}), "to another key": envelope(SECRETS, to=OTHER),
        "point off the curve": envelope(SECRETS, changes={"epk": off}),
        "private epk": envelope(SECRETS, changes={"epk": jwk(key("ephemeral"), private=True)}),
        "unknown secret": envelope(SECRETS | {"pin": "1234"}), "secret missing": envelope({"response": SECRETS["response"]}),
        "secret of 31 bytes": envelope(SECRETS | {"response": b64(bytes(31))}), "no JSON": envelope(b"{"),
    }.items():  # fmt: skip
        yield _open(name, wrong, MALFORMED)


def _open(name: str, text: str, outcome: Case | str) -> Case:
    return case(
        name, "open", {"envelope": text, "encryption_key": jwk(ENCRYPT, private=True)}, outcome
    )


POLICY = {"pin_min": 4, "pin_max": 6, "suite": "OCRA-1:HOTP-SHA256-8:C-QN06",
          "argon2id": {"m": 19456, "t": 2}, "pbkdf2": {"rounds": 600_000}}  # fmt: skip
REQUEST = claims(
    ISSUER, "phone", 600, "enrol-request", ticket=b64(seed("ticket", 16)), account="m\u2026i", organisation="Bank of Examples",
    application="Portal", keys={"sign": jwk(SIGN), "encrypt": jwk(ENCRYPT)}, policy=POLICY, vapid=VAPID,
)  # fmt: skip
REQUEST_TEXT = token(SIGN, header(SIGN, "enrol-request"), REQUEST)


def enrol_requests() -> Iterator[Case]:
    """Section 6: what the phone reads before it asks whether to link; `server` is the link's third part."""
    yield _read_enrol("by link", REQUEST, {"payload": REQUEST})
    yield _read_enrol("by typed code", REQUEST, {"payload": REQUEST}, server=None)
    yield _read_enrol("no VAPID key", REQUEST | {"vapid": ""}, {"payload": REQUEST | {"vapid": ""}})
    yield _read_enrol("phone a minute behind", REQUEST, {"payload": REQUEST}, now=NOW - 60)
    yield _read_enrol("last second", REQUEST, {"payload": REQUEST}, now=NOW + 599)
    yield _read_enrol("expired", REQUEST, "ticket_expired", now=NOW + 600)
    yield _read_enrol("from the future", REQUEST, CLOCK, now=NOW - 61)
    yield _read_enrol(
        "another server than the link says", REQUEST, "server_foreign", server=kid(OTHER)
    )
    foreign = REQUEST | {"keys": {"sign": jwk(OTHER), "encrypt": jwk(ENCRYPT)}}
    yield _read_enrol("key exchanged by the way", foreign, "server_foreign")
    yield _read_enrol("signed by another key than it names", foreign, SIGNATURE, server=None)
    for name, value in {
        "for a server": REQUEST | {"aud": ISSUER},
        "another suite": REQUEST | {"policy": POLICY | {"suite": "OCRA-1:HOTP-SHA1-6:QN08"}},
        "unknown policy": REQUEST | {"policy": POLICY | {"pin_any": True}},
        "floor missing": REQUEST | {"policy": changed(POLICY, pbkdf2=...)},
        "key with d": REQUEST
        | {"keys": {"sign": jwk(SIGN), "encrypt": jwk(ENCRYPT, private=True)}},
        "no ticket": changed(REQUEST, ticket=...),
    }.items():
        yield _read_enrol(name, value, MALFORMED)
    yield _read_enrol("type of another message", REQUEST, MALFORMED, typ="approval-request")


def _read_enrol(
    name: str,
    payload: Case,
    outcome: Case | str,
    *,
    server: str | None = kid(SIGN),
    now: int = NOW,
    typ: str = "enrol-request",
) -> Case:
    text = token(SIGN, header(SIGN, typ), payload)
    return case(name, "read", {"message": text, "server": server, "now": now}, outcome)


RESPONSE = claims(
    ME, ISSUER, 600, "enrol-response", request=REQUEST_TEXT, jwk=jwk(DEVICE), device=b64(seed("device id", 16)),
    label="Mira's phone", platform="Android 16, Chrome 148", secrets=envelope(SECRETS), proof=mac("enrol", REQUEST_TEXT),
    push={"endpoint": "https://push.example/1", "p256dh": VAPID, "auth": b64(seed("auth", 16))}, webauthn=None,
)  # fmt: skip


def enrol_responses() -> Iterator[Case]:
    """Section 6: the server's checks of an enrolment, in their order, up to the credential."""
    ok = {"id": ME, "response_key_hex": K_RESPONSE.hex(), "knowledge_key_hex": K_KNOWLEDGE.hex()}
    yield _enrol("right", RESPONSE, ok)
    yield _enrol("without push", RESPONSE | {"push": None}, ok)
    yield _enrol(
        "with a credential",
        RESPONSE | {"webauthn": {"id": "AAAA", "response": {"x": [1, None]}}},
        ok,
    )
    yield _enrol("phone a minute ahead", RESPONSE, ok, now=NOW - 60)
    yield _enrol("phone ahead", RESPONSE, CLOCK, now=NOW - 61)
    yield _enrol("ticket over", RESPONSE, "ticket_expired", now=NOW + 600)
    old = RESPONSE | {"iat": NOW - 700, "exp": NOW - 100}
    yield _enrol("phone behind", old, CLOCK)
    foreign = token(OTHER, header(OTHER, "enrol-request"), REQUEST)
    forged = token(OTHER, header(SIGN, "enrol-request"), REQUEST)
    for name, text in (("request of another server", foreign), ("request forged", forged)):
        yield _enrol(name, RESPONSE | {"request": text, "proof": mac("enrol", text)}, SIGNATURE)
    yield _enrol("signed by another key", RESPONSE, SIGNATURE, by=OTHER)
    elsewhere = token(
        SIGN, header(SIGN, "enrol-request"), REQUEST | {"iss": "https://other.example"}
    )
    for name, value in {
        "kid of another key": RESPONSE | {"jwk": jwk(OTHER)},
        "iss of another key": RESPONSE | {"iss": kid(OTHER)},
        "for another server": RESPONSE | {"aud": "https://other.example"},
        "request of another issuer": RESPONSE
        | {"request": elsewhere, "proof": mac("enrol", elsewhere)},
        "request is another message": RESPONSE
        | {"request": token(SIGN, header(SIGN, "proof"), REQUEST)},
        "life too long": RESPONSE | {"exp": NOW + 601},
        "no life": RESPONSE | {"exp": NOW},
        "private key": RESPONSE | {"jwk": jwk(DEVICE, private=True)},
        "no label": RESPONSE | {"label": ""},
        "label too long": RESPONSE | {"label": "a" * 41},
        "control character in the label": RESPONSE | {"label": "a\x00"},
        "secrets for another key": RESPONSE | {"secrets": envelope(SECRETS, to=OTHER)},
        "proof under another key": RESPONSE | {"proof": mac("enrol", REQUEST_TEXT, seed("wrong"))},
        "proof for an approval": RESPONSE | {"proof": mac("approve", REQUEST_TEXT)},
        "proof over another request": RESPONSE | {"proof": mac("enrol", elsewhere)},
        "push without keys": RESPONSE | {"push": {"endpoint": "https://push.example/1"}},
        "push over another scheme": RESPONSE
        | {"push": RESPONSE["push"] | {"endpoint": "file:///etc/passwd"}},
    }.items():
        yield _enrol(name, value, MALFORMED)


def _enrol(
    name: str, payload: Case, outcome: Case | str, *, now: int = NOW, by: Key = DEVICE
) -> Case:
    text = token(by, header(DEVICE, "enrol-response"), payload)
    given = {
        "message": text,
        "sign_key": jwk(SIGN),
        "encryption_key": jwk(ENCRYPT, private=True),
        "issuer": ISSUER,
        "now": now,
    }
    return case(name, "open", given, outcome)


FILES: dict[str, Callable[[], Iterator[Case]]] = {
    "jws": jws,
    "jwe": jwe,
    "enrol_request": enrol_requests,
    "enrol_response": enrol_responses,
}
