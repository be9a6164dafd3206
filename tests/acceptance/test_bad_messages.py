"""What a broken or hostile phone sends: a clear 4xx with a stable code, and nothing changed."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from tests.acceptance.people import Person, Town, enrol_response
from tests.acceptance.wire import JSON, Answer
from tests.login.scene import ScenePhone
from vestibule.base.ids import new_id
from vestibule.protocol.activation_link import parse_link
from vestibule.protocol.encoding import b64u, b64u_decode

pytestmark = pytest.mark.processes

COUNTED = ("audit_event", "limit_state")
Break = Callable[[ScenePhone, str], str]


def resigned(phone: ScenePhone, header: bytes, payload: bytes) -> str:
    """A message that is well signed, whatever it says."""
    signed = f"{b64u(header)}.{b64u(payload)}"
    r, s = decode_dss_signature(phone.key.sign(signed.encode(), ECDSA(SHA256())))
    return f"{signed}.{b64u(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def header(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Break:
    """The message with another header, signed again."""

    def broken(phone: ScenePhone, text: str) -> str:
        head, payload, _ = text.split(".")
        members = change(json.loads(b64u_decode(head)))
        return resigned(phone, json.dumps(members).encode(), b64u_decode(payload))

    return broken


def payload(change: Callable[[bytes], bytes]) -> Break:
    """The message with other bytes for its payload, signed again."""

    def broken(phone: ScenePhone, text: str) -> str:
        head, body, _ = text.split(".")
        return resigned(phone, b64u_decode(head), change(b64u_decode(body)))

    return broken


def stray_bits(_: ScenePhone, text: str) -> str:
    """The same bytes in another spelling: the last character's spare bits are set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


MALFORMED: dict[str, Break] = {
    "empty": lambda *_: "",
    "no message": lambda *_: "hello",
    "two parts": lambda _, text: text.rpartition(".")[0],
    "four parts": lambda _, text: text + ".AA",
    "padded": lambda _, text: text + "=",
    "line break": lambda _, text: text + "\n",
    "stray bits": stray_bits,
    "other alphabet": lambda _, text: text.replace("-", "+").replace("_", "/") + "+",
    "not ASCII": lambda _, text: text + "\u00e9",
    "short signature": lambda _, text: text[:-4],
    "too long": payload(lambda b: b[:-1] + b' ,"x":"' + b"y" * 9000 + b'"}'),
    "no algorithm": header(lambda h: h | {"alg": "none"}),
    "other algorithm": header(lambda h: h | {"alg": "HS256"}),
    "other type": header(lambda h: h | {"typ": "vestibule-proof+jwt"}),
    "key in the header": header(lambda h: h | {"jwk": {"kty": "EC"}}),
    "critical header": header(lambda h: h | {"crit": ["exp"]}),
    "no kid": header(lambda h: {k: v for k, v in h.items() if k != "kid"}),
    "kid is a path": header(lambda h: h | {"kid": "../../../../etc/passwd"}),
    "no JSON": payload(lambda _: b"hello"),
    "array": payload(lambda b: b"[" + b + b"]"),
    "unknown member": payload(lambda b: b[:-1] + b',"admin":true}'),
    "repeated member": payload(lambda b: b[:-1] + b',"iat":1}'),
    "missing member": payload(lambda b: b.replace(b'"iat"', b'"xat"', 1)),
    "fraction": payload(lambda b: b[:-1].replace(b'"iat":', b'"iat":0.5,"xat":', 1) + b"}"),
    "huge number": payload(lambda b: b.replace(b'"exp":', b'"exp":9', 1).replace(b"9", b"9" * 20)),
    "lone surrogate": payload(lambda b: b.replace(b'"iss":"', b'"iss":"\\ud800', 1)),
    "not UTF-8": payload(lambda b: b.replace(b'"iss":"', b'"iss":"\xff', 1)),
    "zero byte": payload(lambda b: b.replace(b'"iss":"', b'"iss":"\\u0000', 1)),
    "byte order mark": payload(lambda b: b"\xef\xbb\xbf" + b),
    "deep": payload(lambda _: b'{"a":' * 1500 + b"1" + b"}" * 1500),
}
FORGED: dict[str, Break] = {
    "zero signature": lambda _, text: text.rpartition(".")[0] + "." + b64u(bytes(64)),
    "largest signature": lambda _, text: text.rpartition(".")[0] + "." + b64u(b"\xff" * 64),
    "changed payload": lambda _, text: (
        text.split(".")[0]
        + "."
        + b64u(b64u_decode(text.split(".")[1]).replace(b'"exp":1', b'"exp":2', 1))
        + "."
        + text.split(".")[2]
    ),
}


def refused(answer: Answer, status: int, *codes: str) -> None:
    """A refusal as the specification has it: problem details, a code, the server's time."""
    assert answer.status == status, answer.text
    assert answer.header("content-type") == "application/problem+json"
    assert answer.code in codes, answer.text
    assert {"type", "status", "title", "detail", "next", "reference", "now"} <= answer.json.keys()


async def waiting(town: Town) -> tuple[Person, str, str]:
    """A person whose phone is asked: the request, and a right answer to it, not sent."""
    person = await town.linked()
    page = await person.arrive(person.browser())
    request = await person.request()
    return person, request, person.answering(request, number=page.challenge)["answer"]


async def test_malformed_answers_are_refused(town: Town) -> None:
    """Every way of breaking an approval is `message_malformed`, and the request goes on waiting."""
    person, _, text = await waiting(town)
    before = await town.tables(without=COUNTED)
    for name, broken in MALFORMED.items():
        answer = await town.phone.post_json(
            "/device/answers", {"answer": broken(person.phone, text)}
        )
        assert answer.status == 400, (name, answer.text)
        refused(answer, 400, "message_malformed", "json_malformed")
    for name, broken in FORGED.items():
        answer = await town.phone.post_json(
            "/device/answers", {"answer": broken(person.phone, text)}
        )
        assert answer.status == 403, (name, answer.text)
        refused(answer, 403, "signature_wrong")
    assert await town.tables(without=COUNTED) == before
    assert (await town.phone.post_json("/device/answers", {"answer": text})).status == 200


async def test_malformed_enrolments_are_refused(town: Town) -> None:
    """Every way of breaking an enrol-response is refused, and the ticket stays good."""
    person = town.person()
    page = await person.arrive(person.browser())
    request = await person.open_ticket(parse_link(page.activation_link).secret)
    text = enrol_response(person.phone, request, now=town.now())
    before = await town.tables(without=COUNTED)
    for name, broken in (MALFORMED | FORGED).items():
        sent = broken(person.phone, text)
        answer = await town.phone.post_json("/device/enrollments", {"response": sent})
        assert answer.status in (400, 403), (name, answer.text)
        refused(answer, answer.status, "message_malformed", "json_malformed", "signature_wrong")
    for changes in wrong_members(person, request):
        answer = await town.phone.post_json(
            "/device/enrollments",
            {"response": enrol_response(person.phone, request, now=town.now(), **changes)},
        )
        assert 400 <= answer.status < 500, (changes, answer.text)
    assert await town.tables(without=COUNTED) == before
    assert (await person.enrol(person.phone, request)).status == 200


def wrong_members(person: Person, request: str) -> list[dict[str, Any]]:
    """Members of an enrol-response that do not fit, one at a time."""
    other = ScenePhone(person.phone.issuer)
    now = person.town.now() // 1000
    return [
        {"jwk": {"kty": "EC", "crv": "P-256", "x": b64u(bytes(32)), "y": b64u(bytes(32))}},
        {"iss": other.id},
        {"aud": "https://elsewhere.example"},
        {"iat": now - 4000, "exp": now - 3400},
        {"iat": now, "exp": now + 601},
        {"proof": b64u(bytes(32))},
        {"secrets": "a.b.c.d.e"},
        {"label": "x" * 41},
        {"label": "two\nlines"},
        {"device": "short"},
        {"request": request.replace(".", "..", 1)},
        {"push": {"endpoint": "file:///etc/passwd", "p256dh": "B", "auth": new_id()}},
        {"webauthn": {"id": "nonsense"}},
    ]


async def test_broken_proofs_are_refused(town: Town) -> None:
    """A call with a broken proof, or one made for another call, does nothing."""
    person = await town.linked()
    body = json.dumps({"label": "Renamed"}).encode()
    good = person.proof("PUT", "/device/label", body)["Authorization"]
    before = await town.tables(without=COUNTED)

    async def put(authorization: str | None, path: str = "/device/label") -> Answer:
        headers = {"Content-Type": JSON}
        if authorization is not None:
            headers["Authorization"] = authorization
        return await town.phone.ask("PUT", path, body, headers)

    for wrong in (None, "", "Bearer x", "Vestibule", "Vestibule ", "vestibule " + good[10:]):
        refused(await put(wrong), 400, "message_malformed")
    for other in (
        person.proof("PUT", "/device/label", body + b" "),
        person.proof("POST", "/device/label", body),
        person.proof("PUT", "/device/label?x=1", body),
        person.proof("PUT", "/device/removal", body),
    ):
        refused(await put(other["Authorization"]), 403, "signature_wrong")
    refused(await put(good, "/device/label?x=1"), 403, "signature_wrong")
    old = person.phone.proof("PUT", "/device/label", body, now=town.now() - 200_000)
    refused(await put(old), 409, "clock_wrong")
    stranger = ScenePhone(town.server.portal)
    unknown = stranger.proof("PUT", "/device/label", body, now=town.now())
    refused(await put(unknown), 404, "enrollment_unknown")
    assert await town.tables(without=COUNTED) == before
    assert (await put(good)).status == 200
    assert (await put(good)).status == 200, "a proof replayed in its life changes nothing"


@pytest.mark.parametrize(
    "path,member",
    [
        ("/device/answers", "answer"),
        ("/device/tickets", "code"),
        ("/device/enrollments", "response"),
        ("/device/delivered", "id"),
    ],
)
async def test_bodies_are_small_json_of_known_members(town: Town, path: str, member: str) -> None:
    """Other types, too many bytes, no JSON, unknown or repeated members: each by its own code."""
    before = await town.tables(without=COUNTED)

    async def post(body: bytes, kind: str = JSON) -> Answer:
        return await town.phone.ask("POST", path, body, {"Content-Type": kind})

    good = json.dumps({member: "x"}).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        refused(await post(good, kind), 415, "content_type")
    refused(await post(b'{"x":"' + b"y" * 70_000 + b'"}'), 413, "body_too_large")
    nasty = (b"", b"null", b"[]", b'"x"', b"{", b"\xff\xfe", b"{'x':1}", b"NaN", b"[" * 30_000)
    for body in (*nasty, good[:-1] + b',"more":1}', good[:-1] + b"," + good[1:]):
        refused(await post(body), 400, "json_malformed")
    values: tuple[object, ...] = (None, 1, True, [], {}, 1.5)
    for value in values:
        answer = await post(json.dumps({member: value}).encode())
        refused(answer, 400, "json_malformed")
    assert await town.tables(without=COUNTED) == before


async def test_chunked_bodies_are_limited_too(town: Town) -> None:
    """A body that does not say how long it is, is cut off all the same."""
    reader, writer = await asyncio.open_connection("127.0.0.1", town.phone.port)
    head = f"POST /device/answers HTTP/1.1\r\nHost: {town.phone.name}\r\nContent-Type: {JSON}\r\n"
    writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    chunk = b"%x\r\n" % 8192 + b"y" * 8192 + b"\r\n"
    writer.write(chunk * 12 + b"0\r\n\r\n")
    status = await reader.readline()
    writer.close()
    assert b" 413 " in status


async def test_answers_out_of_order_change_nothing(town: Town) -> None:
    """Twice, after the end, for a request that is gone, or by a phone that was removed."""
    person, request, text = await waiting(town)
    approved = await town.phone.post_json("/device/answers", {"answer": text})
    assert approved.status == 200
    before = await town.tables(without=COUNTED)
    refused(
        await town.phone.post_json("/device/answers", {"answer": text}), 409, "already_answered"
    )
    deny = person.answering(request, act="deny")
    refused(await town.phone.post_json("/device/answers", deny), 409, "already_answered")
    unknown = person.answering(request, act="deny", request=new_id())
    refused(await town.phone.post_json("/device/answers", unknown), 404, "request_unknown")
    assert await town.tables(without=COUNTED) == before
    removal = {"Content-Type": JSON, **person.proof("POST", "/device/removal", b"{}")}
    assert (await town.phone.ask("POST", "/device/removal", b"{}", removal)).status == 200
    report = person.answering(request, act="report")
    refused(await town.phone.post_json("/device/answers", report), 410, "enrollment_revoked")
    stream = person.proof("GET", "/device/stream")
    refused(
        await town.phone.ask("GET", "/device/stream", headers=stream), 410, "enrollment_revoked"
    )


async def test_one_phone_cannot_speak_for_another(town: Town) -> None:
    """A message of one enrollment sent under another's name, and answers to others' requests."""
    person, request, _ = await waiting(town)
    other = await town.linked()
    before = await town.tables(without=COUNTED)
    for members in ({}, {"iss": person.phone.id}):
        answer = await town.phone.post_json(
            "/device/answers", other.answering(request, act="deny", **members)
        )
        refused(answer, answer.status, "request_unknown", "message_malformed")
        assert answer.status in (400, 404)
    proof = other.phone.proof("GET", "/device/attempts", b"", now=town.now())
    answer = await town.phone.ask("GET", "/device/attempts", headers={"Authorization": proof})
    assert answer.json["requests"] == []
    assert await town.tables(without=COUNTED) == before
