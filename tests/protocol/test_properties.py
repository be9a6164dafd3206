"""Whatever is fed to a parser, it answers with a value or with the protocol's own refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from tests.protocol.make_vectors import FOLDER
from tests.protocol.seeds import b64, compact, header, jwk, key, point, token
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

T = TypeVar("T")
DEVICE = key("device")
KINDS: list[type[messages.Claims]] = [
    messages.EnrolRequest,
    messages.EnrolResponse,
    messages.Proof,
    messages.ApprovalRequest,
    messages.Approval,
]
RIGHT = {
    case["input"]["message"]: None
    for name in ("enrol_request", "enrol_response", "proof", "approval_request", "approval")
    for case in json.loads((FOLDER / f"{name}.json").read_text())["cases"]
    if "ok" in case
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def outcome(read: Callable[..., T], *given: Any, **more: Any) -> tuple[T | None, str]:
    """What comes out, and the code of the refusal; any other exception goes through."""
    try:
        return read(*given, **more), ""
    except ProtocolFault as fault:
        return None, fault.code


@given(st.text() | st.text(alphabet="AZaz09-_=+/\n", max_size=60))
def test_base64url_that_decodes_is_the_only_spelling(text: str) -> None:
    """Decoding is refused, or encoding gives the same text back."""
    try:
        data = encoding.b64u_decode(text)
    except ProtocolFault:
        return
    assert encoding.b64u(data) == text


@given(st.binary() | st.text().map(str.encode) | json_values.map(lambda v: json.dumps(v).encode()))
def test_json_is_read_as_the_standard_library_does_or_refused(data: bytes) -> None:
    """Strictness only takes away: what is read at all has its ordinary meaning."""
    try:
        value = encoding.parse_json(data)
    except ProtocolFault:
        return
    assert value == json.loads(data)
    assert encoding.parse_json(encoding.render_json(value)) == value


@given(st.text())
def test_typed_code_is_read_or_refused(text: str) -> None:
    """What is read is twelve characters of the alphabet, and reads the same as shown."""
    code, refusal = outcome(typed_code.parse_typed_code, text)
    assert refusal in {"", "code_characters", "code_length"}
    assert code is None or typed_code.parse_typed_code(code.shown) == code


@given(st.binary(min_size=8, max_size=16), st.sampled_from([str.upper, str.lower]))
def test_made_code_survives_being_typed(random: bytes, case: Callable[[str], str]) -> None:
    """Any code that is made is read back, in either case, with O, I and L mistaken."""
    code = typed_code.make_typed_code(random)
    typed = code.shown.replace("0", "O").replace("1", "L")
    assert typed_code.parse_typed_code(case(typed)) == code


@given(st.text() | st.from_regex(r"https?://\w+/activate#\d*\.?[\w.-]*", fullmatch=True))
def test_link_is_read_or_refused(text: str) -> None:
    """What is read renders to the same link."""
    link, refusal = outcome(activation_link.parse_link, text)
    assert refusal in {"", "link_foreign", "link_version", "link_malformed"}
    assert link is None or activation_link.render_link(link) == text.strip()


@given(st.text() | st.from_regex(r"https?://\w+/claim#\d*\.?[\w.-]*", fullmatch=True))
def test_claim_link_is_read_or_refused(text: str) -> None:
    """What is read renders to the same link, and an activation link is never read as a claim."""
    link, refusal = outcome(claim_link.parse_claim_link, text)
    assert refusal in {"", "link_foreign", "link_version", "link_malformed"}
    assert link is None or claim_link.render_claim_link(link) == text.strip()
    assert link is None or outcome(activation_link.parse_link, text)[1] == "link_foreign"


@given(st.text(max_size=14), st.text(max_size=20))
def test_pin_is_taken_or_refused_with_a_known_reason(pin: str, account: str) -> None:
    """The rules never fail in another way, and a PIN that is taken is taken again."""
    taken, refusal = outcome(keys.check_pin, pin, account=account)
    assert (taken is None) == refusal.startswith("pin_")
    if taken is not None:
        assert keys.check_pin(taken, account=account) == taken
        assert 4 <= len(taken) <= 6


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text() | st.text(alphabet="eyJhbGciOi.-_=", max_size=200))
def test_any_text_is_refused_as_a_message(kind: type[messages.Claims], text: str) -> None:
    """Arbitrary text is malformed, and nothing else happens."""
    with pytest.raises(ProtocolFault) as caught:
        messages.parse(text, kind)
    assert caught.value.code == "message_malformed"


@pytest.mark.parametrize("kind", KINDS)
@given(payload=json_values)
def test_any_signed_json_is_refused_as_a_payload(kind: type[messages.Claims], payload: Any) -> None:
    """A right header over arbitrary JSON is malformed."""
    name = kind.typ.removeprefix("vestibule-").removesuffix("+jwt")
    text = ".".join(
        [b64(compact(header(DEVICE, name))), b64(json.dumps(payload).encode()), b64(bytes(64))]
    )
    with pytest.raises(ProtocolFault) as caught:
        messages.parse(text, kind)
    assert caught.value.code == "message_malformed"


@settings(max_examples=200)
@given(st.sampled_from(sorted(RIGHT)), st.integers(0, 8000), st.characters(codec="ascii"))
def test_one_changed_character_never_passes(text: str, at: int, character: str) -> None:
    """No single character of any right message can be another and still verify."""
    at %= len(text)
    changed = text[:at] + character + text[at + 1 :]
    if changed == text:
        return
    signer = point(key("server sign" if "request+jwt" in _typ(text) else "device"))
    kind = next(kind for kind in KINDS if kind.typ == _typ(text))
    with pytest.raises(ProtocolFault):
        messages.parse(changed, kind).verify(signer)


def _typ(text: str) -> str:
    typ = json.loads(encoding.b64u_decode(text.split(".", maxsplit=1)[0]))["typ"]
    assert isinstance(typ, str)
    return typ


@given(st.text() | st.text(alphabet="ABCz0.-_", max_size=120))
def test_any_text_is_refused_as_an_envelope(text: str) -> None:
    """Arbitrary text is no JWE."""
    with pytest.raises(ProtocolFault) as caught:
        keys.open_secrets(text, key=DEVICE)
    assert caught.value.code == "message_malformed"


@given(
    st.binary(min_size=32, max_size=32),
    st.integers(100000, 999999),
    st.integers(0, 2**40),
    st.integers(1, 500),
)
def test_response_is_found_at_its_counter_or_at_an_earlier_equal_one(
    secret: bytes, challenge: int, last: int, ahead: int
) -> None:
    """A right response within reach is never missed."""
    made = ocra.response(secret, str(challenge), last + ahead)
    found = ocra.find_counter(secret, str(challenge), made, last)
    assert found is not None
    assert last < found.counter <= last + ahead
    assert found.near == (found.counter <= last + 5)


@given(
    st.text(max_size=40),
    st.text(max_size=20),
    st.none() | st.integers(),
    st.none() | st.text(max_size=4),
)
def test_any_suite_is_computed_or_refused(
    suite: str, question: str, counter: int | None, pin: str | None
) -> None:
    """The general function refuses what it cannot encode."""
    for name in (suite, "OCRA-1:HOTP-SHA1-6:C-QH08", "OCRA-1:HOTP-SHA1-0:QN08-PSHA512", ocra.SUITE):
        answer, refusal = outcome(
            ocra.ocra, name, b"key", question=question, counter=counter, pin=pin
        )
        assert bool(answer) == (refusal == "")
        assert refusal in {"", "suite_unsupported"}


def test_every_message_round_trips() -> None:
    """What is signed is read back as the same values."""
    for text in RIGHT:
        kind = next(kind for kind in KINDS if kind.typ == _typ(text))
        claims = messages.parse(text, kind).claims
        again = messages.sign(claims, key=DEVICE, kid=keys.kid_of(point(DEVICE)))
        assert messages.parse(again, kind).verify(point(DEVICE)) == claims


def test_message_too_long_to_be_read_is_not_signed() -> None:
    """A sender learns at once what every receiver would refuse."""
    claims = messages.Proof(
        iss="a",
        aud="b",
        iat=1,
        exp=2,
        jti="A" * 22,
        method="GET",
        path="/" + "a" * 9000,
        body="A" * 43,
    )
    with pytest.raises(ProtocolFault):
        messages.sign(claims, key=DEVICE, kid="A" * 22)


def test_reasons_never_reach_the_code() -> None:
    """The peer sees a code from the table; the reason, which may quote input, is for the log."""
    secret = "not base64url: <script>"
    with pytest.raises(ProtocolFault) as caught:
        encoding.b64u_decode(secret)
    assert caught.value.code == "message_malformed"
    assert secret not in str(caught.value)


def test_token_of_another_writer_is_read() -> None:
    """A message made by hand from the specification is one of ours."""
    kid = keys.kid_of(point(DEVICE))
    payload = {
        "iss": kid,
        "aud": "x",
        "iat": 1,
        "exp": 2,
        "jti": kid,
        "method": "GET",
        "path": "/",
        "body": "A" * 43,
    }
    read = messages.parse(token(DEVICE, header(DEVICE, "proof"), payload), messages.Proof)
    raw = keys.raw_of(msgspec.convert(jwk(DEVICE), keys.Jwk))
    assert msgspec.to_builtins(read.verify(raw)) == payload
