"""Cases of what an enrolled phone says and hears: proofs, approval-requests, approvals."""

# ruff: noqa: E501  -- tables of cases
from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from tests.protocol.seeds import (
    ISSUER,
    NOW,
    Key,
    b64,
    changed,
    claims,
    header,
    jwk,
    kid,
    seed,
    token,
)
from tests.protocol.vectors_of_bytes import Case, case
from tests.protocol.vectors_of_messages import (
    CLOCK,
    DEVICE,
    K_KNOWLEDGE,
    MALFORMED,
    ME,
    OTHER,
    SIGN,
    SIGNATURE,
    mac,
    sha,
)

BODY = b'{"label":"Mira\'s phone"}'
PROOF = claims(
    ME,
    ISSUER,
    60,
    "proof",
    method="PUT",
    path="/device/label?x=1",
    body=b64(hashlib.sha256(BODY).digest()),
)


def proofs() -> Iterator[Case]:
    """Section 7: what guards a device call, checked against the call that it came with."""
    yield _check("right", PROOF, {})
    empty = PROOF | {"body": b64(hashlib.sha256(b"").digest())}
    yield _check("no body", empty, {}, body=b"")
    yield _check("phone a minute ahead", PROOF, {}, now=NOW - 60)
    yield _check("over for a minute", PROOF, {}, now=NOW + 120)
    yield _check("phone ahead", PROOF, CLOCK, now=NOW - 61)
    yield _check("phone behind", PROOF, CLOCK, now=NOW + 121)
    yield _check("for another method", PROOF, SIGNATURE, method="POST")
    yield _check("for another path", PROOF, SIGNATURE, path="/device/removal")
    yield _check("for another query", PROOF, SIGNATURE, path="/device/label?x=2")
    yield _check("for another body", PROOF, SIGNATURE, body=b"{}")
    yield _check("by another key", PROOF, SIGNATURE, by=OTHER)
    for name, value in {
        "life too long": PROOF | {"exp": NOW + 61},
        "no life": PROOF | {"exp": NOW},
        "over before it began": PROOF | {"exp": NOW - 1},
        "for another server": PROOF | {"aud": "https://other.example"},
        "from another enrollment": PROOF | {"iss": kid(OTHER)},
        "method in lower case": PROOF | {"method": "put"},
        "path without a slash": PROOF | {"path": "device/label"},
        "unknown member": PROOF | {"nonce": "1"},
    }.items():
        yield _check(name, value, MALFORMED)


def _check(
    name: str,
    payload: Case,
    outcome: Case | str,
    *,
    method: str = "PUT",
    path: str = "/device/label?x=1",
    body: bytes = BODY,
    now: int = NOW,
    by: Key = DEVICE,
) -> Case:
    text = token(by, header(DEVICE, "proof"), payload)
    given = {"message": text, "device_key": jwk(DEVICE), "issuer": ISSUER, "now": now,
             "method": method, "path": path, "body_hex": body.hex()}  # fmt: skip
    return case(name, "check", given, outcome)


SHOW = {"organisation": "Bank of Examples", "application": "Portal", "account": "m.bellini", "browser": "Firefox on Windows",
        "place": "Z\u00fcrich, CH", "address": "192.0.2.7", "known": False, "others": 0, "detail": "", "far": False}  # fmt: skip
ASKED = claims(ISSUER, ME, 180, "attempt", kind="sign-in", number=True, show=SHOW)
ASKED_TEXT = token(SIGN, header(SIGN, "approval-request"), ASKED)


def approval_requests() -> Iterator[Case]:
    """Section 8: what the phone checks before it shows anything of a request."""
    yield _read_request("right", ASKED, {"payload": ASKED})
    known = ASKED | {"number": False, "show": SHOW | {"known": True, "others": 2}}
    yield _read_request("known browser", known, {"payload": known})
    for kind, detail in (
        ("step-up", "Change your password"),
        ("migration", "Mira\u2019s new phone"),
        ("terminal", "vestibule login on caf\u00e9-7"),
    ):
        asked = ASKED | {"kind": kind, "show": SHOW | {"detail": detail}}
        yield _read_request(kind, asked, {"payload": asked})
    claimed = ASKED | {"number": False, "show": SHOW | {"far": True}}
    yield _read_request("claimed from another country", claimed, {"payload": claimed})
    other = ASKED | {"kind": "transfer"}
    yield _read_request(
        "a kind that is not known may be read, not approved", other, {"payload": other}
    )
    yield _read_request("last second", ASKED, {"payload": ASKED}, now=NOW + 179)
    yield _read_request("expired", ASKED, "request_expired", now=NOW + 180)
    yield _read_request("phone a minute behind", ASKED, {"payload": ASKED}, now=NOW - 60)
    yield _read_request("from the future", ASKED, CLOCK, now=NOW - 61)
    yield _read_request("another server", ASKED, SIGNATURE, by=OTHER)
    yield _read_request("forged", ASKED, SIGNATURE, by=OTHER, named=SIGN)
    yield _read_request("of another issuer", ASKED | {"iss": "https://other.example"}, SIGNATURE)
    yield _read_request("for another enrollment", ASKED | {"aud": kid(OTHER)}, SIGNATURE)
    for name, value in {
        "unknown member": ASKED | {"amount": 1},
        "unknown thing to show": ASKED | {"show": SHOW | {"html": "<b>"}},
        "thing to show missing": ASKED | {"show": changed(SHOW, address=...)},
        "no detail": ASKED | {"show": changed(SHOW, detail=...)},
        "detail is no text": ASKED | {"show": SHOW | {"detail": None}},
        "far is a number": ASKED | {"show": SHOW | {"far": 1}},
        "number is a text": ASKED | {"number": "123456"},
        "others below zero": ASKED | {"show": SHOW | {"others": -1}},
        "no kind": changed(ASKED, kind=...),
    }.items():
        yield _read_request(name, value, MALFORMED)
    yield _read_request("type of another message", ASKED, MALFORMED, typ="enrol-request")


def _read_request(
    name: str,
    payload: Case,
    outcome: Case | str,
    *,
    now: int = NOW,
    by: Key = SIGN,
    named: Key | None = None,
    typ: str = "approval-request",
) -> Case:
    text = token(by, header(named or by, typ), payload)
    given = {
        "message": text,
        "server_key": jwk(SIGN),
        "issuer": ISSUER,
        "enrollment": ME,
        "now": now,
    }
    return case(name, "read", given, outcome)


APPROVAL = claims(
    ME, ISSUER, 30, "approval", request=ASKED["jti"], hash=b64(sha(ASKED_TEXT)), act="approve", number="271828",
    proof=mac("approve", ASKED_TEXT), assertion=None, push="ok",
)  # fmt: skip
PLAIN = APPROVAL | {"number": "", "proof": ""}


def approvals() -> Iterator[Case]:
    """Section 8: the server's checks of an answer that need no database."""
    yield _answer("approve with PIN and number", APPROVAL, "approve")
    yield _answer("approve from a known browser", APPROVAL | {"number": ""}, "approve")
    yield _answer("deny", PLAIN | {"act": "deny", "push": "denied"}, "deny")
    yield _answer("report", PLAIN | {"act": "report", "push": "unavailable"}, "report")
    assertion = {"id": "AAAA", "response": {"signature": "AAAA"}}
    text = token(
        DEVICE, header(DEVICE, "approval"), APPROVAL | {"proof": "", "assertion": assertion}
    )
    yield case(
        "approve with a passkey", "read", _given(text), {"act": "approve", "assertion": assertion}
    )
    yield _answer("phone a minute ahead", APPROVAL, "approve", now=NOW - 60)
    for name, value, code in (
        (
            "another request",
            APPROVAL | {"hash": b64(sha("another.request.text"))},
            "request_changed",
        ),
        (
            "proof under another PIN",
            APPROVAL | {"proof": mac("approve", ASKED_TEXT, seed("wrong"))},
            "proof_wrong",
        ),
        ("proof for an enrolment", APPROVAL | {"proof": mac("enrol", ASKED_TEXT)}, "proof_wrong"),
        (
            "proof over another request",
            APPROVAL | {"proof": mac("approve", "another")},
            "proof_wrong",
        ),
    ):
        yield _refused(name, value, code)
    yield _refused("by another key", APPROVAL, SIGNATURE, by=OTHER)
    yield _refused("phone ahead", APPROVAL, CLOCK, now=NOW - 61)
    yield _refused("phone behind", APPROVAL, CLOCK, now=NOW + 91)
    yield from _broken_approvals(assertion)


def _broken_approvals(assertion: Case) -> Iterator[Case]:
    for name, value in {
        "approve without a proof": APPROVAL | {"proof": ""},
        "approve with two proofs": APPROVAL | {"assertion": assertion},
        "deny with a proof": APPROVAL | {"act": "deny", "number": ""},
        "deny with a number": PLAIN | {"act": "deny", "number": "271828"},
        "report with a passkey": PLAIN | {"act": "report", "assertion": assertion},
        "unknown act": APPROVAL | {"act": "allow"},
        "act in capitals": APPROVAL | {"act": "APPROVE"},
        "number of five digits": APPROVAL | {"number": "27182"},
        "number with a line end": APPROVAL | {"number": "271828\n"},
        "number in other digits": APPROVAL | {"number": "\u0662\u0667\u0661\u0668\u0662\u0668"},
        "number as a number": APPROVAL | {"number": 271828},
        "proof of 31 bytes": APPROVAL | {"proof": b64(bytes(31))},
        "proof not canonical": APPROVAL | {"proof": APPROVAL["proof"][:-1] + "B"},
        "unknown push health": APPROVAL | {"push": "unknown"},
        "life too long": APPROVAL | {"exp": NOW + 31},
        "for another server": APPROVAL | {"aud": "https://other.example"},
        "from another enrollment": APPROVAL | {"iss": kid(OTHER)},
        "hash missing": changed(APPROVAL, hash=...),
        "unknown member": APPROVAL | {"force": True},
    }.items():
        yield _refused(name, value, MALFORMED)


def _given(text: str, now: int = NOW) -> Case:
    return {"message": text, "request": ASKED_TEXT, "device_key": jwk(DEVICE), "knowledge_key_hex": K_KNOWLEDGE.hex(),
            "issuer": ISSUER, "now": now}  # fmt: skip


def _answer(name: str, payload: Case, act: str, *, now: int = NOW) -> Case:
    text = token(DEVICE, header(DEVICE, "approval"), payload)
    return case(
        name,
        "read",
        _given(text, now),
        {"act": act, "number": payload["number"], "push": payload["push"]},
    )


def _refused(name: str, payload: Case, code: str, *, by: Key = DEVICE, now: int = NOW) -> Case:
    text = token(by, header(DEVICE, "approval"), payload)
    return case(name, "read", _given(text, now), code)


FILES: dict[str, Callable[[], Iterator[Case]]] = {
    "proof": proofs,
    "approval_request": approval_requests,
    "approval": approvals,
}
