"""Every case of spec/vectors, through the Python implementation."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.protocol.make_vectors import FOLDER, files, rendered
from vestibule.protocol import (
    activation_link,
    claim_link,
    encoding,
    keys,
    messages,
    ocra,
    typed_code,
)
from vestibule.protocol.errors import ProtocolFault

Given = dict[str, Any]


class ServerError(Exception):
    """A refusal that is the server's to make, with its code."""


def _unhex(given: Given, name: str) -> bytes:
    return bytes.fromhex(given[f"{name}_hex"])


def _raw(jwk: Given) -> bytes:
    return keys.raw_of(msgspec.convert(jwk, keys.Jwk))


def _private(jwk: Given) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(encoding.b64u_decode(jwk["d"])), ec.SECP256R1())


def _jwk_kid(given: Given) -> Given:
    text = encoding.b64u(json.dumps(given["key"]).encode())
    jwk = encoding.parse_segment(text, keys.Jwk)
    return {"kid": keys.kid_of(keys.raw_of(jwk))}


def _unlock(given: Given) -> Given:
    how = msgspec.convert(given["stretch"], keys.Stretch)
    stretched = keys.stretch(given["pin"], _unhex(given, "salt"), how)
    kek = keys.pin_kek(_unhex(given, "device_key"), stretched)
    root = keys.open_root(kek, _unhex(given, "iv"), _unhex(given, "sealed"))
    return {"stretched_hex": stretched.hex(), "kek_hex": kek.hex(), "root_hex": root.hex()}


def _hkdf(given: Given) -> Given:
    ikm, salt, info = (_unhex(given, name) for name in ("ikm", "salt", "info"))
    return {"okm_hex": keys.hkdf(ikm, salt, info, given["length"]).hex()}


def _children(given: Given) -> Given:
    root, enrollment = _unhex(given, "root"), given["enrollment"]
    return {
        "response_key_hex": keys.response_key(root, enrollment).hex(),
        "knowledge_key_hex": keys.knowledge_key(root, enrollment).hex(),
    }


def _proofs(given: Given) -> Given:
    knowledge, request = _unhex(given, "knowledge_key"), given["request"]
    return {
        "enrol": keys.enrol_proof(knowledge, request),
        "approve": keys.approval_proof(knowledge, request),
    }


def _check(given: Given) -> Given:
    nonce = encoding.b64u_decode(given["nonce"], length=16)
    return {"check": keys.nonce_proof(_unhex(given, "knowledge_key"), nonce)}


def _bio_kek(given: Given) -> Given:
    # The reference phone has no biometrics; the derivation is checked all the same.
    return {
        "salt_hex": hashlib.sha256(b"vestibule/1/prf").hexdigest(),
        "kek_hex": keys.hkdf(_unhex(given, "prf"), b"", b"vestibule/1/bio-kek").hex(),
    }


def _ocra(given: Given) -> Given:
    more = {
        "counter": given.get("counter"),
        "pin": given.get("pin"),
        "time_steps": given.get("time"),
    }
    answer = ocra.ocra(given["suite"], _unhex(given, "key"), question=given["question"], **more)
    return {"response": answer}


def _response(given: Given) -> Given:
    return {"response": ocra.response(_unhex(given, "key"), given["challenge"], given["counter"])}


def _find_counter(given: Given) -> Given:
    found = ocra.find_counter(
        _unhex(given, "key"), given["challenge"], given["response"], given["last"]
    )
    return {"counter": found and found.counter, "near": found is not None and found.near}


def _typed(text: str) -> Given:
    code = typed_code.parse_typed_code(text)
    return {"locator": code.locator, "secret": code.secret, "shown": code.shown}


def _link(given: Given) -> Given:
    link = activation_link.parse_link(given["text"])
    return {"address": link.address, "secret_hex": link.secret.hex(), "server": link.server}


def _claim_link(given: Given) -> Given:
    link = claim_link.parse_claim_link(given["text"])
    assert claim_link.render_claim_link(link) == given["text"].strip()
    members = {"address": link.address, "attempt": link.attempt, "claim": link.claim}
    return members | {"token_hex": link.token.hex()}


def _built(claims: messages.Claims) -> Given:
    built = msgspec.to_builtins(claims)
    assert isinstance(built, dict)
    return built


def _jws(given: Given) -> Given:
    kind = {messages.Proof.typ: messages.Proof}[given["typ"]]
    claims = messages.parse(given["message"], kind).verify(_raw(given["device_key"]))
    return {"payload": _built(claims)}


def _jwe(given: Given) -> Given:
    secrets = keys.open_secrets(given["envelope"], key=_private(given["encryption_key"]))
    opened = {"response_key": secrets.response, "knowledge_key": secrets.knowledge}
    return {f"{name}_hex": encoding.b64u_decode(text).hex() for name, text in opened.items()}


def _enrol_request(given: Given) -> Given:
    request = messages.read_enrol_request(
        given["message"], now=given["now"], server=given["server"]
    )
    return {"payload": _built(request)}


def _enrol_response(given: Given) -> Given:
    opened = messages.open_enrol_response(
        given["message"],
        sign_key=_raw(given["sign_key"]),
        encrypt_key=_private(given["encryption_key"]),
        issuer=given["issuer"],
        now=given["now"],
    )
    return {
        "id": opened.id,
        "response_key_hex": opened.response_key.hex(),
        "knowledge_key_hex": opened.knowledge_key.hex(),
    }


def _proof(given: Given) -> Given:
    messages.check_proof(
        messages.parse(given["message"], messages.Proof),
        key=_raw(given["device_key"]),
        issuer=given["issuer"],
        method=given["method"],
        path=given["path"],
        body=_unhex(given, "body"),
        now=given["now"],
    )
    return {}


def _approval_request(given: Given) -> Given:
    request = messages.read_approval_request(
        given["message"],
        key=_raw(given["server_key"]),
        issuer=given["issuer"],
        enrollment=given["enrollment"],
        now=given["now"],
    )
    return {"payload": _built(request)}


def _approval(given: Given) -> Given:
    claims = messages.verify_from_phone(
        messages.parse(given["message"], messages.Approval),
        key=_raw(given["device_key"]),
        issuer=given["issuer"],
    )
    if claims.hash != messages.message_hash(given["request"]):
        raise ServerError("request_changed")
    messages.check_times(claims, now=given["now"], life=messages.APPROVAL_LIFE_S)
    wanted = keys.approval_proof(_unhex(given, "knowledge_key"), given["request"])
    if claims.proof and not hmac.compare_digest(claims.proof, wanted):
        raise ServerError("proof_wrong")
    members = ("act", "assertion") if claims.assertion else ("act", "number", "push")
    return {name: getattr(claims, name) for name in members}


RUN: dict[str, Callable[[Given], Given]] = {
    "encoding/b64u_decode": lambda g: {"bytes_hex": encoding.b64u_decode(g["text"]).hex()},
    "encoding/parse_json": lambda g: {"value": encoding.parse_json(_unhex(g, "bytes"))},
    "encoding/fold_digits": lambda g: {"text": encoding.fold_digits(g["text"])},
    "key_ids/kid": _jwk_kid,
    "pin_rules/check_pin": lambda g: {"pin": keys.check_pin(**g)},
    "pin_unlock/unlock": _unlock,
    "derivations/hkdf": _hkdf,
    "derivations/children": _children,
    "derivations/proofs": _proofs,
    "derivations/check": _check,
    "derivations/bio_kek": _bio_kek,
    "ocra/ocra": _ocra,
    "ocra/response": _response,
    "ocra/find_counter": _find_counter,
    "typed_code/parse": lambda g: _typed(g["text"]),
    "typed_code/render": lambda g: {"shown": typed_code.parse_typed_code(g["code"]).shown},
    "activation_link/parse": _link,
    "claim_link/parse": _claim_link,
    "jws/verify": _jws,
    "jwe/open": _jwe,
    "enrol_request/read": _enrol_request,
    "enrol_response/open": _enrol_response,
    "proof/check": _proof,
    "approval_request/read": _approval_request,
    "approval/read": _approval,
}

# Those of captures have tests of their own.
FILES = sorted(path for path in FOLDER.glob("*.json") if not path.stem.startswith("captures"))
CASES = [
    pytest.param(f"{path.stem}/{case['operation']}", case, id=f"{path.stem}: {case['name']}")
    for path in FILES
    for case in json.loads(path.read_text())["cases"]
]


@pytest.mark.parametrize("operation,case", CASES)
def test_vector_comes_out_as_written(operation: str, case: dict[str, Any]) -> None:
    """A right input gives exactly the values, a wrong one exactly the error code."""
    try:
        outcome: Given = {"ok": RUN[operation](case["input"])}
    except ProtocolFault as fault:
        outcome = {"error": fault.code}
    except ServerError as refused:
        outcome = {"error": str(refused)}
    assert outcome == {name: case[name] for name in ("ok", "error") if name in case}


def test_vector_files_are_what_the_generator_writes() -> None:
    """Nobody edited a vector by hand, and the generator's seeds are still the same."""
    made = {f"{name}.json": rendered(content) for name, content in files()}
    assert made == {path.name: path.read_text() for path in FILES}
