"""Web Push: messages to browsers through the push service of their maker.

RFC 8030 (the request), RFC 8188 and RFC 8291 (the encryption, so that the service reads nothing)
and RFC 8292 (VAPID, which names us to the service).
"""

import asyncio
import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from functools import lru_cache
from http import HTTPStatus
from typing import Final, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
import structlog
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from yarl import URL

from vestibule.base.context import PushOutcome, PushTarget
from vestibule.base.settings import Settings

_log = structlog.get_logger("vestibule.push")

PADDED: Final = 1024
"""Plaintext is filled up to a multiple of so many bytes, which is more than any nudge has in any
language: the size tells nothing."""
LONGEST: Final = 3 * PADDED
"""Push services take 4096 bytes, of which encryption needs 103."""
_RECORD_SIZE: Final = 4096
_TOKEN_LIFE_S: Final = 12 * 3600
_TOKEN_REUSED_S: Final = 6 * 3600
_TRIES: Final = 3
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 5.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10, connect=5)
_GONE: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


def encrypt(
    plaintext: bytes,
    target: PushTarget,
    *,
    sender: ec.EllipticCurvePrivateKey,
    salt: bytes,
    padded: int,
) -> bytes:
    """The body of a push message (RFC 8291 section 3.4, one record of RFC 8188).

    ``sender`` is a key pair for this message only, ``salt`` 16 random bytes. The plaintext is
    filled up to ``padded`` bytes. Raises ValueError: too long, or a key that is no point of P-256.
    """
    if not len(plaintext) <= padded <= LONGEST:
        raise ValueError("the message is too long")
    curve = ec.SECP256R1()
    receiver_key = ec.EllipticCurvePublicKey.from_encoded_point(curve, target.p256dh)
    sender_key = _uncompressed(sender.public_key())
    shared = sender.exchange(ec.ECDH(), receiver_key)
    # HKDF with outputs of one block at most is two HMACs: extract, then expand with counter 1.
    key_info = b"WebPush: info\x00" + target.p256dh + sender_key
    ikm = _hmac(_hmac(target.auth, shared), key_info + b"\x01")
    prk = _hmac(salt, ikm)
    key = _hmac(prk, b"Content-Encoding: aes128gcm\x00\x01")[:16]
    nonce = _hmac(prk, b"Content-Encoding: nonce\x00\x01")[:12]
    # 0x02 ends the plaintext of the last record; zeros fill up.
    record = plaintext + b"\x02" + bytes(padded - len(plaintext))
    header = salt + _RECORD_SIZE.to_bytes(4, "big") + bytes([len(sender_key)]) + sender_key
    return header + AESGCM(key).encrypt(nonce, record, None)


class Vapid:
    """Tokens that name us to push services (RFC 8292), signed once per service and half day."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, subject: str) -> None:
        self._key = key
        self._subject = subject
        self._tokens: dict[str, tuple[float, str]] = {}
        self.public_key = _b64(_uncompressed(key.public_key()))

    def authorization(self, origin: str) -> str:
        """The Authorization header for a push service."""
        now = time.time()
        made_at, header = self._tokens.get(origin, (0.0, ""))
        if not 0 <= now - made_at < _TOKEN_REUSED_S:
            header = f"vapid t={self._sign(origin, int(now))}, k={self.public_key}"
            self._tokens[origin] = now, header
        return header

    def _sign(self, origin: str, now: int) -> str:
        claims = {"aud": origin, "exp": now + _TOKEN_LIFE_S, "sub": self._subject}
        head = _b64(b'{"typ":"JWT","alg":"ES256"}')
        signed = f"{head}.{_b64(msgspec.json.encode(claims))}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


class WebPush:
    """Delivers messages. Open it with ``async with``: it holds connections to the services."""

    def __init__(self, settings: Settings, key: ec.EllipticCurvePrivateKey) -> None:
        self._settings = settings
        self._vapid = Vapid(key, settings.vapid_subject)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    def allows(self, endpoint: str) -> bool:
        """Whether ``endpoint`` may be called: https, and the host of a push service.

        The address comes from a browser. Without this check anybody could have the server call
        whatever its network reaches.
        """
        return bool(self._origin(endpoint))

    def _origin(self, endpoint: str) -> str:
        """The origin of a push service that may be called, else an empty string."""
        try:
            parts = urlsplit(endpoint)
            standard = parts.scheme == "https" and parts.port in (None, 443)
        except ValueError:
            return ""
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin in self._settings.push_origins:
            return origin
        known = self._settings.push_host_allowed(parts.hostname or "")
        return origin if standard and known and parts.username is None else ""

    async def send(
        self, target: PushTarget, payload: bytes, *, topic: str, life_s: int
    ) -> PushOutcome:
        """Encrypt and deliver ``payload``, urgency high. Never raises for the network's sake.

        A later message of the same ``topic`` replaces one that still waits at the service;
        ``life_s`` is how long it waits there for the phone.
        """
        origin = self._origin(target.endpoint)
        if not origin:
            _log.warning("push.refused", reason="not the address of a push service")
            return PushOutcome.FAILED
        try:
            body = encrypt(
                payload,
                target,
                sender=ec.generate_private_key(ec.SECP256R1()),
                salt=secrets.token_bytes(16),
                padded=-(-len(payload) // PADDED) * PADDED,
            )
        except ValueError as error:
            _log.warning("push.unencryptable", origin=origin, reason=str(error))
            return PushOutcome.FAILED
        headers = {
            "Authorization": self._vapid.authorization(origin),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(life_s),
            "Urgency": "high",
            "Topic": topic,
        }
        called = self._settings.push_origins.get(origin, origin)
        return await self._deliver(called + target.endpoint.removeprefix(origin), body, headers)

    async def _deliver(self, url: str, body: bytes, headers: dict[str, str]) -> PushOutcome:
        pause = _FIRST_PAUSE_S
        for attempt in range(_TRIES):
            if attempt:
                await asyncio.sleep(pause)
            status, wanted = await self._post(url, body, headers)
            if 200 <= status < 300:
                return PushOutcome.SENT
            if status in _GONE:
                return PushOutcome.GONE
            _log.warning("push.not_taken", host=urlsplit(url).netloc, status=status, wait=wanted)
            # A person is waiting: what comes after their patience need not be sent.
            if wanted > _LONGEST_PAUSE_S or (300 <= status < 500 and status not in _PASSING):
                break
            pause = wanted or pause * 2
        return PushOutcome.FAILED

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, float]:
        """Status and the seconds that the service asks us to wait; status 0: it was not reached."""
        if self._session is None:
            raise RuntimeError("WebPush is used outside of its `async with`")
        parts = urlsplit(url)
        proxy, proxy_auth = _way_out(parts.scheme, parts.hostname or "")
        try:
            async with self._session.post(
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                proxy=proxy,
                proxy_auth=proxy_auth,
            ) as response:
                wait = response.headers.get("Retry-After", "")
                return response.status, float(wait) if wait.isdecimal() else 0.0
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0, 0.0


@lru_cache(maxsize=64)
def _way_out(scheme: str, host: str) -> tuple[URL | None, aiohttp.BasicAuth | None]:
    """The proxy that the environment names for a host, and who we are to it.

    aiohttp would ask the environment itself, for every push and in a thread each time.
    """
    proxy = URL(getproxies().get(scheme, ""))
    if not proxy or proxy_bypass(host):
        return None, None
    return proxy.with_user(None), aiohttp.BasicAuth.from_url(proxy)


_PASSING: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


def _uncompressed(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
