"""Web Push: the encryption by the RFC's vector, and delivery to a push service of our own."""

import asyncio
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vestibule.base.context import PushOutcome, PushTarget
from vestibule.base.settings import Settings
from vestibule.outside import web_push
from vestibule.outside.web_push import PADDED, WebPush, encrypt

ORIGIN = "https://fcm.googleapis.com"
KEY = ec.generate_private_key(ec.SECP256R1())
PHONE = ec.generate_private_key(ec.SECP256R1())
AUTH = bytes(range(16))


def raw(text: str) -> bytes:
    """The bytes of unpadded base64url."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def target(path: str = "/fcm/send/abc", origin: str = ORIGIN) -> PushTarget:
    """This test's subscription."""
    return PushTarget(origin + path, web_push._uncompressed(PHONE.public_key()), AUTH)


def decrypt(body: bytes) -> bytes:
    """The browser's side, with the library's HKDF in place of ours."""
    salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
    sender, record = body[21 : 21 + length], body[21 + length :]
    assert (size, length) == (4096, 65)
    shared = PHONE.exchange(
        ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
    )
    info = b"WebPush: info\x00" + target().p256dh + sender
    ikm = HKDF(hashes.SHA256(), 32, AUTH, info).derive(shared)
    key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(ikm)
    nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(ikm)
    plaintext = AESGCM(key).decrypt(nonce, record, None)
    assert len(plaintext) % PADDED == 1
    return plaintext.rstrip(b"\x00").removesuffix(b"\x02")


def test_encryption_matches_the_rfc() -> None:
    """RFC 8291 appendix A, byte for byte."""
    sender = ec.derive_private_key(
        int.from_bytes(raw("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    receiver = PushTarget(
        "",
        raw(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        raw("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    plaintext = b"When I grow up, I want to be a watermelon"
    salt = raw("DGv6ra1nlYgDCS1FRnbzlw")
    assert encrypt(plaintext, receiver, sender=sender, salt=salt, padded=len(plaintext)) == raw(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@dataclass
class Service:
    """A push service that remembers what it took and answers as told."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    taken: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """One message."""
        self.taken.append((request.path, dict(request.headers), await request.read()))
        status, headers = self.answers.pop(0) if self.answers else (201, {})
        return web.Response(status=status, headers=headers)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A push service on this machine."""
    made = Service()
    app = web.Application()
    app.router.add_post("/{tail:.*}", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def push(service: Service, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WebPush]:
    """Ours, calling that service in place of the real one."""
    monkeypatch.setattr(web_push, "_FIRST_PAUSE_S", 0.01)
    settings = Settings(push_origins={ORIGIN: service.url}, vapid_subject="mailto:ops@b.example")
    async with WebPush(settings, KEY) as opened:
        yield opened


async def test_a_message_arrives_as_it_was_sent(service: Service, push: WebPush) -> None:
    """Path, life, urgency and topic are those asked for, and the phone can read it."""
    assert await push.send(target(), b'{"id":"x"}', topic="login-1", life_s=180) is PushOutcome.SENT
    ((path, headers, body),) = service.taken
    assert path == "/fcm/send/abc"
    assert headers["TTL"] == "180"
    assert headers["Urgency"] == "high"
    assert headers["Topic"] == "login-1"
    assert headers["Content-Encoding"] == "aes128gcm"
    assert decrypt(body) == b'{"id":"x"}'


async def test_messages_of_any_short_text_are_of_one_size(service: Service, push: WebPush) -> None:
    """The size tells a push service nothing, and every message has keys of its own."""
    for text in (b"", b"x", b"x" * PADDED):
        await push.send(target(), text, topic="t", life_s=1)
    sizes = [len(body) for _, _, body in service.taken]
    assert sizes[1] == sizes[2]
    assert sizes[1] == PADDED + 103
    assert len({body[:86] for _, _, body in service.taken}) == 3


async def test_the_token_names_us_to_the_service(service: Service, push: WebPush) -> None:
    """RFC 8292: signed by our key, for the service's own origin, for less than a day."""
    for _ in range(2):
        await push.send(target(), b"x", topic="t", life_s=1)
    first, second = (headers["Authorization"] for _, headers, _ in service.taken)
    assert first == second, "signed once per service"
    token, key = first.removeprefix("vapid t=").split(", k=")
    assert raw(key) == web_push._uncompressed(KEY.public_key())
    head, claims, signature = token.split(".")
    r, s = (int.from_bytes(part, "big") for part in (raw(signature)[:32], raw(signature)[32:]))
    KEY.public_key().verify(
        encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256())
    )
    assert json.loads(raw(head)) == {"typ": "JWT", "alg": "ES256"}
    said = json.loads(raw(claims))
    assert (said["aud"], said["sub"]) == (ORIGIN, "mailto:ops@b.example")
    assert time.time() < said["exp"] < time.time() + 86_400


@pytest.mark.parametrize(
    "answers, outcome, calls",
    [
        ([200], PushOutcome.SENT, 1),
        ([404], PushOutcome.GONE, 1),
        ([410], PushOutcome.GONE, 1),
        ([403], PushOutcome.FAILED, 1),
        ([307, 201], PushOutcome.FAILED, 1),
        ([500, 201], PushOutcome.SENT, 2),
        ([429, 503, 201], PushOutcome.SENT, 3),
        ([500, 500, 500, 201], PushOutcome.FAILED, 3),
    ],
)
async def test_each_answer_has_its_outcome(
    service: Service, push: WebPush, answers: list[int], outcome: PushOutcome, calls: int
) -> None:
    """What passes is tried again, what is final is not, and a redirection is never followed."""
    service.answers = [(status, {"Location": "/elsewhere"}) for status in answers]
    assert await push.send(target(), b"x", topic="t", life_s=1) is outcome
    assert [path for path, _, _ in service.taken] == ["/fcm/send/abc"] * calls


async def test_a_long_wait_is_not_waited_for(service: Service, push: WebPush) -> None:
    """A service that asks for a minute is not asked again: the person has other ways by then."""
    service.answers = [(429, {"Retry-After": "60"})]
    async with asyncio.timeout(30):
        assert await push.send(target(), b"x", topic="t", life_s=1) is PushOutcome.FAILED
    assert len(service.taken) == 1


async def test_a_service_that_is_not_there_fails_without_raising(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The network's sake is never a reason to raise."""
    monkeypatch.setattr(web_push, "_FIRST_PAUSE_S", 0.01)
    async with WebPush(Settings(push_origins={ORIGIN: "http://127.0.0.1:1"}), KEY) as push:
        assert await push.send(target(), b"x", topic="t", life_s=1) is PushOutcome.FAILED


@pytest.mark.parametrize("p256dh", [b"", b"\x04" + bytes(64), b"\x04" + b"\xff" * 64, b"x" * 65])
async def test_a_key_that_is_no_point_of_the_curve_fails(
    service: Service, push: WebPush, p256dh: bytes
) -> None:
    """Keys come from browsers: a bad one costs that subscription and nothing else."""
    bad = PushTarget(f"{ORIGIN}/x", p256dh, AUTH)
    assert await push.send(bad, b"x", topic="t", life_s=1) is PushOutcome.FAILED
    assert service.taken == []


async def test_a_message_too_long_fails(service: Service, push: WebPush) -> None:
    """Push services take 4096 bytes; more is not even sent."""
    longest = b"x" * web_push.LONGEST
    assert await push.send(target(), longest, topic="t", life_s=1) is PushOutcome.SENT
    assert len(service.taken[0][2]) <= 4096
    assert await push.send(target(), longest + b"x", topic="t", life_s=1) is PushOutcome.FAILED
    assert len(service.taken) == 1


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://user@fcm.googleapis.com/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://evil.example#fcm.googleapis.com",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://fcm.googleapis.com:99999/x",
        "file:///etc/passwd",
        "//fcm.googleapis.com/x",
        "https://[fcm.googleapis.com/x",
        "",
    ],
)
async def test_nothing_but_push_services_is_called(endpoint: str) -> None:
    """The endpoint comes from a browser; the server must not be led to call its own network."""
    async with WebPush(Settings(), KEY) as push:
        assert not push.allows(endpoint)
        bad = PushTarget(endpoint, target().p256dh, AUTH)
        assert await push.send(bad, b"x", topic="t", life_s=1) is PushOutcome.FAILED


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc",
        "https://web.push.apple.com/QGuQ",
        "https://updates.push.services.mozilla.com:443/wpush/v2/g",
        "https://wns2-by3p.notify.windows.com/w/?token=x",
    ],
)
async def test_the_push_services_of_browsers_may_be_called(endpoint: str) -> None:
    """Those that browsers really use."""
    assert WebPush(Settings(), KEY).allows(endpoint)
