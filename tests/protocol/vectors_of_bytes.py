"""Cases of what is below the messages: encodings, keys, PINs, responses, codes and links."""

# ruff: noqa: E501  -- tables of cases
from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from tests.protocol.seeds import PHONE, b64, jwk, key, kid, seed
from vestibule.protocol import keys, ocra

Case = dict[str, Any]
ROOT, KD, SALT, IV = seed("root"), seed("Kd"), seed("salt", 16), seed("iv", 16)
KEY_20, KEY_32, KEY_64 = (("1234567890" * 7)[:size].encode() for size in (20, 32, 64))


def case(name: str, operation: str, given: Case, outcome: Case | str) -> Case:
    """One case: a text as outcome is an error code."""
    result = {"error": outcome} if isinstance(outcome, str) else {"ok": outcome}
    return {"name": name, "operation": operation, "input": given} | result


def encoding() -> Iterator[Case]:
    """Section 2: base64url and JSON that can be read in one way only, and typed digits."""
    for data in (b"", b"\0", b"\xfb\xff", seed("bytes", 31), seed("bytes", 32)):
        yield case(
            f"{len(data)} bytes", "b64u_decode", {"text": b64(data)}, {"bytes_hex": data.hex()}
        )
    wrong = {
        "padding": "AA==", "stray bits": "AB", "stray bits of three": "AAB", "one letter over": "AAAAA",
        "standard alphabet": "+/+/", "white space": "AA AA", "line end": "AAAA\n", "beyond ASCII": "AAA\u00e4",
        "full-width letter": "AAA\uff21",
    }  # fmt: skip
    for name, text in wrong.items():
        yield case(name, "b64u_decode", {"text": text}, "message_malformed")
    good: dict[str, tuple[bytes, Any]] = {
        "object": (b' {"a": [1, -2, true, null, "\\u00e4"]} ', {"a": [1, -2, True, None, "ä"]}),
        "surrogate pair": (b'"\\ud83d\\ude00"', "\U0001f600"),
        "same name in two objects": (b'[{"a":1},{"a":2}]', [{"a": 1}, {"a": 2}]),
        "name equal to a value": (b'{"a":"b","b":"a"}', {"a": "b", "b": "a"}),
        "quotes and braces in a text": (b'{"a":"\\"}{\\"b\\":1.5"}', {"a": '"}{"b":1.5'}),
        "largest safe integer": (b"9007199254740991", 9007199254740991),
    }
    for name, (data, value) in good.items():
        yield case(name, "parse_json", {"bytes_hex": data.hex()}, {"value": value})
    bad = {
        "nothing": b"", "duplicate member": b'{"a":1,"a":1}', "duplicate member, escaped": b'{"a":1,"\\u0061":2}',
        "duplicate member, nested": b'{"a":{"b":1,"b":2}}', "fraction": b"1.5", "integer with fraction": b"1.0",
        "exponent": b"1e3", "too large for a double": b"9007199254740992", "not a number": b"NaN",
        "infinity": b"-Infinity", "leading zero": b"01", "comment": b"1/**/", "trailing comma": b"[1,]",
        "single quotes": b"{'a':1}", "byte order mark": b"\xef\xbb\xbf1", "not UTF-8": b'"\xff"',
        "overlong UTF-8": b'"\xc0\xaf"', "UTF-16": "1".encode("utf-16-le"), "two values": b"1 2",
        "lone surrogate": b'"\\ud800"', "lone surrogate in a name": b'{"\\udc00":1}',
        "surrogate as UTF-8": b'"\xed\xa0\x80"', "control character in a text": b'"\n"',
    }  # fmt: skip
    for name, data in bad.items():
        yield case(name, "parse_json", {"bytes_hex": data.hex()}, "json_malformed")
    typed = {
        "plain": ("123456", "123456"), "spaces": (" 12 34\u00a056 ", "123456"), "dashes": ("1234-56\u201378", "12345678"),
        "Arabic-Indic": ("\u0661\u0662\u0663\u0664\u0665\u0660", "123450"), "full width": ("\uff11\uff12\uff13", "123"),
        "Devanagari": ("\u0967\u0968\u096f", "129"), "minus sign": ("12\u221234", "1234"), "superscript": ("1\u00b2", "12"),
        "mathematical": ("\U0001d7d8\U0001d7e3", "01"), "a letter stays": ("12a4", "12a4"), "a sign stays": ("+1.5", "+1.5"),
    }  # fmt: skip
    for name, (text, digits) in typed.items():
        yield case(name, "fold_digits", {"text": text}, {"text": digits})


def key_ids() -> Iterator[Case]:
    """Section 2: the id of a P-256 key, half of its RFC 7638 thumbprint."""
    for label in ("device", "server sign", "leading zero 103"):
        yield case(label, "kid", {"key": jwk(key(label))}, {"kid": kid(key(label))})
    good = jwk(key("device"))
    wrong = {
        "not on the curve": good | {"y": good["x"]},
        "zero": good | {"x": b64(bytes(32)), "y": b64(bytes(32))},
        "private": jwk(key("device"), private=True),
        "kid added": good | {"kid": "A"},
        "short coordinate": good | {"x": b64(bytes(31))},
        "padded": good | {"x": good["x"] + "="},
        "other curve": good | {"crv": "P-384"},
        "other type": good | {"kty": "OKP"},
        "member missing": {name: good[name] for name in ("kty", "crv", "x")},
    }
    for name, value in wrong.items():
        yield case(name, "kid", {"key": value}, "message_malformed")


def pin_rules() -> Iterator[Case]:
    """Section 4: which PINs may be chosen, and the first reason against the others."""
    good = ["2580", "7294", "a7#k", "1357", "0852", "19a0", "1899", "2030", "121", "12121", "\u00e4b1c",
            "\U0001f600\U0001f601\U0001f603\U0001f607", "7890a1", "9012", "aAaA0", "abab1"]  # fmt: skip
    for pin in good:
        yield case(pin, "check_pin", _pin(pin, pin_min=3 if len(pin) < 4 else 4), {"pin": pin})
    yield case("decomposed", "check_pin", _pin("a\u0308b1c"), {"pin": "\u00e4b1c"})
    yield case(
        "twelve of twelve", "check_pin", _pin("a1b2c3d4e5f7", pin_max=12), {"pin": "a1b2c3d4e5f7"}
    )
    wrong = {
        "pin_characters": ["12 4", "12\t45", "\u200028", "1\x004", "\x7f582", "\u2028123", "2\u00a0580", " "],
        "pin_short": ["", "1", "258", "a\u0308b1"], "pin_long": ["2580147"],
        "pin_repeated": ["1111", "aaaaaa", "\U0001f600" * 4],
        "pin_sequence": ["1234", "4321", "456789", "abcd", "fedc", "\u03b1\u03b2\u03b3\u03b4"],
        "pin_year": ["1900", "1987", "2029"], "pin_pattern": ["1212", "abab", "787878", "258258"],
    }  # fmt: skip
    for code, pins in wrong.items():
        for pin in pins:
            yield case(f"{code} {pin!a}", "check_pin", _pin(pin), code)
    for pin, account in (
        ("anna", "anna"),
        ("NNAB", "annabell"),
        ("\uff41nna", "Anna"),
        ("bell", "m.BELLINI"),
    ):
        yield case(f"part of {account}", "check_pin", _pin(pin, account=account), "pin_name")
    yield case("not in the name", "check_pin", _pin("anna", account="m.bellini"), {"pin": "anna"})
    yield case("longer than the name", "check_pin", _pin("bob7", account="bob"), {"pin": "bob7"})
    yield case("never above twelve", "check_pin", _pin("a1b2c3d4e5f7g", pin_max=20), "pin_long")
    yield case("shortest first", "check_pin", _pin("11"), "pin_short")
    yield case("repeated before year and pattern", "check_pin", _pin("2222"), "pin_repeated")
    yield case("year before pattern", "check_pin", _pin("2020"), "pin_year")


def _pin(pin: str, *, pin_min: int = 4, pin_max: int = 6, account: str = "") -> Case:
    return {"pin": pin, "pin_min": pin_min, "pin_max": pin_max, "account": account}


def pin_unlock() -> Iterator[Case]:
    """Section 3: from a PIN to the root. Every PIN opens `sealed`, the wrong ones to another root."""
    ways = [keys.Stretch(name="argon2id", m=64, t=1), keys.Stretch(name="argon2id", m=19456, t=2),
            keys.Stretch(name="pbkdf2-sha256", rounds=1000), keys.Stretch(name="pbkdf2-sha256", rounds=600_000)]  # fmt: skip
    for way in ways:
        cost = {"m": way.m, "t": way.t} if way.name == "argon2id" else {"rounds": way.rounds}
        sealed = keys.open_root(keys.pin_kek(KD, keys.stretch("2580", SALT, way)), IV, ROOT)
        pins = (
            ["2580", "2581", "0000", "", "\u00e4b1c", "a\u0308b1c"]
            if sum(cost.values()) < 2000
            else ["2580", "2581"]
        )
        for pin in pins:
            stretched = keys.stretch(pin, SALT, way)
            kek = keys.pin_kek(KD, stretched)
            given = {"pin": pin, "salt_hex": SALT.hex(), "iv_hex": IV.hex(), "device_key_hex": KD.hex(),
                     "stretch": {"name": way.name} | cost, "sealed_hex": sealed.hex()}  # fmt: skip
            ok = {
                "stretched_hex": stretched.hex(),
                "kek_hex": kek.hex(),
                "root_hex": keys.open_root(kek, IV, sealed).hex(),
            }
            yield case(f"{way.name} {cost} {pin!a}", "unlock", given, ok)


def derivations() -> Iterator[Case]:
    """Section 3: HKDF, the children of the root, the proofs of knowledge, the biometric key."""
    rfc5869 = [
        ("0b" * 22, "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9", 42),
        (
            bytes(range(0x50)).hex(),
            bytes(range(0x60, 0xB0)).hex(),
            bytes(range(0xB0, 0x100)).hex(),
            82,
        ),
        ("0b" * 22, "", "", 42),
    ]
    for number, (ikm, salt, info, length) in enumerate(rfc5869, 1):
        okm = keys.hkdf(bytes.fromhex(ikm), bytes.fromhex(salt), bytes.fromhex(info), length)
        given = {"ikm_hex": ikm, "salt_hex": salt, "info_hex": info, "length": length}
        yield case(f"RFC 5869 appendix A.{number}", "hkdf", given, {"okm_hex": okm.hex()})
    for root in (ROOT, bytes(32), seed("another root")):
        for label in ("device", "other"):
            id_ = kid(key(label))
            ok = {"response_key_hex": keys.response_key(root, id_).hex(),
                  "knowledge_key_hex": keys.knowledge_key(root, id_).hex()}  # fmt: skip
            yield case(
                f"root {root.hex()[:6]}, {label}",
                "children",
                {"root_hex": root.hex(), "enrollment": id_},
                ok,
            )
    for request in ("a.b.c", "eyJhbGciOiJFUzI1NiJ9.e30.AAAA"):
        knowledge = keys.knowledge_key(ROOT, kid(key("device")))
        ok = {
            "enrol": keys.enrol_proof(knowledge, request),
            "approve": keys.approval_proof(knowledge, request),
        }
        yield case(
            f"over {request}",
            "proofs",
            {"knowledge_key_hex": knowledge.hex(), "request": request},
            ok,
        )
    for knowledge in (keys.knowledge_key(ROOT, kid(key("device"))), bytes(32)):
        for nonce in (seed("nonce", 16), bytes(16)):
            given = {"knowledge_key_hex": knowledge.hex(), "nonce": b64(nonce)}
            name = f"nonce {nonce.hex()[:6]} under {knowledge.hex()[:6]}"
            yield case(name, "check", given, {"check": keys.nonce_proof(knowledge, nonce)})
    prf = seed("prf")
    ok = {"salt_hex": hashlib.sha256(b"vestibule/1/prf").hexdigest(),
          "kek_hex": keys.hkdf(prf, b"", b"vestibule/1/bio-kek").hex()}  # fmt: skip
    yield case("WebAuthn PRF", "bio_kek", {"prf_hex": prf.hex()}, ok)


def responses() -> Iterator[Case]:
    """Section 9: RFC 6287 appendix C, and the one suite in use."""
    yield from _any_suite()
    yield from _own_suite()


def _any_suite() -> Iterator[Case]:
    eights = [str(digit) * 8 for digit in range(10)]
    signed = [f"SIG1{digit}000" for digit in range(5)]
    server = [f"CLI2222{digit}SRV1111{digit}" for digit in range(5)]
    client = [f"SRV1111{digit}CLI2222{digit}" for digit in range(5)]
    minute: Case = {"time": 0x132D0B6}
    for suite, secret, questions, extra in (
        ("OCRA-1:HOTP-SHA1-6:QN08", KEY_20, eights, {}),
        ("OCRA-1:HOTP-SHA256-8:QN08-PSHA1", KEY_32, eights[:5], {"pin": "1234"}),
        ("OCRA-1:HOTP-SHA512-8:QN08-T1M", KEY_64, eights[:5], minute),
        ("OCRA-1:HOTP-SHA256-8:QA08", KEY_32, [*server, *client, *signed], {}),
        ("OCRA-1:HOTP-SHA512-8:QA08", KEY_64, server, {}),
        ("OCRA-1:HOTP-SHA512-8:QA08-PSHA1", KEY_64, client, {"pin": "1234"}),
        (
            "OCRA-1:HOTP-SHA512-8:QA10-T1M",
            KEY_64,
            [f"SIG1{digit}00000" for digit in range(5)],
            minute,
        ),
    ):
        for question in questions:
            yield _ocra(suite, secret, question, **extra)
    for counter in range(10):
        yield _ocra(
            "OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1", KEY_32, "12345678", counter=counter, pin="1234"
        )
        yield _ocra("OCRA-1:HOTP-SHA512-8:C-QN08", KEY_64, eights[counter], counter=counter)
    for suite in ("OCRA-1:HOTP-SHA256-8:QN08-T1M-PSHA1", "OCRA-1:HOTP-MD5-6:QN08", "OCRA-2:HOTP-SHA1-6:QN08",
                  "OCRA-1:HOTP-SHA1-3:QN08", "OCRA-1:HOTP-SHA1-6:QN03", "OCRA-1:HOTP-SHA1-6:QX08", ""):  # fmt: skip
        given: Case = {"suite": suite, "key_hex": KEY_20.hex(), "question": "12345678"}
        yield case(f"no suite: {suite}", "ocra", given, "suite_unsupported")


def _own_suite() -> Iterator[Case]:
    for counter, challenge in (
        (0, "100000"),
        (1, "123456"),
        (1, "654321"),
        (42, "999999"),
        (2**32, "500000"),
    ):
        given = {"key_hex": KEY_32.hex(), "challenge": challenge, "counter": counter}
        ok = {"response": ocra.response(KEY_32, challenge, counter)}
        yield case(f"counter {counter}, challenge {challenge}", "response", given, ok)
    for name, at, last in (
        ("next", 8, 7), ("end of the window", 12, 7), ("just beyond the window", 13, 7), ("end of the search", 507, 7),
        ("beyond the search", 508, 7), ("the last one again", 7, 7), ("an older one", 3, 7), ("first of all", 1, 0),
    ):  # fmt: skip
        given = {
            "key_hex": KEY_32.hex(),
            "challenge": "271828",
            "last": last,
            "response": ocra.response(KEY_32, "271828", at),
        }
        found = last < at <= last + 500
        yield case(
            name,
            "find_counter",
            given,
            {"counter": at if found else None, "near": found and at <= last + 5},
        )


def _ocra(suite: str, secret: bytes, question: str, **extra: Any) -> Case:
    given = {"suite": suite, "key_hex": secret.hex(), "question": question} | extra
    taken = {"time_steps" if name == "time" else name: value for name, value in extra.items()}
    ok = {"response": ocra.ocra(suite, secret, question=question, **taken)}
    return case(f"RFC 6287: {suite} {question} {extra or ''}".strip(), "ocra", given, ok)


def typed_codes() -> Iterator[Case]:
    """Section 5: the typed form of a ticket, and how leniently it is read."""
    ok = {"locator": "0123", "secret": "456789AB", "shown": "0123-4567-89AB"}
    for name, text in {
        "as shown": "0123-4567-89AB", "bare": "0123456789AB", "lower case": "0123-4567-89ab", "letters for digits": "oI23-4567-89ab",
        "small L": "0l23 4567 89AB", "en dashes and no-break space": "0123\u20134567\u00a089AB", "full width": "\uff10\uff11\uff12\uff13456789\uff21\uff22",
        "dotless i": "0\u01312345-6789AB", "minus": " 0123\u221245 67\t89AB\n", "horizontal bar": "0123\u20154567\u201089AB",
    }.items():  # fmt: skip
        yield case(name, "parse", {"text": text}, ok)
    for text in (
        "0123-4567-89AU",
        "0123-4567-89A!",
        "0123.4567.89AB",
        "0123-4567-89A\u0664",
        "\u00e9123",
        "0123-4567-89A\u200b",
        "+",
    ):
        yield case(f"characters {text!a}", "parse", {"text": text}, "code_characters")
    for text in ("", "0123", "0123-4567-89A", "0123-4567-89ABC", " - "):
        yield case(f"length {text!a}", "parse", {"text": text}, "code_length")
    yield case("shown", "render", {"code": "ZYXWVTSRQPNM"}, {"shown": "ZYXW-VTSR-QPNM"})


def activation_links() -> Iterator[Case]:
    """Section 5: the link form of a ticket, as a camera or a person hands it over."""
    secret, server = seed("link secret", 16), kid(key("server sign"))
    tail = f"#1.{b64(secret)}.{server}"
    for name, address, before, after in (
        ("plain", PHONE, "", ""), ("on this machine", "http://localhost:8601", "", ""),
        ("below a path", f"{PHONE}/app", "", ""), ("white space around", PHONE, " \t", "\n"),
    ):  # fmt: skip
        ok = {"address": address, "secret_hex": secret.hex(), "server": server}
        yield case(name, "parse", {"text": f"{before}{address}/activate{tail}{after}"}, ok)
    wrong = {
        "link_foreign": ["", "hello", "https://phone.example/", f"ftp://phone.example/activate{tail}", f"{PHONE}/activated{tail}",
                         f"{PHONE}/activate/{tail}", f"{PHONE}/activate?x=1{tail}", f"{PHONE}/{tail}", "WIFI:S:x;;",
                         f"javascript:{PHONE}/activate{tail}", f"{PHONE}/activate#1.a b.c"],
        "link_version": [f"{PHONE}/activate{tail.replace('#1.', '#2.')}", f"{PHONE}/activate#10", f"{PHONE}/activate#01.a.b"],
        "link_malformed": [f"{PHONE}/activate", f"{PHONE}/activate#", f"{PHONE}/activate#1", f"{PHONE}/activate#1.{server}",
                           f"{PHONE}/activate{tail}.", f"{PHONE}/activate{tail[:-1]}", f"{PHONE}/activate{tail}=", f"{PHONE}/activate#x.{tail[3:]}",
                           f"{PHONE}/activate#1..{server}", f"{PHONE}/activate#1.{b64(bytes(15))}.{server}", f"{PHONE}/activate{tail[:-1]}B"],
    }  # fmt: skip
    for code, texts in wrong.items():
        for text in texts:
            yield case(f"{code} {text}", "parse", {"text": text}, code)


def claim_links() -> Iterator[Case]:
    """Section 8: what the rotating QR code holds, and that no other link is taken for it."""
    attempt, secret = b64(seed("attempt", 16)), seed("claim token", 16)
    tail = f"#1.{attempt}.{b64(secret)}"
    for name, address, before, after in (
        ("plain", PHONE, "", ""), ("on this machine", "http://localhost:8601", "", ""),
        ("below a path", f"{PHONE}/app", "", ""), ("white space around", PHONE, " \t", "\n"),
    ):  # fmt: skip
        ok = {"address": address, "attempt": attempt, "token_hex": secret.hex(), "claim": tail[3:]}
        yield case(name, "parse", {"text": f"{before}{address}/claim{tail}{after}"}, ok)
    wrong = {
        "link_foreign": ["", "hello", "https://phone.example/", f"ftp://phone.example/claim{tail}", f"{PHONE}/claims{tail}",
                         f"{PHONE}/claim/{tail}", f"{PHONE}/claim?x=1{tail}", f"{PHONE}/{tail}", f"{PHONE}/activate{tail}",
                         f"javascript:{PHONE}/claim{tail}", f"{PHONE}/claim#1.a b.c", tail[3:]],
        "link_version": [f"{PHONE}/claim{tail.replace('#1.', '#2.')}", f"{PHONE}/claim#10", f"{PHONE}/claim#01.a.b"],
        "link_malformed": [f"{PHONE}/claim", f"{PHONE}/claim#", f"{PHONE}/claim#1", f"{PHONE}/claim#1.{attempt}",
                           f"{PHONE}/claim{tail}.", f"{PHONE}/claim{tail[:-1]}", f"{PHONE}/claim{tail}=", f"{PHONE}/claim#x.{tail[3:]}",
                           f"{PHONE}/claim#1..{b64(secret)}", f"{PHONE}/claim#1.{attempt}.{b64(bytes(15))}",
                           f"{PHONE}/claim#1.{attempt}.{b64(bytes(17))}", f"{PHONE}/claim#1.{b64(bytes(15))}.{b64(secret)}",
                           f"{PHONE}/claim#1.{attempt}.{b64(bytes(16))[:-1]}B"],
    }  # fmt: skip
    for code, texts in wrong.items():
        for text in texts:
            yield case(f"{code} {text}", "parse", {"text": text}, code)


FILES: dict[str, Callable[[], Iterator[Case]]] = {
    "encoding": encoding,
    "key_ids": key_ids,
    "pin_rules": pin_rules,
    "pin_unlock": pin_unlock,
    "derivations": derivations,
    "ocra": responses,
    "typed_code": typed_codes,
    "activation_link": activation_links,
    "claim_link": claim_links,
}
