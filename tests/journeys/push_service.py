"""A push service small enough for a test.

What Chromium needs of Google's servers (check-in, registration, the connection that messages
arrive on) and the RFC 8030 endpoint that the server posts to. Chromium itself decrypts what
arrives, so a nudge that is shown proves the server's RFC 8291 and 8292.
"""

import asyncio
import datetime as dt
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.journeys import mcs
from tests.journeys.background import Background
from tests.serving import reserved_port

ORIGIN = "https://jmt17.google.com"
"""Where an unbranded Chromium believes its push service to be."""


@dataclass(frozen=True)
class Registration:
    """One push subscription, as the browser registered it."""

    device: str
    sender: str
    app: str
    subtype: str


@dataclass(frozen=True)
class Sent:
    """One message that a server posted: its headers, lower-case names, and its ciphertext."""

    token: str
    headers: dict[str, str]
    body: bytes


@dataclass
class PushService:
    """The service and its switches."""

    http: int
    tls: int
    status: int = 201
    """What it answers: 404 and 410 say that the subscription is gone, 429 to slow down."""
    hangs: bool = False
    """Takes the request and never answers."""
    loses: bool = False
    """Says that all is well and delivers nothing."""
    sent: list[Sent] = field(default_factory=list)
    _registered: dict[str, Registration] = field(default_factory=dict)
    _made: int = 0
    _connected: dict[str, asyncio.StreamWriter] = field(default_factory=dict)
    _kept: dict[str, list[bytes]] = field(default_factory=dict)
    _count: int = 0

    @property
    def arguments(self) -> list[str]:
        """Switches that make Chromium use it."""
        return [
            "--ignore-certificate-errors",
            f"--gcm-checkin-url=http://localhost:{self.http}/checkin",
            f"--gcm-registration-url=http://localhost:{self.http}/register",
            f"--gcm-mcs-endpoint=https://localhost:{self.tls}",
        ]

    @property
    def origins(self) -> dict[str, str]:
        """The server's `push_origins`."""
        return {ORIGIN: f"http://localhost:{self.http}"}

    @property
    def subscriptions(self) -> int:
        """How many were ever made."""
        return self._made

    def recover(self) -> None:
        """All switches back; what was sent is forgotten."""
        self.status, self.hangs, self.loses = 201, False, False
        self.sent.clear()

    def forget_phones(self) -> None:
        """All subscriptions made so far are dead, and no browser knows it yet."""
        self._registered.clear()

    def _next(self) -> int:
        self._count += 1
        return self._count

    # --- for the browser ------------------------------------------------------------------

    async def check_in(self, request: Request) -> Response:
        """A device makes itself known; it is given a number and a token of its own."""
        await request.body()
        fixed = struct.pack("<B", 7 << 3 | 1), struct.pack("<B", 8 << 3 | 1)
        number = struct.pack("<Q", 0x1000 + self._next())
        body = mcs.message((1, 1), (3, int(time.time() * 1000)))
        body += fixed[0] + number + fixed[1] + number
        return Response(body, media_type="application/x-protobuffer")

    async def register(self, request: Request) -> Response:
        """A browser asks for an address that a server may post to, or gives one up."""
        form = {
            name: values[0] for name, values in parse_qs((await request.body()).decode()).items()
        }
        if form.get("delete") == "true":
            return PlainTextResponse(f"deleted={form['app']}")
        token = f"token-{self._next()}"
        self._made += 1
        self._registered[token] = Registration(
            form["device"], form.get("sender", ""), form["app"], form.get("X-subtype", "")
        )
        return PlainTextResponse(f"token={token}")

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The connection on which one browser waits for messages."""
        device = ""
        try:
            await reader.readexactly(1)
            while True:
                tag, body = await mcs.read_frame(reader)
                if tag == mcs.LOGIN_REQUEST:
                    device = mcs.strings(body)[3].decode()
                    said = mcs.message((1, "chromium"), (8, int(time.time() * 1000)))
                    writer.write(mcs.VERSION + mcs.frame(mcs.LOGIN_RESPONSE, said))
                    self._connected[device] = writer
                    for kept in self._kept.pop(device, []):
                        writer.write(kept)
                elif tag == mcs.HEARTBEAT_PING:
                    writer.write(mcs.frame(mcs.HEARTBEAT_ACK, b""))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if self._connected.get(device) is writer:
                del self._connected[device]
            writer.close()

    # --- for the server -------------------------------------------------------------------

    async def post(self, request: Request) -> Response:
        """RFC 8030 §5: a server asks for the delivery of a message."""
        token, body = request.path_params["token"], await request.body()
        self.sent.append(Sent(token, dict(request.headers), body))
        if self.hangs:
            await asyncio.sleep(3600)
        if self.status != 201:
            return Response(status_code=self.status)
        to = self._registered.get(token)
        if to is None:
            return Response(status_code=404)
        if request.headers.get("content-encoding") != "aes128gcm" or "ttl" not in request.headers:
            return Response(status_code=400)
        if not self.loses:
            self._deliver(to, body)
        return Response(status_code=201, headers={"Location": f"{ORIGIN}/m/{self._next()}"})

    def _deliver(self, to: Registration, body: bytes) -> None:
        number = self._next()
        about = [("subtype", to.subtype), ("content-encoding", "aes128gcm")]
        stanza = mcs.message(
            (2, f"m{number}"),
            (3, to.sender),
            (5, to.app),
            *((7, mcs.message((1, name), (2, value))) for name, value in about),
            (9, f"p{number}"),
            (17, 60),
            (18, int(time.time() * 1000)),
            (21, body),
        )
        framed = mcs.frame(mcs.DATA_MESSAGE, stanza)
        if writer := self._connected.get(to.device):
            writer.write(framed)
        else:
            self._kept.setdefault(to.device, []).append(framed)

    def routes(self) -> Starlette:
        """The service's HTTP side."""
        return Starlette(
            routes=[
                Route("/checkin", self.check_in, methods=["POST"]),
                Route("/register", self.register, methods=["POST"]),
                Route("/fcm/send/{token}", self.post, methods=["POST"]),
            ]
        )


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost, signed by nobody, and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + 7 * day)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "push.crt", folder / "push.key"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_file, key_file


@contextmanager
def push_service(background: Background, folder: Path) -> Iterator[PushService]:
    """A running push service; its keys lie in `folder`."""
    with ExitStack() as stack:
        http, tls = (stack.enter_context(reserved_port()) for _ in range(2))
        service = PushService(http, tls)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate(folder))
        config = uvicorn.Config(
            service.routes(),
            host="127.0.0.1",
            port=http,
            log_level="warning",
            log_config=None,
            lifespan="off",
        )
        served = uvicorn.Server(config)

        async def start() -> asyncio.Server:
            running.append(asyncio.create_task(served.serve()))
            listening = await asyncio.start_server(
                service.connection, "127.0.0.1", tls, ssl=context
            )
            while not served.started:  # noqa: ASYNC110 -- uvicorn tells it by a flag only
                await asyncio.sleep(0.01)
            return listening

        async def stop(listening: asyncio.Server) -> None:
            served.should_exit = served.force_exit = True
            listening.close()
            await asyncio.gather(*running)

        running: list[asyncio.Task[None]] = []
        listening = background.do(start())
        try:
            yield service
        finally:
            background.do(stop(listening))
