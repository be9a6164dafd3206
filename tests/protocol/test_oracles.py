"""The vectors held against other implementations and against the standards' own values."""

from __future__ import annotations

import hmac
import json
import unicodedata
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from tests.protocol.make_vectors import FOLDER
from tests.protocol.seeds import key, kid, point
from vestibule.protocol import keys, messages, ocra
from vestibule.protocol.encoding import b64u, b64u_decode

Case = dict[str, Any]


def cases(name: str, operation: str | None = None) -> list[Case]:
    """The cases of a file, or those of one operation."""
    content = json.loads((FOLDER / f"{name}.json").read_text())
    return [case for case in content["cases"] if operation in (None, case["operation"])]


def test_key_ids_are_halves_of_joserfc_thumbprints() -> None:
    """RFC 7638 as another library has it, cut to sixteen bytes."""
    good = [case for case in cases("key_ids") if "ok" in case]
    assert len(good) == 3
    for case in good:
        whole = b64u_decode(ECKey.import_key(case["input"]["key"]).thumbprint())
        assert b64u(whole[:16]) == case["ok"]["kid"]


def test_hkdf_gives_the_outputs_of_rfc_5869() -> None:
    """Appendix A, test cases 1 to 3, as printed there."""
    printed = [
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        (
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ]
    assert [case["ok"]["okm_hex"] for case in cases("derivations", "hkdf")] == printed


def _hkdf(ikm: str, salt: bytes | None, info: str) -> str:
    kdf = HKDF(SHA256(), 32, salt, info.encode())
    return kdf.derive(bytes.fromhex(ikm)).hex()


def test_children_of_the_root_agree_with_another_hkdf() -> None:
    """K_response, K_knowledge and the biometric key by section 3's own words."""
    for case in cases("derivations", "children"):
        root, enrollment = case["input"]["root_hex"], case["input"]["enrollment"]
        for purpose in ("response", "knowledge"):
            expected = _hkdf(root, None, f"vestibule/1/{purpose}/{enrollment}")
            assert case["ok"][f"{purpose}_key_hex"] == expected
    (bio,) = cases("derivations", "bio_kek")
    assert bio["ok"]["kek_hex"] == _hkdf(bio["input"]["prf_hex"], None, "vestibule/1/bio-kek")


def test_pin_unlock_agrees_with_openssl() -> None:
    """Stretching by OpenSSL's argon2id and PBKDF2, and the counter mode by hand."""
    for case in cases("pin_unlock"):
        given, ok = case["input"], case["ok"]
        secret, salt = (
            unicodedata.normalize("NFC", given["pin"]).encode(),
            bytes.fromhex(given["salt_hex"]),
        )
        how = given["stretch"]
        kdf: Argon2id | PBKDF2HMAC
        if how["name"] == "argon2id":
            kdf = Argon2id(salt=salt, length=32, iterations=how["t"], lanes=1, memory_cost=how["m"])
        else:
            kdf = PBKDF2HMAC(SHA256(), 32, salt, how["rounds"])
        stretched = kdf.derive(secret)
        assert ok["stretched_hex"] == stretched.hex()
        assert ok["kek_hex"] == _hkdf(given["device_key_hex"], stretched, "vestibule/1/pin-kek")
        root = _counter_mode(
            *(bytes.fromhex(text) for text in (ok["kek_hex"], given["iv_hex"], given["sealed_hex"]))
        )
        assert ok["root_hex"] == root.hex()


def _counter_mode(kek: bytes, iv: bytes, data: bytes) -> bytes:
    """AES-CTR out of single blocks, as NIST SP 800-38A draws it."""
    single = Cipher(AES(kek), ECB()).encryptor()  # noqa: S305  -- single blocks are the point
    first = int.from_bytes(iv)
    stream = b"".join(single.update(((first + n) % 2**128).to_bytes(16)) for n in range(2))
    return bytes(a ^ b for a, b in zip(data, stream, strict=True))


def test_knowledge_check_agrees_with_the_standard_library() -> None:
    """HMAC-SHA-256 over label, zero byte and nonce, by Python's own `hmac`; never an approval's."""
    checked = cases("derivations", "check")
    assert len(checked) == 4
    for case in checked:
        secret, nonce = bytes.fromhex(case["input"]["knowledge_key_hex"]), case["input"]["nonce"]
        wanted = hmac.new(secret, b"vestibule/1/check\0" + b64u_decode(nonce), "sha256").digest()
        assert b64u_decode(case["ok"]["check"]) == wanted
        assert case["ok"]["check"] != keys.approval_proof(secret, nonce)


PRINTED = {
    "OCRA-1:HOTP-SHA1-6:QN08": "237653 243178 653583 740991 608993 388898 816933 224598 "
    "750600 294470",
    "OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1": "65347737 86775851 78192410 71565254 10104329 "
    "65983500 70069104 91771096 75011558 08522129",
    "OCRA-1:HOTP-SHA256-8:QN08-PSHA1": "83238735 01501458 17957585 86776967 86807031",
    "OCRA-1:HOTP-SHA512-8:C-QN08": "07016083 63947962 70123924 25341727 33203315 "
    "34205738 44343969 51946085 20403879 31409299",
    "OCRA-1:HOTP-SHA512-8:QN08-T1M": "95209754 55907591 22048402 24218844 36209546",
    "OCRA-1:HOTP-SHA256-8:QA08": "28247970 01984843 65387857 03351211 83412541 "
    "15510767 90175646 33777207 95285278 28934924 53095496 04110475 31331128 76028668 46554205",
    "OCRA-1:HOTP-SHA512-8:QA08": "79496648 76831980 12250499 90856481 12761449",
    "OCRA-1:HOTP-SHA512-8:QA08-PSHA1": "18806276 70020315 01600026 18951020 32528969",
    "OCRA-1:HOTP-SHA512-8:QA10-T1M": "77537423 31970405 10235557 95213541 65360607",
}


def test_ocra_gives_the_responses_of_rfc_6287() -> None:
    """Appendix C, every suite and every value, as printed there."""
    found: dict[str, list[str]] = {}
    for case in cases("ocra", "ocra"):
        if "ok" in case:
            found.setdefault(case["input"]["suite"], []).append(case["ok"]["response"])
    assert {suite: " ".join(values) for suite, values in found.items()} == PRINTED


def test_own_suite_gives_the_agreed_responses() -> None:
    """Four pairs that were computed apart from this code, before it was written."""
    agreed = {(0, "100000"): "47306039", (1, "123456"): "64732840", (1, "654321"): "47419872",
              (42, "999999"): "91606957"}  # fmt: skip
    found = {
        (case["input"]["counter"], case["input"]["challenge"]): case["ok"]["response"]
        for case in cases("ocra", "response")
    }
    assert agreed.items() <= found.items()


def test_fast_path_agrees_with_the_general_one() -> None:
    """`response` is `ocra` for the suite in use, and what it makes is found again."""
    secret = bytes(range(32))
    for counter in (0, 1, 255, 256, 2**40, 2**63):
        for challenge in ("100000", "999999", "314159"):
            made = ocra.response(secret, challenge, counter)
            assert made == ocra.ocra(ocra.SUITE, secret, question=challenge, counter=counter)
            found = ocra.find_counter(secret, challenge, made, counter - 1)
            assert found == ocra.Match(counter, near=True)


MESSAGES = [("jws", "device_key"), ("proof", "device_key"), ("approval_request", "server_key"),
            ("approval", "device_key")]  # fmt: skip


@pytest.mark.parametrize("name,signer", MESSAGES)
def test_right_messages_hold_for_joserfc_and_wrong_signatures_do_not(
    name: str, signer: str
) -> None:
    """Another JOSE library finds the signatures right exactly where the vectors do."""
    checked = 0
    for case in cases(name):
        if "ok" in case or (
            case["error"] == "signature_wrong" and "by another key" in case["name"]
        ):
            verifier = ECKey.import_key(case["input"][signer])
            message = case["input"]["message"].encode()
            if "ok" in case:
                jws.deserialize_compact(message, verifier, algorithms=["ES256"])
            else:
                with pytest.raises(JoseError):
                    jws.deserialize_compact(message, verifier, algorithms=["ES256"])
            checked += 1
    assert checked > 2


def test_what_we_sign_holds_for_joserfc() -> None:
    """The other direction: `sign` makes what another library reads."""
    private = key("device")
    kid = keys.kid_of(point(private))
    claims = messages.Proof(iss=kid, aud="https://portal.example", iat=1, exp=61, jti=kid,
                            method="GET", path="/", body="A" * 43)  # fmt: skip
    text = messages.sign(claims, key=private, kid=kid)
    read = jws.deserialize_compact(
        text.encode(), ECKey.import_key(private.public_key()), algorithms=["ES256"]
    )
    assert read.headers() == {"alg": "ES256", "typ": "vestibule-proof+jwt", "kid": kid}
    assert json.loads(read.payload or b"") == msgspec.to_builtins(claims)


ECDH_ES = ["ECDH-ES", "A256GCM"]


def test_envelopes_open_for_joserfc() -> None:
    """What the vectors, and what `seal_secrets`, put into a JWE comes out of another library."""
    server = key("server encrypt")
    secrets = keys.Secrets(response="A" * 43, knowledge="E" * 43)
    ours = keys.seal_secrets(secrets, recipient=point(server), ephemeral=key("e"), iv=bytes(12))
    opener = ECKey.import_key(server)
    opened = jwe.decrypt_compact(ours, opener, algorithms=ECDH_ES)
    assert json.loads(opened.plaintext or b"") == msgspec.to_builtins(secrets)
    right = [case for case in cases("jwe") if "ok" in case]
    assert right
    for case in right:
        read = jwe.decrypt_compact(case["input"]["envelope"], opener, algorithms=ECDH_ES)
        plain = json.loads(read.plaintext or b"")
        assert b64u_decode(plain["response"]).hex() == case["ok"]["response_key_hex"]


def test_envelopes_of_joserfc_open_here() -> None:
    """The other direction, with an ephemeral key that the other library chose."""
    server = key("server encrypt")
    secrets = {"response": "A" * 43, "knowledge": "E" * 43}
    head = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": kid(server)}
    recipient = ECKey.import_key(server.public_key())
    token = jwe.encrypt_compact(head, json.dumps(secrets), recipient, algorithms=ECDH_ES)
    assert msgspec.to_builtins(keys.open_secrets(token, key=server)) == secrets
